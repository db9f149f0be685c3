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
    ToLowerCase,
    ToUpperCase,
    Trim,
    StartsWith,
    EndsWith,
    Includes,
    IndexOf,
    Concat,
    ToString,
}

impl TextMethod {
    /// The method of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "toLowerCase" => Self::ToLowerCase,
            "toUpperCase" => Self::ToUpperCase,
            "trim" => Self::Trim,
            "startsWith" => Self::StartsWith,
            "endsWith" => Self::EndsWith,
            "includes" => Self::Includes,
            "indexOf" => Self::IndexOf,
            "concat" => Self::Concat,
            "toString" => Self::ToString,
            _ => return None,
        })
    }

    /// How many arguments it takes here.
    pub(crate) fn takes(self, arguments: usize) -> bool {
        match self {
            Self::Length | Self::ToLowerCase | Self::ToUpperCase | Self::Trim | Self::ToString => {
                arguments == 0
            }
            Self::StartsWith | Self::EndsWith | Self::Includes | Self::IndexOf => arguments == 1,
            Self::Concat => true,
        }
    }
}
