//! Watches requests from beginning to end: metrics and the access log.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use dgate_core::body::{Body, BodyError};
use dgate_core::context::{RequestContext, RequestRecord, RouteNames};
use dgate_core::error::ErrorKind;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{AccessLog, RequestLine};
use crate::client::BodyPaused;
use crate::http1::has_no_body;
use crate::metrics::{Answered, PlaneMetrics, RouteMetrics};

/// Counts, times and logs every request, also those that are cancelled. Outermost, as it must see every end.
#[derive(Debug, Clone)]
pub struct ObserveLayer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    log: Option<AccessLog>,
    metrics: Arc<PlaneMetrics>,
    /// Takes the requests that no route takes.
    unmatched: (Arc<RouteNames>, Arc<RouteMetrics>),
}

impl ObserveLayer {
    /// A layer that writes to this log, if there is one.
    pub fn new(log: Option<AccessLog>) -> Self {
        Self::with_metrics(log, Arc::default())
    }

    pub(crate) fn with_metrics(log: Option<AccessLog>, metrics: Arc<PlaneMetrics>) -> Self {
        let own: Arc<RouteMetrics> = Arc::default();
        let nobody: Arc<str> = "-".into();
        let names = RouteNames {
            namespace: nobody.clone(),
            route: nobody.clone(),
            service: nobody,
            handle: own.clone(),
        };
        Self { shared: Arc::new(Shared { log, metrics, unmatched: (Arc::new(names), own) }) }
    }

    /// Begins to watch a request that is answered without going through the stack.
    pub(crate) fn begin(
        &self,
        record: Arc<RequestRecord>,
        method: Method,
        line: Option<RequestLine>,
    ) -> Watch {
        self.shared.metrics.begin();
        Watch {
            shared: self.shared.clone(),
            record,
            method,
            line,
            status: None,
            sent: 0,
            head_at: None,
            ended_at: None,
        }
    }

    pub(crate) fn is_logging(&self) -> bool {
        self.shared.log.as_ref().is_some_and(AccessLog::is_on)
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Observe<S> {
        Observe { inner, layer: self.clone() }
    }
}

/// See [`ObserveLayer`].
#[derive(Debug, Clone)]
pub struct Observe<S> {
    inner: S,
    layer: ObserveLayer,
}

impl<S> Service<Request<Body>> for Observe<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = ObserveFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let watch = request.extensions().get::<RequestContext>().map(|context| {
            let line = self.layer.is_logging().then(|| RequestLine::of(&request));
            self.layer.begin(context.record.clone(), request.method().clone(), line)
        });
        ObserveFuture { inner: self.inner.call(request), watch }
    }
}

pin_project! {
    /// The answer to come, watched.
    #[derive(Debug)]
    pub struct ObserveFuture<F> {
        #[pin]
        inner: F,
        watch: Option<Watch>,
    }
}

impl<F, E> Future for ObserveFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx));
        let watch = this.watch.take();
        Poll::Ready(response.map(|response| match watch {
            Some(watch) => watch.response(response),
            None => response,
        }))
    }
}

/// Watches one request. Its end is the request's end, however that comes.
#[derive(Debug)]
pub(crate) struct Watch {
    shared: Arc<Shared>,
    record: Arc<RequestRecord>,
    method: Method,
    line: Option<RequestLine>,
    /// Nothing until there is an answer.
    status: Option<StatusCode>,
    sent: u64,
    head_at: Option<Instant>,
    /// When the request ended, if it did before this is dropped.
    ended_at: Option<Instant>,
}

impl Watch {
    /// Goes on watching the response's body. A body that is at hand is as good as sent.
    pub(crate) fn response(mut self, response: Response<Body>) -> Response<Body> {
        self.status = Some(response.status());
        let now = Instant::now();
        self.head_at = Some(now);
        let (head, body) = response.into_parts();
        let is_sent = self.method != Method::HEAD && !has_no_body(head.status);
        if !body.is_stream() || !is_sent {
            self.sent = body.size_hint().exact().filter(|_| is_sent).unwrap_or(0);
            self.ended_at = Some(now);
            drop(self);
            return Response::from_parts(head, body);
        }
        Response::from_parts(head, Body::new(WatchedBody { body, watch: self, is_over: false }))
    }
}

impl Watch {
    /// The answer had begun already: nobody can be told any more, but for the log.
    fn broke_off(&self, kind: ErrorKind, error: &(dyn std::error::Error + 'static)) {
        let record = &*self.record;
        record.set_error(kind);
        let names = record.route().unwrap_or(&self.shared.unmatched.0);
        let (namespace, route, endpoint) = (&*names.namespace, &*names.route, record.endpoint());
        tracing::warn!(
            request_id = record.id.as_str(),
            namespace,
            route,
            endpoint = endpoint.map_or("-", |endpoint| &**endpoint),
            error,
            "a response broke off"
        );
    }
}

/// Whether an error of a type is somewhere among the causes.
fn is_caused_by<E: std::error::Error + 'static>(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<E>() {
            return true;
        }
        cause = error.source();
    }
    false
}

impl Drop for Watch {
    fn drop(&mut self) {
        let now = self.ended_at.unwrap_or_else(Instant::now);
        let Shared { log, metrics, unmatched } = &*self.shared;
        metrics.end();
        let record = &*self.record;
        let status = self.status.unwrap_or_else(|| {
            record.set_error(ErrorKind::ClientGone);
            ErrorKind::ClientGone.status()
        });
        let took = now.saturating_duration_since(record.started);
        let (error, variant) = (record.error(), record.variant());
        let answered = Answered { method: &self.method, status, took, error, variant };
        let (names, own) = unmatched;
        let names = record.route().unwrap_or(names);
        match names.handle.downcast_ref::<RouteMetrics>() {
            Some(metrics) => metrics.answered(names, answered, now),
            None => own.answered(names, answered, now),
        }
        if let Some(head_at) = self.head_at {
            let until_head = head_at.saturating_duration_since(record.started);
            let elsewhere = record.upstream_time() + record.module_time();
            metrics.overhead(until_head.saturating_sub(elsewhere), now);
        }
        if let (Some(log), Some(line)) = (log, self.line.take()) {
            log.write(&line, &answered, record, self.sent);
        }
    }
}

/// A response body that is watched until it ends or is dropped.
struct WatchedBody {
    body: Body,
    watch: Watch,
    is_over: bool,
}

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                self.watch.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
                self.is_over = self.body.is_end_stream();
            }
            Some(Err(error)) => {
                let kind = if is_caused_by::<BodyPaused>(&**error) {
                    ErrorKind::UpstreamTimeout
                } else {
                    ErrorKind::UpstreamReset
                };
                self.is_over = true;
                self.watch.broke_off(kind, &**error);
            }
            None => self.is_over = true,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        if !self.is_over {
            self.watch.record.set_error(ErrorKind::ClientGone);
        }
    }
}
