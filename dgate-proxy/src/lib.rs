//! The HTTP data plane of DGate: a programmable gateway as a tower service.
//!
//! [`Gateway`] answers HTTP requests by routes to services, with balancing, health checks, retries, hooks and limits,
//! and is changed as a whole while it serves. It runs in its host's tokio runtime; it can be mounted in other services,
//! takes an embedder's layers at three heights (see [`from_fn`] for the shortest way to one), and its own layers can be
//! used alone:
//!
//! - [`edge`]: what must see every request: [`edge::PinSnapshot`], [`edge::Observe`], [`edge::Rescue`],
//!   [`edge::InFlightLimit`] …
//! - [`route`]: where a request goes: [`route::MatchDomain`], [`route::MatchRoute`], [`route::LimitBody`] …
//! - [`hooks`]: what modules do to it: [`hooks::RunHooks`].
//! - [`upstream`]: who is asked: [`upstream::Retry`], [`upstream::SelectEndpoint`], [`upstream::TrackHealth`] …
//!
//! A layer whose `new` takes rules carries what it needs; its `default` asks the request's route and the gateway's
//! settings. Layers that want to know the request's [context](dgate_core::context::RequestContext) stand below
//! [`edge::PinSnapshot`], which needs no gateway either: [`Applier`](dgate_core::apply::Applier) has something to pin.
//! Layers fail with [`GatewayError`](dgate_core::GatewayError), and [`edge::Rescue`] makes responses of that.
//!
//! ```no_run
//! use dgate_core::resource::{Route, Service};
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let gateway = dgate_proxy::Gateway::builder()
//!     .resource(Service::new("api", ["http://127.0.0.1:9000"]))
//!     .resource(Route::new("api", "/api/**").to_service("api"))
//!     .build()
//!     .await?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! gateway.serve(listener).await;
//! # Ok(()) }
//! ```
//!
//! # Features
//! - `test-util`: [`testing`]: a gateway, upstreams and clients for tests.

mod client;
mod date;
mod deadline;
pub mod drain;
pub mod edge;
mod forwarding;
mod from_fn;
mod future;
mod gateway;
mod health;
pub mod hooks;
mod http1;
mod http2;
mod io;
mod metrics;
mod pace;
mod plan;
mod request_body;
pub mod route;
pub mod server;
mod settings;
mod shared_service;
mod slot;
mod stack;
#[cfg(feature = "test-util")]
pub mod testing;
mod tunnel;
pub mod upstream;

/// The vocabulary, so that one dependency is enough.
pub use dgate_core;
pub use from_fn::{FromFn, FromFnLayer, from_fn};
pub use gateway::{ClientConnections, Gateway, GatewayBuilder, GatewayHandle, Serve, UpstreamConnections};
pub use settings::{
    CanaryOverride, CanarySettings, CanarySticky, ClientSettings, FallbackCertificate, Limits, ProxySettings,
};
pub use shared_service::SharedService;
