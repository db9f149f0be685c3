//! Response bodies that do not go on.

use std::time::Duration;

use tokio::time::Instant;

/// The response body paused for longer than the service allows.
#[derive(Debug, thiserror::Error)]
#[error("the upstream sent nothing for too long")]
pub(crate) struct BodyPaused;

/// Since when we wait for an upstream. Time in which nobody asks for more is not the upstream's.
#[derive(Debug, Default)]
pub(crate) struct WaitingSince(Option<Instant>);

impl WaitingSince {
    /// Something came.
    pub(crate) fn moved(&mut self) {
        self.0 = None;
    }

    /// Nothing is there: until when to wait.
    pub(crate) fn until(&mut self, limit: Duration) -> Instant {
        *self.0.get_or_insert_with(Instant::now) + limit
    }
}
