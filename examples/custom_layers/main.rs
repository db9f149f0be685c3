//! A layer of one's own in each of the gateway's three slots.
//!
//! ```text
//! client → edge: ApiKeyLayer → (match) → route: RouteLimits → (retry, choose endpoint) → upstream: Credentials → endpoint
//! ```
//!
//! What stands in a slot decides what it knows. At the edge nothing is matched yet, so who has no key learns nothing
//! about routes. Below the matching a layer finds the route in the request's context. Around an attempt it knows the
//! endpoint, and runs again for each retry.
//!
//! ```text
//! curl -i localhost:8080/users/7                       401: no key
//! curl -i localhost:8080/users/7 -H 'x-api-key: k-1'   200, maybe after a second attempt
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod api_key;
mod credentials;
mod route_limits;

use dgate_core::resource::{Route, Service};
use dgate_proxy::{Gateway, GatewayBuilder, from_fn};
use http::HeaderValue;
use tokio::net::TcpListener;

use api_key::ApiKeyLayer;
use credentials::{Attempt, Credentials};
use route_limits::RouteLimits;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let upstream = dgate_examples::upstream().await?;
    let urls = [upstream, "http://127.0.0.1:1".to_owned()];
    let report = |attempt: &Attempt<'_>| println!("{attempt}");
    let gateway = gateway(&urls, report).build().await?;
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    println!("listening on http://{}; Ctrl-C stops", listener.local_addr()?);
    let ctrl_c = async { drop(tokio::signal::ctrl_c().await) };
    gateway.serve(listener).with_graceful_shutdown(ctrl_c).await;
    Ok(())
}

/// A gateway to these endpoints, with a layer in each slot.
fn gateway(urls: &[String], report: impl Fn(&Attempt<'_>) + Clone + Send + Sync + 'static) -> GatewayBuilder {
    let keys = ApiKeyLayer::new([("k-1", "acme"), ("k-2", "globex")]);
    let limits = RouteLimits::new(100);
    let tokens = urls.iter().map(|url| (url.clone(), HeaderValue::from_static("Bearer s3cret")));
    let credentials = Credentials::new(tokens, report);
    Gateway::builder()
        .resource(Service::new("users", urls.iter().cloned()))
        .resource(Route::new("users", "/users/**").to_service("users"))
        // A layer as tower knows it: a struct that makes services. This one fits into any stack.
        .edge_layer(keys)
        // And a layer that is a function.
        .route_layer(from_fn(move |request, next| limits.clone().pass(request, next)))
        .upstream_layer(from_fn(move |request, next| credentials.clone().attempt(request, next)))
}

#[cfg(test)]
mod tests;
