//! From a request to its route.

use std::task::{Context, Poll};

use dgate_core::body::Body;
use dgate_core::context::Matched;
use dgate_core::snapshot::RouteLookup;
use dgate_core::{ErrorKind, GatewayError};
use http::Request;
use http::uri::PathAndQuery;
use tower_layer::Layer;
use tower_service::Service;

use super::match_domain::namespace_of;
use super::{context, context_mut};
use crate::future::OrError;
use crate::plan::ProxyPlan;

/// Finds the route that takes a request, and notes it in the request's context and record.
#[derive(Debug, Clone, Copy, Default)]
pub struct MatchRouteLayer;

impl<S> Layer<S> for MatchRouteLayer {
    type Service = MatchRoute<S>;

    fn layer(&self, inner: S) -> MatchRoute<S> {
        MatchRoute { inner }
    }
}

/// See [`MatchRouteLayer`].
#[derive(Debug, Clone)]
pub struct MatchRoute<S> {
    inner: S,
}

impl<S> Service<Request<Body>> for MatchRoute<S>
where
    S: Service<Request<Body>, Error = GatewayError>,
    S::Future: Future<Output = Result<S::Response, GatewayError>>,
{
    type Response = S::Response;
    type Error = GatewayError;
    type Future = OrError<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match find(&mut request) {
            Ok(()) => OrError::inner(self.inner.call(request)),
            Err(error) => OrError::error(error),
        }
    }
}

fn find(request: &mut Request<Body>) -> Result<(), GatewayError> {
    let (namespace, domain_parameters, domain_bits) = namespace_of(request)?;
    let mut canaries = match context(request)?.canaries {
        None => None,
        Some(_) => context_mut(request)?.canaries.take(),
    };
    if let Some(canaries) = &mut canaries {
        canaries.enter(context(request)?.live.snapshot.tags_in(namespace.id));
    }
    let uri = request.uri();
    let (method, path, headers, query) = (request.method(), uri.path(), request.headers(), uri.query());
    let found = match namespace.find_route_for(method, path, headers, query, canaries.as_deref_mut()) {
        RouteLookup::Found(found) => found,
        RouteLookup::MethodNotAllowed(allow) => return Err(GatewayError::method_not_allowed(allow)),
        RouteLookup::NotFound => return Err(ErrorKind::NoRoute.into()),
    };
    let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let context = context(request)?;
    let plan = context.live.plan::<ProxyPlan>().and_then(|plan| plan.namespace(namespace.id));
    if let Some(route) = plan.and_then(|plan| plan.route(found.route.id)) {
        context.record.set_route(route.names.clone());
    }
    if let Some(canaries) = &mut canaries {
        // All that matters from here on is drawn now: layers below only look.
        canaries.carries(namespace.mirror_bits(&found.route));
        let carried = canaries.carries(namespace.canary_bits(&found.route) | domain_bits);
        if let Some(variant) = canaries.active().label(carried) {
            context.record.set_variant(variant);
        }
    }
    let matched = Matched {
        namespace,
        domain_parameters,
        route: found.route,
        pattern: found.pattern,
        captures: found.captures,
        path,
    };
    let context = context_mut(request)?;
    context.matched = Some(matched);
    context.canaries = canaries;
    Ok(())
}
