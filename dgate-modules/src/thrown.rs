//! An error that a module sees, whichever way the module is run.

/// An error that a module sees, whichever way the module is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Thrown {
    pub(crate) class: ErrorClass,
    pub(crate) message: String,
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
    /// A `TypeError`.
    pub(crate) fn typ(message: impl Into<String>) -> Self {
        Self { class: ErrorClass::Type, message: message.into() }
    }

    /// A `RangeError`.
    pub(crate) fn range(message: impl Into<String>) -> Self {
        Self { class: ErrorClass::Range, message: message.into() }
    }
}
