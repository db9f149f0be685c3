//! Retries around any client: only what is safe, and never more than a share.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dgate_core::error::Retry as Safety;
use dgate_core::units::Percent;
use dgate_core::{Body, ErrorKind, GatewayError};
use dgate_proxy::upstream::{Retry, RetryLayer, RetryRules};
use http::{Request, Response};
use tower::util::MapErr;
use tower::{Layer, Service, ServiceExt};

/// A client that tries again. What is below need not know of it.
pub(crate) fn resilient<S>(client: S) -> Retry<MapErr<S, fn(io::Error) -> GatewayError>>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = io::Error>,
{
    let rules = RetryRules {
        retries: 3,
        pause: Duration::from_millis(10),
        budget: Percent::whole(10),
        ..RetryRules::default()
    };
    RetryLayer::new(rules).layer(client.map_err(meaning as fn(io::Error) -> GatewayError))
}

/// What an error of the client means: which kind it is, and whether trying again is safe.
fn meaning(error: io::Error) -> GatewayError {
    let (kind, retry) = match error.kind() {
        // Nobody has seen the request.
        io::ErrorKind::ConnectionRefused => (ErrorKind::UpstreamRefused, Safety::Always),
        // Somebody may have: not with methods that must not happen twice.
        io::ErrorKind::ConnectionReset => (ErrorKind::UpstreamReset, Safety::Idempotent),
        _ => (ErrorKind::UpstreamConnect, Safety::No),
    };
    GatewayError::new(kind).retryable(retry).because(error)
}

/// A client that fails so many times before it succeeds.
pub(crate) fn flaky(
    times: u32,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = io::Error, Future: Send> + Clone {
    let calls = Arc::new(AtomicU32::new(0));
    tower::service_fn(move |request: Request<Body>| {
        let fails = calls.fetch_add(1, Ordering::Relaxed) < times;
        async move {
            if fails {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            Ok(Response::new(request.into_body()))
        }
    })
}
