//! What time brings about.

use std::time::Duration;

use jiff::Timestamp;

use super::{ApplyWorker, Cause};
use crate::clock::Clock;

/// How long to wait after time has brought about what the data planes were not ready for.
const TRY_AGAIN: Duration = Duration::from_secs(10);

impl ApplyWorker {
    /// The next instant at which the server carries other tags.
    pub(super) fn next_edge(&self) -> Option<Timestamp> {
        self.publisher.live().load().snapshot.next_edge()
    }

    /// Makes live what applies by the tags that the server carries by now. Returns when to look again.
    pub(super) async fn cross_edge(&mut self) -> Option<Timestamp> {
        match self.prepare(&self.resources, None, Cause::Time).await {
            Ok(ready) => {
                ready.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
                let instant = ready.snapshot.tags().instant();
                tracing::info!(%instant, "the tags of this server have changed with time");
                self.publish(ready);
                self.next_edge()
            }
            Err(problems) => {
                tracing::error!(
                    "what the server's tags ask for by now cannot go live, and is tried again: {problems}"
                );
                self.clock.now().checked_add(TRY_AGAIN).ok()
            }
        }
    }
}

/// Waits until an instant has come; without one, for ever.
pub(super) async fn sleep_until(clock: &Clock, instant: Option<Timestamp>) {
    match instant {
        Some(instant) => clock.sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
