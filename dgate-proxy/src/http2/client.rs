//! The upstream side: many requests on one connection.

mod exchange;
mod response_body;
mod upload;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use dgate_core::body::{Body, BodyError};
use dgate_core::context::InterimSink;
use h2::client::{Builder, SendRequest};
use http::{Request, Response};
use tokio::time::Instant;

use super::keep_alive::KeepAlive;
use crate::client::Lease;
use crate::io::Io;
use exchange::Exchange;

/// Requests at a time on one connection; more get another connection.
const MAX_STREAMS: usize = 100;

/// Flow-control windows: large enough for fast downloads.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;

/// What an upstream's response head may take.
const MAX_HEAD: u32 = 256 * 1_024;

/// A connection that carries many requests.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    sender: SendRequest<Bytes>,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    streams: AtomicUsize,
    start: Instant,
    /// When it was used last, in milliseconds since the start.
    last_used: AtomicU64,
    /// It has carried a request before.
    is_used: AtomicBool,
    /// No more requests can be sent on it.
    is_over: AtomicBool,
}

/// How a request is sent, and how long it may take.
pub(crate) struct Outbound {
    pub(crate) lease: Lease,
    /// From the last piece of the request that was sent until the response head is complete.
    pub(crate) request_timeout: Duration,
    /// Between two pieces of the response body.
    pub(crate) idle_timeout: Duration,
    pub(crate) interim: Option<Arc<dyn InterimSink>>,
}

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It took too long.
    Timeout,
    /// It is no valid response.
    Protocol(String),
    /// The request's own body broke off.
    RequestBody(BodyError),
    /// The connection or the stream failed.
    Broken {
        error: h2::Error,
        /// Whether the upstream may have acted on the request.
        seen: bool,
        /// Whether it only shows that a connection, which had been good, is not any more.
        stale: bool,
    },
}

impl Connection {
    /// Speaks HTTP/2 on a new connection, in a task of its own.
    pub(crate) async fn open(io: Io) -> Result<Self, h2::Error> {
        let (sender, mut connection) = Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MAX_HEAD)
            .enable_push(false)
            .handshake::<_, Bytes>(io)
            .await?;
        let mut keep_alive = connection.ping_pong().map(KeepAlive::new);
        let state = Arc::new(State {
            streams: AtomicUsize::new(0),
            start: Instant::now(),
            last_used: AtomicU64::new(0),
            is_used: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        });
        let over = Over(state.clone());
        tokio::spawn(async move {
            let _over = over;
            let mut connection = pin!(connection);
            let ended = poll_fn(|cx| {
                if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                    return Poll::Ready(ended);
                }
                // A peer that vanished without a word is found out.
                match &mut keep_alive {
                    Some(keep_alive) => keep_alive.poll(cx, 0, 0).map(Ok),
                    None => Poll::Pending,
                }
            });
            if let Err(error) = ended.await {
                tracing::debug!(%error, "an HTTP/2 connection to an upstream failed");
            }
        });
        Ok(Self { sender, state })
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.state.is_over.load(Ordering::Relaxed)
    }

    pub(crate) fn has_room(&self) -> bool {
        // The upstream may want fewer at a time.
        let most = || self.sender.current_max_send_streams().min(MAX_STREAMS);
        self.is_open() && self.state.streams.load(Ordering::Relaxed) < most()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.state.streams.load(Ordering::Relaxed) == 0
    }

    /// Whether it has been idle for so long.
    pub(crate) fn is_idle_for(&self, limit: Duration) -> bool {
        let last_used = Duration::from_millis(self.state.last_used.load(Ordering::Relaxed));
        self.is_idle() && self.state.start.elapsed().saturating_sub(last_used) >= limit
    }

    /// Sends a request.
    pub(crate) async fn send(
        mut self,
        request: Request<Body>,
        outbound: Outbound,
    ) -> Result<Response<Body>, Failure> {
        let is_used = self.state.is_used.swap(true, Ordering::Relaxed);
        let stream = Stream::begin(&self.state);
        // What does not get as far as the upstream says that nothing else will.
        let unsent = |error: h2::Error| Failure::Broken { error, seen: false, stale: true };
        let sent = async {
            let ready = poll_fn(|cx| self.sender.poll_ready(cx));
            let ready = tokio::time::timeout(outbound.request_timeout, ready).await;
            ready.map_err(|_| Failure::Timeout)?.map_err(unsent)?;
            Exchange::begin(&mut self.sender, request, outbound, stream).map_err(unsent)?.await
        };
        let mut sent = sent.await;
        if let Err(Failure::Broken { stale, .. }) = &mut sent
            && *stale
        {
            self.state.is_over.store(true, Ordering::Relaxed);
            *stale = is_used;
        }
        sent
    }
}

impl Failure {
    /// What it means that a request was sent and the connection or stream failed.
    fn after_sending(error: h2::Error) -> Self {
        if error.is_library() {
            return Self::Protocol(error.to_string());
        }
        // `REFUSED_STREAM` promises that nothing was done, and a GOAWAY only fails the streams that the upstream did not
        // look at (RFC 9113, sections 8.7 and 6.8).
        let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        let passed_over = error.is_go_away();
        let is_remote = error.is_remote();
        Self::Broken { error, seen: !is_remote || !(refused || passed_over), stale: is_remote && passed_over }
    }
}

/// Notes that a connection is over.
struct Over(Arc<State>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

/// Counts a stream.
struct Stream(Arc<State>);

impl Stream {
    fn begin(state: &Arc<State>) -> Self {
        state.streams.fetch_add(1, Ordering::Relaxed);
        Self(state.clone())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.last_used.store(self.0.start.elapsed().as_millis() as u64, Ordering::Relaxed);
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}
