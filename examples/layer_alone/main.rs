//! DGate's layers in other people's stacks, with no gateway around them.
//!
//! Each file of this example is one stack: [`limits`] in front of an axum application, [`retries`] around any client, a
//! [`client`] that balances over endpoints, and a [`router`] whose routes change while it runs.
//!
//! All layers speak `Request<Body>` and fail with `GatewayError`. `RescueLayer` on top makes responses of errors; below,
//! a `map_err` says what somebody else's error means.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod client;
mod limits;
mod retries;
mod router;

use dgate_core::Body;
use dgate_core::resource::Service;
use http::Request;
use tower::ServiceExt;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let upstream = dgate_examples::upstream().await?;

    let dead = "http://127.0.0.1:1".to_owned();
    let client = client::client(Service::new("users", [upstream, dead]))?;
    for path in ["/users/1", "/users/2", "/users/3"] {
        let response = client.clone().oneshot(get(path)?).await?;
        println!("client: {path} {}", response.status());
    }

    let flaky = retries::resilient(retries::flaky(2));
    println!("retries: {}", flaky.oneshot(get("/")?).await?.status());

    let routes = router::Routes::start().await?;
    for path in ["/hello/world", "/nobody/knows"] {
        let response = routes.router().oneshot(get(path)?).await?;
        println!("router: {path} {}", response.status());
    }

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("limits: curl http://{}/ --data-binary @Cargo.lock; Ctrl-C stops", listener.local_addr()?);
    let ctrl_c = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, limits::protect(limits::app())).with_graceful_shutdown(ctrl_c).await?;
    Ok(())
}

fn get(path: &str) -> http::Result<Request<Body>> {
    Request::get(path).body(Body::empty())
}

#[cfg(test)]
mod tests;
