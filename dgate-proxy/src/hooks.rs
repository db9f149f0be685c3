//! Runs the hooks of a route's modules around everything below.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use dgate_core::body::Body;
use dgate_core::context::RequestRecord;
use dgate_core::hook::{HookChain, HookSession, Hooks};
use dgate_core::{BoxFuture, ErrorKind, GatewayError};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Body as _;
use tower_layer::Layer;
use tower_service::Service;

use crate::metrics::{HookKind, RouteMetrics};
use crate::plan::ProxyPlan;
use crate::route::context;
use crate::upstream::ChosenUpstream;

/// Runs the hooks of a route's modules around everything below: the request's hooks on the way down, a handler in place
/// of the upstream, the response's on the way up, and the error handler when something failed. Below
/// [`PinSnapshot`](crate::edge::PinSnapshot), as hooks want to know the request's context.
#[derive(Debug, Clone, Default)]
pub struct RunHooksLayer {
    own: Option<Arc<dyn HookChain>>,
}

impl RunHooksLayer {
    /// A layer with hooks of its own, for all requests. The default one asks the request's route.
    pub fn new(hooks: Arc<dyn HookChain>) -> Self {
        Self { own: Some(hooks) }
    }
}

impl<S> Layer<S> for RunHooksLayer {
    type Service = RunHooks<S>;

    fn layer(&self, inner: S) -> RunHooks<S> {
        RunHooks { inner, own: self.own.clone() }
    }
}

/// See [`RunHooksLayer`].
#[derive(Debug, Clone)]
pub struct RunHooks<S> {
    inner: S,
    own: Option<Arc<dyn HookChain>>,
}

impl<S> Service<Request<Body>> for RunHooks<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = GatewayError> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = GatewayError;
    type Future = BoxFuture<'static, Result<Response<Body>, GatewayError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let run = match Run::begin(&request, self.own.as_ref()) {
            Ok(run) => run,
            Err(error) => return Box::pin(std::future::ready(Err(error))),
        };
        let Some(mut run) = run else { return Box::pin(self.inner.call(request)) };
        // The one that is called has to be the one that is ready.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        Box::pin(async move {
            match run.request(&mut inner, request).await {
                Ok(response) => Ok(response),
                Err(error) => run.error(error).await,
            }
        })
    }
}

/// The hooks of one request.
struct Run {
    hooks: Hooks,
    session: Box<dyn HookSession>,
    record: Arc<RequestRecord>,
    has_service: bool,
}

impl Run {
    /// The hooks of a request: the layer's own, or those of its route, if it has any.
    fn begin(
        request: &Request<Body>,
        own: Option<&Arc<dyn HookChain>>,
    ) -> Result<Option<Self>, GatewayError> {
        let context = context(request)?;
        let matched = context.matched.as_ref();
        let of_route = || {
            let matched = matched?;
            let plan = context.live.plan::<ProxyPlan>()?.namespace(matched.namespace.id)?;
            plan.route(matched.route.id)?.hooks.of(context.carried())
        };
        let has_service = own.is_some() || matched.is_some_and(|matched| matched.route.service.is_some());
        Ok(own.or_else(of_route).map(|chain| Self {
            hooks: chain.hooks(),
            session: chain.begin(context),
            record: context.record.clone(),
            has_service,
        }))
    }

    async fn request<S>(
        &mut self,
        inner: &mut S,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, GatewayError>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = GatewayError>,
    {
        if self.hooks.fetch_upstream && self.has_service {
            let clock = Clock::start(&self.record, HookKind::FetchUpstream);
            let chosen = self.session.fetch_upstream(&mut request).await;
            clock.stop();
            if let Some(url) = chosen? {
                request.extensions_mut().insert(ChosenUpstream(url));
            }
        }
        if self.hooks.modify_request {
            let before = request.body().size_hint();
            let clock = Clock::start(&self.record, HookKind::RequestModifier);
            let result = self.session.modify_request(&mut request).await;
            clock.stop();
            result?;
            let body = request.body().size_hint();
            fit_length(request.headers_mut(), before.exact(), body.exact());
        }
        if self.hooks.handle_request {
            let clock = Clock::start(&self.record, HookKind::RequestHandler);
            let answer = self.session.handle_request(&mut request).await;
            clock.stop();
            if let Some(response) = answer? {
                return Ok(response);
            }
        }
        if !self.has_service {
            return Err(ErrorKind::NoHandler.into());
        }
        let mut response = inner.call(request).await?;
        if self.hooks.modify_response {
            let before = response.body().size_hint();
            let clock = Clock::start(&self.record, HookKind::ResponseModifier);
            let result = self.session.modify_response(&mut response).await;
            clock.stop();
            result?;
            let body = response.body().size_hint();
            fit_length(response.headers_mut(), before.exact(), body.exact());
        }
        Ok(response)
    }

    async fn error(&mut self, error: GatewayError) -> Result<Response<Body>, GatewayError> {
        if !self.hooks.handle_error {
            return Err(error);
        }
        let clock = Clock::start(&self.record, HookKind::ErrorHandler);
        let answer = self.session.handle_error(&error).await;
        clock.stop();
        match answer {
            Ok(Some(response)) => {
                // The client sees the handler's answer, the log sees what happened.
                self.record.set_error(error.kind());
                Ok(response)
            }
            Ok(None) => Err(error),
            Err(failed) => {
                tracing::warn!(request_id = %self.record.id, %error, "the error handler of a route failed as well");
                Err(failed)
            }
        }
    }
}

/// A body that a hook replaced has another length than the head says.
fn fit_length(headers: &mut HeaderMap, before: Option<u64>, after: Option<u64>) {
    if before == after {
        return;
    }
    match after {
        Some(length) => drop(headers.insert(CONTENT_LENGTH, HeaderValue::from(length))),
        None => drop(headers.remove(CONTENT_LENGTH)),
    }
}

/// Measures one hook.
struct Clock<'r> {
    record: &'r RequestRecord,
    hook: HookKind,
    since: Instant,
}

impl<'r> Clock<'r> {
    fn start(record: &'r RequestRecord, hook: HookKind) -> Self {
        Self { record, hook, since: Instant::now() }
    }

    fn stop(self) {
        let now = Instant::now();
        let took = now.saturating_duration_since(self.since);
        self.record.add_module_time(took);
        if let Some(names) = self.record.route() {
            match names.handle.downcast_ref::<RouteMetrics>() {
                Some(metrics) => metrics.hook_took(names, self.hook, took, now),
                None => RouteMetrics::default().hook_took(names, self.hook, took, now),
            }
        }
    }
}
