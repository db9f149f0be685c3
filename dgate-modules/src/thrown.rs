//! An error that a module sees, whichever way the module is run.

use crate::failure::LimitKind;

/// An error that a module sees, whichever way the module is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Thrown {
    pub(crate) class: ErrorClass,
    pub(crate) message: String,
    /// What there would have been too much of, if the gateway refused it for that.
    pub(crate) limit: Option<LimitKind>,
}

/// Which of the language's errors it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    Error,
    Type,
    Range,
}

impl ErrorClass {
    /// The name of its constructor.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Error => "Error",
            Self::Type => "TypeError",
            Self::Range => "RangeError",
        }
    }
}

impl Thrown {
    pub(crate) fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), limit: None }
    }

    /// A `TypeError`.
    pub(crate) fn typ(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Type, message)
    }

    /// A `RangeError`.
    pub(crate) fn range(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Range, message)
    }

    /// A `RangeError` of what was refused because there would be too much of something.
    pub(crate) fn limit(kind: LimitKind, message: impl Into<String>) -> Self {
        Self { limit: Some(kind), ..Self::range(message) }
    }
}
