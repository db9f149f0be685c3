//! An upgraded connection: bytes in both directions (RFC 9110, section 7.8).

mod websocket;

use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use http::Response;
use tokio::io::AsyncWrite;
use tokio::time::Instant;

use crate::deadline::Deadline;
use crate::drain::{Busy, Drain, Stage};
use crate::io::Io;
use websocket::{FrameTracker, Side};

/// How much is read at a time.
const ROOM: usize = 16 * 1_024;

/// How long a WebSocket has to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// The upstream's half of an upgraded connection, waiting for the client's.
pub(crate) struct Tunnel {
    upstream: Io,
    already_read: BytesMut,
    idle_timeout: Duration,
    is_websocket: bool,
    /// Whatever has to live as long as the connection.
    _guard: Box<dyn Any + Send>,
}

/// A tunnel as a response carries it.
#[derive(Clone)]
struct Slot(Arc<Mutex<Option<Tunnel>>>);

impl Tunnel {
    pub(crate) fn new(
        upstream: Io,
        already_read: BytesMut,
        idle_timeout: Duration,
        is_websocket: bool,
        guard: Box<dyn Any + Send>,
    ) -> Self {
        Self { upstream, already_read, idle_timeout, is_websocket, _guard: guard }
    }

    /// Lets a response carry the tunnel to whoever has the client's connection.
    pub(crate) fn attach<B>(self, response: &mut Response<B>) {
        response.extensions_mut().insert(Slot(Arc::new(Mutex::new(Some(self)))));
    }

    /// Takes the tunnel that a response carries.
    pub(crate) fn take_from<B>(response: &mut Response<B>) -> Option<Self> {
        let Slot(slot) = response.extensions_mut().remove()?;
        slot.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Carries bytes until both sides are done, one fails, nothing moves for too long, or the gateway closes.
    pub(crate) async fn run(self, client: Io, client_sent: BytesMut, drain: &Drain) {
        let _busy = drain.busy(Busy::Tunnel);
        let mut relay = Relay {
            to_upstream: Direction::new(
                client_sent,
                self.is_websocket.then(|| FrameTracker::new(Side::Client)),
            ),
            to_client: Direction::new(
                self.already_read,
                self.is_websocket.then(|| FrameTracker::new(Side::Server)),
            ),
            client,
            upstream: self.upstream,
            idle_timeout: self.idle_timeout,
            last_move: Instant::now(),
            deadline: Deadline::default(),
        };
        let mut closing = pin!(drain.reached(Stage::Closing));
        let is_closing = poll_fn(|cx| {
            if relay.poll(cx).is_ready() {
                return Poll::Ready(false);
            }
            closing.as_mut().poll(cx).map(|()| true)
        })
        .await;
        if is_closing && self.is_websocket {
            let _ = tokio::time::timeout(GOODBYE, relay.say_goodbye()).await;
        }
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnel").field("is_websocket", &self.is_websocket).finish_non_exhaustive()
    }
}

struct Relay {
    client: Io,
    upstream: Io,
    to_upstream: Direction,
    to_client: Direction,
    idle_timeout: Duration,
    last_move: Instant,
    deadline: Deadline,
}

impl Relay {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let up = self.to_upstream.poll(cx, &mut self.client, &mut self.upstream);
        let down = self.to_client.poll(cx, &mut self.upstream, &mut self.client);
        let failed = |poll: &Poll<io::Result<()>>| matches!(poll, Poll::Ready(Err(_)));
        if failed(&up) || failed(&down) || (up.is_ready() && down.is_ready()) {
            return Poll::Ready(());
        }
        if std::mem::take(&mut self.to_upstream.moved) | std::mem::take(&mut self.to_client.moved) {
            self.last_move = Instant::now();
        }
        self.deadline.poll(cx, self.last_move + self.idle_timeout)
    }

    /// Ends a WebSocket with status 1001, going away (RFC 6455, section 7.4.1), between two frames.
    async fn say_goodbye(&mut self) {
        self.to_client.wants_goodbye = true;
        self.to_upstream.wants_goodbye = true;
        poll_fn(|cx| self.poll(cx)).await;
    }
}

/// One direction of a relay.
struct Direction {
    buffer: BytesMut,
    tracker: Option<FrameTracker>,
    read_is_over: bool,
    is_over: bool,
    moved: bool,
    wants_goodbye: bool,
    said_goodbye: bool,
}

impl Direction {
    fn new(buffer: BytesMut, mut tracker: Option<FrameTracker>) -> Self {
        if let Some(tracker) = &mut tracker {
            tracker.see(&buffer);
        }
        Self {
            buffer,
            tracker,
            read_is_over: false,
            is_over: false,
            moved: false,
            wants_goodbye: false,
            said_goodbye: false,
        }
    }

    /// Ready when everything was carried and the end was passed on.
    fn poll(&mut self, cx: &mut Context<'_>, from: &mut Io, to: &mut Io) -> Poll<io::Result<()>> {
        loop {
            if self.is_over {
                return Poll::Ready(Ok(()));
            }
            if self.wants_goodbye && !self.said_goodbye && self.buffer.is_empty() {
                self.append_goodbye();
            }
            while !self.buffer.is_empty() {
                let written = ready!(Pin::new(&mut *to).poll_write(cx, &self.buffer))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.buffer.advance(written);
                self.moved = true;
            }
            if to.is_tls() {
                ready!(Pin::new(&mut *to).poll_flush(cx))?;
            }
            if self.read_is_over || self.said_goodbye {
                // Half-close: the other direction goes on.
                ready!(Pin::new(&mut *to).poll_shutdown(cx))?;
                self.is_over = true;
                continue;
            }
            if ready!(from.poll_read_into(cx, &mut self.buffer, ROOM))? == 0 {
                self.read_is_over = true;
            }
            if let Some(tracker) = &mut self.tracker {
                tracker.see(&self.buffer);
            }
        }
    }

    /// Adds a close frame, if that is possible here and now.
    fn append_goodbye(&mut self) {
        if let Some(tracker) = &self.tracker
            && tracker.is_between_frames()
        {
            self.buffer.extend_from_slice(tracker.goodbye());
            self.said_goodbye = true;
        }
    }
}
