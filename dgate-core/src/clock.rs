//! What time it is: the system's clock, or one that a test sets.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

/// The longest sleep: the system's clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// What time it is. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<watch::Sender<Timestamp>>>);

impl Clock {
    /// The instant that it is now.
    pub fn now(&self) -> Timestamp {
        self.0.as_ref().map_or_else(Timestamp::now, |manual| *manual.borrow())
    }

    /// Waits until an instant has come.
    pub async fn sleep_until(&self, instant: Timestamp) {
        if let Some(manual) = &self.0 {
            // The clock is there as long as it is waited for.
            let _ = manual.subscribe().wait_for(|now| *now >= instant).await;
            return;
        }
        loop {
            let Ok(left) = Duration::try_from(instant.duration_since(self.now())) else { return };
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
        }
    }
}

/// A clock that stands still until it is set.
///
/// ```
/// # let (noon, evening) = ("2030-01-01T12:00:00Z".parse().unwrap(), "2030-01-01T18:00:00Z".parse().unwrap());
/// let manual = dgate_core::clock::ManualClock::new(noon);
/// let clock = manual.clock();
/// manual.set(evening);
/// assert_eq!(clock.now(), evening);
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<watch::Sender<Timestamp>>);

impl ManualClock {
    /// A clock that stands at an instant.
    pub fn new(instant: Timestamp) -> Self {
        Self(Arc::new(watch::Sender::new(instant)))
    }

    /// The clock, for whoever wants to know the time.
    pub fn clock(&self) -> Clock {
        Clock(Some(self.0.clone()))
    }

    /// Sets it, and wakes whoever waits for this instant or an earlier one.
    pub fn set(&self, instant: Timestamp) {
        self.0.send_replace(instant);
    }
}
