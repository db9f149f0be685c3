//! What texts can do.

use super::Node;
use crate::typescript::Place;

/// A call of a text's method.
#[derive(Debug)]
pub(crate) struct TextCall {
    pub(crate) method: TextMethod,
    pub(crate) receiver: Node,
    pub(crate) arguments: Vec<Node>,
    /// `?.`: nothing comes of nothing.
    pub(crate) optional: bool,
    pub(crate) place: Place,
}

/// What texts can do here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextMethod {
    Length,
    At,
    CharAt,
    CharCodeAt,
    Concat,
    EndsWith,
    Includes,
    IndexOf,
    LastIndexOf,
    PadEnd,
    PadStart,
    Replace,
    ReplaceAll,
    Slice,
    Split,
    StartsWith,
    Substring,
    ToLowerCase,
    ToString,
    ToUpperCase,
    Trim,
    TrimEnd,
    TrimStart,
}

impl TextMethod {
    /// The method of this name, if it can be called here with so many arguments.
    pub(crate) fn named(name: &str, arguments: usize) -> Option<Self> {
        Some(match (name, arguments) {
            ("at", 1) => Self::At,
            ("charAt", 0 | 1) => Self::CharAt,
            ("charCodeAt", 0 | 1) => Self::CharCodeAt,
            ("concat", _) => Self::Concat,
            ("endsWith", 1) => Self::EndsWith,
            ("includes", 1) => Self::Includes,
            ("indexOf", 1 | 2) => Self::IndexOf,
            ("lastIndexOf", 1) => Self::LastIndexOf,
            ("padEnd", 1 | 2) => Self::PadEnd,
            ("padStart", 1 | 2) => Self::PadStart,
            ("replace", 2) => Self::Replace,
            ("replaceAll", 2) => Self::ReplaceAll,
            ("slice", 0..=2) => Self::Slice,
            ("split", 1) => Self::Split,
            ("startsWith", 1) => Self::StartsWith,
            ("substring", 0..=2) => Self::Substring,
            ("toLowerCase", 0) => Self::ToLowerCase,
            ("toString", 0) => Self::ToString,
            ("toUpperCase", 0) => Self::ToUpperCase,
            ("trim", 0) => Self::Trim,
            ("trimEnd", 0) => Self::TrimEnd,
            ("trimStart", 0) => Self::TrimStart,
            _ => return None,
        })
    }

    /// Whether it may take a pair of units apart that is one character.
    pub(crate) fn halves(self) -> bool {
        matches!(self, Self::At | Self::CharAt | Self::Slice | Self::Substring)
    }

    /// Whether a number comes of it where it is a text's.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Length | Self::CharCodeAt | Self::IndexOf | Self::LastIndexOf)
    }
}
