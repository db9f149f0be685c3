//! A service with its endpoints, their connections and their health at hand.

use std::sync::Arc;
use std::time::Duration;

use dgate_core::endpoint::Endpoint;
use dgate_core::resource::{Balance, HashKey, PassiveHealth, Service};
use dgate_core::snapshot::{CompiledService, CompiledUrl, NamespaceSnapshot};
use dgate_core::{Key, Kind, Problem, Problems};
use http::{HeaderName, HeaderValue};

use super::Balancers;
use super::plane::Registries;
use crate::client::{Client, Transport, TransportKey};
use crate::metrics::ServiceMetrics;
use crate::upstream::{RetryBudget, RetryRules};

/// A service with its endpoints, their connections and their health at hand.
#[derive(Debug)]
pub(crate) struct ServicePlan {
    pub(crate) namespace: Arc<str>,
    pub(crate) service: Arc<CompiledService>,
    /// As whom its endpoints are asked.
    pub(crate) client: Arc<Client>,
    pub(crate) balancers: Balancers,
    pub(crate) hash_on: Option<HashOn>,
    pub(crate) endpoints: Vec<Arc<EndpointPlan>>,
    pub(crate) retry: RetryRules,
    pub(crate) budget: Arc<RetryBudget>,
    pub(crate) passive: PassiveHealth,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) metrics: ServiceMetrics,
}

/// One endpoint of a service.
#[derive(Debug)]
pub(crate) struct EndpointPlan {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) url: CompiledUrl,
    pub(crate) transport: Arc<Transport>,
    /// What `Host` says.
    pub(crate) authority: HeaderValue,
}

impl EndpointPlan {
    pub(super) fn new(endpoint: Arc<Endpoint>, url: CompiledUrl, transport: Arc<Transport>) -> Self {
        let authority = HeaderValue::from_str(&url.authority());
        let authority = authority.unwrap_or_else(|_| HeaderValue::from_static(""));
        Self { endpoint, url, transport, authority }
    }

    /// The weight that it was given, or else the written one.
    pub(super) fn weight(&self) -> u32 {
        self.endpoint.given_weight().unwrap_or(self.url.weight)
    }
}

/// What the hash balancer hashes.
#[derive(Debug, Clone)]
pub(crate) enum HashOn {
    Ip,
    Path,
    Header(HeaderName),
    Cookie(String),
}

impl ServicePlan {
    pub(crate) fn new(
        namespace: &NamespaceSnapshot,
        service: &Arc<CompiledService>,
        registries: &Registries,
        client: &Arc<Client>,
    ) -> Result<Self, Problems> {
        let spec: &Service = &service.spec.spec;
        let key = Key::new(Kind::Service, namespace.name.clone(), service.name.clone());
        let mut problems = Problems::new();
        let mut endpoints = Vec::with_capacity(service.urls.len());
        for url in &service.urls {
            let transport_key = TransportKey::new(&namespace.name, service, url, &client.settings);
            match registries.transports.transport(client, url, transport_key) {
                Ok(transport) => {
                    let endpoint = registries.endpoints.endpoint(&namespace.name, &service.name, url);
                    endpoints.push(Arc::new(EndpointPlan::new(endpoint, url.clone(), transport)));
                }
                Err((pointer, message)) => {
                    problems.push(Problem::error(format!("/tls{pointer}"), message).about(&key));
                }
            }
        }
        if problems.has_errors() {
            return Err(problems);
        }
        Ok(Self {
            namespace: namespace.name.clone(),
            balancers: Balancers::new(service, &endpoints),
            hash_on: hash_on(&spec.balance),
            retry: RetryRules::from(spec),
            budget: registries.budget(&namespace.name, &service.name, spec.retry_budget),
            passive: spec.health_check.passive.clone(),
            connect_timeout: spec.connect_timeout.get(),
            request_timeout: spec.request_timeout.get(),
            idle_timeout: spec.idle_timeout.get(),
            metrics: ServiceMetrics::default(),
            service: service.clone(),
            client: client.clone(),
            endpoints,
        })
    }

    /// Whether it is there for a request that carries these canary tags.
    pub(crate) fn applies_to(&self, carried: u64) -> bool {
        self.service.rule.as_ref().is_none_or(|rule| rule.holds(carried))
    }

    /// Forgets what active checks said, when there are none any more.
    pub(crate) fn forget_checks(&self) {
        if self.service.spec.spec.health_check.active.is_none() {
            self.endpoints.iter().for_each(|endpoint| endpoint.endpoint.health.unchecked());
        }
    }

    /// Whether one more endpoint may be ejected.
    pub(crate) fn may_eject(&self) -> bool {
        let now = std::time::Instant::now();
        let ejected = self.endpoints.iter().filter(|plan| plan.endpoint.health.is_ejected(now)).count();
        let most = self.passive.max_ejected_percent.ratio() * self.endpoints.len() as f64;
        (ejected + 1) as f64 <= most
    }
}

fn hash_on(balance: &Balance) -> Option<HashOn> {
    let Balance::Hash(options) = balance else { return None };
    Some(match &options.on {
        HashKey::Ip => HashOn::Ip,
        HashKey::Path => HashOn::Path,
        HashKey::Header(name) => HashOn::Header(HeaderName::from_bytes(name.as_bytes()).ok()?),
        HashKey::Cookie(name) => HashOn::Cookie(name.clone()),
    })
}
