//! How many requests may be tried again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use dgate_core::units::Percent;

/// Seconds that are looked at.
const WINDOW: u64 = 10;

/// So many retries are always possible within the window, so that quiet services can retry at all.
const FLOOR: u64 = 10;

/// Lets retries add at most a share to the requests of the last ten seconds: when everything fails, trying again only
/// makes it worse.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    share: Percent,
    start: Instant,
    /// Requests and retries of each second, packed with the second they belong to.
    seconds: [Second; WINDOW as usize],
}

#[derive(Debug, Default)]
struct Second {
    number: AtomicU64,
    requests: AtomicU64,
    retries: AtomicU64,
}

impl RetryBudget {
    pub(crate) fn new(share: Percent) -> Self {
        Self { share, start: Instant::now(), seconds: Default::default() }
    }

    pub(crate) fn share(&self) -> Percent {
        self.share
    }

    /// Counts a request.
    pub(crate) fn request(&self, now: Instant) {
        self.second(now).requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a retry, if there may be one more.
    pub(crate) fn try_retry(&self, now: Instant) -> bool {
        let current = self.number(now);
        let recent =
            self.seconds.iter().filter(|second| second.number.load(Ordering::Relaxed) + WINDOW > current);
        let (requests, retries) = recent.fold((0, 0), |(requests, retries), second| {
            (
                requests + second.requests.load(Ordering::Relaxed),
                retries + second.retries.load(Ordering::Relaxed),
            )
        });
        let most =
            ((requests as f64 * self.share.ratio()) as u64).max(if self.share.is_zero() { 0 } else { FLOOR });
        let allowed = retries < most;
        if allowed {
            self.second(now).retries.fetch_add(1, Ordering::Relaxed);
        }
        allowed
    }

    fn number(&self, now: Instant) -> u64 {
        // The first second is not number 0, so that untouched places are never recent.
        now.saturating_duration_since(self.start).as_secs() + WINDOW
    }

    fn second(&self, now: Instant) -> &Second {
        let number = self.number(now);
        let second = &self.seconds[(number % WINDOW) as usize];
        let before = second.number.load(Ordering::Relaxed);
        if before != number
            && second.number.compare_exchange(before, number, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            second.requests.store(0, Ordering::Relaxed);
            second.retries.store(0, Ordering::Relaxed);
        }
        second
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn retries_are_a_share_of_recent_requests() {
        let budget = RetryBudget::new(Percent::whole(20));
        let at = |secs| budget.start + Duration::from_secs(secs);
        assert_eq!((0..20).filter(|_| budget.try_retry(at(0))).count(), 10, "the floor");
        (0..500).for_each(|_| budget.request(at(1)));
        assert_eq!((0..500).filter(|_| budget.try_retry(at(2))).count(), 90);
        (0..100).for_each(|_| budget.request(at(11)));
        assert_eq!((0..500).filter(|_| budget.try_retry(at(12))).count(), 20, "old seconds are forgotten");
    }

    #[test]
    fn no_share_means_no_retries() {
        let budget = RetryBudget::new(Percent::whole(0));
        assert!(!budget.try_retry(budget.start));
    }
}
