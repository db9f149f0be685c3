//! A data plane of one's own beside the HTTP one: both get ready for a change, and go live by the same swap.
//!
//! This one makes a catalogue of all routes, which a route of axum serves. As every plane it may refuse a change: here
//! routes that may take for ever, as a company's rules might want it.
//!
//! ```text
//! curl localhost:3000/catalogue     what can be asked for, as of now
//! curl localhost:3000/users/7       one of these things
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod catalogue;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use dgate_core::apply::ApplyError;
use dgate_core::resource::{Route, Service};
use dgate_core::units::HumanDuration;
use dgate_proxy::Gateway;
use tokio::net::TcpListener;

use catalogue::{Catalogue, CataloguePlane};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let gateway = gateway(&dgate_examples::upstream().await?).await?;
    if let Err(error) = gateway.handle().apply(Route::new("reports", "/reports/**").to_service("users")).await
    {
        println!("a change was refused: {error}");
    }
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}; Ctrl-C stops", listener.local_addr()?);
    let ctrl_c = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, app(gateway)).with_graceful_shutdown(ctrl_c).await?;
    Ok(())
}

/// A gateway that changes together with the catalogue.
async fn gateway(upstream: &str) -> Result<Gateway, ApplyError> {
    let mut users = Route::new("users", "/users/**").to_service("users");
    users.timeout = Some(HumanDuration::from_secs(10));
    Gateway::builder()
        .plane(Arc::new(CataloguePlane))
        .resource(Service::new("users", [upstream]))
        .resource(users)
        .build()
        .await
}

fn app(gateway: Gateway) -> Router {
    Router::new().route("/catalogue", get(show)).with_state(gateway.clone()).fallback_service(gateway)
}

/// Shows the catalogue of the very configuration that requests meet now.
async fn show(State(gateway): State<Gateway>) -> String {
    let live = gateway.handle().live().load();
    live.plan::<Catalogue>().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests;
