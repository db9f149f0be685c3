//! Texts, read forwards and backwards.

/// A text of bytes or of UTF-16, as code units or as code points.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'t, T> {
    pub(super) units: &'t [T],
    pub(super) unicode: bool,
}

impl<T: Copy + Into<u32>> Text<'_, T> {
    pub(super) fn len(&self) -> usize {
        self.units.len()
    }

    pub(super) fn unit(&self, at: usize) -> Option<u32> {
        self.units.get(at).map(|unit| (*unit).into())
    }

    /// The character at a place, and the place after it.
    pub(super) fn after(&self, at: usize) -> Option<(u32, usize)> {
        let unit = self.unit(at)?;
        if self.unicode
            && (0xd800..0xdc00).contains(&unit)
            && let Some(low) = self.unit(at + 1).filter(|low| (0xdc00..0xe000).contains(low))
        {
            return Some((0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), at + 2));
        }
        Some((unit, at + 1))
    }

    /// The character before a place, and the place before it.
    pub(super) fn before(&self, at: usize) -> Option<(u32, usize)> {
        let unit = self.unit(at.checked_sub(1)?)?;
        if self.unicode
            && (0xdc00..0xe000).contains(&unit)
            && let Some(high) =
                at.checked_sub(2).and_then(|at| self.unit(at)).filter(|high| (0xd800..0xdc00).contains(high))
        {
            return Some((0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00), at - 2));
        }
        Some((unit, at - 1))
    }

    /// Whether a word begins or ends at a place.
    pub(super) fn is_boundary(&self, at: usize, wide: bool) -> bool {
        is_word(self.before(at), wide) != is_word(self.after(at), wide)
    }
}

/// `wide`: with what is a word's character only without regard to case.
fn is_word(char: Option<(u32, usize)>, wide: bool) -> bool {
    char.is_some_and(|(char, _)| {
        char::from_u32(char).is_some_and(|char| char.is_ascii_alphanumeric() || char == '_')
            || (wide && matches!(char, 0x17f | 0x212a))
    })
}

pub(super) fn is_line_end(char: u32) -> bool {
    matches!(char, 0x0a | 0x0d | 0x2028 | 0x2029)
}

/// Whether two code units are the same, with or without regard to case.
pub(super) fn is_same(one: Option<u32>, other: Option<u32>, fold: bool) -> bool {
    let lower = |unit: Option<u32>| {
        let char = unit.and_then(char::from_u32);
        char.map_or(unit, |char| char.to_lowercase().next().map(u32::from))
    };
    one == other || (fold && lower(one) == lower(other))
}
