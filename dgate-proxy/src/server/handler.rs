//! Answers the requests of one connection.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use dgate_core::body::Body;
use dgate_core::context::{ClientInfo, ConnectionInfo, InterimSink, RequestId, RequestRecord};
use dgate_core::{ErrorKind, GatewayError};
use http::{Method, Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::edge::{RequestLine, Wanted, begin, error_response};
use crate::forwarding::X_REQUEST_ID;
use crate::gateway::Gateway;
use crate::stack::Edge;

/// Answers requests.
pub(crate) trait Handler {
    /// The answer to come. Dropping it cancels the request.
    type Future: Future<Output = Response<Body>> + Send;

    /// Answers a request.
    fn handle(&mut self, request: Request<Body>, interim: Option<Arc<dyn InterimSink>>) -> Self::Future;

    /// Answers what is not even a request.
    fn reject(&mut self, error: GatewayError) -> Response<Body>;
}

/// Answers the requests of one connection.
pub(super) struct GatewayHandler {
    gateway: Gateway,
    edge: Edge,
    connection: Arc<ConnectionInfo>,
}

impl GatewayHandler {
    pub(super) fn new(gateway: &Gateway, connection: Arc<ConnectionInfo>) -> Self {
        Self { gateway: gateway.clone(), edge: gateway.shared.edge.clone(), connection }
    }
}

impl Handler for GatewayHandler {
    type Future = Always<<Edge as Service<Request<Body>>>::Future>;

    fn handle(&mut self, mut request: Request<Body>, interim: Option<Arc<dyn InterimSink>>) -> Self::Future {
        if *request.method() == Method::CONNECT {
            let error = GatewayError::new(ErrorKind::BadRequest).with_detail("this is no forward proxy");
            return Always::Known { response: Some(self.reject(error)) };
        }
        begin(&mut request, &self.gateway.shared.live, &self.connection, interim);
        Always::Inner { future: self.edge.call(request) }
    }

    fn reject(&mut self, error: GatewayError) -> Response<Body> {
        let ip = self.connection.peer.ip().to_canonical();
        let client = ClientInfo { ip, trusted: false, tls: self.connection.tls };
        let record = Arc::new(RequestRecord::new(RequestId::generate(), client));
        record.set_error(error.kind());
        let observe = &self.gateway.shared.observe;
        let line = observe.is_logging().then(RequestLine::unreadable);
        let method = Method::from_bytes(b"-").unwrap_or_default();
        let watch = observe.begin(record.clone(), method, line);
        tracing::debug!(%error, request_id = %record.id, client = %ip, "a request cannot be read");
        let mut response = error_response(&error, Wanted::Text, Some(&record.id));
        response.headers_mut().insert(X_REQUEST_ID, record.id.as_header().clone());
        watch.response(response)
    }
}

pin_project! {
    /// An answer to come, in any case.
    #[project = AlwaysProjection]
    pub(super) enum Always<F> {
        Inner { #[pin] future: F },
        Known { response: Option<Response<Body>> },
    }
}

impl<F> Future for Always<F>
where
    F: Future<Output = Result<Response<Body>, std::convert::Infallible>>,
{
    type Output = Response<Body>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response<Body>> {
        match self.project() {
            AlwaysProjection::Inner { future } => match ready!(future.poll(cx)) {
                Ok(response) => Poll::Ready(response),
                Err(never) => match never {},
            },
            AlwaysProjection::Known { response } => response.take().map_or(Poll::Pending, Poll::Ready),
        }
    }
}
