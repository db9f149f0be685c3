//! How much of the time that passed a thread computed.
//!
//! Asking the system what a thread computed is dear, so time by the clock stands for it while it is short. What was long is
//! compared with the thread's own clock: on a busy machine a thread waits for the processor for many milliseconds, and a call
//! that happened to be at work then has not used them.

use std::cell::Cell;
use std::time::Duration;

use crate::thread_time::thread_time;

/// What is shorter is not worth asking for.
const LONG: Duration = Duration::from_millis(1);
/// How many turns there may be from one look at the thread's clock to the next.
const TURNS: u32 = 64;

/// Compares times with the thread's own clock.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// What the thread's clock said at some time before the turn began.
    before: Cell<Duration>,
    turns: Cell<u32>,
}

impl Meter {
    /// A turn begins.
    pub(super) fn begin(&self) {
        let turns = self.turns.get();
        self.turns.set((turns + 1) % TURNS);
        if turns == 0 {
            self.before.set(thread_time().unwrap_or_default());
        }
    }

    /// How much of the time since then was computed, at most.
    pub(super) fn charge(&self, elapsed: Duration) -> Duration {
        if elapsed <= LONG {
            return elapsed;
        }
        let Some(now) = thread_time() else { return elapsed };
        elapsed.min(now.saturating_sub(self.before.replace(now)))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_thread_that_did_not_run_has_not_computed() {
        let (meter, asleep) = (Meter::default(), Duration::from_millis(50));
        meter.begin();
        std::thread::sleep(asleep);
        assert!(meter.charge(asleep) < asleep);
    }

    #[test]
    fn what_was_computed_is_charged() {
        let meter = Meter::default();
        meter.begin();
        let (began, before) = (Instant::now(), thread_time().unwrap());
        while thread_time().unwrap().saturating_sub(before) < LONG * 5 {}
        assert!(meter.charge(began.elapsed()) >= LONG * 5);
    }

    #[test]
    fn what_is_short_is_believed() {
        assert_eq!(Meter::default().charge(LONG), LONG);
    }
}
