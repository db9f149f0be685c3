//! What somebody has for a time: a job to run, a place in the register of nodes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

/// Something that one holder has for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Its name: `node/edge-1`, `job/default/nightly`.
    pub name: String,
    /// Who has it.
    pub holder: String,
    /// What the holder says with it.
    pub value: Value,
    /// How long the holder has it, if it is not renewed.
    pub lasts: Duration,
}

/// The leases of a store that one process has to itself.
#[derive(Debug, Default)]
pub struct Leases(Mutex<BTreeMap<String, Held>>);

#[derive(Debug)]
struct Held {
    holder: String,
    value: Value,
    until: Instant,
}

impl Held {
    fn lease(&self, name: &str, now: Instant) -> Lease {
        let lasts = self.until.saturating_duration_since(now);
        Lease { name: name.to_owned(), holder: self.holder.clone(), value: self.value.clone(), lasts }
    }
}

impl Leases {
    /// See [`Store::lease`](super::Store::lease).
    pub fn take(&self, wanted: Lease) -> Lease {
        let now = Instant::now();
        let mut held = self.held(now);
        if let Some(other) = held.get(&wanted.name).filter(|held| held.holder != wanted.holder) {
            return other.lease(&wanted.name, now);
        }
        let Lease { name, holder, value, lasts } = wanted.clone();
        held.insert(name, Held { holder, value, until: now + lasts });
        wanted
    }

    /// See [`Store::release`](super::Store::release).
    pub fn release(&self, name: &str, holder: &str) {
        let mut held = self.held(Instant::now());
        if held.get(name).is_some_and(|held| held.holder == holder) {
            held.remove(name);
        }
    }

    /// See [`Store::leases`](super::Store::leases).
    pub fn list(&self, prefix: &str) -> Vec<Lease> {
        let now = Instant::now();
        let held = self.held(now);
        let found = held.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
        found.map(|(name, held)| held.lease(name, now)).collect()
    }

    /// Those whose time is not over.
    fn held(&self, now: Instant) -> MutexGuard<'_, BTreeMap<String, Held>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, held| held.until > now);
        held
    }
}
