//! Tells of endpoints that go up and down.

use dgate_core::endpoint::Endpoint;
use dgate_core::event::{Event, EventSink};
use dgate_core::metric_names as names;

use crate::plan::{EndpointPlan, ServicePlan};

/// An endpoint failed too many real requests.
pub(crate) fn ejected(service: &ServicePlan, endpoint: &EndpointPlan, events: &dyn EventSink) {
    let id = &endpoint.endpoint.id;
    tracing::warn!(
        namespace = &*service.namespace,
        service = &*service.service.name,
        endpoint = &*id.url,
        "an endpoint is ejected for failing requests"
    );
    metrics::counter!(
        names::UPSTREAM_EJECTIONS,
        "namespace" => id.namespace.clone(),
        "service" => id.service.clone(),
        "endpoint" => id.url.clone()
    )
    .increment(1);
    changed(&endpoint.endpoint, false, events);
}

/// An endpoint gets requests again, or does not any more.
pub(crate) fn changed(endpoint: &Endpoint, up: bool, events: &dyn EventSink) {
    show(endpoint, up);
    let id = &endpoint.id;
    events.emit(Event::Upstream {
        namespace: id.namespace.clone(),
        service: id.service.clone(),
        endpoint: id.url.clone(),
        up,
    });
}

/// Shows whether an endpoint gets requests.
pub(crate) fn show(endpoint: &Endpoint, up: bool) {
    let id = &endpoint.id;
    metrics::gauge!(
        names::UPSTREAM_HEALTHY,
        "namespace" => id.namespace.clone(),
        "service" => id.service.clone(),
        "endpoint" => id.url.clone()
    )
    .set(if up { 1.0 } else { 0.0 });
}
