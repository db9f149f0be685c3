//! What logs and metrics will say about a request.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::{ClientInfo, RequestId};
use crate::error::ErrorKind;

/// What logs and metrics will say about a request. Layers fill it in on the way, the edge reads it at the end. It
/// outlives the request's context, so it holds nothing of a snapshot but names.
#[derive(Debug)]
pub struct RequestRecord {
    /// The request's identifier.
    pub id: RequestId,
    /// Who sent it.
    pub client: ClientInfo,
    /// When it came.
    pub started: Instant,
    route: OnceLock<Arc<RouteNames>>,
    variant: OnceLock<Arc<str>>,
    endpoint: OnceLock<Arc<str>>,
    error: OnceLock<ErrorKind>,
    upstream_nanos: AtomicU64,
    module_nanos: AtomicU64,
    attempts: AtomicU32,
}

/// The names of a request's route, as labels.
#[derive(Debug, Clone)]
pub struct RouteNames {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The route.
    pub route: Arc<str>,
    /// The service, `-` without one.
    pub service: Arc<str>,
    /// What a data plane wants to find again at the end.
    pub handle: Arc<dyn std::any::Any + Send + Sync>,
}

impl RequestRecord {
    /// A record of a request that begins now.
    pub fn new(id: RequestId, client: ClientInfo) -> Self {
        Self {
            id,
            client,
            started: Instant::now(),
            route: OnceLock::new(),
            variant: OnceLock::new(),
            endpoint: OnceLock::new(),
            error: OnceLock::new(),
            upstream_nanos: AtomicU64::new(0),
            module_nanos: AtomicU64::new(0),
            attempts: AtomicU32::new(0),
        }
    }

    /// Notes the route. Later calls change nothing.
    pub fn set_route(&self, names: Arc<RouteNames>) {
        let _ = self.route.set(names);
    }

    /// The route, when one was found.
    pub fn route(&self) -> Option<&Arc<RouteNames>> {
        self.route.get()
    }

    /// Notes the canary tags that decided on what the request gets: `canary:v2`. Later calls change nothing.
    pub fn set_variant(&self, variant: Arc<str>) {
        let _ = self.variant.set(variant);
    }

    /// The canary tags that decided on what the request gets; nothing when it gets what everybody gets.
    pub fn variant(&self) -> Option<&Arc<str>> {
        self.variant.get()
    }

    /// Notes what failed. Later calls change nothing.
    pub fn set_error(&self, kind: ErrorKind) {
        let _ = self.error.set(kind);
    }

    /// What failed, when something did.
    pub fn error(&self) -> Option<ErrorKind> {
        self.error.get().copied()
    }

    /// Notes an attempt: how long the upstream took until its response head, or until it failed.
    pub fn add_attempt(&self, endpoint: &Arc<str>, took: Duration) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        self.upstream_nanos.fetch_add(took.as_nanos() as u64, Ordering::Relaxed);
        let _ = self.endpoint.set(endpoint.clone());
    }

    /// The first endpoint that was asked.
    pub fn endpoint(&self) -> Option<&Arc<str>> {
        self.endpoint.get()
    }

    /// How often upstreams were asked.
    pub fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// How long upstreams took, all attempts together.
    pub fn upstream_time(&self) -> Duration {
        Duration::from_nanos(self.upstream_nanos.load(Ordering::Relaxed))
    }

    /// Notes time spent in modules.
    pub fn add_module_time(&self, took: Duration) {
        self.module_nanos.fetch_add(took.as_nanos() as u64, Ordering::Relaxed);
    }

    /// How long modules took, all hooks together.
    pub fn module_time(&self) -> Duration {
        Duration::from_nanos(self.module_nanos.load(Ordering::Relaxed))
    }
}
