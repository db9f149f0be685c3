//! A gateway, upstreams and clients for tests: ours, and those of whoever embeds this crate.
//!
//! ```
//! use dgate_core::resource::{Route, Service};
//! use dgate_proxy::testing::{TestGateway, TestUpstream};
//! # #[tokio::main]
//! # async fn main() {
//! let upstream = TestUpstream::echo().await;
//! let gateway = TestGateway::start([
//!     Service::new("echo", [upstream.url()]).into(),
//!     Route::new("all", "/**").to_service("echo").into(),
//! ])
//! .await;
//! let answer = gateway.get("/hello").await;
//! assert_eq!(answer.status(), 200);
//! assert_eq!(answer.json()["path"], "/hello");
//! # }
//! ```

mod client;
mod upstream;

use std::future::IntoFuture;
use std::net::SocketAddr;

use dgate_core::apply::{Applied, ApplyError, ChangeSet};
use dgate_core::resource::AnyResource;
use http::Request;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use client::{Answer, RawConnection, TestClient};
pub use upstream::{Seen, TestUpstream};

use crate::server::{MinTlsVersion, TlsServer};
use crate::{Gateway, GatewayBuilder};

/// A gateway that listens on a port of its own, until it is dropped.
#[derive(Debug)]
pub struct TestGateway {
    gateway: Gateway,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl TestGateway {
    /// Starts a gateway with these resources.
    ///
    /// # Panics
    /// When it cannot be built: tests want to know.
    pub async fn start(resources: impl IntoIterator<Item = AnyResource>) -> Self {
        Self::build(Gateway::builder().spec(resources)).await
    }

    /// Starts the gateway that a builder builds.
    ///
    /// # Panics
    /// When it cannot be built.
    pub async fn build(builder: GatewayBuilder) -> Self {
        Self::listen(builder, false).await
    }

    /// The same, speaking TLS.
    ///
    /// # Panics
    /// When it cannot be built.
    pub async fn build_tls(builder: GatewayBuilder) -> Self {
        Self::listen(builder, true).await
    }

    async fn listen(builder: GatewayBuilder, tls: bool) -> Self {
        let gateway = builder.build().await.unwrap_or_else(|error| panic!("{error}"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let serve = gateway.serve(listener);
        let serve = if tls {
            serve.with_tls(TlsServer::new(&gateway, MinTlsVersion::default()).expect("TLS"))
        } else {
            serve
        };
        let server = tokio::spawn(serve.into_future());
        Self { gateway, address, server }
    }

    /// The gateway itself.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://` and its address, with a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A client that keeps one HTTP/1.1 connection open.
    pub async fn client(&self) -> TestClient {
        TestClient::http1(self.address).await
    }

    /// A connection for bytes.
    pub async fn raw(&self) -> RawConnection {
        RawConnection::open(self.address).await
    }

    /// `GET`s a path on a new connection.
    pub async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header("host", "localhost").body(String::new()).expect("a request");
        self.client().await.send(request).await
    }

    /// Applies changes.
    ///
    /// # Errors
    /// Whatever is wrong with them.
    pub async fn apply(&self, changes: impl Into<ChangeSet>) -> Result<Applied, ApplyError> {
        self.gateway.handle().apply(changes).await
    }

    /// Asks it to stop, and returns when it has.
    ///
    /// # Panics
    /// When it panicked.
    pub async fn stop(mut self) {
        self.gateway.drain().advance_to(crate::drain::Stage::Draining);
        (&mut self.server).await.expect("a clean end");
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        self.server.abort();
    }
}
