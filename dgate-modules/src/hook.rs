//! The hooks of a module, by name.

use dgate_core::hook::Hooks;

/// One hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Hook {
    FetchUpstream,
    RequestModifier,
    RequestHandler,
    ResponseModifier,
    ErrorHandler,
}

/// The names under which hooks are exported; `default` is a fetch-style handler.
pub(crate) const HOOKS: [&str; 6] = [
    "fetchUpstream",
    "fetchUpstreamUrl",
    "requestModifier",
    "requestHandler",
    "responseModifier",
    "errorHandler",
];

impl Hook {
    pub(crate) const ALL: [Self; 5] = [
        Self::FetchUpstream,
        Self::RequestModifier,
        Self::RequestHandler,
        Self::ResponseModifier,
        Self::ErrorHandler,
    ];

    /// The names of exports that are this hook.
    pub(crate) const fn exports(self) -> &'static [&'static str] {
        match self {
            Self::FetchUpstream => &["fetchUpstream", "fetchUpstreamUrl"],
            Self::RequestModifier => &["requestModifier"],
            Self::RequestHandler => &["requestHandler"],
            Self::ResponseModifier => &["responseModifier"],
            Self::ErrorHandler => &["errorHandler"],
        }
    }

    /// Whether it is one of these.
    pub(crate) const fn is_in(self, hooks: Hooks) -> bool {
        match self {
            Self::FetchUpstream => hooks.fetch_upstream,
            Self::RequestModifier => hooks.modify_request,
            Self::RequestHandler => hooks.handle_request,
            Self::ResponseModifier => hooks.modify_response,
            Self::ErrorHandler => hooks.handle_error,
        }
    }

    /// Whether it may answer instead of an upstream.
    pub(crate) const fn answers(self) -> bool {
        matches!(self, Self::RequestHandler | Self::ErrorHandler)
    }

    /// The name in logs and metrics.
    pub(crate) const fn name(self) -> &'static str {
        self.exports()[0]
    }
}
