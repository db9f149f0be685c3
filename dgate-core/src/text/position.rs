//! A place in a text.

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// In characters.
    pub length: usize,
}

impl Position {
    /// The place of some bytes.
    pub(super) fn at_offset(text: &str, offset: usize, length: usize) -> Self {
        let before = &text[..offset.min(text.len())];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let end = (offset + length).min(text.len());
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            length: text
                .get(offset..end)
                .map_or(1, |part| part.lines().next().unwrap_or_default().chars().count())
                .max(1),
        }
    }

    /// The place that the YAML parser tells.
    pub(super) fn of_yaml(location: &serde_saphyr::Location) -> Self {
        Self {
            line: location.line() as usize,
            column: location.column() as usize,
            length: (location.span().len() as usize).max(1),
        }
    }
}
