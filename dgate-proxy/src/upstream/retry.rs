//! Tries again what failed, when that is safe and within the budget.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use dgate_core::body::Body;
use dgate_core::endpoint::Endpoint;
use dgate_core::{ErrorKind, GatewayError};
use http::request::Parts;
use http::{Method, Request, Response};
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tower_layer::Layer;
use tower_service::Service;

use super::replay::Replay;
use super::retry_rules::{OwnPolicy, Policy};
use super::select::{Tried, service_of};
use super::{Passage, RetryRules, ReturnSlot};

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Most attempts that do not count, because an idle connection had been closed.
const MOST_STALE: u32 = 8;

/// Tries again what failed: what never reached an upstream always, idempotent methods after the failures that the service
/// lists. Other endpoints first, with growing pauses, within the service's budget.
///
/// Below it may stand whatever answers requests, and says by [`GatewayError::retryable`] which of its failures may be
/// tried again.
#[derive(Debug, Clone, Default)]
pub struct RetryLayer {
    own: Option<Arc<OwnPolicy>>,
    /// Whether what is below gives a request's head back, so that it need not be copied before each attempt.
    gets_back: bool,
}

impl RetryLayer {
    /// A layer with rules of its own. The default one asks the service that the request's route leads to.
    pub fn new(rules: RetryRules) -> Self {
        Self { own: Some(Arc::new(OwnPolicy::new(rules))), gets_back: false }
    }

    /// For layers below that may not give a request's head back: it is copied before each attempt.
    pub(crate) fn copying(copies: bool) -> Self {
        Self { own: None, gets_back: !copies }
    }
}

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<S>;

    fn layer(&self, inner: S) -> Retry<S> {
        Retry { inner, layer: self.clone() }
    }
}

/// See [`RetryLayer`].
#[derive(Debug, Clone)]
pub struct Retry<S> {
    inner: S,
    layer: RetryLayer,
}

impl<S> Service<Request<Body>> for Retry<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = GatewayError> + Clone,
{
    type Response = Response<Body>;
    type Error = GatewayError;
    type Future = RetryFuture<S>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let policy = match &self.layer.own {
            Some(own) => Ok(Policy::Own(own.clone())),
            None => service_of(&request).map(Policy::Service),
        };
        let policy = match policy {
            Ok(policy) => policy,
            Err(error) => {
                return RetryFuture { attempt: None, pause: None, failed: Some(error), state: None };
            }
        };
        policy.budget().request(Instant::now());
        let slot = ReturnSlot::default();
        Passage::of(request.extensions_mut()).slot = Some(slot.clone());
        let (head, body) = request.into_parts();
        let replay = Replay::new(body);
        let state = State {
            inner: self.inner.clone(),
            copies: !self.layer.gets_back,
            policy,
            slot,
            method: head.method.clone(),
            replay,
            tried: Vec::new(),
            retries: 0,
            stale: 0,
            next: None,
        };
        if state.copies {
            state.slot.keep(&head);
        }
        let body = state.replay.body().unwrap_or_default();
        let attempt = self.inner.call(Request::from_parts(head, body));
        RetryFuture { attempt: Some(attempt), pause: None, failed: None, state: Some(state) }
    }
}

pin_project! {
    /// The answer to come, from whichever attempt.
    pub struct RetryFuture<S>
    where
        S: Service<Request<Body>>,
    {
        #[pin]
        attempt: Option<S::Future>,
        pause: Option<Pin<Box<Sleep>>>,
        failed: Option<GatewayError>,
        state: Option<State<S>>,
    }
}

impl<S: Service<Request<Body>>> std::fmt::Debug for RetryFuture<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RetryFuture")
    }
}

struct State<S> {
    inner: S,
    copies: bool,
    policy: Policy,
    slot: ReturnSlot,
    method: Method,
    replay: Replay,
    tried: Vec<Arc<Endpoint>>,
    retries: u32,
    stale: u32,
    /// The request that waits for its pause to end.
    next: Option<Request<Body>>,
}

impl<S> Future for RetryFuture<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = GatewayError> + Clone,
{
    type Output = Result<Response<Body>, GatewayError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            if let Some(pause) = this.pause {
                if !pause.is_elapsed() {
                    ready!(pause.as_mut().poll(cx));
                }
                let Some(state) = this.state.as_mut() else {
                    return Poll::Ready(Err(ErrorKind::Internal.into()));
                };
                // Ours are always ready; others may have to wait.
                ready!(state.inner.poll_ready(cx))?;
                let Some(request) = state.next.take() else {
                    return Poll::Ready(Err(ErrorKind::Internal.into()));
                };
                *this.pause = None;
                this.attempt.set(Some(state.inner.call(request)));
            }
            let result = match this.attempt.as_mut().as_pin_mut() {
                Some(attempt) => ready!(attempt.poll(cx)),
                None => return this.failed.take().map_or(Poll::Pending, |error| Poll::Ready(Err(error))),
            };
            let Some(state) = this.state else { return Poll::Ready(result) };
            match state.after(result) {
                Err(result) => return Poll::Ready(result),
                Ok(pause) => {
                    this.attempt.set(None);
                    *this.pause = Some(Box::pin(sleep(pause)));
                }
            }
        }
    }
}

impl<S> State<S> {
    /// How long to wait before another attempt; or the result, when there is none.
    #[allow(clippy::result_large_err, reason = "the usual result, passed on")]
    fn after(
        &mut self,
        result: Result<Response<Body>, GatewayError>,
    ) -> Result<Duration, Result<Response<Body>, GatewayError>> {
        let rules = self.policy.rules();
        let reason = rules.reason(&result, self.method.is_idempotent(), self.stale < MOST_STALE);
        let Some(reason) = reason else { return Err(result) };
        let (head, endpoint) = self.slot.take();
        let is_stale = reason == "stale";
        if is_stale {
            self.stale += 1;
        } else {
            if self.retries >= rules.retries || head.is_none() || !self.replay.is_whole() {
                return Err(result);
            }
            if !self.policy.budget().try_retry(Instant::now()) {
                self.policy.count("budget_exhausted");
                return Err(result);
            }
            // An endpoint whose idle connection was closed is as good as before.
            self.tried.extend(endpoint);
        }
        let (Some(head), Some(body)) = (head, self.replay.body()) else { return Err(result) };
        let pause = if is_stale { Duration::ZERO } else { self.pause() };
        if !is_stale {
            self.retries += 1;
        }
        self.policy.count(reason);
        self.next = Some(self.request(head, body));
        Ok(pause)
    }

    fn request(&self, mut head: Parts, body: Body) -> Request<Body> {
        head.extensions.insert(Tried(self.tried.clone()));
        if self.copies {
            self.slot.keep(&head);
        }
        Passage::of(&mut head.extensions).slot = Some(self.slot.clone());
        Request::from_parts(head, body)
    }

    /// Twice as long each time, between half and the whole of it, so that not everybody comes back at once.
    fn pause(&self) -> Duration {
        let longest = self.policy.rules().pause * 2_u32.saturating_pow(self.retries.min(10));
        longest.min(LONGEST_PAUSE).mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}
