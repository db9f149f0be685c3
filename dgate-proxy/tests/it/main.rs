//! The gateway as its users see it: over real sockets, with real upstreams.

#![allow(clippy::unwrap_used, missing_docs)]

mod bodies;
mod client_settings;
mod drain;
mod embedding;
mod errors;
mod fields;
mod forwarding;
mod health;
mod hooks;
mod http2;
mod limits;
mod observability;
mod peers;
mod reload;
mod retries;
mod routing;
mod smuggling;
mod strict;
mod tags;
mod tls;
mod upgrade;

use std::time::Duration;

use dgate_core::resource::{AnyResource, Route, Service};
use dgate_proxy::testing::{TestGateway, TestUpstream};
use serde_json::Value;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A resource from JSON, as people write it.
fn resource(kind: dgate_core::Kind, value: Value) -> AnyResource {
    dgate_core::with_kind!(kind, R => dgate_core::decode::<R>(value).unwrap().into())
}

/// A service and a route that leads everything to it.
fn all_to(url: impl Into<String>) -> Vec<AnyResource> {
    vec![Service::new("s", [url.into()]).into(), Route::new("all", "/**").to_service("s").into()]
}

/// A gateway that leads everything to an upstream.
async fn gateway_to(upstream: &TestUpstream) -> TestGateway {
    TestGateway::start(all_to(upstream.url())).await
}

/// Waits until something holds.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !holds().await {
        assert!(tokio::time::Instant::now() < deadline, "{what}: not in good time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
