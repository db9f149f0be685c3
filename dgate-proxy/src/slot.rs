//! A place in the stack where an embedder's layers may stand.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use dgate_core::body::Body;
use dgate_core::{BoxFuture, GatewayError};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::shared_service::{SharedService, Slot};

/// A service with an embedder's layers around it, or as it is.
#[derive(Debug, Clone)]
pub(crate) enum Slotted<S> {
    /// Nobody's layers: nothing is erased, nothing allocated.
    Open(S),
    /// Somebody's layers, with the service inside.
    Layered(SharedService),
}

impl<S> Slotted<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = GatewayError>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    pub(crate) fn wrap(service: S, slot: Slot) -> Self {
        if slot.is_empty() {
            Self::Open(service)
        } else {
            Self::Layered(slot.wrap(SharedService::ours(service)))
        }
    }
}

impl<S> Service<Request<Body>> for Slotted<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = GatewayError>,
{
    type Response = Response<Body>;
    type Error = GatewayError;
    type Future = SlottedFuture<S::Future>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self {
            Self::Open(service) => SlottedFuture::Open { future: service.call(request) },
            Self::Layered(service) => {
                SlottedFuture::Layered { future: SharedService::call(service, request) }
            }
        }
    }
}

pin_project! {
    /// The answer to come, through whatever layers.
    #[project = SlottedProjection]
    pub(crate) enum SlottedFuture<F> {
        Open { #[pin] future: F },
        Layered { future: BoxFuture<'static, Result<Response<Body>, GatewayError>> },
    }
}

impl<F> Future for SlottedFuture<F>
where
    F: Future<Output = Result<Response<Body>, GatewayError>>,
{
    type Output = Result<Response<Body>, GatewayError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            SlottedProjection::Open { future } => future.poll(cx),
            SlottedProjection::Layered { future } => future.as_mut().poll(cx),
        }
    }
}
