//! Accepts connections.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use dgate_core::context::ConnectionInfo;
use dgate_core::metric_names as names;
use metrics::{Counter, Gauge};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::TlsServer;
use super::connection::Connection;
use crate::drain::Busy;
use crate::gateway::Gateway;
use crate::io::Io;
use crate::plan::ProxyPlan;
use crate::settings::Limits;

/// The pause after an accept that failed for want of resources.
const PAUSE: Duration = Duration::from_millis(50);

/// What connections over the limit are told; a request was not even read.
const OVERLOADED: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Accepts connections from a listener and serves each in a task of its own.
#[derive(Debug, Clone)]
pub struct Acceptor {
    gateway: Gateway,
    listener: Arc<str>,
    tls: Option<Arc<TlsServer>>,
    metrics: Arc<ConnectionMetrics>,
}

struct ConnectionMetrics {
    accepted: Counter,
    open: Gauge,
    listener: Arc<str>,
}

impl std::fmt::Debug for ConnectionMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConnectionMetrics")
    }
}

impl ConnectionMetrics {
    fn failed(&self, reason: &'static str) {
        metrics::counter!(
            names::PROXY_CONNECTION_ERRORS,
            "listener" => self.listener.clone(),
            "error_type" => reason
        )
        .increment(1);
    }
}

impl Acceptor {
    /// Accepts for a gateway; `listener` is the listener's name in metrics.
    pub fn new(gateway: Gateway, listener: impl Into<Arc<str>>, tls: Option<Arc<TlsServer>>) -> Self {
        let listener = listener.into();
        let metrics = ConnectionMetrics {
            accepted: metrics::counter!(names::PROXY_CONNECTIONS_TOTAL, "listener" => listener.clone()),
            open: metrics::gauge!(names::PROXY_CONNECTIONS, "listener" => listener.clone()),
            listener: listener.clone(),
        };
        Self { gateway, listener, tls, metrics: Arc::new(metrics) }
    }

    /// Accepts until `stop` is ready, and then who has connected before. Connections that were accepted go on, also
    /// when this is dropped.
    pub async fn accept(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        // Inherited by accepted sockets on Linux: a system call less for each of them.
        let inherits_nodelay =
            cfg!(target_os = "linux") && socket2::SockRef::from(&listener).set_tcp_nodelay(true).is_ok();
        let local_port = listener.local_addr().map_or(0, |address| address.port());
        let mut stop = pin!(stop);
        let mut is_stopping = false;
        loop {
            let next = poll_fn(|cx| {
                is_stopping = is_stopping || stop.as_mut().poll(cx).is_ready();
                match listener.poll_accept(cx) {
                    Poll::Pending if is_stopping => Poll::Ready(None),
                    accepted => accepted.map(Some),
                }
            });
            match next.await {
                None => return self.accept_waiting(listener, local_port),
                Some(Ok((stream, peer))) => {
                    if !inherits_nodelay {
                        let _ = stream.set_nodelay(true);
                    }
                    self.begin(stream, peer, local_port);
                }
                Some(Err(error)) if is_about_the_client(&error) => {}
                Some(Err(error)) => {
                    tracing::warn!(%error, listener = &*self.listener, "no connection can be accepted for the moment");
                    self.metrics.failed("accept");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Accepts who has connected and is not known of yet: the runtime hears of connections some time after they were
    /// made, and those that wait in a socket when it is closed are reset.
    fn accept_waiting(&self, listener: TcpListener, local_port: u16) {
        let Ok(listener) = listener.into_std() else { return };
        while let Ok((stream, peer)) = listener.accept() {
            if stream.set_nonblocking(true).is_ok()
                && let Ok(stream) = TcpStream::from_std(stream)
            {
                self.begin(stream, peer, local_port);
            }
        }
    }

    fn begin(&self, stream: TcpStream, peer: SocketAddr, local_port: u16) {
        let shared = &self.gateway.shared;
        let live = shared.live.load();
        let plan = live.plan::<ProxyPlan>();
        let limits = plan.map_or_else(Limits::default, |plan| plan.settings.limits);
        let (http2, h2c) = plan.map_or((true, true), |plan| (plan.settings.http2, plan.settings.h2c));
        drop(live);
        self.metrics.accepted.increment(1);
        let open = || shared.drain.count(Busy::Connection) + shared.drain.count(Busy::Tunnel);
        if limits.connections.is_some_and(|most| open() >= most) {
            self.metrics.failed("limit");
            if self.tls.is_none() {
                tokio::spawn(refuse(stream));
            }
            return;
        }
        let info = ConnectionInfo::new(peer)
            .to_port(local_port)
            .encrypted(self.tls.is_some())
            .accepted_by(self.listener.clone());
        let busy = shared.drain.busy(Busy::Connection);
        let connection = Connection::new(&self.gateway, Arc::new(info), limits, h2c);
        let (tls, metrics) = (self.tls.clone(), self.metrics.clone());
        metrics.open.increment(1.0);
        tokio::spawn(async move {
            let open = Open(metrics);
            match tls {
                None => connection.serve(Io::Tcp(stream), busy).await,
                Some(tls) => {
                    match tokio::time::timeout(limits.header_timeout, tls.accept(stream, http2)).await {
                        Ok(Ok(stream)) => connection.serve(Io::Tls(Box::new(stream)), busy).await,
                        Ok(Err(error)) => {
                            tracing::debug!(%error, %peer, "a TLS handshake failed");
                            open.0.failed("tls_handshake");
                        }
                        Err(_) => open.0.failed("tls_timeout"),
                    }
                }
            }
        });
    }
}

/// Counts a connection as open.
struct Open(Arc<ConnectionMetrics>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.decrement(1.0);
    }
}

async fn refuse(mut stream: TcpStream) {
    let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(OVERLOADED)).await;
}

/// Whether an accept failed because the client had gone already.
fn is_about_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
