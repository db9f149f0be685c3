//! What went wrong with a request, whose fault it was, and whether trying again may help.

mod kind;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use http::Method;

pub use kind::{ErrorKind, GrpcStatus};

/// Whose fault an error was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// Whoever sent the request.
    Client,
    /// Whoever should have answered it.
    Upstream,
    /// The operator's own module.
    Module,
    /// The operator's configuration.
    Config,
    /// Ours.
    Internal,
}

/// Whether trying again is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// It is not, or would not help.
    No,
    /// It is when the method is idempotent: the upstream may have acted on the request.
    Idempotent,
    /// It is: the upstream has not seen the request.
    Always,
}

/// What went wrong with a request.
///
/// Layers pass it up; one layer at the edge turns it into a response. Its [`kind`](Self::kind) decides on status and
/// code, its text is for logs only: it may name internal addresses.
///
/// ```
/// use dgate_core::error::{Blame, ErrorKind, GatewayError};
/// let error = GatewayError::new(ErrorKind::UpstreamTimeout);
/// assert_eq!(error.kind().status(), 504);
/// assert_eq!(error.kind().code(), "upstream_timeout");
/// assert_eq!(error.blame(), Blame::Upstream);
/// ```
pub struct GatewayError(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    blame: Blame,
    retry: Retry,
    is_stale: bool,
    detail: Option<Cow<'static, str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    allow: Vec<Method>,
}

impl GatewayError {
    /// An error of a kind, with that kind's usual blame and no retry.
    pub fn new(kind: ErrorKind) -> Self {
        let inner = Inner {
            kind,
            blame: kind.blame(),
            retry: Retry::No,
            is_stale: false,
            detail: None,
            source: None,
            allow: Vec::new(),
        };
        Self(Box::new(inner))
    }

    /// A path that has routes, but none for this method.
    pub fn method_not_allowed(allow: Vec<Method>) -> Self {
        let mut error = Self::new(ErrorKind::MethodNotAllowed);
        error.0.allow = allow;
        error
    }

    /// The same, with what caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same, with words for the client: nothing in them may be internal.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// The same, blaming somebody else.
    #[must_use]
    pub fn blaming(mut self, blame: Blame) -> Self {
        self.0.blame = blame;
        self
    }

    /// The same, with another answer to whether trying again is safe.
    #[must_use]
    pub fn retryable(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// The same, when a connection that had been idle turned out to be closed before a byte came back: that says
    /// nothing about the upstream, so trying again costs nothing.
    #[must_use]
    pub fn stale(mut self) -> Self {
        self.0.is_stale = true;
        self
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        self.0.blame
    }

    /// Whether trying again is safe.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Whether it only shows that an idle connection had been closed.
    pub fn is_stale(&self) -> bool {
        self.0.is_stale
    }

    /// Words for the client.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Methods that would have been allowed.
    pub fn allow(&self) -> &[Method] {
        &self.0.allow
    }

    /// Whether an error of type `E` is somewhere among the causes.
    pub fn is_caused_by<E: StdError + 'static>(&self) -> bool {
        let mut source = self.source();
        while let Some(error) = source {
            if error.is::<E>() {
                return true;
            }
            source = error.source();
        }
        false
    }
}

impl From<ErrorKind> for GatewayError {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl fmt::Debug for GatewayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayError")
            .field("kind", &self.0.kind)
            .field("blame", &self.0.blame)
            .field("retry", &self.0.retry)
            .field("detail", &self.0.detail)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for GatewayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.kind.code())?;
        if let Some(detail) = &self.0.detail {
            write!(f, ": {detail}")?;
        }
        let mut source = self.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl StdError for GatewayError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}
