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

/// One thing that is wrong, and where. What is not known of the place is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Detail {
    /// A file, and the line in it.
    pub(crate) file: String,
    /// A resource: `route/default/hello`.
    pub(crate) resource: String,
    /// A JSON pointer, or a key on the command line.
    pub(crate) pointer: String,
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

    /// The same, with what is wrong in detail.
    #[must_use]
    pub(crate) fn with_details(mut self, details: impl IntoIterator<Item = Detail>) -> Self {
        self.details.extend(details);
        self
    }

    /// What was written is not valid, told problem by problem. Warnings are left out.
    pub(crate) fn invalid(message: impl Into<String>, problems: &Problems) -> Self {
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        Self::new(Exit::Invalid, message).with_details(errors.map(Detail::from))
    }

    /// The status that the program ends with.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl From<&Problem> for Detail {
    fn from(problem: &Problem) -> Self {
        Self {
            file: String::new(),
            resource: problem.key.as_ref().map(ToString::to_string).unwrap_or_default(),
            pointer: problem.pointer.clone(),
            message: problem.message.clone(),
            help: problem.help.clone(),
        }
    }
}

/// As it is shown, with styles; whoever prints it removes them where they do not belong.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (error, help) = (style::ERROR, style::HELP);
        write!(f, "{error}error:{error:#} {}", self.message)?;
        for detail in &self.details {
            write!(f, "\n  {detail}")?;
        }
        match &self.help {
            Some(text) => write!(f, "\n{help}help:{help:#} {text}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = [&self.file, &self.resource, &self.pointer];
        let place: Vec<&str> =
            place.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        if !place.is_empty() {
            let bold = style::PLACE;
            write!(f, "{bold}{}{bold:#}: ", place.join(" "))?;
        }
        f.write_str(&self.message.replace('\n', "\n    "))?;
        match &self.help {
            Some(text) => write!(f, "\n    {}help:{:#} {text}", style::HELP, style::HELP),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
