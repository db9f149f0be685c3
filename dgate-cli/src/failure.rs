//! Why a command did not do what it should.

use std::fmt;

use dgate_core::{Problem, Problems, Severity};

use crate::exit::Exit;
use crate::output::style;

/// Why a command did not do what it should: what went wrong, in detail, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) details: Vec<Detail>,
    pub(crate) help: Option<String>,
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Detail {
    /// A place in a file, a resource and a JSON pointer into it; whatever is known. May be empty.
    pub(crate) place: String,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Failure {
    /// A failure with one line that says what went wrong.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), details: Vec::new(), help: None }
    }

    /// The command line makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The same, with advice.
    #[must_use]
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What was written is not valid, told problem by problem. Warnings are left out.
    pub(crate) fn invalid(message: impl Into<String>, problems: &Problems) -> Self {
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        Self { details: errors.map(Detail::from).collect(), ..Self::new(Exit::Invalid, message) }
    }

    /// The status that the program ends with.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl From<&Problem> for Detail {
    fn from(problem: &Problem) -> Self {
        let key = problem.key.as_ref().map(ToString::to_string).unwrap_or_default();
        let place = match problem.pointer.as_str() {
            "" => key,
            pointer if key.is_empty() => pointer.to_owned(),
            pointer => format!("{key} {pointer}"),
        };
        Self { place, message: problem.message.clone(), help: problem.help.clone() }
    }
}

/// As it is shown, with styles; whoever prints it removes them where they do not belong.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (error, help) = (style::ERROR, style::HELP);
        write!(f, "{error}error:{error:#} {}", self.message)?;
        for detail in &self.details {
            write!(f, "\n  ")?;
            if !detail.place.is_empty() {
                let place = style::PLACE;
                write!(f, "{place}{}{place:#}: ", detail.place)?;
            }
            write!(f, "{}", detail.message.replace('\n', "\n    "))?;
            if let Some(text) = &detail.help {
                write!(f, "\n    {help}help:{help:#} {text}")?;
            }
        }
        match &self.help {
            Some(text) => write!(f, "\n{help}help:{help:#} {text}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
