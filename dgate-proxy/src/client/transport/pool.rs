//! Connections that are not in use for the moment.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dgate_core::body::Body;
use http::Request;
use tokio::time::Instant;

use super::Transport;
use crate::http1::client::Connection;
use crate::http2;

/// Servers that close idle connections leave them open for a second at least. Within it, none is closed while a request
/// is on its way.
const TRUSTED: Duration = Duration::from_secs(1);

/// Whether a request would be lost on a connection that the upstream closes at the same moment: it could not be sent
/// again, as nobody knows whether it was read.
fn can_be_sent_only_once(request: &Request<Body>) -> bool {
    !request.method().is_idempotent() || request.body().is_stream()
}

/// What happens to connections that are not needed for the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::client) struct Keep {
    pub(in crate::client) idle_timeout: Duration,
    /// Most idle connections of one worker to one endpoint; none at all when 0.
    pub(in crate::client) per_host: usize,
}

/// The connections of one worker.
#[derive(Debug, Default)]
pub(super) struct Shard {
    idle: Mutex<Vec<Connection>>,
    http2: Mutex<Vec<http2::Connection>>,
    /// Held while a connection is opened that others may want to share.
    pub(super) opening: tokio::sync::Mutex<()>,
}

impl Shard {
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn http2(&self) -> MutexGuard<'_, Vec<http2::Connection>> {
        self.http2.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn http2_with_room(&self) -> Option<http2::Connection> {
        self.http2().iter().find(|connection| connection.has_room()).cloned()
    }
}

impl Transport {
    /// An idle connection that is still good for this request.
    pub(super) fn take_idle(
        &self,
        shard: usize,
        request: &Request<Body>,
        now: Instant,
    ) -> Option<Connection> {
        let once = can_be_sent_only_once(request);
        loop {
            let mut idle = self.shards[shard].idle();
            if once && idle.last().is_some_and(|newest| newest.idle_for(now) >= TRUSTED) {
                // A new one takes the place of the oldest.
                let oldest = idle.remove(0);
                drop(idle);
                drop(oldest);
                self.open.fetch_sub(1, Ordering::Relaxed);
                return None;
            }
            let mut connection = idle.pop()?;
            drop(idle);
            if connection.is_fresh(now, self.keep.idle_timeout) && !connection.is_stale() {
                connection.is_reused = true;
                return Some(connection);
            }
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Keeps a connection for the next request, unless there are enough.
    pub(in crate::client) fn put_aside(&self, shard: usize, connection: Connection) -> bool {
        let mut idle = self.shards[shard].idle();
        let has_room = idle.len() < self.keep.per_host;
        if has_room {
            idle.push(connection);
        }
        has_room
    }

    /// Closes an idle connection of another worker, when this one needs its place: only so many are free.
    pub(super) fn make_room(&self, shard: usize, free: usize) {
        let others = self.shards.iter().enumerate().filter(|(index, _)| *index != shard);
        let idle: usize = self.shards.iter().map(|shard| shard.idle().len()).sum();
        if idle > free {
            for (_, other) in others {
                if other.idle().pop().is_some() {
                    self.open.fetch_sub(1, Ordering::Relaxed);
                    return;
                }
            }
        }
    }

    /// The idle connections of a worker turned out to be closed: most likely all of them.
    pub(super) fn forget_idle(&self, shard: usize) {
        let forgotten = std::mem::take(&mut *self.shards[shard].idle());
        self.open.fetch_sub(forgotten.len(), Ordering::Relaxed);
    }

    /// Closes what has been idle for too long.
    pub(crate) fn reap(&self) {
        let now = Instant::now();
        let limit = self.keep.idle_timeout;
        for shard in &self.shards {
            let mut closed = Vec::new();
            let mut idle = shard.idle();
            let mut index = 0;
            while index < idle.len() {
                if idle[index].is_fresh(now, limit) && !idle[index].is_stale() {
                    index += 1;
                } else {
                    closed.push(idle.swap_remove(index));
                }
            }
            drop(idle);
            self.open.fetch_sub(closed.len(), Ordering::Relaxed);
            shard.http2().retain(|connection| connection.is_open() && !connection.is_idle_for(limit));
        }
    }

    /// Closes up to so many idle connections. Returns how many it was.
    pub(in crate::client) fn close_idle(&self, most: usize) -> usize {
        let mut closed = 0;
        for shard in &self.shards {
            let mut idle = shard.idle();
            let here = idle.len().min(most - closed);
            let doomed: Vec<_> = idle.drain(..here).collect();
            drop(idle);
            self.open.fetch_sub(doomed.len(), Ordering::Relaxed);
            closed += doomed.len();
            shard.http2().retain(|connection| {
                let is_doomed = closed < most && connection.is_idle();
                closed += usize::from(is_doomed);
                !is_doomed
            });
        }
        closed
    }

    /// How many connections are in use and idle.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let mut idle: usize = self.shards.iter().map(|shard| shard.idle().len()).sum();
        let mut active = self.open.load(Ordering::Relaxed).saturating_sub(idle);
        for shard in &self.shards {
            for connection in shard.http2().iter().filter(|connection| connection.is_open()) {
                if connection.is_idle() { idle += 1 } else { active += 1 }
            }
        }
        (active, idle)
    }
}
