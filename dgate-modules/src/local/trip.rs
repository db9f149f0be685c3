//! The way of one request through the hooks of its route.

use std::fmt;
use std::time::Instant;

use dgate_core::context::RequestContext;
use dgate_core::hook::{HookChain, HookSession};
use dgate_core::{Body, ErrorKind, GatewayError};
use http::{Request, Response};

use super::HookTime;
use crate::failure::Failure;

/// What happens on the way.
#[derive(Default)]
pub(super) struct Trip {
    pub(super) hooks: Vec<HookTime>,
    pub(super) upstream: Option<String>,
    pub(super) failures: Vec<HookFailure>,
}

/// What went wrong in a hook.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HookFailure {
    /// In which one.
    pub hook: &'static str,
    /// What kind of failure it is: `threw`, `denied`, `cpu`, `timeout`, `recursion`, …
    pub kind: &'static str,
    /// What the module or the gateway says.
    pub message: String,
    /// Whose fault it is, when that is known.
    pub module: Option<String>,
    /// Where in the module's own source, as `file:line:column`, when that is known.
    pub place: Option<String>,
    /// Where it came from, innermost first: `name (file:line:column)`.
    pub trace: Vec<String>,
}

impl Trip {
    async fn timed<T>(
        &mut self,
        hook: &'static str,
        work: impl Future<Output = Result<T, GatewayError>>,
    ) -> Result<T, GatewayError> {
        let started = Instant::now();
        let result = work.await;
        self.hooks.push(HookTime { hook, took: started.elapsed() });
        if let Err(error) = &result {
            self.failures.push(HookFailure::new(hook, error));
        }
        result
    }

    /// In the order in which the proxy runs them.
    pub(super) async fn forth(
        &mut self,
        chain: &dyn HookChain,
        session: &mut dyn HookSession,
        context: &RequestContext,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, GatewayError> {
        let hooks = chain.hooks();
        let has_service = context.matched.as_ref().is_some_and(|matched| matched.route.service.is_some());
        let mut chosen = None;
        if hooks.fetch_upstream && has_service {
            chosen = self.timed("fetchUpstream", session.fetch_upstream(&mut request)).await?;
        }
        if hooks.modify_request {
            self.timed("requestModifier", session.modify_request(&mut request)).await?;
        }
        if hooks.handle_request {
            let answer = self.timed("requestHandler", session.handle_request(&mut request)).await?;
            if let Some(response) = answer {
                return Ok(response);
            }
            // Asked, too, where a modifier might have answered.
            self.hooks.pop();
        }
        if !has_service {
            return Err(ErrorKind::NoHandler.into());
        }
        let mut response = echo(&request, self, chosen);
        if hooks.modify_response {
            self.timed("responseModifier", session.modify_response(&mut response)).await?;
        }
        Ok(response)
    }

    pub(super) async fn back(
        &mut self,
        chain: &dyn HookChain,
        session: &mut dyn HookSession,
        error: GatewayError,
    ) -> Result<Response<Body>, GatewayError> {
        if !chain.hooks().handle_error {
            return Err(error);
        }
        let answer = self.timed("errorHandler", session.handle_error(&error)).await?;
        answer.ok_or(error)
    }
}

/// The upstream of a local gateway: says what it was sent.
pub(super) fn echo(request: &Request<Body>, trip: &mut Trip, chosen: Option<String>) -> Response<Body> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    trip.upstream = Some(chosen.unwrap_or_else(|| "an echo of the request".to_owned()));
    let headers: serde_json::Map<String, serde_json::Value> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect();
    let body = request.body().bytes().unwrap_or_default();
    let json = serde_json::json!({
        "method": request.method().as_str(), "path": target, "headers": headers,
        "body": String::from_utf8_lossy(&body),
    });
    let mut response = Response::new(Body::full(json.to_string()));
    let kind = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    response
}

impl HookFailure {
    fn new(hook: &'static str, error: &GatewayError) -> Self {
        let failure = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Failure>());
        let Some(failure) = failure else {
            let (kind, message) = (error.kind().code(), error.to_string());
            return Self { hook, kind, message, module: None, place: None, trace: Vec::new() };
        };
        Self {
            hook,
            kind: failure.kind.name(),
            message: failure.message.clone(),
            module: failure.module.as_ref().map(ToString::to_string),
            place: failure.place.clone(),
            trace: failure.trace.clone(),
        }
    }
}

/// The message with its place, and below it where it came from.
impl fmt::Display for HookFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match (&self.place, &self.module) {
            (Some(place), _) => write!(f, " ({place})")?,
            (None, Some(module)) => write!(f, " (module {module})")?,
            (None, None) => {}
        }
        self.trace.iter().try_for_each(|line| write!(f, "\n    at {line}"))
    }
}
