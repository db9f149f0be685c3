//! Classes that have texts in them, as the flag `v` allows: `[\p{RGI_Emoji}--\q{ab|c|}]`.
//!
//! The engine's own matcher is asked about single operands only: what is put together of them it gets wrong where there are
//! empty texts, or texts of one character.

use super::node::One;
use super::set::Set;

/// A class with texts.
#[derive(Debug)]
pub(super) enum Class {
    /// What one operand stands for by itself.
    Leaf {
        set: usize,
        /// Whether it has texts that are not single characters.
        of_texts: bool,
    },
    /// These texts, `\q{…}`.
    Listed(Vec<Vec<One>>),
    Union(Vec<Class>),
    Intersection(Vec<Class>),
    /// The first without the others.
    Difference(Vec<Class>),
    /// All characters but these.
    Not(Box<Class>),
}

impl Class {
    /// Whether a text is one of them.
    pub(super) fn has(&self, text: &[u32], sets: &[Set]) -> bool {
        match self {
            Self::Leaf { set, of_texts } => match text {
                [char] => sets[*set].has(*char),
                _ => *of_texts && sets[*set].has_text(text),
            },
            Self::Listed(texts) => texts.iter().any(|listed| {
                let mut pairs = listed.iter().zip(text);
                listed.len() == text.len() && pairs.all(|(one, char)| one.is(*char, sets))
            }),
            Self::Union(parts) => parts.iter().any(|part| part.has(text, sets)),
            Self::Intersection(parts) => parts.iter().all(|part| part.has(text, sets)),
            Self::Difference(parts) => {
                let mut parts = parts.iter();
                parts.next().is_some_and(|first| first.has(text, sets))
                    && !parts.any(|part| part.has(text, sets))
            }
            Self::Not(inner) => text.len() == 1 && !inner.has(text, sets),
        }
    }
}
