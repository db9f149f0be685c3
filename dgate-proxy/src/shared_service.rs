//! The one erased service type, between the named parts of the stack.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use dgate_core::{BoxFuture, ErrorKind, GatewayError};
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use dgate_core::body::{Body, BodyError};

/// What stands below an embedder's layer: a part of the stack whose type is erased. Cloning it is one reference count,
/// calling it one allocation.
#[derive(Clone)]
pub struct SharedService(Arc<dyn Call>);

trait Call: Send + Sync {
    fn call(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, GatewayError>>;
}

struct Erased<S>(S);

impl<S> Call for Erased<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
    S::Error: Into<BodyError>,
    S::Future: Send,
{
    fn call(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, GatewayError>> {
        let mut service = self.0.clone();
        Box::pin(async move {
            poll_fn(|cx| service.poll_ready(cx)).await.map_err(into_gateway_error)?;
            service.call(request).await.map_err(into_gateway_error)
        })
    }
}

/// A part of our own stack: always ready, and called without waiting.
struct Ours<S>(S);

impl<S> Call for Ours<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = GatewayError>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    fn call(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, GatewayError>> {
        Box::pin(self.0.clone().call(request))
    }
}

impl SharedService {
    /// Erases the type of a service that somebody else wrote.
    pub fn new<S>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
        S::Error: Into<BodyError>,
        S::Future: Send,
    {
        Self(Arc::new(Erased(service)))
    }

    /// Erases the type of a part of our own stack, whose services are always ready.
    pub(crate) fn ours<S>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = GatewayError>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        Self(Arc::new(Ours(service)))
    }

    /// Calls it. Unlike with [`Service::call`], no readiness is needed.
    pub fn call(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, GatewayError>> {
        self.0.call(request)
    }
}

impl fmt::Debug for SharedService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedService")
    }
}

impl Service<Request<Body>> for SharedService {
    type Response = Response<Body>;
    type Error = GatewayError;
    type Future = BoxFuture<'static, Result<Response<Body>, GatewayError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.call(request)
    }
}

/// An error of somebody else's layer: a gateway error that went through it, or the layer's own.
fn into_gateway_error(error: impl Into<BodyError>) -> GatewayError {
    match error.into().downcast::<GatewayError>() {
        Ok(error) => *error,
        Err(error) => GatewayError::new(ErrorKind::Internal).because(error),
    }
}

/// Layers of an embedder, composed into one function from service to service.
#[derive(Default)]
pub(crate) struct Slot(Vec<Box<dyn FnOnce(SharedService) -> SharedService + Send>>);

impl Slot {
    /// Adds a layer inside of those that are there already.
    pub(crate) fn push<L>(&mut self, layer: L)
    where
        L: Layer<SharedService> + Send + 'static,
        L::Service: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Error: Into<BodyError>,
        <L::Service as Service<Request<Body>>>::Future: Send,
    {
        self.0.push(Box::new(move |inner| SharedService::new(layer.layer(inner))));
    }

    /// Whether there are none, so that nothing needs to be erased.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The layers around a service; the first one added is the outermost.
    pub(crate) fn wrap(self, inner: SharedService) -> SharedService {
        self.0.into_iter().rev().fold(inner, |inner, layer| layer(inner))
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({} layers)", self.0.len())
    }
}
