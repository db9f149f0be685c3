//! Where things in generated code stood in the written source.

use super::ticks::Instrumented;

/// A place in the written source; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// Text that was put into a source.
#[derive(Debug, Default)]
pub(super) struct Inserted {
    /// Where each begins in the text with insertions, its offset in the source, and its length; sorted.
    parts: Vec<(usize, usize, usize)>,
}

impl Inserted {
    /// From offsets in the source and lengths, in order.
    pub(super) fn new(parts: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut before = 0;
        let parts = parts.into_iter().map(|(at, length)| {
            let begins = at + before;
            before += length;
            (begins, at, length)
        });
        Self { parts: parts.collect() }
    }

    /// The offset in the source of an offset in the text with insertions.
    pub(super) fn original(&self, offset: usize) -> usize {
        let after = self.parts.partition_point(|(begins, ..)| *begins <= offset);
        let Some((begins, at, length)) = after.checked_sub(1).map(|last| self.parts[last]) else {
            return offset;
        };
        at + (offset - begins).saturating_sub(length)
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
        let (lines, source_lines) = (Lines::new(&instrumented.text), Lines::new(source));
        let mut tokens: Vec<_> = map
            .map(|(generated, (line, column))| {
                let offset = instrumented.inserted.original(lines.offset(line as usize, column as usize));
                (generated, source_lines.place(offset))
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
    Lines::new(source).place(offset)
}

/// A text in which places are found without going through it: a line may be as long as all of it.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    /// Every so often, what lies before a character.
    marks: Vec<Mark>,
}

/// What lies before a character.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    bytes: usize,
    units: usize,
    characters: usize,
}

/// Marks are so many bytes apart, or a few more.
const STEP: usize = 256;

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let (mut marks, mut mark) = (vec![Mark::default()], Mark::default());
        for character in text.chars() {
            mark = mark.after(character);
            if mark.bytes >= marks.len() * STEP {
                marks.push(mark);
            }
        }
        Self { text, starts, marks }
    }

    /// The place of a byte offset.
    pub(super) fn place(&self, offset: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let characters = self.before(offset).characters - self.before(self.starts[line - 1]).characters;
        Place { line: line as u32, column: characters as u32 + 1 }
    }

    /// The byte offset of a line and UTF-16 units in it, counted from 0.
    fn offset(&self, line: usize, units: usize) -> usize {
        let Some(start) = self.starts.get(line) else { return self.text.len() };
        let mut mark = self.before(*start);
        let wanted = mark.units + units;
        let near = self.marks[self.marks.partition_point(|mark| mark.units <= wanted).saturating_sub(1)];
        let end = self.starts.get(line + 1).map_or(self.text.len(), |next| next - 1);
        if near.bytes > mark.bytes {
            mark = near;
        }
        for character in self.text[mark.bytes.min(end)..end].chars() {
            if mark.units >= wanted {
                break;
            }
            mark = mark.after(character);
        }
        mark.bytes.min(end)
    }

    /// What lies before the character that a byte belongs to.
    fn before(&self, offset: usize) -> Mark {
        let mut mark = self.marks[self.marks.partition_point(|mark| mark.bytes <= offset).saturating_sub(1)];
        for character in self.text[mark.bytes..].chars() {
            if mark.bytes + character.len_utf8() > offset {
                break;
            }
            mark = mark.after(character);
        }
        mark
    }
}

impl Mark {
    fn after(self, character: char) -> Self {
        Self {
            bytes: self.bytes + character.len_utf8(),
            units: self.units + character.len_utf16(),
            characters: self.characters + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insertions_are_taken_out_of_offsets() {
        let inserted = Inserted::new([(0, 5), (3, 2)]);
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

    #[test]
    fn offsets_are_found_far_into_a_line() {
        let text = format!("first\n{}end\n\nlast", "aä€😀".repeat(500));
        let lines = Lines::new(&text);
        for (line, part) in text.split('\n').enumerate() {
            let start = lines.offset(line, 0);
            let (mut units, mut characters) = (0, 1);
            for (at, character) in part.char_indices() {
                assert_eq!(lines.offset(line, units), start + at, "{line}:{units}");
                let place = Place { line: line as u32 + 1, column: characters };
                assert_eq!(lines.place(start + at), place);
                assert_eq!(lines.place(start + at + character.len_utf8() - 1), place, "within a character");
                units += character.len_utf16();
                characters += 1;
            }
            assert_eq!(lines.offset(line, units + 9), start + part.len(), "no further than the line");
        }
        assert_eq!(lines.offset(9, 0), text.len());
    }
}
