//! A connection to an upstream, in use or put aside.

use std::fmt;
use std::task::Context;
use std::time::Duration;

use bytes::BytesMut;
use tokio::time::Instant;

use super::super::read_room::HeadRoom;
use crate::deadline::Deadline;
use crate::io::Io;

/// How much is read at first on a new connection: most answers come whole.
const FIRST_ROOM: usize = 16 * 1_024;

/// A connection to an upstream.
pub(crate) struct Connection {
    pub(super) io: Io,
    pub(super) buffer: BytesMut,
    pub(super) room: HeadRoom,
    pub(super) deadline: Deadline,
    /// Whether it has carried a request before.
    pub(crate) is_reused: bool,
    /// When it was put aside last.
    idle_since: Instant,
    /// How long the upstream keeps it open, if it said so.
    pub(super) idle_limit: Option<Duration>,
}

impl Connection {
    pub(crate) fn new(io: Io) -> Self {
        Self {
            io,
            buffer: BytesMut::new(),
            room: HeadRoom::new(FIRST_ROOM),
            deadline: Deadline::default(),
            is_reused: false,
            idle_since: Instant::now(),
            idle_limit: None,
        }
    }

    /// Gets ready to be put aside. Returns whether it is worth it.
    pub(crate) fn put_aside(&mut self, now: Instant) -> bool {
        // What came behind the response is no answer to anything.
        if !self.buffer.is_empty() || self.idle_limit.is_some_and(|limit| limit.is_zero()) {
            return false;
        }
        self.buffer = BytesMut::new();
        self.idle_since = now;
        true
    }

    /// Whether it has not been idle for too long.
    pub(crate) fn is_fresh(&self, now: Instant, idle_timeout: Duration) -> bool {
        let limit = self.idle_limit.map_or(idle_timeout, |limit| limit.min(idle_timeout));
        self.idle_for(now) < limit
    }

    /// How long it has been idle.
    pub(crate) fn idle_for(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.idle_since)
    }

    /// Whether the upstream has closed it, or sent something nobody asked for. Costs nothing when nothing happened.
    pub(crate) fn is_stale(&mut self) -> bool {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        !self.buffer.is_empty() || self.io.poll_read_into(&mut cx, &mut self.buffer, 1).is_ready()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("io", &self.io).finish_non_exhaustive()
    }
}
