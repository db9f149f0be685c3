//! From a request's host to its namespace.

use std::sync::Arc;
use std::task::{Context, Poll};

use dgate_core::body::Body;
use dgate_core::pattern::normalize_host;
use dgate_core::snapshot::{NamespaceSnapshot, Snapshot};
use dgate_core::tags::{CanaryRule, RequestTags};
use dgate_core::{ErrorKind, GatewayError};
use http::Request;
use http::header::HOST;
use tower_layer::Layer;
use tower_service::Service;

use super::{context, context_mut};
use crate::future::OrError;

/// Finds the namespace that a request's host belongs to.
#[derive(Debug, Clone, Copy, Default)]
pub struct MatchDomainLayer;

impl<S> Layer<S> for MatchDomainLayer {
    type Service = MatchDomain<S>;

    fn layer(&self, inner: S) -> MatchDomain<S> {
        MatchDomain { inner }
    }
}

/// See [`MatchDomainLayer`].
#[derive(Debug, Clone)]
pub struct MatchDomain<S> {
    inner: S,
}

/// What a domain's pattern captured.
type Parameters = Arc<[(Arc<str>, Arc<str>)]>;

/// The namespace of a request, on its way to [`MatchRoute`](super::MatchRoute).
#[derive(Debug, Clone)]
pub(super) struct FoundNamespace {
    pub(super) id: u32,
    pub(super) parameters: Parameters,
    /// The canary tags that the domain asked for.
    pub(super) bits: u64,
}

impl<S> Service<Request<Body>> for MatchDomain<S>
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
            Ok(None) => OrError::inner(self.inner.call(request)),
            Ok(Some(found)) => {
                request.extensions_mut().insert(found);
                OrError::inner(self.inner.call(request))
            }
            Err(error) => OrError::error(error),
        }
    }
}

/// The namespace that a domain leads to; nothing when it is the default one.
fn find(request: &mut Request<Body>) -> Result<Option<FoundNamespace>, GatewayError> {
    let pinned = context(request)?;
    if pinned.canaries.is_none() {
        return find_for(request, &pinned.live.snapshot, None);
    }
    let mut canaries = context_mut(request)?.canaries.take();
    let found = find_for(request, &context(request)?.live.snapshot, canaries.as_deref_mut());
    context_mut(request)?.canaries = canaries;
    found
}

fn find_for(
    request: &Request<Body>,
    snapshot: &Snapshot,
    mut canaries: Option<&mut RequestTags>,
) -> Result<Option<FoundNamespace>, GatewayError> {
    if !snapshot.domains().is_empty() {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).and_then(normalize_host);
        let find = |host| snapshot.domains().find_for(host, canaries.as_deref_mut());
        if let Some(found) = host.as_deref().and_then(find) {
            let bits = found.entry.rule.as_ref().map_or(0, CanaryRule::bits);
            let parameters = found.parameters.into();
            return Ok(Some(FoundNamespace { id: found.entry.namespace_id, parameters, bits }));
        }
    }
    let fallback = snapshot.fallback().and_then(|id| snapshot.namespaces().get(id));
    let applies = fallback.is_some_and(|namespace| match (&namespace.rule, canaries) {
        (None, _) => true,
        (Some(rule), Some(canaries)) => canaries.holds(rule),
        (Some(rule), None) => rule.holds(0),
    });
    if applies { Ok(None) } else { Err(ErrorKind::NoNamespace.into()) }
}

/// The namespace of a request, and what its domain captured and asked for.
pub(super) fn namespace_of(
    request: &mut Request<Body>,
) -> Result<(Arc<NamespaceSnapshot>, Parameters, u64), GatewayError> {
    // Most gateways have no domains, and do not pay for them.
    let has_domains = !context(request)?.live.snapshot.domains().is_empty();
    let found = if has_domains { request.extensions_mut().remove::<FoundNamespace>() } else { None };
    let snapshot = &context(request)?.live.snapshot;
    let (id, parameters, bits) = match found {
        Some(found) => (Some(found.id), found.parameters, found.bits),
        None => (snapshot.fallback(), no_parameters(), 0),
    };
    let namespace = id.and_then(|id| snapshot.namespaces().get(id)).cloned();
    namespace.map(|namespace| (namespace, parameters, bits)).ok_or_else(|| ErrorKind::NoNamespace.into())
}

fn no_parameters() -> Parameters {
    static NONE: std::sync::OnceLock<Parameters> = std::sync::OnceLock::new();
    NONE.get_or_init(|| Arc::from([])).clone()
}
