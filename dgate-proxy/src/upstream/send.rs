//! One attempt: a request to one endpoint.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use dgate_core::body::Body;
use dgate_core::context::RequestContext;
use dgate_core::{ErrorKind, GatewayError};
use http::header::UPGRADE;
use http::{Request, Response};
use tower_service::Service;

use super::attempt_error::attempt_error;
use super::{Passage, Target};
use crate::client::{SendFuture, Sending};

/// Sends a request to the endpoint that was chosen for it. The innermost service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Send {
    _private: (),
}

impl Service<Request<Body>> for Send {
    type Response = Response<Body>;
    type Error = GatewayError;
    type Future = Attempt;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Some(target) = request.extensions_mut().remove::<Target>() else {
            let error = GatewayError::new(ErrorKind::Internal)
                .because("no endpoint: the layer `SelectEndpoint` has to stand above");
            return Attempt { sending: Err(Some(error)) };
        };
        let Target { service, endpoint, .. } = target;
        let context = request.extensions().get::<RequestContext>();
        let interim = context.and_then(|context| context.interim.clone());
        let slot = Passage::take_slot(request.extensions_mut());
        let wants_upgrade = request.headers().contains_key(UPGRADE);
        let sending = endpoint.transport.send(Sending {
            request,
            wants_upgrade,
            is_check: false,
            connect_timeout: service.connect_timeout,
            request_timeout: service.request_timeout,
            idle_timeout: service.idle_timeout,
            interim,
            in_flight: Some(endpoint.endpoint.begin()),
            slot,
        });
        Attempt { sending: Ok(sending) }
    }
}

/// The endpoint's answer to come.
pub struct Attempt {
    sending: Result<SendFuture, Option<GatewayError>>,
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attempt")
    }
}

impl Future for Attempt {
    type Output = Result<Response<Body>, GatewayError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.sending {
            Ok(sending) => Pin::new(sending).poll(cx).map(|result| result.map_err(attempt_error)),
            Err(error) => error.take().map_or(Poll::Pending, |error| Poll::Ready(Err(error))),
        }
    }
}
