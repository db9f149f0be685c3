//! The hooks of one request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dgate_core::context::RequestContext;
use dgate_core::hook::HookSession;
use dgate_core::{Body, BoxFuture, ErrorKind, GatewayError, metric_names};
use http::{Request, Response};

use crate::engine::{Answer, Done, Task};
use crate::exchange::{Draft, ErrorInfo, Exchange, RequestInfo, RequestPart};
use crate::failure::Failure;
use crate::hook::Hook;
use crate::pool::{Deployed, Place};

/// The hooks of one request.
pub(crate) struct Session {
    deployed: Arc<Deployed>,
    label: Arc<str>,
    info: Option<Arc<RequestInfo>>,
    /// Its number, under which a runtime keeps its `ctx`.
    request: u64,
    /// Where its hooks ran so far.
    place: Option<Place>,
    /// What its modules wrote so far.
    draft: Draft,
    /// The request's head, as it went.
    seen: Option<RequestPart>,
}

impl Session {
    /// `label` is the first module's name, for metrics.
    pub(crate) fn new(deployed: Arc<Deployed>, label: Arc<str>, context: &RequestContext) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            deployed,
            label,
            info: RequestInfo::new(context).map(Arc::new),
            request: NEXT.fetch_add(1, Ordering::Relaxed),
            place: None,
            draft: Draft::default(),
            seen: None,
        }
    }

    /// Runs one hook on an exchange. The draft is what it was before, with what the hook wrote.
    async fn run(
        &mut self,
        hook: Hook,
        mut exchange: Exchange,
        error: Option<ErrorInfo>,
    ) -> (Exchange, Result<Answer, GatewayError>) {
        let Some(info) = self.info.clone() else {
            return (exchange, Err(ErrorKind::Internal.into()));
        };
        let started = Instant::now();
        exchange.draft = std::mem::take(&mut self.draft);
        let task = Task { hook, request: self.request, info, exchange, error, keep: self.expects_more(hook) };
        let (place, done) = self.deployed.run(self.place, task).await;
        self.place = place.or(self.place);
        let (mut exchange, result) = match done {
            Ok(Done { exchange, result }) => (exchange, result),
            Err(failure) => (Exchange::default(), Err(failure)),
        };
        self.draft = std::mem::take(&mut exchange.draft);
        let took = started.elapsed();
        let namespace = &self.deployed.program.namespace;
        metrics::counter!(metric_names::MODULE_CALLS, "namespace" => namespace.clone(), "module" => self.label.clone(), "hook" => hook.name())
            .increment(1);
        metrics::histogram!(metric_names::MODULE_CALL_DURATION, "namespace" => namespace.clone(), "module" => self.label.clone(), "hook" => hook.name())
            .record(took);
        (exchange, result.map_err(|failure| self.failed(hook, failure, took)))
    }

    fn failed(&self, hook: Hook, failure: Failure, took: Duration) -> GatewayError {
        let namespace = &self.deployed.program.namespace;
        crate::metrics::count_failure(namespace, hook, &failure);
        crate::metrics::time_failure(namespace, hook, &failure, took);
        let trace = failure.trace.join(", ");
        tracing::warn!(
            target: "dgate::module",
            namespace = %namespace,
            module = failure.module.as_deref().unwrap_or(&self.label),
            hook = hook.name(),
            request_id = self.info.as_ref().map_or("-", |info| info.id.as_str()),
            kind = failure.kind.name(),
            trace,
            "{failure}"
        );
        failure.into_error()
    }

    /// Whether the request's `ctx` may be needed again after a hook.
    fn expects_more(&self, hook: Hook) -> bool {
        let hooks = self.deployed.hooks;
        let error = hooks.handle_error;
        match hook {
            Hook::FetchUpstream => {
                hooks.modify_request || hooks.handle_request || hooks.modify_response || error
            }
            Hook::RequestModifier => hooks.handle_request || hooks.modify_response || error,
            Hook::RequestHandler => hooks.modify_response || error,
            Hook::ResponseModifier => error,
            Hook::ErrorHandler => false,
        }
    }

    async fn on_request(&mut self, hook: Hook, request: &mut Request<Body>) -> Result<Answer, GatewayError> {
        let exchange = Exchange { request: Some(RequestPart::take(request)), ..Exchange::default() };
        let (exchange, result) = self.run(hook, exchange, None).await;
        if let Some(part) = exchange.request {
            if result.is_err() {
                // What failed may still be told to the error handler.
                self.seen =
                    Some(RequestPart { head: clone_head(&part.head), body: Body::empty(), gone: true });
            }
            part.give_back(request);
        }
        result
    }

    fn remember(&mut self, request: &Request<Body>) {
        if self.deployed.hooks.modify_response || self.deployed.hooks.handle_error {
            self.seen = Some(RequestPart::head_of(request));
        }
    }
}

fn clone_head(head: &http::request::Parts) -> http::request::Parts {
    let (mut copy, ()) = Request::new(()).into_parts();
    copy.method = head.method.clone();
    copy.uri = head.uri.clone();
    copy.version = head.version;
    copy.headers = head.headers.clone();
    copy
}

impl HookSession for Session {
    fn fetch_upstream<'a>(
        &'a mut self,
        request: &'a mut Request<Body>,
    ) -> BoxFuture<'a, Result<Option<String>, GatewayError>> {
        Box::pin(async move {
            match self.on_request(Hook::FetchUpstream, request).await? {
                Answer::Url(url) => Ok(Some(url)),
                Answer::Nothing => Ok(None),
            }
        })
    }

    fn modify_request<'a>(
        &'a mut self,
        request: &'a mut Request<Body>,
    ) -> BoxFuture<'a, Result<(), GatewayError>> {
        Box::pin(async move {
            if self.deployed.hooks.modify_request {
                self.on_request(Hook::RequestModifier, request).await?;
            }
            self.remember(request);
            Ok(())
        })
    }

    fn handle_request<'a>(
        &'a mut self,
        request: &'a mut Request<Body>,
    ) -> BoxFuture<'a, Result<Option<Response<Body>>, GatewayError>> {
        Box::pin(async move {
            if !self.draft.ended && self.deployed.hooks.handle_request {
                self.on_request(Hook::RequestHandler, request).await?;
            } else if !self.draft.ended {
                return Ok(None);
            }
            let answers = self.draft.answers();
            Ok(answers.then(|| std::mem::take(&mut self.draft).into_response()))
        })
    }

    fn modify_response<'a>(
        &'a mut self,
        response: &'a mut Response<Body>,
    ) -> BoxFuture<'a, Result<(), GatewayError>> {
        Box::pin(async move {
            let exchange = Exchange {
                request: self.seen.take(),
                upstream: Some(std::mem::take(response)),
                ..Exchange::default()
            };
            let (exchange, result) = self.run(Hook::ResponseModifier, exchange, None).await;
            self.seen = exchange.request;
            *response = exchange.upstream.unwrap_or_default();
            result.map(|_| ())
        })
    }

    fn handle_error<'a>(
        &'a mut self,
        error: &'a GatewayError,
    ) -> BoxFuture<'a, Result<Option<Response<Body>>, GatewayError>> {
        Box::pin(async move {
            // Whatever was written before something failed is not the answer to that.
            self.draft = Draft::default();
            let exchange = Exchange { request: self.seen.take(), ..Exchange::default() };
            let (_, result) = self.run(Hook::ErrorHandler, exchange, Some(error.into())).await;
            result?;
            let answers = self.draft.answers();
            let has_status = self.draft.status.is_some();
            let response = answers.then(|| std::mem::take(&mut self.draft).into_response());
            Ok(response.map(|mut response| {
                if !has_status {
                    *response.status_mut() = error.kind().status();
                }
                response
            }))
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.deployed.pool.release(place, self.request);
        }
    }
}
