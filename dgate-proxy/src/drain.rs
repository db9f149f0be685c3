//! Coming to an end without cutting anybody off.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// How long upgraded connections have to say goodbye.
const GOODBYE: Duration = Duration::from_secs(3);

/// How far a gateway has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// It serves.
    Serving,
    /// Connections end as soon as their requests are answered; upgraded ones go on.
    Draining,
    /// Upgraded connections are told to end, WebSockets by a close frame (1001).
    Closing,
}

/// Tells connections to come to an end, and waits until they have. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Drain(Arc<State>);

#[derive(Debug, Default)]
struct State {
    stage: AtomicU8,
    changed: Notify,
    connections: AtomicUsize,
    tunnels: AtomicUsize,
    fewer: Notify,
}

/// What keeps a drain from being over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Busy {
    /// A connection that carries requests.
    Connection,
    /// An upgraded connection.
    Tunnel,
}

/// Keeps a drain from being over until it is dropped.
#[derive(Debug)]
pub struct BusyGuard {
    drain: Drain,
    busy: Busy,
}

impl Drain {
    /// A gateway that serves.
    pub fn new() -> Self {
        Self::default()
    }

    /// How far it has come.
    pub fn stage(&self) -> Stage {
        match self.0.stage.load(Ordering::Acquire) {
            0 => Stage::Serving,
            1 => Stage::Draining,
            _ => Stage::Closing,
        }
    }

    /// Whether connections are to come to an end.
    pub fn is_draining(&self) -> bool {
        self.stage() >= Stage::Draining
    }

    /// Goes on to a later stage. There is no way back.
    pub fn advance_to(&self, stage: Stage) {
        self.0.stage.fetch_max(stage as u8, Ordering::AcqRel);
        self.0.changed.notify_waiters();
    }

    /// Waits for a stage.
    pub async fn reached(&self, stage: Stage) {
        loop {
            let mut changed = pin!(self.0.changed.notified());
            changed.as_mut().enable();
            if self.stage() >= stage {
                return;
            }
            changed.await;
        }
    }

    /// Comes to an end: connections may take `grace` to answer their requests, then upgraded ones are closed. Says
    /// whether everybody was done in time.
    pub async fn complete(&self, grace: Duration) -> bool {
        self.advance_to(Stage::Draining);
        let done = tokio::time::timeout(grace, self.none_left(Busy::Connection)).await.is_ok();
        self.advance_to(Stage::Closing);
        let _ = tokio::time::timeout(GOODBYE, self.none_left(Busy::Tunnel)).await;
        done
    }

    /// Counts a connection or tunnel until the guard is dropped.
    pub fn busy(&self, busy: Busy) -> BusyGuard {
        self.0.count(busy).fetch_add(1, Ordering::AcqRel);
        BusyGuard { drain: self.clone(), busy }
    }

    /// How many there are.
    pub fn count(&self, busy: Busy) -> usize {
        self.0.count(busy).load(Ordering::Acquire)
    }

    /// Waits until there are none.
    pub async fn none_left(&self, busy: Busy) {
        self.wait_until(|| self.count(busy) == 0).await;
    }

    async fn wait_until(&self, done: impl Fn() -> bool) {
        loop {
            let mut fewer = pin!(self.0.fewer.notified());
            fewer.as_mut().enable();
            if done() {
                return;
            }
            fewer.await;
        }
    }
}

impl State {
    fn count(&self, busy: Busy) -> &AtomicUsize {
        match busy {
            Busy::Connection => &self.connections,
            Busy::Tunnel => &self.tunnels,
        }
    }
}

impl Drop for BusyGuard {
    fn drop(&mut self) {
        let left = self.drain.0.count(self.busy).fetch_sub(1, Ordering::AcqRel) - 1;
        if left == 0 {
            self.drain.0.fewer.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_over_when_everybody_has_gone() {
        let drain = Drain::new();
        let (a, b) = (drain.busy(Busy::Connection), drain.busy(Busy::Tunnel));
        assert!(!drain.is_draining());
        drain.advance_to(Stage::Draining);
        drain.reached(Stage::Draining).await;
        let waiting = tokio::spawn({
            let drain = drain.clone();
            async move { drain.none_left(Busy::Connection).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(a);
        waiting.await.unwrap();
        assert_eq!(drain.count(Busy::Tunnel), 1);
        drop(b);
        drain.none_left(Busy::Tunnel).await;
    }
}
