//! The metrics of routes, services and the whole plane; their handles are found once and kept.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use dgate_core::context::RouteNames;
use dgate_core::metric_handle::MetricHandle;
use dgate_core::metric_names as names;
use http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram};

/// Most variants of a route that are told apart; further ones are `other`.
const MOST_VARIANTS: usize = 16;

/// The metrics of one route.
#[derive(Debug, Default)]
pub(crate) struct RouteMetrics {
    /// What everybody gets.
    stable: VariantMetrics,
    /// What those get who carry canary tags.
    variants: RwLock<Vec<(Arc<str>, Arc<VariantMetrics>)>>,
    /// How long its hooks take, in the order of [`HookKind`].
    hooks: [MetricHandle<Histogram>; 5],
}

/// The hooks of the request path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HookKind {
    FetchUpstream,
    RequestModifier,
    RequestHandler,
    ResponseModifier,
    ErrorHandler,
}

impl HookKind {
    /// The label.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FetchUpstream => "fetch_upstream",
            Self::RequestModifier => "request_modifier",
            Self::RequestHandler => "request_handler",
            Self::ResponseModifier => "response_modifier",
            Self::ErrorHandler => "error_handler",
        }
    }
}

/// The metrics of one variant of a route.
#[derive(Debug, Default)]
struct VariantMetrics {
    requests: Requests,
    duration: MetricHandle<Histogram>,
}

impl RouteMetrics {
    /// A request was answered.
    pub(crate) fn answered(&self, route: &RouteNames, answered: Answered<'_>, now: Instant) {
        match answered.variant {
            None => self.stable.answered(route, "-", answered, now),
            Some(label) => {
                let (label, variant) = self.variant(label);
                variant.answered(route, &label, answered, now);
            }
        }
    }

    /// A hook was called.
    pub(crate) fn hook_took(&self, route: &RouteNames, hook: HookKind, took: Duration, now: Instant) {
        let find = || {
            metrics::histogram!(
                names::PROXY_MODULE_DURATION,
                "namespace" => route.namespace.clone(),
                "route" => route.route.clone(),
                "hook" => hook.name()
            )
        };
        match self.hooks.get(hook as usize) {
            Some(handle) => handle.with(now, find, |histogram| histogram.record(took)),
            None => find().record(took),
        }
    }

    fn variant(&self, label: &Arc<str>) -> (Arc<str>, Arc<VariantMetrics>) {
        let is_it = |known: &&(Arc<str>, Arc<VariantMetrics>)| known.0 == *label;
        if let Some(known) = self.variants.read().unwrap_or_else(PoisonError::into_inner).iter().find(is_it) {
            return known.clone();
        }
        let mut variants = self.variants.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = variants.iter().find(is_it) {
            return known.clone();
        }
        // The last one is for all that come too late.
        match variants.len() {
            0..MOST_VARIANTS => variants.push((label.clone(), Arc::default())),
            MOST_VARIANTS => variants.push(("other".into(), Arc::default())),
            _ => {}
        }
        variants.last().cloned().unwrap_or_else(|| (label.clone(), Arc::default()))
    }
}

impl VariantMetrics {
    fn answered(&self, route: &RouteNames, variant: &str, answered: Answered<'_>, now: Instant) {
        self.requests.count(route, variant, answered.method, answered.status, now);
        self.duration.with(
            now,
            || {
                metrics::histogram!(
                    names::PROXY_REQUEST_DURATION,
                    "namespace" => route.namespace.clone(),
                    "route" => route.route.clone(),
                    "variant" => variant.to_owned()
                )
            },
            |histogram| histogram.record(answered.took),
        );
        if let Some(kind) = answered.error {
            // Errors are rare enough to be looked up.
            metrics::counter!(
                names::PROXY_ERRORS,
                "namespace" => route.namespace.clone(),
                "route" => route.route.clone(),
                "error_type" => kind.code(),
                "variant" => variant.to_owned()
            )
            .increment(1);
        }
    }
}

/// How a request was answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered<'a> {
    pub(crate) method: &'a Method,
    pub(crate) status: StatusCode,
    pub(crate) took: Duration,
    pub(crate) error: Option<dgate_core::ErrorKind>,
    pub(crate) variant: Option<&'a Arc<str>>,
}

/// Request counters by method and status.
#[derive(Debug, Default)]
struct Requests([Place; 12]);

/// A counter, once a method and status has taken the place.
#[derive(Debug, Default)]
struct Place {
    key: AtomicU32,
    counter: MetricHandle<Counter>,
}

impl Requests {
    fn count(&self, route: &RouteNames, variant: &str, method: &Method, status: StatusCode, now: Instant) {
        let (index, name) = method_label(method);
        let find = || {
            metrics::counter!(
                names::PROXY_REQUESTS,
                "namespace" => route.namespace.clone(),
                "route" => route.route.clone(),
                "service" => route.service.clone(),
                "method" => name,
                "code" => status.as_str().to_owned(),
                "variant" => variant.to_owned()
            )
        };
        let key = 1 << 31 | index << 16 | u32::from(status.as_u16());
        let place = self.0.iter().find(|place| {
            let taken = place.key.load(Ordering::Relaxed);
            taken == key
                || (taken == 0
                    && place
                        .key
                        .compare_exchange(0, key, Ordering::Relaxed, Ordering::Relaxed)
                        .is_ok_and(|_| true))
                || place.key.load(Ordering::Relaxed) == key
        });
        match place {
            Some(place) => place.counter.with(now, find, |counter| counter.increment(1)),
            // A route with so many outcomes pays for the lookup.
            None => find().increment(1),
        }
    }
}

/// A number and the label of a method; the set is bounded.
fn method_label(method: &Method) -> (u32, &'static str) {
    match *method {
        Method::GET => (1, "GET"),
        Method::HEAD => (2, "HEAD"),
        Method::POST => (3, "POST"),
        Method::PUT => (4, "PUT"),
        Method::PATCH => (5, "PATCH"),
        Method::DELETE => (6, "DELETE"),
        Method::OPTIONS => (7, "OPTIONS"),
        Method::CONNECT => (8, "CONNECT"),
        Method::TRACE => (9, "TRACE"),
        _ => (10, "OTHER"),
    }
}

/// The metrics of the data plane as a whole.
#[derive(Debug, Default)]
pub(crate) struct PlaneMetrics {
    overhead: MetricHandle<Histogram>,
    in_flight: AtomicU64,
    in_flight_gauge: MetricHandle<Gauge>,
}

impl PlaneMetrics {
    pub(crate) fn overhead(&self, took: Duration, now: Instant) {
        self.overhead.with(
            now,
            || metrics::histogram!(names::PROXY_OVERHEAD),
            |histogram| histogram.record(took),
        );
    }

    /// One request more is being answered. Returns how many that makes.
    pub(crate) fn begin(&self) -> u64 {
        self.in_flight.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// One request less is being answered.
    pub(crate) fn end(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Shows what is only counted inside.
    pub(crate) fn show(&self, now: Instant) {
        let in_flight = self.in_flight.load(Ordering::Relaxed) as f64;
        let find = || metrics::gauge!(names::PROXY_REQUESTS_IN_FLIGHT);
        self.in_flight_gauge.with(now, find, |gauge| gauge.set(in_flight));
    }
}

/// The metrics of one service.
#[derive(Debug, Default)]
pub(crate) struct ServiceMetrics {
    upstream_duration: MetricHandle<Histogram>,
}

impl ServiceMetrics {
    pub(crate) fn upstream_took(&self, namespace: &str, service: &str, took: Duration, now: Instant) {
        self.upstream_duration.with(
            now,
            || {
                metrics::histogram!(
                    names::PROXY_UPSTREAM_DURATION,
                    "namespace" => namespace.to_owned(),
                    "service" => service.to_owned()
                )
            },
            |histogram| histogram.record(took),
        );
    }
}

/// Counts an attempt that was or was not made again.
pub(crate) fn count_retry(namespace: &str, service: &str, reason: &'static str) {
    metrics::counter!(
        names::UPSTREAM_RETRIES,
        "namespace" => namespace.to_owned(),
        "service" => service.to_owned(),
        "reason" => reason
    )
    .increment(1);
}
