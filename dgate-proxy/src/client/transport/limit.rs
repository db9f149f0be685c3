//! How many connections there may be, and who waits for one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::SendError;

/// How many requests may be sent at a time, and how many may wait for their turn.
#[derive(Debug)]
pub(super) struct Limit {
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_pending: usize,
}

impl Limit {
    pub(super) fn new(most: u32, max_pending: Option<u32>) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(most as usize)),
            waiting: AtomicUsize::new(0),
            max_pending: max_pending.map_or(usize::MAX, |most| most as usize),
        }
    }

    /// A place, at once or after having waited for at most so long.
    pub(super) async fn acquire(&self, patience: Duration) -> Result<OwnedSemaphorePermit, SendError> {
        if let Ok(permit) = self.slots.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let _waiting = Waiting::begin(&self.waiting, self.max_pending).ok_or(SendError::Overloaded)?;
        match tokio::time::timeout(patience, self.slots.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(SendError::Overloaded),
        }
    }

    /// How many places are free.
    pub(super) fn free(&self) -> usize {
        self.slots.available_permits()
    }
}

/// Counts a waiting request.
struct Waiting<'w>(&'w AtomicUsize);

impl<'w> Waiting<'w> {
    fn begin(waiting: &'w AtomicUsize, most: usize) -> Option<Self> {
        let begun = Self(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < most).then_some(begun)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
