//! The server side: one client connection, many requests at a time.

mod frame_meter;
mod head;
mod metered;
mod request_body;
mod stream;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::server::{Builder, Connection};
use h2::{Reason, RecvStream, server::SendResponse};
use http::Request;
use tokio::time::Instant;

use super::keep_alive::KeepAlive;
use crate::deadline::Deadline;
use crate::drain::{Drain, Stage};
use crate::io::Io;
use crate::server::Handler;
use crate::settings::Limits;
use metered::{Meter, MeteredIo};
use stream::Stream;

/// Requests at a time on one connection.
const MAX_STREAMS: u32 = 200;

/// Flow-control windows: large enough for fast uploads, small enough to bound what a client can make us keep.
const STREAM_WINDOW: u32 = 256 * 1_024;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// How much of a response may wait for a client that does not read.
const SEND_BUFFER: usize = 256 * 1_024;

/// How many streams a client may open and reset at once before the connection is ended (CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;

/// How many of our own resets a client may cause before the connection is ended (CVE-2025-8671).
const MAX_CAUSED_RESETS: usize = 100;

/// How long a connection that is to end may take to say so.
const GOODBYE: Duration = Duration::from_secs(2);

/// Serves a connection until it ends. `already_read` is what was read of it to find out what it speaks.
pub(crate) async fn serve<H: Handler>(
    io: Io,
    already_read: BytesMut,
    handler: H,
    limits: &Limits,
    drain: &Drain,
) where
    H::Future: 'static,
{
    let meter: Arc<Meter> = Arc::default();
    let io = MeteredIo::new(already_read, io, meter.clone());
    let handshake = Builder::new()
        .max_concurrent_streams(MAX_STREAMS)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(Some(MAX_CAUSED_RESETS))
        .max_send_buffer_size(SEND_BUFFER)
        .handshake::<_, Bytes>(io);
    // Who chose HTTP/2 by ALPN may still say nothing.
    let Ok(Ok(mut connection)) = tokio::time::timeout(limits.header_timeout, handshake).await else { return };
    let Some(pings) = connection.ping_pong() else { return };
    let server = Server {
        connection,
        handler,
        limits: *limits,
        meter,
        keep_alive: KeepAlive::new(pings),
        streams: Arc::default(),
        deadline: Deadline::default(),
        idle_since: Instant::now(),
        ending: Ending::No,
    };
    if let Err(error) = server.run(pin!(drain.reached(Stage::Draining))).await {
        tracing::debug!(%error, "an HTTP/2 connection of a client failed");
    }
}

struct Server<H> {
    connection: Connection<MeteredIo, Bytes>,
    handler: H,
    limits: Limits,
    meter: Arc<Meter>,
    keep_alive: KeepAlive,
    /// How many requests are being answered.
    streams: Arc<AtomicUsize>,
    deadline: Deadline,
    idle_since: Instant,
    ending: Ending,
}

/// How a connection comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It does not.
    No,
    /// Requests that were begun are answered, new ones are refused.
    Gracefully,
    /// Nothing is answered any more.
    By(Instant),
}

impl<H: Handler> Server<H>
where
    H::Future: 'static,
{
    async fn run(mut self, mut draining: Pin<&mut impl Future<Output = ()>>) -> Result<(), h2::Error> {
        poll_fn(|cx| self.poll(cx, draining.as_mut())).await
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut draining: Pin<&mut impl Future<Output = ()>>,
    ) -> Poll<Result<(), h2::Error>> {
        loop {
            match self.connection.poll_accept(cx) {
                Poll::Ready(Some(Ok((request, respond)))) => {
                    self.begin(request, respond);
                    continue;
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => {}
            }
            if let Ending::By(end) = self.ending {
                return self.deadline.poll(cx, end).map(Ok);
            }
            if self.meter.is_exhausted() {
                self.end_at_once(Reason::ENHANCE_YOUR_CALM);
                continue;
            }
            let least = self.limits.min_rate * 20;
            if self.keep_alive.poll(cx, self.meter.written(), least).is_ready() {
                return Poll::Ready(Ok(()));
            }
            if !self.poll_end(cx, draining.as_mut()) {
                return Poll::Pending;
            }
        }
    }

    /// Whether the connection has begun to end, and is to be looked at again.
    fn poll_end(&mut self, cx: &mut Context<'_>, draining: Pin<&mut impl Future<Output = ()>>) -> bool {
        let is_busy = self.streams.load(Ordering::Relaxed) > 0;
        if is_busy {
            self.idle_since = Instant::now();
        }
        let is_idle = self.deadline.poll(cx, self.idle_since + self.limits.idle_timeout).is_ready();
        match self.ending {
            Ending::No if is_idle || draining.poll(cx).is_ready() => {
                self.ending = Ending::Gracefully;
                self.idle_since = Instant::now();
                self.connection.graceful_shutdown();
                true
            }
            // It was told, and has not gone: a part of a head may be all that it ever sends.
            Ending::Gracefully if is_idle => {
                self.end_at_once(Reason::NO_ERROR);
                true
            }
            _ => false,
        }
    }

    fn end_at_once(&mut self, reason: Reason) {
        self.ending = Ending::By(Instant::now() + GOODBYE);
        self.connection.abrupt_shutdown(reason);
    }

    fn begin(&mut self, request: Request<RecvStream>, respond: SendResponse<Bytes>) {
        let busy = Busy::new(&self.streams);
        let stream = Stream::begin(&mut self.handler, request, respond, &self.limits, &self.meter);
        tokio::spawn(async move {
            stream.run().await;
            drop(busy);
        });
    }
}

/// Counts a request that is being answered.
struct Busy(Arc<AtomicUsize>);

impl Busy {
    fn new(streams: &Arc<AtomicUsize>) -> Self {
        streams.fetch_add(1, Ordering::Relaxed);
        Self(streams.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
