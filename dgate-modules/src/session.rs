//! The hooks of one request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dgate_core::context::RequestContext;
use dgate_core::hook::HookSession;
use dgate_core::{Body, BoxFuture, ErrorKind, GatewayError};
use http::{Request, Response};

use crate::chain::Chain;
use crate::direct::{Scene, Seen};
use crate::engine::{Answer, Done, Task};
use crate::exchange::{Draft, ErrorInfo, Exchange, RequestInfo, RequestPart};
use crate::failure::Failure;
use crate::hook::Hook;
use crate::pool::{Deployed, Place};

/// The hooks of one request.
pub(crate) struct Session {
    chain: Chain,
    info: Option<Arc<RequestInfo>>,
    /// Its number, under which a runtime keeps its `ctx`.
    request: u64,
    /// Where its hooks ran so far.
    place: Option<Place>,
    /// Whether its `ctx` was kept there for further hooks.
    kept: bool,
    /// What its modules wrote so far is in here; what they work on is only while a hook runs.
    exchange: Option<Box<Exchange>>,
    /// The request's head, as it went.
    seen: Option<RequestPart>,
}

impl Session {
    pub(crate) fn new(chain: Chain, context: &RequestContext) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            chain,
            info: RequestInfo::new(context).map(Arc::new),
            request: NEXT.fetch_add(1, Ordering::Relaxed),
            place: None,
            kept: false,
            exchange: None,
            seen: None,
        }
    }

    fn exchange(&mut self) -> &mut Exchange {
        self.exchange.get_or_insert_default()
    }

    fn draft(&mut self) -> &mut Draft {
        &mut self.exchange().draft
    }

    /// Runs one hook on the exchange.
    async fn run(&mut self, hook: Hook, error: Option<ErrorInfo>) -> Result<Answer, GatewayError> {
        let Some(info) = self.info.clone() else { return Err(ErrorKind::Internal.into()) };
        let started = Instant::now();
        let exchange = self.exchange.take().unwrap_or_default();
        let keep = self.expects_more(hook);
        let task = Task { hook, request: self.request, info, exchange, error, keep };
        let (place, done) = self.chain.deployed().run(self.place, task).await;
        self.place = place.or(self.place);
        self.kept = keep;
        let result = match done {
            Ok(Done { exchange, result }) => {
                self.exchange = Some(exchange);
                result
            }
            Err(failure) => Err(failure),
        };
        let now = Instant::now();
        let took = now.saturating_duration_since(started);
        self.chain.count(hook, result.as_ref().err(), took, now);
        result.map_err(|failure| self.failed(hook, failure, took))
    }

    /// Runs one hook that needs no engine.
    fn run_direct(
        &mut self,
        hook: Hook,
        request: Seen<'_>,
        upstream: Option<&mut Response<Body>>,
        error: Option<&ErrorInfo>,
    ) -> Option<Result<Answer, GatewayError>> {
        let Self { chain, info, exchange, .. } = self;
        let deployed = chain.deployed();
        if !deployed.direct.has(hook) {
            return None;
        }
        let info = info.as_deref()?;
        let started = Instant::now();
        let capabilities = &deployed.pool.shared.capabilities;
        let scene = Scene { info, request, upstream, exchange, error, capabilities };
        let result = deployed.direct.call(&deployed.program, hook, scene, started)?;
        let now = Instant::now();
        let took = now.saturating_duration_since(started);
        chain.count(hook, result.as_ref().err(), took, now);
        Some(result.map_err(|failure| self.failed(hook, failure, took)))
    }

    fn failed(&self, hook: Hook, failure: Failure, took: Duration) -> GatewayError {
        let namespace = &self.chain.deployed().program.namespace;
        crate::metrics::count_failure(namespace, hook, &failure);
        crate::metrics::time_failure(namespace, hook, &failure, took);
        let trace = failure.trace.join(", ");
        tracing::warn!(
            target: "dgate::module",
            namespace = %namespace,
            module = failure.module.as_deref().unwrap_or(self.chain.label()),
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
        let Deployed { hooks, direct, .. } = self.chain.deployed();
        // They are listed as they come.
        Hook::ALL[hook as usize + 1..].iter().any(|later| later.is_in(*hooks) && !direct.is_sure(*later))
    }

    async fn on_request(&mut self, hook: Hook, request: &mut Request<Body>) -> Result<Answer, GatewayError> {
        if let Some(result) = self.run_direct(hook, Seen::Open(request), None, None) {
            if result.is_err() {
                // What failed may still be told to the error handler.
                self.remember(request);
            }
            return result;
        }
        self.exchange().request = Some(RequestPart::take(request));
        let result = self.run(hook, None).await;
        if let Some(part) = self.exchange().request.take() {
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
        if self.chain.tells_request() {
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
            if self.chain.deployed().hooks.modify_request {
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
            let ended = self.exchange.as_ref().is_some_and(|exchange| exchange.draft.ended);
            if !ended && !self.chain.deployed().hooks.handle_request {
                return Ok(None);
            }
            if !ended {
                self.on_request(Hook::RequestHandler, request).await?;
            }
            let draft = self.draft();
            Ok(draft.answers().then(|| std::mem::take(draft).into_response()))
        })
    }

    fn modify_response<'a>(
        &'a mut self,
        response: &'a mut Response<Body>,
    ) -> BoxFuture<'a, Result<(), GatewayError>> {
        Box::pin(async move {
            let seen = self.seen.take();
            let request = seen.as_ref().map_or(Seen::Nothing, |part| Seen::Gone(&part.head));
            if let Some(result) = self.run_direct(Hook::ResponseModifier, request, Some(&mut *response), None)
            {
                self.seen = seen;
                return result.map(|_| ());
            }
            let exchange = self.exchange();
            exchange.request = seen;
            exchange.upstream = Some(std::mem::take(response));
            let result = self.run(Hook::ResponseModifier, None).await;
            let exchange = self.exchange();
            let seen = exchange.request.take();
            *response = exchange.upstream.take().unwrap_or_default();
            self.seen = seen;
            result.map(|_| ())
        })
    }

    fn handle_error<'a>(
        &'a mut self,
        error: &'a GatewayError,
    ) -> BoxFuture<'a, Result<Option<Response<Body>>, GatewayError>> {
        Box::pin(async move {
            // Whatever was written before something failed is not the answer to that.
            let seen = self.seen.take();
            self.exchange = None;
            let info = error.into();
            let request = seen.as_ref().map_or(Seen::Nothing, |part| Seen::Gone(&part.head));
            match self.run_direct(Hook::ErrorHandler, request, None, Some(&info)) {
                Some(result) => drop(result?),
                None => {
                    self.exchange().request = seen;
                    self.run(Hook::ErrorHandler, Some(info)).await?;
                }
            }
            let draft = self.draft();
            let has_status = draft.status.is_some();
            let response = draft.answers().then(|| std::mem::take(draft).into_response());
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
        if let Some(place) = self.place.filter(|_| self.kept) {
            self.chain.deployed().pool.release(place, self.request);
        }
    }
}
