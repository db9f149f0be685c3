//! HTTP/2 to upstreams, by hyper: many requests on one connection.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use dgate_core::body::{Body, BodyError};
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::Instant;

use super::Lease;
use crate::deadline::Deadline;
use crate::io::Io;

/// Requests at a time on one connection; more get another connection.
const MAX_STREAMS: usize = 100;

/// A connection that carries many requests.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    sender: SendRequest<Body>,
    streams: Arc<AtomicUsize>,
}

impl Connection {
    /// Speaks HTTP/2 on a new connection, in a task of its own.
    pub(super) async fn open(io: Io) -> Result<Self, hyper::Error> {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(4 << 20)
            .max_header_list_size(256 * 1_024)
            // A peer that vanished without a word is found out.
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(10))
            .handshake(TokioIo::new(io))
            .await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an HTTP/2 connection to an upstream failed");
            }
        });
        Ok(Self { sender, streams: Arc::default() })
    }

    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    pub(super) fn has_room(&self) -> bool {
        self.is_open() && self.streams.load(Ordering::Relaxed) < MAX_STREAMS
    }

    pub(super) fn is_idle(&self) -> bool {
        self.streams.load(Ordering::Relaxed) == 0
    }

    /// Sends a request. `request_timeout` runs from the last piece of it that was sent.
    pub(super) async fn send(
        mut self,
        request: Request<Body>,
        lease: Lease,
        request_timeout: Duration,
        idle_timeout: Duration,
    ) -> Result<Response<Body>, Failure> {
        let stream = Stream::begin(&self.streams);
        let clock = Arc::new(UploadClock::new());
        let request = request.map(|body| {
            if body.is_stream() { Body::new(TimedBody { body, clock: clock.clone() }) } else { body }
        });
        let sending = async {
            self.sender.ready().await.map_err(|error| Failure::new(error, false))?;
            self.sender.send_request(request).await.map_err(|error| Failure::new(error, true))
        };
        let response = tokio::select! {
            biased;
            response = sending => response?,
            () = clock.quiet_for(request_timeout) => return Err(Failure::Timeout),
        };
        Ok(response.map(|body| {
            Body::new(ResponseBody {
                body,
                _stream: stream,
                _lease: lease,
                deadline: Deadline::default(),
                idle_timeout,
                last_progress: Instant::now(),
            })
        }))
    }
}

/// Why there is no response.
#[derive(Debug)]
pub(super) enum Failure {
    /// It took too long.
    Timeout,
    /// The connection or the stream failed.
    Broken {
        error: hyper::Error,
        /// Whether the upstream may have acted on the request.
        seen: bool,
    },
}

impl Failure {
    fn new(error: hyper::Error, sent: bool) -> Self {
        // `REFUSED_STREAM` promises that nothing was done (RFC 9113, section 8.7), as does a GOAWAY for later streams.
        let refused = std::error::Error::source(&error)
            .and_then(|source| source.downcast_ref::<h2::Error>())
            .is_some_and(|error| error.reason() == Some(h2::Reason::REFUSED_STREAM));
        let seen = sent && !refused && !error.is_canceled();
        Self::Broken { error, seen }
    }
}

/// Counts a stream.
struct Stream(Arc<AtomicUsize>);

impl Stream {
    fn begin(streams: &Arc<AtomicUsize>) -> Self {
        streams.fetch_add(1, Ordering::Relaxed);
        Self(streams.clone())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// When a request was last seen to move.
#[derive(Debug)]
struct UploadClock {
    start: Instant,
    /// Milliseconds since the start.
    last: AtomicU64,
}

impl UploadClock {
    fn new() -> Self {
        Self { start: Instant::now(), last: AtomicU64::new(0) }
    }

    fn tick(&self) {
        self.last.store(self.start.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// Ends when nothing has moved for so long.
    async fn quiet_for(&self, limit: Duration) {
        loop {
            let end = self.start + Duration::from_millis(self.last.load(Ordering::Relaxed)) + limit;
            if Instant::now() >= end {
                return;
            }
            tokio::time::sleep_until(end).await;
        }
    }
}

/// Notes when a body moves.
struct TimedBody {
    body: Body,
    clock: Arc<UploadClock>,
}

impl http_body::Body for TimedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_ready() {
            self.clock.tick();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response body that must not pause for too long.
struct ResponseBody {
    body: Incoming,
    _stream: Stream,
    _lease: Lease,
    deadline: Deadline,
    idle_timeout: Duration,
    last_progress: Instant,
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.last_progress = Instant::now();
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => {
                let end = this.last_progress + this.idle_timeout;
                this.deadline
                    .poll(cx, end)
                    .map(|()| Some(Err("the upstream sent nothing for too long".into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
