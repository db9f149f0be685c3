//! Why a hook failed.

use std::fmt;
use std::sync::Arc;

use dgate_core::{ErrorKind, GatewayError};

/// Why a hook failed, and where.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// `file:line:column`, when it is known.
    pub(crate) place: Option<String>,
    pub(crate) message: String,
    /// Where it came from, innermost first: lines of `name (file:line:column)`.
    pub(crate) trace: Vec<String>,
    /// Which module's hook it was, once that is known.
    pub(crate) module: Option<Arc<str>>,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The module threw.
    Threw,
    /// It did what it has no permission for.
    Denied,
    /// It used too much.
    Limit(LimitKind),
    /// The request body is larger than modules may read.
    BodyTooLarge,
    /// The client did not send the whole body.
    ClientGone,
    /// Too many calls wait already.
    Overloaded,
    /// A defect of the gateway.
    Internal,
}

/// What there was too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitKind {
    Cpu,
    Timeout,
    Recursion,
    /// Handlers of promises that have not run yet.
    Promises,
    /// Operations at the same time. The module is told, and goes on; so it is with those below.
    Operations,
    /// Characters of a text that a built-in or an operator would make, or would look through for another.
    String,
    /// Elements of a list that a built-in or an operator would walk through.
    List,
    /// Bytes of a body that it reads or writes.
    Body,
    /// A built-in function did not come back.
    Watchdog,
}

impl LimitKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Timeout => "timeout",
            Self::Recursion => "recursion",
            Self::Promises => "promises",
            Self::Operations => "operations",
            Self::String => "string",
            Self::List => "list",
            Self::Body => "body",
            Self::Watchdog => "watchdog",
        }
    }
}

impl FailureKind {
    /// The name in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Threw => "threw",
            Self::Denied => "denied",
            Self::Limit(kind) => kind.name(),
            Self::BodyTooLarge => "body_too_large",
            Self::ClientGone => "client_gone",
            Self::Overloaded => "overloaded",
            Self::Internal => "internal",
        }
    }
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, place: None, message: message.into(), trace: Vec::new(), module: None }
    }

    pub(crate) fn limit(kind: LimitKind, message: impl Into<String>) -> Self {
        Self::new(FailureKind::Limit(kind), message)
    }

    /// The message, and below it where it came from.
    pub(crate) fn with_trace(&self) -> String {
        let trace = self.trace.iter().map(|line| format!("\n    at {line}"));
        format!("{self}{}", trace.collect::<String>())
    }

    pub(crate) fn into_error(self) -> GatewayError {
        let kind = match self.kind {
            FailureKind::Threw => ErrorKind::ModuleError,
            FailureKind::Denied => ErrorKind::ModuleDenied,
            FailureKind::Limit(_) => ErrorKind::ModuleLimit,
            FailureKind::BodyTooLarge => ErrorKind::BodyTooLarge,
            FailureKind::ClientGone => ErrorKind::ClientGone,
            FailureKind::Overloaded => ErrorKind::Overloaded,
            FailureKind::Internal => ErrorKind::Internal,
        };
        GatewayError::new(kind).because(self)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match (&self.place, &self.module) {
            (Some(place), _) => write!(f, " ({place})"),
            (None, Some(module)) => write!(f, " (module {module})"),
            (None, None) => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
