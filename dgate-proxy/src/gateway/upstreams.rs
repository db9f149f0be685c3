//! The endpoints of services, for whoever knows more of them than the gateway's own checks.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use dgate_core::capability::{EndpointStatus, UpstreamError, Upstreams};
use dgate_core::endpoint::HealthChange;
use dgate_core::event::EventSink;
use dgate_core::publish::Live;
use dgate_core::snapshot::CompiledUrl;

use crate::health::report;
use crate::plan::{EndpointPlan, ProxyPlan, ServicePlan};

/// The endpoints of a gateway's services.
pub(super) struct GatewayUpstreams {
    live: Live,
    events: Arc<dyn EventSink>,
}

impl GatewayUpstreams {
    pub(super) fn new(live: Live, events: Arc<dyn EventSink>) -> Self {
        Self { live, events }
    }

    fn service(&self, namespace: &str, service: &str) -> Result<Arc<ServicePlan>, UpstreamError> {
        let live = self.live.load();
        let plan = live.plan::<ProxyPlan>();
        let namespace = live.snapshot.namespaces().by_name(namespace);
        let found = namespace.and_then(|namespace| {
            let id = namespace.services().by_name(service)?.id;
            plan?.namespace(namespace.id)?.service(id).cloned()
        });
        found.ok_or_else(|| UpstreamError::NoService(service.to_owned()))
    }

    fn endpoint(
        &self,
        namespace: &str,
        service: &str,
        url: &str,
    ) -> Result<Arc<EndpointPlan>, UpstreamError> {
        let plan = self.service(namespace, service)?;
        let wanted = url.parse::<CompiledUrl>().ok();
        let found = plan.endpoints.iter().find(|known| {
            wanted
                .as_ref()
                .is_some_and(|wanted| known.url.origin() == wanted.origin() && known.url.path == wanted.path)
        });
        found.cloned().ok_or_else(|| UpstreamError::NoEndpoint {
            service: service.to_owned(),
            url: url.to_owned(),
            known: plan.endpoints.iter().map(|known| known.endpoint.id.url.to_string()).collect(),
        })
    }
}

impl Upstreams for GatewayUpstreams {
    fn endpoints(&self, namespace: &str, service: &str) -> Result<Vec<EndpointStatus>, UpstreamError> {
        let now = Instant::now();
        let plan = self.service(namespace, service)?;
        let status = |known: &Arc<EndpointPlan>| {
            EndpointStatus::of(&known.endpoint, known.url.weight, known.url.priority, now)
        };
        Ok(plan.endpoints.iter().map(status).collect())
    }

    fn set_health(
        &self,
        namespace: &str,
        service: &str,
        url: &str,
        healthy: Option<bool>,
    ) -> Result<(), UpstreamError> {
        let endpoint = &self.endpoint(namespace, service, url)?.endpoint;
        let change = endpoint.health.say(healthy, Instant::now());
        let url = &*endpoint.id.url;
        tracing::info!(namespace, service, endpoint = url, healthy, "the health of an endpoint was set");
        if change != HealthChange::None {
            report::changed(endpoint, change == HealthChange::Up, &*self.events);
        }
        Ok(())
    }

    fn set_weight(
        &self,
        namespace: &str,
        service: &str,
        url: &str,
        weight: Option<u32>,
    ) -> Result<(), UpstreamError> {
        let endpoint = &self.endpoint(namespace, service, url)?.endpoint;
        endpoint.give_weight(weight);
        // Looked up again: a plan that was published meanwhile has balancers of its own, and one that is published from
        // now on looks at the weights by itself.
        self.service(namespace, service)?.balancers.adjust();
        let url = &*endpoint.id.url;
        tracing::info!(namespace, service, endpoint = url, weight, "the weight of an endpoint was set");
        Ok(())
    }
}

impl fmt::Debug for GatewayUpstreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatewayUpstreams")
    }
}
