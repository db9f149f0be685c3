//! An axum application with routes of its own, and a gateway for everything else.
//!
//! The gateway is a tower service, so axum mounts it: as the fallback, for what no route of the application takes, and
//! once more under a prefix. It shares the application's listener, runtime and shutdown.
//!
//! ```text
//! curl localhost:3000/              the application answers
//! curl localhost:3000/users/7       the gateway asks the upstream
//! curl localhost:3000/api/users/7   the same, mounted under `/api`
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::middleware::map_request;
use axum::routing::get;
use axum::serve::IncomingStream;
use dgate_core::context::ConnectionInfo;
use dgate_core::resource::{Route, Service};
use dgate_proxy::Gateway;
use tokio::net::TcpListener;

/// How long WebSockets have to say goodbye.
const GRACE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let gateway = Gateway::builder()
        .resource(Service::new("users", [dgate_examples::upstream().await?]))
        .resource(Route::new("users", "/users/**").to_service("users"))
        .build()
        .await?;
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}; Ctrl-C stops", listener.local_addr()?);
    let ctrl_c = async { drop(tokio::signal::ctrl_c().await) };
    serve(listener, gateway, ctrl_c).await?;
    Ok(())
}

/// Serves the application until `stop` is ready and everybody was answered.
async fn serve(
    listener: TcpListener,
    gateway: Gateway,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let app = app(gateway.clone()).into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    // A WebSocket is no request any more, so axum did not wait for it. The gateway tells both ends that it goes away.
    gateway.drain().complete(GRACE).await;
    Ok(())
}

fn app(gateway: Gateway) -> Router {
    Router::new()
        .route("/", get(|| async { "the application's own page\n" }))
        .nest_service("/api", gateway.clone())
        .fallback_service(gateway)
        .layer(map_request(tell_peer))
}

/// Where a connection comes from. axum remembers it for each of the connection's requests.
#[derive(Debug, Clone)]
struct Peer(Arc<ConnectionInfo>);

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        let port = stream.io().local_addr().map_or(0, |local| local.port());
        Self(Arc::new(ConnectionInfo::new(*stream.remote_addr()).to_port(port)))
    }
}

/// Tells the gateway what axum knows about the connection, for `X-Forwarded-For` and the like.
async fn tell_peer(ConnectInfo(Peer(connection)): ConnectInfo<Peer>, mut request: Request) -> Request {
    request.extensions_mut().insert(connection);
    request
}

#[cfg(test)]
mod tests;
