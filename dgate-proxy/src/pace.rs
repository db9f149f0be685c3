//! How slow a client may be.

use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use crate::deadline::Deadline;

/// The rate is judged over stretches of waiting of this length.
const WINDOW: Duration = Duration::from_secs(10);

/// How slow a peer may be while we wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PaceLimits {
    /// The longest wait for a single byte.
    pub(crate) stall: Duration,
    /// The least bytes per second of waiting, on average.
    pub(crate) min_rate: u64,
}

/// Judges a peer by how long we wait for it. Time in which we do something else does not count against it.
#[derive(Debug)]
pub(crate) struct Pace {
    limits: PaceLimits,
    deadline: Deadline,
    waiting_since: Option<Instant>,
    waited: Duration,
    moved: u64,
}

impl Pace {
    pub(crate) fn new(limits: PaceLimits) -> Self {
        Self { limits, deadline: Deadline::default(), waiting_since: None, waited: Duration::ZERO, moved: 0 }
    }

    /// Bytes went through.
    pub(crate) fn moved(&mut self, bytes: usize) {
        self.moved += bytes as u64;
        if let Some(since) = self.waiting_since.take() {
            self.waited += since.elapsed();
        }
    }

    /// What we waited for was not the peer.
    pub(crate) fn restart(&mut self) {
        self.waiting_since = None;
    }

    /// We have to wait. Ready when the peer is too slow.
    pub(crate) fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        if self.waited >= WINDOW {
            if self.moved < self.limits.min_rate * self.waited.as_secs() {
                return Poll::Ready(());
            }
            (self.waited, self.moved) = (Duration::ZERO, 0);
        }
        self.deadline.poll(cx, since + self.limits.stall)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const LIMITS: PaceLimits = PaceLimits { stall: Duration::from_secs(30), min_rate: 100 };

    async fn too_slow(pace: &mut Pace) -> bool {
        poll_fn(|cx| Poll::Ready(pace.poll_too_slow(cx).is_ready())).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_ends_it() {
        let mut pace = Pace::new(LIMITS);
        poll_fn(|cx| pace.poll_too_slow(cx)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_ends_it_and_a_stream_does_not() {
        for (bytes, expected) in [(10, true), (200, false)] {
            let mut pace = Pace::new(LIMITS);
            let mut ended = false;
            for _ in 0..30 {
                ended |= too_slow(&mut pace).await;
                tokio::time::advance(Duration::from_secs(1)).await;
                pace.moved(bytes);
            }
            assert_eq!(ended, expected, "{bytes} bytes a second");
        }
    }
}
