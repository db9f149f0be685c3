//! Endpoints by identity.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::Health;
use crate::snapshot::CompiledUrl;

/// What makes an endpoint the same across changes: its service and its URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EndpointId {
    /// The namespace of its service.
    pub namespace: Arc<str>,
    /// Its service.
    pub service: Arc<str>,
    /// `scheme://host:port/path`.
    pub url: Arc<str>,
}

/// One endpoint and what is known about it.
pub struct Endpoint {
    /// What makes it the same across changes.
    pub id: EndpointId,
    /// How healthy it is.
    pub health: Health,
    /// The weight that it was given instead of the written one; [`NO_WEIGHT`] for none.
    weight: AtomicU64,
    in_flight: AtomicU32,
    /// Smoothed time to a response head, in nanoseconds; 0 before the first.
    latency: AtomicU64,
}

/// No weight fits in there.
const NO_WEIGHT: u64 = u64::MAX;

impl Endpoint {
    fn new(id: EndpointId) -> Self {
        Self {
            id,
            health: Health::default(),
            weight: AtomicU64::new(NO_WEIGHT),
            in_flight: AtomicU32::new(0),
            latency: AtomicU64::new(0),
        }
    }

    /// The weight that it was given while the gateway runs, instead of the written one. Whoever balances has to look at it
    /// again after a change.
    pub fn given_weight(&self) -> Option<u32> {
        u32::try_from(self.weight.load(Ordering::SeqCst)).ok()
    }

    /// Gives it a weight instead of the written one, or takes that back.
    pub fn give_weight(&self, weight: Option<u32>) {
        self.weight.store(weight.map_or(NO_WEIGHT, u64::from), Ordering::SeqCst);
    }

    /// An endpoint outside of any registry, for a URL that a module chose.
    pub fn detached(id: EndpointId) -> Arc<Self> {
        Arc::new(Self::new(id))
    }

    /// How many requests it has in flight.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts a request as in flight until the guard is dropped.
    pub fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self.clone())
    }

    /// Notes how long it took to answer. Slow answers count at once, fast ones little by little (peak EWMA).
    pub fn observe(&self, took: Duration) {
        let took = took.as_nanos() as u64;
        let before = self.latency.load(Ordering::Relaxed);
        let after = if took > before || before == 0 { took } else { before - (before - took) / 8 };
        self.latency.store(after, Ordering::Relaxed);
    }

    /// The smoothed time to a response head; nothing before the first.
    pub fn latency(&self) -> Option<Duration> {
        let latency = self.latency.load(Ordering::Relaxed);
        (latency > 0).then(|| Duration::from_nanos(latency))
    }

    /// The expected cost of one more request: smoothed latency times what is in flight.
    pub(super) fn cost(&self) -> f64 {
        let latency = self.latency.load(Ordering::Relaxed).max(1);
        latency as f64 * f64::from(self.in_flight() + 1)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &self.id.url)
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

/// Counts one request as in flight.
#[derive(Debug)]
pub struct InFlight(Arc<Endpoint>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All endpoints that somebody uses, by identity.
#[derive(Debug, Default)]
pub struct EndpointRegistry {
    endpoints: Mutex<HashMap<EndpointId, Weak<Endpoint>>>,
}

impl EndpointRegistry {
    /// The endpoint of a service's URL: the one that is known already, or a new one.
    pub fn endpoint(&self, namespace: &Arc<str>, service: &Arc<str>, url: &CompiledUrl) -> Arc<Endpoint> {
        let text = format!("{}{}", url.origin(), url.path).into();
        let id = EndpointId { namespace: namespace.clone(), service: service.clone(), url: text };
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = endpoints.get(&id).and_then(Weak::upgrade) {
            return known;
        }
        let endpoint = Arc::new(Endpoint::new(id.clone()));
        endpoints.insert(id, Arc::downgrade(&endpoint));
        endpoint
    }

    /// Forgets endpoints that nobody uses any more.
    pub fn retire_unused(&self) {
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        endpoints.retain(|_, endpoint| endpoint.strong_count() > 0);
    }

    /// The endpoints in use.
    pub fn in_use(&self) -> Vec<Arc<Endpoint>> {
        let endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        endpoints.values().filter_map(Weak::upgrade).collect()
    }
}
