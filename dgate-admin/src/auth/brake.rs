//! Slows down whoever guesses.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many attempts may fail before there is a wait.
const FREE: u32 = 5;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(60);
/// How long failures are remembered.
const MEMORY: Duration = Duration::from_secs(15 * 60);
/// How many clients are remembered at most.
const MOST: usize = 10_000;

/// Remembers who has failed: after some failed attempts of a client there is a wait, twice as long each time.
#[derive(Debug, Default)]
pub(super) struct Brake(Mutex<HashMap<IpAddr, Failures>>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    fn until(self) -> Instant {
        let doublings = self.count.saturating_sub(FREE);
        if doublings == 0 {
            return self.last;
        }
        let wait = Duration::from_secs(1).saturating_mul(1 << (doublings - 1).min(10));
        self.last + wait.min(LONGEST)
    }
}

impl Brake {
    fn clients(&self) -> MutexGuard<'_, HashMap<IpAddr, Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long a client has to wait before its next attempt is looked at.
    pub(super) fn wait(&self, from: Option<IpAddr>) -> Option<Duration> {
        let failures = *self.clients().get(&network(from))?;
        failures.until().checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero())
    }

    pub(super) fn failed(&self, from: Option<IpAddr>) {
        let now = Instant::now();
        let mut clients = self.clients();
        if clients.len() >= MOST {
            clients.retain(|_, failures| now.duration_since(failures.last) < MEMORY);
        }
        if clients.len() >= MOST {
            // More clients than there can be in earnest: somebody has many addresses, and remembering helps nobody.
            clients.clear();
        }
        let failures = clients.entry(network(from)).or_insert(Failures { count: 0, last: now });
        if now.duration_since(failures.last) > MEMORY {
            failures.count = 0;
        }
        failures.count += 1;
        failures.last = now;
    }

    pub(super) fn succeeded(&self, from: Option<IpAddr>) {
        self.clients().remove(&network(from));
    }
}

/// Who counts as one client: an IPv6 network of one household has many addresses.
fn network(from: Option<IpAddr>) -> IpAddr {
    match from {
        Some(IpAddr::V6(address)) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        Some(address) => address,
        None => Ipv6Addr::UNSPECIFIED.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_double_and_end_with_a_success() {
        let brake = Brake::default();
        let (one, other) = (Some("10.0.0.1".parse().unwrap()), Some("10.0.0.2".parse().unwrap()));
        for _ in 0..FREE {
            assert_eq!(brake.wait(one), None);
            brake.failed(one);
        }
        assert_eq!(brake.wait(one), None);
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            brake.failed(one);
            assert_eq!(brake.wait(one), Some(Duration::from_secs(seconds)));
            assert_eq!(brake.wait(other), None);
            tokio::time::advance(Duration::from_secs(seconds)).await;
            assert_eq!(brake.wait(one), None);
        }
        brake.succeeded(one);
        brake.failed(one);
        assert_eq!(brake.wait(one), None);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let brake = Brake::default();
        for index in 0..=MOST as u128 {
            brake.failed(Some(Ipv6Addr::from_bits(index << 64).into()));
        }
        assert!(brake.clients().len() <= MOST);
        let of = |text: &str| Some(text.parse().unwrap());
        assert_eq!(network(of("2001:db8::1")), network(of("2001:db8::ffff:1")));
    }
}
