//! Sets of characters: what `[…]`, `\w` or `\p{…}` stand for, as the engine's own matcher sees it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::Flags;

/// How many characters besides those of ASCII are remembered.
const MOST: usize = 4_096;

/// A set of characters.
#[derive(Debug)]
pub(super) struct Set {
    matcher: regress::Regex,
    unicode: bool,
    /// Characters of ASCII: which are known, and which of those are in.
    known: Cell<u128>,
    inside: Cell<u128>,
    others: RefCell<HashMap<u32, bool>>,
}

impl Set {
    /// The set that a part of a pattern stands for.
    pub(super) fn new(text: &[u32], flags: Flags) -> Option<Self> {
        let around = |text: &'static str| text.chars().map(u32::from);
        let pattern: Vec<u32> = around("^(?:").chain(text.iter().copied()).chain(around(")$")).collect();
        let options = regress::Flags {
            icase: flags.ignore_case,
            unicode: flags.unicode,
            unicode_sets: flags.unicode_sets,
            ..regress::Flags::default()
        };
        let matcher = regress::Regex::from_unicode(pattern.iter().copied(), options).ok()?;
        Some(Self {
            matcher,
            unicode: flags.unicode || flags.unicode_sets,
            known: Cell::default(),
            inside: Cell::default(),
            others: RefCell::default(),
        })
    }

    /// Whether a character is one of them.
    pub(super) fn has(&self, char: u32) -> bool {
        if char < 128 {
            let bit = 1_u128 << char;
            if self.known.get() & bit == 0 {
                self.known.set(self.known.get() | bit);
                if self.ask(char) {
                    self.inside.set(self.inside.get() | bit);
                }
            }
            return self.inside.get() & bit != 0;
        }
        let mut others = self.others.borrow_mut();
        if let Some(known) = others.get(&char) {
            return *known;
        }
        if others.len() >= MOST {
            others.clear();
        }
        let answer = self.ask(char);
        others.insert(char, answer);
        answer
    }

    /// Whether a text is one of them, in a set that has texts.
    pub(super) fn has_text(&self, text: &[u32]) -> bool {
        let mut units = Vec::with_capacity(text.len() * 2);
        for char in text {
            match char::from_u32(*char) {
                Some(char) => units.extend_from_slice(char.encode_utf16(&mut [0; 2])),
                None => units.push(*char as u16),
            }
        }
        self.matcher.find_from_utf16(&units, 0).next().is_some()
    }

    fn ask(&self, char: u32) -> bool {
        let mut units = [0; 2];
        let units: &[u16] = match char::from_u32(char) {
            Some(char) => char.encode_utf16(&mut units),
            None => {
                units[0] = char as u16;
                &units[..1]
            }
        };
        if self.unicode {
            self.matcher.find_from_utf16(units, 0).next().is_some()
        } else {
            self.matcher.find_from_ucs2(units, 0).next().is_some()
        }
    }
}
