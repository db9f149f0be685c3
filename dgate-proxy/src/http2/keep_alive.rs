//! Finds out whether the peer is still there.

use std::task::{Context, Poll};
use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::time::Instant;

use crate::deadline::Deadline;

/// How often the peer is asked.
const INTERVAL: Duration = Duration::from_secs(30);

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Finds out whether the peer is still there, by asking it for a sign of life now and then.
pub(super) struct KeepAlive {
    pings: PingPong,
    deadline: Deadline,
    next: Instant,
    /// How many bytes the peer had taken when it was asked.
    asked: Option<u64>,
}

impl KeepAlive {
    pub(super) fn new(pings: PingPong) -> Self {
        Self { pings, deadline: Deadline::default(), next: Instant::now() + INTERVAL, asked: None }
    }

    /// Ready when the peer gives no sign of life. One that takes its time to read what was sent before our question is
    /// there all the same: `taken` is how many bytes it took so far, `least` how many it must take meanwhile.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, taken: u64, least: u64) -> Poll<()> {
        loop {
            if self.asked.is_some() && matches!(self.pings.poll_pong(cx), Poll::Ready(Ok(_))) {
                self.asked = None;
                self.next = Instant::now() + INTERVAL;
            }
            if self.deadline.poll(cx, self.next).is_pending() {
                return Poll::Pending;
            }
            match self.asked {
                Some(before) if taken.saturating_sub(before) < least.max(1) => return Poll::Ready(()),
                Some(_) => {}
                // While the connection comes to its end there may be no more pings; then nothing is found out.
                None => drop(self.pings.send_ping(Ping::opaque())),
            }
            self.asked = Some(taken);
            self.next = Instant::now() + PATIENCE;
        }
    }
}
