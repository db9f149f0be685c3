//! What lists can do.

use super::Node;
use crate::typescript::Place;

/// A call of a list's method.
#[derive(Debug)]
pub(crate) struct ListCall {
    pub(crate) method: ListMethod,
    pub(crate) list: Node,
    pub(crate) arguments: Vec<Node>,
    pub(crate) place: Place,
}

/// What lists can do here. Nothing changes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListMethod {
    Length,
    At,
    Includes,
    IndexOf,
    Join,
    Slice,
}

impl ListMethod {
    /// The method of this name, if it can be called here with so many arguments.
    pub(crate) fn named(name: &str, arguments: usize) -> Option<Self> {
        Some(match (name, arguments) {
            ("length", 0) => Self::Length,
            ("at", 1) => Self::At,
            ("includes", 1) => Self::Includes,
            ("indexOf", 1) => Self::IndexOf,
            ("join", 0 | 1) => Self::Join,
            ("slice", 0..=2) => Self::Slice,
            _ => return None,
        })
    }

    /// Whether a list comes of it.
    pub(crate) fn makes_list(self) -> bool {
        self == Self::Slice
    }
}
