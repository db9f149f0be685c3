//! One endpoint's connections.

mod http2;
mod limit;
mod pool;
mod sending;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use dgate_core::body::Body;
use dgate_core::resource::UpstreamTls;
use dgate_core::snapshot::{CompiledService, CompiledUrl, Scheme};
use dgate_core::worker;
use http::header::CONNECTION;
use http::uri::PathAndQuery;
use http::{HeaderValue, Response};
use tokio::time::Instant;

use super::ClientSettings;
use super::connect::{ConnectError, Connector, Offer};
use super::lease::Lease;
use crate::http1::client::{Connection, Exchange, Outbound};
use crate::upstream::Passage;
use http2::Agreed;
use limit::Limit;
pub(super) use pool::Keep;
use pool::Shard;
pub(crate) use sending::{SendError, SendFuture, Sending};
use sending::{Unsent, Watched};

/// What makes connections interchangeable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TransportKey {
    /// `scheme://host:port`.
    pub(crate) origin: String,
    /// The service's namespace and name: its limits are its own.
    service: (Arc<str>, Arc<str>),
    pub(super) tls: UpstreamTls,
    pub(super) skip_verify: bool,
    pub(super) http2_only: bool,
    max_connections: Option<u32>,
    max_pending: Option<u32>,
    pub(super) settings: Arc<ClientSettings>,
}

impl TransportKey {
    /// The key of a URL that no service names.
    pub(crate) fn outside(url: &CompiledUrl, settings: &Arc<ClientSettings>) -> Self {
        Self {
            origin: url.origin(),
            service: (Arc::from(""), Arc::from("")),
            tls: UpstreamTls::default(),
            skip_verify: false,
            http2_only: false,
            max_connections: settings.max_per_host,
            max_pending: None,
            settings: settings.clone(),
        }
    }

    /// The key of a service's endpoint.
    pub(crate) fn new(
        namespace: &Arc<str>,
        service: &CompiledService,
        url: &CompiledUrl,
        settings: &Arc<ClientSettings>,
    ) -> Self {
        let spec = &service.spec.spec;
        Self {
            origin: url.origin(),
            service: (namespace.clone(), service.name.clone()),
            tls: spec.tls.clone(),
            skip_verify: spec.tls_skip_verify,
            http2_only: spec.http2_only,
            max_connections: spec.max_connections.into_iter().chain(settings.max_per_host).min(),
            max_pending: spec.max_pending,
            settings: settings.clone(),
        }
    }
}

/// Connections to one endpoint. Each worker keeps its own idle ones, so that none ever crosses threads.
#[derive(Debug)]
pub(crate) struct Transport {
    connector: Connector,
    /// Which protocol it turned out to speak.
    protocol: AtomicU8,
    http2_only: bool,
    shards: Box<[Shard]>,
    /// Open HTTP/1.1 connections, those in use and those put aside.
    pub(super) open: AtomicUsize,
    limit: Option<Limit>,
    keep: Keep,
}

const UNKNOWN: u8 = 0;
const HTTP1: u8 = 1;
const HTTP2: u8 = 2;

impl Transport {
    pub(super) fn new(connector: Connector, key: &TransportKey, shards: usize, keep: Keep) -> Self {
        let protocol = match connector.url.scheme {
            Scheme::H2c => HTTP2,
            Scheme::Https => UNKNOWN,
            _ => HTTP1,
        };
        Self {
            connector,
            protocol: AtomicU8::new(protocol),
            http2_only: key.http2_only,
            shards: (0..shards.max(1)).map(|_| Shard::default()).collect(),
            open: AtomicUsize::new(0),
            limit: key.max_connections.map(|most| Limit::new(most, key.max_pending)),
            keep,
        }
    }

    /// Sends a request, on an idle connection if there is one.
    pub(crate) fn send(self: &Arc<Self>, sending: Sending) -> SendFuture {
        let shard = self.shard();
        let now = Instant::now();
        if self.protocol.load(Ordering::Relaxed) == HTTP1
            && self.limit.is_none()
            && let Some(connection) = self.take_idle(shard, &sending.request, now)
        {
            let lease = Lease::new(self.clone(), shard, None);
            let exchange = self.exchange(connection, lease, sending, now);
            return SendFuture::Pooled(Watched::new(exchange, self.clone(), shard));
        }
        SendFuture::Other(Box::pin(self.clone().send_slowly(shard, sending)))
    }

    /// The shard of the calling thread.
    fn shard(&self) -> usize {
        worker::current().map_or(0, |worker| (worker + 1) % self.shards.len())
    }

    async fn send_slowly(
        self: Arc<Self>,
        shard: usize,
        sending: Sending,
    ) -> Result<Response<Body>, SendError> {
        let (wants_upgrade, connect_timeout) = (sending.wants_upgrade, sending.connect_timeout);
        let limit = self.limit.as_ref().filter(|_| !sending.is_check);
        let patience = sending.request_timeout;
        // Whatever fails before the head is written down leaves it for another attempt.
        let unsent = Unsent::new(sending);
        let permit = match limit {
            Some(limit) => Some(limit.acquire(patience).await?),
            None => None,
        };
        // HTTP/2 has no upgrades.
        let needs_http1 = wants_upgrade && self.connector.url.scheme == Scheme::Https && !self.http2_only;
        if self.protocol.load(Ordering::Relaxed) != HTTP1 && !needs_http1 {
            return match self.http2_connection(shard, connect_timeout).await? {
                Agreed::Http2(connection) => {
                    let lease = Lease::shared(self.clone(), permit);
                    self.send_http2(connection, lease, unsent.take()?).await
                }
                Agreed::Http1(connection) => {
                    let lease = Lease::opened(self.clone(), shard, permit);
                    Ok(self.exchange(connection, lease, unsent.take()?, Instant::now()).await?)
                }
            };
        }
        let now = Instant::now();
        if let Some(connection) = unsent.request().and_then(|request| self.take_idle(shard, request, now)) {
            let lease = Lease::new(self.clone(), shard, permit);
            let exchange = self.exchange(connection, lease, unsent.take()?, now);
            return Watched::new(exchange, self, shard).await;
        }
        if let Some(limit) = &self.limit {
            self.make_room(shard, limit.free());
        }
        let offer = if needs_http1 { Offer::Http1 } else { Offer::Any };
        let connected = self.connector.connect(connect_timeout, offer).await?;
        if connected.is_http2 {
            // It speaks another protocol than it did before.
            let connection = self.share(shard, connected.io).await?;
            let lease = Lease::shared(self.clone(), permit);
            return self.send_http2(connection, lease, unsent.take()?).await;
        }
        let lease = Lease::opened(self.clone(), shard, permit);
        Ok(self.exchange(Connection::new(connected.io), lease, unsent.take()?, Instant::now()).await?)
    }

    fn exchange(&self, connection: Connection, lease: Lease, mut sending: Sending, now: Instant) -> Exchange {
        if self.keep.per_host == 0 && !sending.wants_upgrade {
            sending.request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let (head, body) = sending.request.into_parts();
        let target = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let exchange = Exchange::new(
            connection,
            lease.counting(sending.in_flight),
            Outbound {
                method: &head.method,
                target,
                headers: &head.headers,
                late: head.extensions.get::<Passage>().and_then(|passage| passage.late.as_ref()),
                body,
                wants_upgrade: sending.wants_upgrade,
                request_timeout: sending.request_timeout,
                idle_timeout: sending.idle_timeout,
                interim: sending.interim,
            },
            now,
        );
        // It is written down by now.
        if let Some(slot) = sending.slot {
            slot.give_back(head);
        }
        exchange
    }

    /// Just connects.
    pub(crate) async fn probe(&self, limit: std::time::Duration) -> Result<(), ConnectError> {
        self.connector.connect(limit, Offer::Any).await.map(drop)
    }
}
