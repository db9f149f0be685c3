//! The time that modules see. Tests of modules may stop it and move it on.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime};

use boa_engine::context::time::JsInstant;

/// The time that modules see.
pub(super) struct Clock {
    started: Instant,
    /// When it was stopped: what it shows, since 1970.
    stopped: Cell<Option<Duration>>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), stopped: Cell::new(None) }
    }

    /// Stops it at a time, or lets it go on.
    pub(super) fn stop(&self, at: Option<Duration>) {
        self.stopped.set(at);
    }

    /// What it shows, if it was stopped.
    pub(super) fn stopped(&self) -> Option<Duration> {
        self.stopped.get()
    }

    /// The time since 1970.
    pub(super) fn now(&self) -> Duration {
        let real = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.stopped.get().unwrap_or_else(real)
    }

    /// The time since it was made; when it is stopped, that since 1970.
    pub(super) fn elapsed(&self) -> Duration {
        self.stopped.get().unwrap_or_else(|| self.started.elapsed())
    }
}

impl boa_engine::context::time::Clock for Clock {
    fn now(&self) -> JsInstant {
        let elapsed = self.elapsed();
        JsInstant::new(elapsed.as_secs(), elapsed.subsec_nanos())
    }

    fn system_time_millis(&self) -> i64 {
        i64::try_from(Clock::now(self).as_millis()).unwrap_or(i64::MAX)
    }
}
