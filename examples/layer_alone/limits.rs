//! Limits in front of an axum application: how many requests at a time, how large, how long.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use dgate_core::{Body, GatewayError};
use dgate_proxy::edge::{InFlightLimitLayer, RescueLayer};
use dgate_proxy::route::LimitBodyLayer;
use dgate_proxy::upstream::TimeoutLayer;
use http::{Request, Response};
use tower::ServiceBuilder;

/// Any application.
pub(crate) fn app() -> Router {
    Router::new().route("/", post(|body: String| async move { format!("{} bytes\n", body.len()) }))
}

/// The same application, protected: 503, 413 and 504 for what is too much.
pub(crate) fn protect(app: Router) -> Router {
    let protected = ServiceBuilder::new()
        // From axum's bodies to DGate's …
        .map_request(|request: axum::extract::Request| request.map(Body::new))
        .layer(RescueLayer)
        .layer(InFlightLimitLayer::new(100))
        .layer(LimitBodyLayer::new(16 * 1024))
        .layer(TimeoutLayer::new(Duration::from_secs(10)))
        // … and back.
        .map_request(|request: Request<Body>| request.map(axum::body::Body::new))
        .map_response(|response: Response<axum::body::Body>| response.map(Body::new))
        .map_err(|never: Infallible| -> GatewayError { match never {} })
        .service(app);
    Router::new().fallback_service(protected)
}
