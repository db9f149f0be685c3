//! The gateway as a value: built, served, changed while it runs.

mod builder;
mod handle;
mod serve;
mod status;
mod upstreams;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use dgate_core::body::{Body, BodyError};
use dgate_core::event::EventSink;
use dgate_core::{BoxFuture, publish::Live};
use http::{Request, Response};
use hyper_util::rt::TokioIo;
use tower_service::Service;

pub use builder::GatewayBuilder;
pub use handle::GatewayHandle;
pub use serve::Serve;
pub use status::{ClientConnections, UpstreamConnections};

use crate::drain::{Busy, Drain};
use crate::edge::{HangUp, ObserveLayer, PinSnapshot, PinSnapshotLayer};
use crate::io::Io;
use crate::metrics::PlaneMetrics;
use crate::plan::Registries;
use crate::stack::Edge;
use crate::tunnel::Tunnel;
use tower_layer::Layer;

/// A gateway: a tower service that answers HTTP requests as it is configured, and can be configured anew while it
/// does. Cheap to clone; all clones are one gateway.
///
/// ```
/// use dgate_core::resource::{Route, Service};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let gateway = dgate_proxy::Gateway::builder()
///     .resource(Service::new("users", ["http://127.0.0.1:9000"]))
///     .resource(Route::new("users", "/users/**").to_service("users"))
///     .build()
///     .await?;
/// // Nothing listens on port 9000 here, and no route leads to `/`.
/// let request = http::Request::get("http://localhost/").body(String::new())?;
/// let response = tower_service::Service::call(&mut gateway.clone(), request).await?;
/// assert_eq!(response.status(), 404);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Gateway {
    pub(crate) shared: Arc<Shared>,
}

/// What all clones share.
pub(crate) struct Shared {
    pub(crate) handle: GatewayHandle,
    pub(crate) live: Live,
    pub(crate) edge: Edge,
    pub(crate) observe: ObserveLayer,
    pub(crate) drain: Drain,
    pub(crate) registries: Arc<Registries>,
    pub(crate) metrics: Arc<PlaneMetrics>,
    pub(crate) events: Arc<dyn EventSink>,
}

impl Gateway {
    /// A gateway to be built.
    pub fn builder() -> GatewayBuilder {
        GatewayBuilder::default()
    }

    /// What changes the gateway while it runs.
    pub fn handle(&self) -> &GatewayHandle {
        &self.shared.handle
    }

    /// What brings the gateway to an end without cutting anybody off.
    pub fn drain(&self) -> &Drain {
        &self.shared.drain
    }

    /// What sends requests of the gateway's own, such as modules': with its pools, resolver and rules.
    pub fn fetch_client(&self) -> Arc<dyn dgate_core::capability::Fetch> {
        Arc::new(crate::client::FetchClient::new(self.shared.live.clone(), self.shared.registries.clone()))
    }

    /// Documents of the gateway's own store, to read and to write.
    pub fn documents(&self) -> Arc<dyn dgate_core::capability::Documents> {
        let GatewayHandle { applier, store } = self.handle().clone();
        Arc::new(dgate_core::capability::GatewayDocuments::new(store, applier))
    }

    /// The endpoints of the gateway's services, to be told how they are by whoever knows more than its own checks.
    pub fn upstreams(&self) -> Arc<dyn dgate_core::capability::Upstreams> {
        Arc::new(upstreams::GatewayUpstreams::new(self.shared.live.clone(), self.shared.events.clone()))
    }

    /// Serves connections from a listener: HTTP/1.1, HTTP/2 without TLS, WebSocket and other upgrades.
    ///
    /// ```no_run
    /// # async fn example(gateway: dgate_proxy::Gateway) -> std::io::Result<()> {
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    /// gateway.serve(listener).with_graceful_shutdown(async { tokio::signal::ctrl_c().await.unwrap() }).await;
    /// # Ok(()) }
    /// ```
    pub fn serve(&self, listener: tokio::net::TcpListener) -> Serve {
        Serve::new(self.clone(), listener)
    }

    fn service(&self) -> PinSnapshot<Edge> {
        PinSnapshotLayer::new(self.shared.live.clone()).layer(self.shared.edge.clone())
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("live", &self.shared.live).finish_non_exhaustive()
    }
}

impl<B> Service<Request<B>> for Gateway
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// Answers a request that came in through somebody else's server. Put a
    /// [`ConnectionInfo`](dgate_core::context::ConnectionInfo) into its extensions to tell who sent it. Upgrades go
    /// through hyper's own mechanism.
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut request = request.map(Body::new);
        let upgrade = request.extensions_mut().remove::<hyper::upgrade::OnUpgrade>();
        let answer = self.service().call(request);
        let drain = self.shared.drain.clone();
        Box::pin(async move {
            let mut response = answer.await?;
            response.extensions_mut().remove::<HangUp>();
            if let (Some(tunnel), Some(upgrade)) = (Tunnel::take_from(&mut response), upgrade) {
                // The host's server lets go of the connection before the tunnel begins: a drain must not miss it.
                let opening = drain.busy(Busy::Tunnel);
                tokio::spawn(async move {
                    let _opening = opening;
                    match upgrade.await {
                        Ok(client) => {
                            let client = Io::Other(Box::new(TokioIo::new(client)));
                            tunnel.run(client, BytesMut::new(), &drain).await;
                        }
                        Err(error) => tracing::debug!(%error, "a client did not complete its upgrade"),
                    }
                });
            }
            Ok(response)
        })
    }
}
