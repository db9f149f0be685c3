//! A timer that is cheap to move.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer whose deadline moves with every request, almost always to later.
///
/// Moving a tokio timer takes a lock. This one stays where it is when the deadline moves to later, and looks again
/// when it fires: a connection that serves thousands of requests moves its timer once in a while.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Ready when the deadline has passed; wakes the task then.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if at < sleep.deadline() {
            sleep.as_mut().reset(at);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if sleep.deadline() >= at || Instant::now() >= at {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(at);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_fires_at_the_last_deadline_it_was_given() {
        let mut deadline = Deadline::default();
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        for secs in [5, 50, 20] {
            let polled = poll_fn(|cx| Poll::Ready(deadline.poll(cx, at(secs)))).await;
            assert!(polled.is_pending());
        }
        poll_fn(|cx| deadline.poll(cx, at(30))).await;
        assert_eq!(start.elapsed().as_secs(), 30);
        poll_fn(|cx| deadline.poll(cx, at(31))).await;
        assert_eq!(start.elapsed().as_secs(), 31);
    }
}
