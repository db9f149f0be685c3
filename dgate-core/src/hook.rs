//! How modules take part in a request, whatever language they are written in.
//!
//! A [`HookRunner`] makes a [`HookChain`] for the modules of a route when a snapshot is prepared; the chain makes a
//! [`HookSession`] for each request, and the session's methods are the hooks. The data plane knows nothing else.

use std::fmt;
use std::sync::Arc;

use http::{Request, Response};

use crate::BoxFuture;
use crate::Problems;
use crate::body::Body;
use crate::context::RequestContext;
use crate::error::GatewayError;
use crate::snapshot::{CompiledRoute, NamespaceSnapshot};

/// Runs modules.
pub trait HookRunner: Send + Sync + 'static {
    /// Gets ready to run modules of a route, in this order, beside whatever runs now. By their tags not all modules of a
    /// route need apply, nor the same ones to every request; then the route has several chains. `previous` is the chain
    /// that the route has now for the same modules, if it has one; when they did not change it may be returned as it is.
    ///
    /// # Errors
    /// Everything that is wrong with the modules.
    fn prepare<'a>(
        &'a self,
        namespace: &'a NamespaceSnapshot,
        route: &'a CompiledRoute,
        modules: &'a [String],
        previous: Option<&'a Arc<dyn HookChain>>,
    ) -> BoxFuture<'a, Result<Arc<dyn HookChain>, Problems>>;

    /// Looks at modules that are on no route: what is wrong with them is told when they are stored, not when they are
    /// first used. `before` is the namespace as it is now.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    fn check<'a>(
        &'a self,
        namespace: &'a NamespaceSnapshot,
        before: Option<&'a NamespaceSnapshot>,
    ) -> BoxFuture<'a, Result<(), Problems>> {
        let _ = (namespace, before);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The modules of a route, ready to run.
pub trait HookChain: std::any::Any + Send + Sync {
    /// Which hooks its modules have. Others are not called.
    fn hooks(&self) -> Hooks;

    /// Begins a request.
    fn begin(&self, context: &RequestContext) -> Box<dyn HookSession>;
}

/// Which hooks there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hooks {
    /// Chooses where a request goes.
    pub fetch_upstream: bool,
    /// Changes a request before it goes anywhere.
    pub modify_request: bool,
    /// Answers instead of an upstream.
    pub handle_request: bool,
    /// Changes a response before it goes to the client.
    pub modify_response: bool,
    /// Answers when something failed.
    pub handle_error: bool,
}

impl Hooks {
    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// The same, with these; for `#[non_exhaustive]`'s sake.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

/// The hooks of one request. Every method defaults to what happens without the hook.
///
/// Dropping a session, or a future it returned, cancels what the modules do: the client has gone.
pub trait HookSession: Send {
    /// Chooses where the request goes: a URL, or nothing to let the balancer choose.
    fn fetch_upstream<'a>(
        &'a mut self,
        request: &'a mut Request<Body>,
    ) -> BoxFuture<'a, Result<Option<String>, GatewayError>> {
        let _ = request;
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Changes the request.
    fn modify_request<'a>(
        &'a mut self,
        request: &'a mut Request<Body>,
    ) -> BoxFuture<'a, Result<(), GatewayError>> {
        let _ = request;
        Box::pin(std::future::ready(Ok(())))
    }

    /// Answers the request, or leaves it to the upstream.
    fn handle_request<'a>(
        &'a mut self,
        request: &'a mut Request<Body>,
    ) -> BoxFuture<'a, Result<Option<Response<Body>>, GatewayError>> {
        let _ = request;
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Changes the response.
    fn modify_response<'a>(
        &'a mut self,
        response: &'a mut Response<Body>,
    ) -> BoxFuture<'a, Result<(), GatewayError>> {
        let _ = response;
        Box::pin(std::future::ready(Ok(())))
    }

    /// Answers after a failure, or leaves it to the default answer.
    fn handle_error<'a>(
        &'a mut self,
        error: &'a GatewayError,
    ) -> BoxFuture<'a, Result<Option<Response<Body>>, GatewayError>> {
        let _ = error;
        Box::pin(std::future::ready(Ok(None)))
    }
}

impl fmt::Debug for dyn HookRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookRunner")
    }
}

impl fmt::Debug for dyn HookChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HookChain").field(&self.hooks()).finish()
    }
}
