//! A route with everything a request needs at hand.

use std::sync::Arc;
use std::time::Duration;

use dgate_core::context::{HeaderBlock, RouteNames};
use dgate_core::snapshot::{CompiledRoute, NamespaceSnapshot};
use http::HeaderValue;

use super::RouteHooks;
use crate::forwarding::{X_DGATE_NAMESPACE, X_DGATE_ROUTE, X_DGATE_SERVICE};
use crate::metrics::RouteMetrics;

/// A route with everything a request needs at hand.
#[derive(Debug)]
pub(crate) struct RoutePlan {
    pub(crate) route: Arc<CompiledRoute>,
    /// Its names, as labels; the handle leads to its [`RouteMetrics`].
    pub(crate) names: Arc<RouteNames>,
    /// `X-DGate-Namespace`, `-Route` and `-Service`.
    pub(crate) headers: Arc<HeaderBlock>,
    pub(crate) hooks: RouteHooks,
    pub(crate) timeout: Option<Duration>,
    pub(crate) max_body: Option<u64>,
}

impl RoutePlan {
    pub(super) fn new(
        namespace: &NamespaceSnapshot,
        route: &Arc<CompiledRoute>,
        hooks: RouteHooks,
        metrics: Arc<RouteMetrics>,
    ) -> Self {
        let spec = &route.spec.spec;
        // Names hold only what a header value may hold.
        let header =
            |name: &str| HeaderValue::from_str(name).unwrap_or_else(|_| HeaderValue::from_static("-"));
        let mut headers =
            vec![(X_DGATE_NAMESPACE, header(&namespace.name)), (X_DGATE_ROUTE, header(&route.name))];
        headers.extend(spec.service.as_deref().map(|name| (X_DGATE_SERVICE, header(name))));
        Self {
            route: route.clone(),
            names: Arc::new(RouteNames {
                namespace: namespace.name.clone(),
                route: route.name.clone(),
                service: spec.service.as_deref().unwrap_or("-").into(),
                handle: metrics,
            }),
            headers: Arc::new(HeaderBlock::new(headers)),
            hooks,
            timeout: spec.timeout.map(|timeout| timeout.get()),
            max_body: spec.max_body.map(|size| size.bytes()),
        }
    }
}
