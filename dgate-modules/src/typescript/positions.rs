//! Where things in generated code stood in the written source.

use super::ticks::Instrumented;

/// A place in the written source; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// Text that was put into a source, by the offset in the source and its length.
#[derive(Debug, Default)]
pub(super) struct Inserted(pub(super) Vec<(usize, usize)>);

impl Inserted {
    /// The offset in the source of an offset in the text with insertions.
    pub(super) fn original(&self, offset: usize) -> usize {
        let mut inserted = 0;
        for (at, length) in &self.0 {
            let begins = at + inserted;
            if offset < begins {
                break;
            }
            if offset < begins + length {
                return *at;
            }
            inserted += length;
        }
        offset - inserted
    }
}

/// Leads from places in generated code back to the source.
#[derive(Debug, Default, Hash)]
pub(crate) struct Positions {
    /// Generated line and column, and what stood there; sorted.
    tokens: Vec<((u32, u32), Place)>,
}

impl Positions {
    /// From the printer's map: generated line and column, line and column in the instrumented text, counted from 0.
    pub(super) fn new(
        map: impl Iterator<Item = ((u32, u32), (u32, u32))>,
        instrumented: &Instrumented,
        source: &str,
    ) -> Self {
        let lines = line_starts(&instrumented.text);
        let source_lines = line_starts(source);
        let mut tokens: Vec<_> = map
            .map(|(generated, (line, column))| {
                let begin = lines.get(line as usize).copied().unwrap_or(instrumented.text.len());
                let offset = begin + bytes_of_units(&instrumented.text[begin..], column);
                let offset = instrumented.inserted.original(offset);
                (generated, place_in(source, &source_lines, offset))
            })
            .collect();
        tokens.sort_by_key(|(generated, _)| *generated);
        Self { tokens }
    }

    /// What stood at a place of the generated code that counts from 1.
    pub(crate) fn source(&self, line: u32, column: u32) -> Option<Place> {
        let wanted = (line.checked_sub(1)?, column.saturating_sub(1));
        let after = self.tokens.partition_point(|(generated, _)| *generated <= wanted);
        let (generated, place) = self.tokens.get(after.checked_sub(1)?)?;
        if generated.0 == wanted.0 {
            return Some(*place);
        }
        // Nothing on that line comes before the column: take what comes after.
        self.tokens.get(after).filter(|(generated, _)| generated.0 == wanted.0).map(|(_, place)| *place)
    }
}

/// The place of a byte offset.
pub(super) fn place(source: &str, offset: usize) -> Place {
    place_in(source, &line_starts(source), offset)
}

pub(super) fn place_in(source: &str, lines: &[usize], offset: usize) -> Place {
    let line = lines.partition_point(|start| *start <= offset).max(1);
    let start = lines[line - 1];
    let mut end = offset.min(source.len());
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    Place { line: line as u32, column: source[start..end].chars().count() as u32 + 1 }
}

pub(super) fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// How many bytes so many UTF-16 units are.
fn bytes_of_units(text: &str, units: u32) -> usize {
    let mut left = units as usize;
    for (at, character) in text.char_indices() {
        if left == 0 || character == '\n' {
            return at;
        }
        left = left.saturating_sub(character.len_utf16());
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insertions_are_taken_out_of_offsets() {
        let inserted = Inserted(vec![(0, 5), (3, 2)]);
        // `IIIIIabcJJdef`
        let found: Vec<_> = (0..13).map(|offset| inserted.original(offset)).collect();
        assert_eq!(found, [0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 4, 5]);
    }

    #[test]
    fn places_count_characters() {
        assert_eq!(place("añb\nc", 3), Place { line: 1, column: 3 });
        assert_eq!(place("añb\nc", 5), Place { line: 2, column: 1 });
        assert_eq!(place("", 0), Place { line: 1, column: 1 });
    }
}
