//! Who is asked.

use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use dgate_core::body::Body;
use dgate_core::context::RequestContext;
use dgate_core::endpoint::{Choice, Endpoint};
use dgate_core::resource::Service;
use dgate_core::snapshot::CompiledUrl;
use dgate_core::{ErrorKind, GatewayError, Problems};
use http::Request;
use tower_layer::Layer;

use super::lone_service::LoneService;
use super::{Passage, Target};
use crate::future::OrError;
use crate::plan::{EndpointPlan, HashOn, ProxyPlan, Registries, ServicePlan};
use crate::route::{context, cookie};

/// Chooses the endpoint that is asked: the one a module named, or the balancer's choice. From here on the request is
/// what the endpoint sees, and carries its [`Target`].
#[derive(Debug, Clone)]
pub struct SelectEndpointLayer {
    among: Among,
}

/// Among whose endpoints is chosen.
#[derive(Debug, Clone)]
enum Among {
    /// Those of the service that the request's route leads to.
    Route(Arc<Registries>),
    /// Those of the layer's own service.
    Own(Arc<LoneService>),
}

impl SelectEndpointLayer {
    /// A layer with a service of its own, outside of any gateway: its balancing, its health checks, its connections for
    /// [`Send`](super::Send). They live in the tokio runtime that is current, for as long as the layer does.
    ///
    /// ```
    /// use dgate_core::resource::Service;
    /// use dgate_proxy::upstream::{RetryLayer, RetryRules, SelectEndpointLayer, Send, TrackHealthLayer};
    /// use tower::ServiceBuilder;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dgate_core::Problems> {
    /// let users = Service::new("users", ["http://10.0.0.7:8080", "http://10.0.0.8:8080"]);
    /// let client = ServiceBuilder::new()
    ///     .layer(RetryLayer::new(RetryRules::from(&users)))
    ///     .layer(SelectEndpointLayer::new(users)?)
    ///     .layer(TrackHealthLayer::default())
    ///     .service(Send::default());
    /// # drop(client);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with the service.
    pub fn new(service: Service) -> Result<Self, Problems> {
        Ok(Self { among: Among::Own(Arc::new(LoneService::new(service)?)) })
    }

    /// A layer that asks the service of the request's route.
    pub(crate) fn of_route(registries: Arc<Registries>) -> Self {
        Self { among: Among::Route(registries) }
    }
}

impl<S> Layer<S> for SelectEndpointLayer {
    type Service = SelectEndpoint<S>;

    fn layer(&self, inner: S) -> SelectEndpoint<S> {
        SelectEndpoint { inner, among: self.among.clone() }
    }
}

/// See [`SelectEndpointLayer`].
#[derive(Debug, Clone)]
pub struct SelectEndpoint<S> {
    inner: S,
    among: Among,
}

/// The URL that a module chose.
#[derive(Debug, Clone)]
pub(crate) struct ChosenUpstream(pub(crate) String);

/// The service to ask instead of the route's, for a request that carries these canary tags.
#[derive(Debug, Clone)]
pub(super) struct OtherService {
    pub(super) service: Arc<ServicePlan>,
    pub(super) carried: u64,
}

/// Who was asked before, without success.
#[derive(Debug, Clone)]
pub(super) struct Tried(pub(super) Vec<Arc<Endpoint>>);

impl<S> tower_service::Service<Request<Body>> for SelectEndpoint<S>
where
    S: tower_service::Service<Request<Body>, Error = GatewayError>,
    S::Future: Future<Output = Result<S::Response, GatewayError>>,
{
    type Response = S::Response;
    type Error = GatewayError;
    type Future = OrError<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match self.select(&mut request) {
            Ok(target) => {
                let before = target.aim(&mut request);
                let passage = request.extensions().get::<Passage>();
                if let Some(slot) = passage.and_then(|passage| passage.slot.as_ref()) {
                    slot.asked(target.endpoint(), before);
                }
                request.extensions_mut().insert(target);
                OrError::inner(self.inner.call(request))
            }
            Err(error) => OrError::error(error),
        }
    }
}

impl<S> SelectEndpoint<S> {
    fn select(&self, request: &mut Request<Body>) -> Result<Target, GatewayError> {
        let (service, registries) = match &self.among {
            Among::Route(registries) => (service_of(request)?, registries),
            Among::Own(own) => (own.plan.clone(), &own.registries),
        };
        if let Some(ChosenUpstream(url)) = request.extensions().get::<ChosenUpstream>() {
            return chosen(service, url, registries);
        }
        let tried = request.extensions().get::<Tried>().map_or(&[][..], |Tried(tried)| tried);
        let key = service.hash_on.as_ref().and_then(|on| key(on, request));
        let since = Instant::now();
        let choice = Choice { now: since, key, tried };
        let index = service.balancers.choose(carried_by(request), choice);
        let endpoint = index.and_then(|index| service.endpoints.get(index)).cloned();
        match endpoint {
            Some(endpoint) => Ok(Target { service, endpoint, since }),
            None => Err(ErrorKind::NoEndpoint.into()),
        }
    }
}

/// The endpoint of a URL that a module chose.
fn chosen(service: Arc<ServicePlan>, url: &str, registries: &Registries) -> Result<Target, GatewayError> {
    let wrong = |error: String| {
        GatewayError::new(ErrorKind::ModuleError).because(format!("fetchUpstream chose `{url}`: {error}"))
    };
    let parsed: CompiledUrl = url.parse().map_err(wrong)?;
    if !parsed.scheme.is_http() {
        return Err(wrong("it is not an HTTP URL".to_owned()));
    }
    let since = Instant::now();
    let same =
        |known: &&Arc<EndpointPlan>| known.url.origin() == parsed.origin() && known.url.path == parsed.path;
    if let Some(endpoint) = service.endpoints.iter().find(same).cloned() {
        return Ok(Target { service, endpoint, since });
    }
    let endpoint = registries.outside(&service, &parsed).map_err(|(_, error)| wrong(error))?;
    Ok(Target { service, endpoint, since })
}

/// The service that a request goes to.
pub(super) fn service_of(request: &Request<Body>) -> Result<Arc<ServicePlan>, GatewayError> {
    if let Some(OtherService { service, .. }) = request.extensions().get::<OtherService>() {
        return Ok(service.clone());
    }
    let context = context(request)?;
    let matched = context.matched.as_ref().ok_or(ErrorKind::NoRoute)?;
    let id = match matched.route.service {
        Some(dgate_core::snapshot::RouteService::Active(id)) => id,
        Some(dgate_core::snapshot::RouteService::Inactive) => return Err(ErrorKind::NoEndpoint.into()),
        None => return Err(ErrorKind::NoHandler.into()),
    };
    let plan = context.live.plan::<ProxyPlan>().and_then(|plan| plan.namespace(matched.namespace.id));
    let service = plan.and_then(|plan| plan.service(id));
    let is_there = |service: &&Arc<ServicePlan>| service.applies_to(context.carried());
    service.filter(is_there).cloned().ok_or_else(|| ErrorKind::NoEndpoint.into())
}

/// The canary tags that a request carries.
fn carried_by(request: &Request<Body>) -> u64 {
    let extensions = request.extensions();
    match extensions.get::<RequestContext>() {
        Some(context) => context.carried(),
        None => extensions.get::<OtherService>().map_or(0, |other| other.carried),
    }
}

/// The hash of what identifies the client, if the request has it.
fn key(on: &HashOn, request: &Request<Body>) -> Option<u64> {
    match on {
        HashOn::Ip => {
            let ip = context(request).ok()?.record.client.ip;
            Some(match ip {
                IpAddr::V4(ip) => Choice::key(ip.octets()),
                IpAddr::V6(ip) => Choice::key(ip.octets()),
            })
        }
        HashOn::Path => Some(Choice::key(request.uri().path())),
        HashOn::Header(name) => request.headers().get(name).map(|value| Choice::key(value.as_bytes())),
        HashOn::Cookie(name) => cookie(request.headers(), name).map(Choice::key),
    }
}
