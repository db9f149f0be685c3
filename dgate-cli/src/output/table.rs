//! Tables for people: aligned columns, no lines between them.

use std::fmt;

use comfy_table::{Cell, ContentArrangement, presets};

use super::style;

/// Rows under a head. Columns are as wide as their longest cell; nothing is cut or wrapped, so that `grep` finds whole lines.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new<S: Into<String>>(head: impl IntoIterator<Item = S>) -> Self {
        Self { head: head.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row. Line breaks in it become spaces.
    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        let cells = cells.into_iter().map(|cell| cell.into().replace(['\n', '\r', '\t'], " "));
        self.rows.push(cells.collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.head.iter().map(Cell::new));
        for row in &self.rows {
            table.add_row(row.iter().map(|cell| if cell.is_empty() { "-" } else { cell }));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 3));
        }
        for (index, line) in table.lines().enumerate() {
            let line = line.trim_end();
            match index {
                0 => write!(f, "{}{line}{:#}", style::HEAD, style::HEAD)?,
                _ => write!(f, "\n{line}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_cells_are_one_line() {
        let mut table = Table::new(["NAME", "PATHS"]);
        table.row(["hello", "/hello/**"]);
        table.row(["a-long-name", "/ä\n/b"]);
        table.row(["x", ""]);
        let plain = anstream::adapter::strip_str(&table.to_string()).to_string();
        assert_eq!(
            plain,
            "NAME          PATHS\nhello         /hello/**\na-long-name   /ä /b\nx             -"
        );
    }
}
