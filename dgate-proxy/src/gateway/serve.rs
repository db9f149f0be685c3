//! Serves a listener until it is told to stop.

use std::future::{Future, IntoFuture};
use std::sync::Arc;
use std::time::Duration;

use dgate_core::BoxFuture;
use tokio::net::TcpListener;

use super::Gateway;
use crate::drain::Stage;
use crate::server::{Acceptor, TlsServer};

/// How long requests may take to end after a shutdown was asked for.
const GRACE: Duration = Duration::from_secs(30);

/// Serves connections from a listener; await it. See [`Gateway::serve`].
#[must_use = "nothing is served until it is awaited"]
pub struct Serve {
    gateway: Gateway,
    listener: TcpListener,
    tls: Option<Arc<TlsServer>>,
    shutdown: Option<BoxFuture<'static, ()>>,
    grace: Duration,
}

impl Serve {
    pub(super) fn new(gateway: Gateway, listener: TcpListener) -> Self {
        Self { gateway, listener, tls: None, shutdown: None, grace: GRACE }
    }

    /// Speaks TLS, with the certificates of domains and the fallback of the settings.
    pub fn with_tls(mut self, tls: Arc<TlsServer>) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Stops when `signal` is ready: no new connections, requests are answered to their end, upgraded connections are
    /// closed.
    pub fn with_graceful_shutdown(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.shutdown = Some(Box::pin(signal));
        self
    }

    /// How long requests may take to end after the signal; 30 seconds by default.
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    async fn run(self) {
        let drain = self.gateway.drain().clone();
        let acceptor = Acceptor::new(self.gateway, "proxy", self.tls);
        let signal = async {
            match self.shutdown {
                Some(signal) => signal.await,
                None => drain.reached(Stage::Draining).await,
            }
        };
        acceptor.accept(self.listener, signal).await;
        drain.complete(self.grace).await;
    }
}

impl std::fmt::Debug for Serve {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serve").field("listener", &self.listener).finish_non_exhaustive()
    }
}

impl IntoFuture for Serve {
    type Output = ();
    type IntoFuture = BoxFuture<'static, ()>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
