//! HTTP/2 from clients, by hyper.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use dgate_core::body::Body;
use http::{Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::handler::GatewayHandler;
use super::prefixed::Prefixed;
use crate::deadline::Deadline;
use crate::drain::{Drain, Stage};
use crate::edge::HangUp;
use crate::http1::server::Handler;
use crate::settings::Limits;

/// Requests at a time on one connection.
const MAX_STREAMS: u32 = 200;

/// Flow-control windows: large enough for fast uploads, small enough to bound what a client can make us keep.
const STREAM_WINDOW: u32 = 256 * 1_024;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// How many streams a client may open and reset at once before the connection is ended (CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;

/// How many of its own resets a client may cause before the connection is ended.
const MAX_CAUSED_RESETS: usize = 100;

/// Serves an HTTP/2 connection until it ends.
pub(super) async fn serve(io: Prefixed, handler: GatewayHandler, limits: &Limits, drain: &Drain) {
    let streams: Arc<AtomicUsize> = Arc::default();
    let service = StreamService { handler, streams: streams.clone() };
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_CAUSED_RESETS)
        .max_send_buf_size(256 * 1_024)
        .auto_date_header(false)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20))
        .serve_connection(TokioIo::new(io), service);
    let mut connection = pin!(connection);
    let mut draining = pin!(drain.reached(Stage::Draining));
    let mut deadline = Deadline::default();
    let mut idle_since = Instant::now();
    let mut is_ending = false;
    let ended = poll_fn(|cx| {
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended);
            }
            if is_ending {
                return Poll::Pending;
            }
            if streams.load(Ordering::Relaxed) > 0 {
                idle_since = Instant::now();
            }
            let is_idle = deadline.poll(cx, idle_since + limits.idle_timeout).is_ready();
            if draining.as_mut().poll(cx).is_pending() && !is_idle {
                return Poll::Pending;
            }
            // Streams that are open go on, new ones are refused.
            is_ending = true;
            connection.as_mut().graceful_shutdown();
        }
    })
    .await;
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP/2 connection of a client failed");
    }
}

#[derive(Clone)]
struct StreamService {
    handler: GatewayHandler,
    streams: Arc<AtomicUsize>,
}

impl hyper::service::Service<Request<Incoming>> for StreamService {
    type Response = Response<Body>;
    type Error = Hung;
    type Future = StreamFuture<<GatewayHandler as Handler>::Future>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let request = request.map(|body| if body.is_end_stream() { Body::empty() } else { Body::new(body) });
        self.streams.fetch_add(1, Ordering::Relaxed);
        let stream = Stream(self.streams.clone());
        StreamFuture { inner: self.handler.clone().handle(request, None), _stream: stream }
    }
}

/// The stream is to be reset rather than answered.
#[derive(Debug, thiserror::Error)]
#[error("there is nothing to say to this client")]
struct Hung;

struct Stream(Arc<AtomicUsize>);

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

pin_project! {
    struct StreamFuture<F> {
        #[pin]
        inner: F,
        _stream: Stream,
    }
}

impl<F: Future<Output = Response<Body>>> Future for StreamFuture<F> {
    type Output = Result<Response<Body>, Hung>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.project().inner.poll(cx));
        let is_hung = response.extensions().get::<HangUp>().is_some();
        Poll::Ready(if is_hung { Err(Hung) } else { Ok(response) })
    }
}
