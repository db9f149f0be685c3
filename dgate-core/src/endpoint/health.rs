//! How healthy an endpoint is.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::resource::PassiveHealth;

/// The longest ejection, as a multiple of `eject_for`.
const MAX_BACKOFF: u32 = 10;

/// How healthy an endpoint is: what active checks say, and what real requests show.
#[derive(Debug, Default)]
pub struct Health {
    /// Whether anything is worth a look; while not, asking costs one load.
    troubled: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What active checks found; nothing is as good as healthy.
    checked_bad: bool,
    good_in_a_row: u32,
    bad_in_a_row: u32,
    /// Failures of real requests, within the window.
    failures: VecDeque<Instant>,
    ejected_until: Option<Instant>,
    ejections_in_a_row: u32,
    recovered_at: Option<Instant>,
}

/// What became of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthChange {
    /// It stays what it was.
    None,
    /// It gets requests again.
    Up,
    /// It gets no more requests.
    Down,
}

impl Health {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it may get requests.
    pub fn is_available(&self, now: Instant) -> bool {
        if !self.troubled.load(Ordering::Relaxed) {
            return true;
        }
        let mut state = self.state();
        if state.ejected_until.is_some_and(|until| until <= now) {
            state.ejected_until = None;
            state.failures.clear();
            state.recovered_at = Some(now);
        }
        !state.checked_bad && state.ejected_until.is_none()
    }

    /// Whether it is ejected for failing real requests.
    pub fn is_ejected(&self, now: Instant) -> bool {
        self.troubled.load(Ordering::Relaxed) && self.state().ejected_until.is_some_and(|until| until > now)
    }

    /// How much of its weight counts while it starts slowly after a recovery, between 0.1 and 1.
    pub fn slow_start_factor(&self, now: Instant, slow_start: Duration) -> f64 {
        if slow_start.is_zero() || !self.troubled.load(Ordering::Relaxed) {
            return 1.0;
        }
        let Some(recovered_at) = self.state().recovered_at else { return 1.0 };
        (now.saturating_duration_since(recovered_at).as_secs_f64() / slow_start.as_secs_f64()).clamp(0.1, 1.0)
    }

    /// Notes an active check.
    pub fn checked(
        &self,
        good: bool,
        healthy_after: u32,
        unhealthy_after: u32,
        now: Instant,
    ) -> HealthChange {
        if good && !self.troubled.load(Ordering::Relaxed) {
            return HealthChange::None;
        }
        self.troubled.store(true, Ordering::Relaxed);
        let mut state = self.state();
        if good {
            state.good_in_a_row += 1;
            state.bad_in_a_row = 0;
        } else {
            state.bad_in_a_row += 1;
            state.good_in_a_row = 0;
        }
        if state.checked_bad && state.good_in_a_row >= healthy_after {
            state.checked_bad = false;
            // Who passes its checks again starts with a clean slate.
            state.ejected_until = None;
            state.failures.clear();
            state.recovered_at = Some(now);
            return HealthChange::Up;
        }
        if !state.checked_bad && state.bad_in_a_row >= unhealthy_after {
            state.checked_bad = true;
            return HealthChange::Down;
        }
        HealthChange::None
    }

    /// Forgets what active checks said, as there are none any more.
    pub fn unchecked(&self) {
        if self.troubled.load(Ordering::Relaxed) {
            let mut state = self.state();
            state.checked_bad = false;
            state.bad_in_a_row = 0;
        }
    }

    /// Notes that a real request went well.
    pub fn succeeded(&self) {
        if self.troubled.load(Ordering::Relaxed) {
            self.state().ejections_in_a_row = 0;
        }
    }

    /// Notes that a real request failed. `may_eject` is asked only when it is time to.
    pub fn failed(
        &self,
        rules: &PassiveHealth,
        now: Instant,
        may_eject: impl FnOnce() -> bool,
    ) -> HealthChange {
        if rules.max_failures == 0 {
            return HealthChange::None;
        }
        self.troubled.store(true, Ordering::Relaxed);
        let mut state = self.state();
        if state.ejected_until.is_some_and(|until| until > now) {
            return HealthChange::None;
        }
        let window = rules.window.get();
        while state.failures.front().is_some_and(|first| now.saturating_duration_since(*first) > window) {
            state.failures.pop_front();
        }
        state.failures.push_back(now);
        if state.failures.len() < rules.max_failures as usize {
            return HealthChange::None;
        }
        drop(state);
        if !may_eject() {
            return HealthChange::None;
        }
        let mut state = self.state();
        // Somebody else may have been quicker.
        if state.ejected_until.is_some_and(|until| until > now) {
            return HealthChange::None;
        }
        let backoff = 2_u32.saturating_pow(state.ejections_in_a_row).min(MAX_BACKOFF);
        state.ejections_in_a_row += 1;
        state.failures.clear();
        state.ejected_until = Some(now + rules.eject_for.get() * backoff);
        HealthChange::Down
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> PassiveHealth {
        PassiveHealth { max_failures: 3, ..PassiveHealth::default() }
    }

    #[test]
    fn failures_within_the_window_eject_for_longer_each_time() {
        let (health, now) = (Health::default(), Instant::now());
        let after = |secs| now + Duration::from_secs(secs);
        assert_eq!(health.failed(&rules(), now, || true), HealthChange::None);
        assert_eq!(health.failed(&rules(), after(1), || true), HealthChange::None);
        assert_eq!(
            health.failed(&rules(), after(12), || true),
            HealthChange::None,
            "the first ones are forgotten"
        );
        assert!(health.is_available(after(12)));
        health.failed(&rules(), after(13), || true);
        assert_eq!(health.failed(&rules(), after(14), || true), HealthChange::Down);
        assert!(!health.is_available(after(23)));
        assert!(health.is_available(after(24)));
        for _ in 0..3 {
            health.failed(&rules(), after(24), || true);
        }
        assert!(!health.is_available(after(43)), "twice as long");
        assert!(health.is_available(after(44)));
        health.succeeded();
        for _ in 0..3 {
            health.failed(&rules(), after(44), || true);
        }
        assert!(health.is_available(after(54)), "a success in between resets the backoff");
    }

    #[test]
    fn nothing_is_ejected_when_too_many_are() {
        let (health, now) = (Health::default(), Instant::now());
        for _ in 0..10 {
            assert_eq!(health.failed(&rules(), now, || false), HealthChange::None);
        }
        assert!(health.is_available(now));
    }

    #[test]
    fn checks_have_thresholds() {
        let (health, now) = (Health::default(), Instant::now());
        let check = |good| health.checked(good, 2, 3, now);
        assert_eq!([check(false), check(false), check(true)], [HealthChange::None; 3]);
        assert_eq!(
            [check(false), check(false), check(false)],
            [HealthChange::None, HealthChange::None, HealthChange::Down]
        );
        assert!(!health.is_available(now));
        assert_eq!(
            [check(true), check(false), check(true), check(true)],
            [HealthChange::None, HealthChange::None, HealthChange::None, HealthChange::Up]
        );
        assert!(health.is_available(now));
        assert!(health.slow_start_factor(now, Duration::from_secs(10)) < 0.2);
        assert!(health.slow_start_factor(now + Duration::from_secs(10), Duration::from_secs(10)) >= 1.0);
    }
}
