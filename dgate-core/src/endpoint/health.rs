//! How healthy an endpoint is.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::resource::PassiveHealth;

/// The longest ejection, as a multiple of `eject_for`.
const MAX_BACKOFF: u32 = 10;

/// How healthy an endpoint is: what was said of it, what active checks say, and what real requests show.
///
/// What was [said](Health::say) wins over active checks, either way, until it is taken back; checks go on meanwhile. Who is
/// said to be healthy can still be ejected by failing real requests.
#[derive(Debug, Default)]
pub struct Health {
    /// Whether anything is worth a look; while not, asking costs one load. Written under the lock only.
    is_troubled: AtomicBool,
    /// Whether it has recovered of late. Written under the lock only.
    is_warming: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What somebody said who knows better than checks.
    said: Option<bool>,
    /// What active checks found; nothing is as good as healthy.
    checked_bad: bool,
    good_in_a_row: u32,
    bad_in_a_row: u32,
    /// Failures of real requests, within the window.
    failures: VecDeque<Instant>,
    ejected_until: Option<Instant>,
    /// Ejections without a success in between.
    ejections_in_a_row: u32,
    recovered_at: Option<Instant>,
}

/// What became of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthChange {
    /// It stays what it was.
    None,
    /// It is healthy again.
    Up,
    /// It gets no more requests.
    Down,
}

/// How an endpoint is, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Condition {
    Available,
    /// Real requests failed.
    Ejected,
    /// It fails its checks, or is said to be unhealthy.
    Failing,
}

impl Health {
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut state);
        self.is_troubled.store(state.is_troubled(), Ordering::Relaxed);
        self.is_warming.store(state.recovered_at.is_some(), Ordering::Relaxed);
        result
    }

    fn is_troubled(&self) -> bool {
        self.is_troubled.load(Ordering::Relaxed)
    }

    /// Whether it may get requests.
    pub fn is_available(&self, now: Instant) -> bool {
        self.condition(now) == Condition::Available
    }

    /// Whether it is ejected for failing real requests.
    pub fn is_ejected(&self, now: Instant) -> bool {
        self.is_troubled() && self.change(|state| state.is_ejected(now))
    }

    pub(super) fn condition(&self, now: Instant) -> Condition {
        if !self.is_troubled() {
            return Condition::Available;
        }
        self.change(|state| state.condition(now))
    }

    /// Says how an endpoint is, whatever its active checks find, or takes that back.
    pub fn say(&self, healthy: Option<bool>, now: Instant) -> HealthChange {
        self.change(|state| {
            let before = state.condition(now);
            state.said = healthy;
            match (before == Condition::Available, state.condition(now) == Condition::Available) {
                (false, true) => {
                    state.recovered_at = Some(now);
                    HealthChange::Up
                }
                (true, false) => HealthChange::Down,
                _ => HealthChange::None,
            }
        })
    }

    /// What was said of it, if anything.
    pub fn said(&self) -> Option<bool> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).said
    }

    /// How much of its weight counts while it starts slowly after a recovery, between 0.1 and 1.
    pub fn slow_start_factor(&self, now: Instant, slow_start: Duration) -> f64 {
        if slow_start.is_zero() || !self.is_warming.load(Ordering::Relaxed) {
            return 1.0;
        }
        self.change(|state| {
            let Some(recovered_at) = state.recovered_at else { return 1.0 };
            let factor = now.saturating_duration_since(recovered_at).div_duration_f64(slow_start);
            if factor >= 1.0 {
                state.recovered_at = None;
            }
            factor.clamp(0.1, 1.0)
        })
    }

    /// Notes an active check. `healthy_after` good ones in a row make an endpoint healthy, `unhealthy_after` bad ones
    /// make it unhealthy, unless something was said of it.
    pub fn checked(
        &self,
        good: bool,
        healthy_after: u32,
        unhealthy_after: u32,
        now: Instant,
    ) -> HealthChange {
        if good && !self.is_troubled() {
            return HealthChange::None;
        }
        self.change(|state| {
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
                state.recover(now);
                state.ejections_in_a_row = 0;
                return state.unless_said(HealthChange::Up);
            }
            if !state.checked_bad && state.bad_in_a_row >= unhealthy_after {
                state.checked_bad = true;
                return state.unless_said(HealthChange::Down);
            }
            HealthChange::None
        })
    }

    /// Forgets what active checks said, as there are none any more.
    pub fn unchecked(&self) {
        if self.is_troubled() {
            self.change(|state| {
                state.checked_bad = false;
                state.bad_in_a_row = 0;
            });
        }
    }

    /// Notes that a real request went well. After an ejection the first one shows that the endpoint is healthy again.
    pub fn succeeded(&self) -> HealthChange {
        if !self.is_troubled() {
            return HealthChange::None;
        }
        self.change(|state| {
            // One that was sent before the ejection does not end it. Others were sent because it was over.
            if state.ejected_until.is_some() || state.ejections_in_a_row == 0 {
                return HealthChange::None;
            }
            state.ejections_in_a_row = 0;
            if state.is_failing() { HealthChange::None } else { HealthChange::Up }
        })
    }

    /// Notes that a real request failed. `may_eject` is asked only when it is time to.
    pub fn failed(
        &self,
        rules: &PassiveHealth,
        now: Instant,
        may_eject: impl FnOnce() -> bool,
    ) -> HealthChange {
        let max_failures = rules.max_failures as usize;
        if max_failures == 0
            || !self.change(|state| state.note_failure(max_failures, rules.window.get(), now))
        {
            return HealthChange::None;
        }
        // Others are looked at, so the lock must not be held.
        if !may_eject() {
            return HealthChange::None;
        }
        self.change(|state| {
            if state.is_ejected(now) {
                return HealthChange::None;
            }
            let backoff = 2_u32.saturating_pow(state.ejections_in_a_row).min(MAX_BACKOFF);
            state.ejections_in_a_row += 1;
            state.failures.clear();
            state.ejected_until = Some(now + rules.eject_for.get() * backoff);
            HealthChange::Down
        })
    }
}

impl State {
    fn is_troubled(&self) -> bool {
        self.said == Some(false)
            || self.checked_bad
            || self.bad_in_a_row > 0
            || self.ejected_until.is_some()
            || self.ejections_in_a_row > 0
    }

    /// Whether it is said to be unhealthy, or else found to be.
    fn is_failing(&self) -> bool {
        self.said.map_or(self.checked_bad, |healthy| !healthy)
    }

    fn unless_said(&self, change: HealthChange) -> HealthChange {
        if self.said.is_none() { change } else { HealthChange::None }
    }

    fn condition(&mut self, now: Instant) -> Condition {
        match (self.is_failing(), self.is_ejected(now)) {
            (true, _) => Condition::Failing,
            (false, true) => Condition::Ejected,
            (false, false) => Condition::Available,
        }
    }

    /// Whether an ejection lasts; one that is over is forgotten.
    fn is_ejected(&mut self, now: Instant) -> bool {
        if self.ejected_until.is_some_and(|until| until <= now) {
            self.recover(now);
        }
        self.ejected_until.is_some()
    }

    fn recover(&mut self, now: Instant) {
        self.ejected_until = None;
        self.failures.clear();
        self.recovered_at = Some(now);
    }

    /// Notes a failure, and says whether there are too many within the window.
    fn note_failure(&mut self, max_failures: usize, window: Duration, now: Instant) -> bool {
        if self.is_ejected(now) {
            return false;
        }
        self.failures.push_back(now);
        while self.failures.len() > max_failures
            || self.failures.front().is_some_and(|first| now.saturating_duration_since(*first) > window)
        {
            self.failures.pop_front();
        }
        self.failures.len() >= max_failures
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
        assert_eq!(health.succeeded(), HealthChange::None, "sent before the ejection");
        assert!(health.is_available(after(44)));
        assert_eq!(health.succeeded(), HealthChange::Up);
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
    fn failures_that_eject_nobody_do_not_pile_up() {
        let (health, now) = (Health::default(), Instant::now());
        for _ in 0..1_000 {
            health.failed(&rules(), now, || false);
        }
        assert_eq!(health.state.lock().unwrap().failures.len(), 3);
    }

    #[test]
    fn two_that_fail_at_once_eject_once() {
        let (health, now) = (Health::default(), Instant::now());
        let once = PassiveHealth { max_failures: 1, ..PassiveHealth::default() };
        let inner = std::cell::Cell::new(HealthChange::None);
        let outer = health.failed(&once, now, || {
            inner.set(health.failed(&once, now, || true));
            true
        });
        assert_eq!((inner.get(), outer), (HealthChange::Down, HealthChange::None));
        assert!(health.is_available(now + Duration::from_secs(10)), "not twice as long");
    }

    #[test]
    fn asking_is_cheap_again_after_recovery() {
        let (health, now) = (Health::default(), Instant::now());
        for _ in 0..3 {
            health.failed(&rules(), now, || true);
        }
        assert!(health.is_troubled());
        let later = now + Duration::from_secs(10);
        assert!(health.is_available(later));
        assert_eq!(health.succeeded(), HealthChange::Up);
        assert!(!health.is_troubled());
        health.checked(false, 2, 3, later);
        health.checked(true, 2, 3, later);
        assert!(!health.is_troubled());
        assert!(health.slow_start_factor(later, Duration::from_secs(10)) < 0.2);
        assert!(health.slow_start_factor(later + Duration::from_secs(10), Duration::from_secs(10)) >= 1.0);
        assert!(!health.is_warming.load(Ordering::Relaxed));
    }

    #[test]
    fn what_is_said_wins_over_checks_until_it_is_taken_back() {
        let (health, now) = (Health::default(), Instant::now());
        let check = |good| health.checked(good, 1, 1, now);
        assert_eq!(health.say(Some(false), now), HealthChange::Down);
        assert_eq!([check(true), check(false), check(true)], [HealthChange::None; 3]);
        assert!(!health.is_available(now));
        assert_eq!(health.say(Some(true), now), HealthChange::Up);
        assert_eq!(check(false), HealthChange::None, "it is said to be healthy");
        assert!(health.is_available(now));
        assert_eq!(health.said(), Some(true));
        assert_eq!(health.say(None, now), HealthChange::Down, "the last check failed");
        assert_eq!(check(true), HealthChange::Up);
        assert!(!health.is_troubled());
    }

    #[test]
    fn who_is_said_to_be_healthy_can_be_ejected() {
        let (health, now) = (Health::default(), Instant::now());
        health.say(Some(true), now);
        let once = PassiveHealth { max_failures: 1, ..PassiveHealth::default() };
        assert_eq!(health.failed(&once, now, || true), HealthChange::Down);
        assert!(!health.is_available(now));
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
