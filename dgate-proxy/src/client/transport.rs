//! One endpoint's connections.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use dgate_core::BoxFuture;
use dgate_core::body::Body;
use dgate_core::context::InterimSink;
use dgate_core::endpoint::InFlight;
use dgate_core::resource::UpstreamTls;
use dgate_core::snapshot::{CompiledService, CompiledUrl, Scheme};
use dgate_core::worker;
use http::header::{CONNECTION, HOST};
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, Uri};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::connect::{ConnectError, Connector};
use super::http2::{self, Failure};
use super::lease::Lease;
use crate::http1::client::{Connection, Exchange, ExchangeError, Outbound};
use crate::upstream::ReturnSlot;

/// What makes connections interchangeable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TransportKey {
    /// `scheme://host:port`.
    pub(crate) origin: String,
    /// The service's namespace and name: its limits are its own.
    pub(crate) service: (Arc<str>, Arc<str>),
    pub(crate) tls: UpstreamTls,
    pub(crate) skip_verify: bool,
    pub(crate) http2_only: bool,
    pub(crate) max_connections: Option<u32>,
    pub(crate) max_pending: Option<u32>,
    /// Whether it may lead to private addresses, as far as the settings allow any.
    pub(crate) private: bool,
}

impl TransportKey {
    /// The key of a URL that no service names.
    pub(crate) fn outside(url: &CompiledUrl, private: bool) -> Self {
        Self {
            origin: url.origin(),
            service: (Arc::from(""), Arc::from("")),
            tls: UpstreamTls::default(),
            skip_verify: false,
            http2_only: false,
            max_connections: None,
            max_pending: None,
            private,
        }
    }

    /// The key of a service's endpoint.
    pub(crate) fn new(
        namespace: &Arc<str>,
        service: &CompiledService,
        url: &CompiledUrl,
        max_per_host: Option<u32>,
    ) -> Self {
        let spec = &service.spec.spec;
        Self {
            origin: url.origin(),
            service: (namespace.clone(), service.name.clone()),
            tls: spec.tls.clone(),
            skip_verify: spec.tls_skip_verify,
            http2_only: spec.http2_only,
            max_connections: spec.max_connections.into_iter().chain(max_per_host).min(),
            max_pending: spec.max_pending,
            private: true,
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
    /// Open connections, those in use and those put aside.
    pub(super) open: AtomicUsize,
    limit: Option<Limit>,
    keep: Keep,
}

/// What happens to connections that are not needed for the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keep {
    pub(super) idle_timeout: Duration,
    /// Most idle connections of one worker to one endpoint; none at all when 0.
    pub(super) per_host: usize,
}

#[derive(Debug)]
struct Limit {
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_pending: usize,
}

#[derive(Debug, Default)]
struct Shard {
    idle: Mutex<Vec<Connection>>,
    http2: Mutex<Vec<http2::Connection>>,
    /// Held while a connection is opened that others may want to share.
    opening: tokio::sync::Mutex<()>,
}

const UNKNOWN: u8 = 0;
const HTTP1: u8 = 1;
const HTTP2: u8 = 2;

/// A request to an endpoint, and how long it may take.
pub(crate) struct Sending {
    pub(crate) request: Request<Body>,
    pub(crate) wants_upgrade: bool,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) interim: Option<Arc<dyn InterimSink>>,
    /// Counts the request as in flight until its response ends.
    pub(crate) in_flight: Option<InFlight>,
    /// Where the head goes when it is not needed any more.
    pub(crate) slot: Option<ReturnSlot>,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error("the HTTP/2 connection failed")]
    Http2 {
        #[source]
        error: hyper::Error,
        seen: bool,
    },
    #[error("the upstream has too many requests waiting")]
    Overloaded,
}

impl Transport {
    pub(super) fn new(connector: Connector, key: &TransportKey, shards: usize, keep: Keep) -> Self {
        let protocol = match connector.url.scheme {
            Scheme::H2c => HTTP2,
            Scheme::Https => UNKNOWN,
            _ => HTTP1,
        };
        let limit = key.max_connections.map(|most| Limit {
            slots: Arc::new(Semaphore::new(most as usize)),
            waiting: AtomicUsize::new(0),
            max_pending: key.max_pending.map_or(usize::MAX, |most| most as usize),
        });
        Self {
            connector,
            protocol: AtomicU8::new(protocol),
            http2_only: key.http2_only,
            shards: (0..shards.max(1)).map(|_| Shard::default()).collect(),
            open: AtomicUsize::new(0),
            limit,
            keep,
        }
    }

    /// Sends a request, on an idle connection if there is one.
    pub(crate) fn send(self: &Arc<Self>, sending: Sending) -> SendFuture {
        let shard = self.shard();
        if self.protocol.load(Ordering::Relaxed) == HTTP1
            && self.limit.is_none()
            && let Some(connection) = self.take_idle(shard)
        {
            let lease = Lease::new(self.clone(), shard, None);
            return SendFuture::Pooled(Watched {
                exchange: self.exchange(connection, lease, sending),
                transport: self.clone(),
                shard,
            });
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
        // Whatever fails before the head is written down leaves it for another attempt.
        let unsent = Unsent(Some(sending));
        let permit = self.acquire().await?;
        let (wants_upgrade, connect_timeout) = unsent.needs();
        let upgrade_needs_http1 =
            wants_upgrade && self.connector.url.scheme == Scheme::Https && !self.http2_only;
        if self.protocol.load(Ordering::Relaxed) != HTTP1 && !upgrade_needs_http1 {
            let agreed = self.http2_connection(shard, connect_timeout).await?;
            self.open.fetch_add(1, Ordering::Relaxed);
            let lease = Lease::new(self.clone(), shard, permit);
            return match agreed {
                Agreed::Http2(connection) => self.send_http2(connection, lease, unsent.take()?).await,
                Agreed::Http1(connection) => Ok(self.exchange(connection, lease, unsent.take()?).await?),
            };
        }
        if let Some(connection) = self.take_idle(shard) {
            let lease = Lease::new(self.clone(), shard, permit);
            let exchange = self.exchange(connection, lease, unsent.take()?);
            return Watched { exchange, transport: self, shard }.await;
        }
        if self.limit.is_some() {
            self.make_room(shard);
        }
        let connected = self.connector.connect(connect_timeout).await?;
        if connected.is_http2 {
            // Only an upgrade comes here without knowing; it needs HTTP/1.1 and did not get it.
            return Err(ConnectError::Protocol { origin: self.connector.url.origin() }.into());
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        let lease = Lease::new(self.clone(), shard, permit);
        Ok(self.exchange(Connection::new(connected.io), lease, unsent.take()?).await?)
    }

    async fn acquire(&self) -> Result<Option<OwnedSemaphorePermit>, SendError> {
        let Some(limit) = &self.limit else { return Ok(None) };
        if let Ok(permit) = limit.slots.clone().try_acquire_owned() {
            return Ok(Some(permit));
        }
        let _waiting = Waiting::begin(&limit.waiting, limit.max_pending).ok_or(SendError::Overloaded)?;
        Ok(limit.slots.clone().acquire_owned().await.ok())
    }

    fn exchange(&self, connection: Connection, lease: Lease, mut sending: Sending) -> Exchange {
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
                body,
                wants_upgrade: sending.wants_upgrade,
                request_timeout: sending.request_timeout,
                idle_timeout: sending.idle_timeout,
                interim: sending.interim,
            },
        );
        // It is written down by now.
        if let Some(slot) = sending.slot {
            slot.give_back(head);
        }
        exchange
    }

    async fn send_http2(
        &self,
        connection: http2::Connection,
        lease: Lease,
        sending: Sending,
    ) -> Result<Response<Body>, SendError> {
        let (head, body) = sending.request.into_parts();
        if let Some(slot) = sending.slot {
            slot.give_back(head.clone());
        }
        let mut request = Request::from_parts(head, body);
        let lease = lease.counting(sending.in_flight);
        let scheme = if self.connector.url.scheme == Scheme::Https { "https" } else { "http" };
        let host = request.headers_mut().remove(HOST);
        let authority = host.as_ref().and_then(|host| host.to_str().ok()).map(str::to_owned);
        let authority = authority.unwrap_or_else(|| self.connector.url.authority());
        let target = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query(target).build();
        if let Ok(uri) = uri {
            *request.uri_mut() = uri;
        }
        *request.version_mut() = http::Version::HTTP_2;
        connection.send(request, lease, sending.request_timeout, sending.idle_timeout).await.map_err(
            |failure| match failure {
                Failure::Timeout => ExchangeError::Timeout.into(),
                Failure::Broken { error, seen } => match request_body_error(error) {
                    Ok(source) => ExchangeError::RequestBody(source).into(),
                    Err(error) => SendError::Http2 { error, seen },
                },
            },
        )
    }

    /// A connection for HTTP/2; or one for HTTP/1.1, if that is what the endpoint agreed to.
    async fn http2_connection(&self, shard: usize, connect_timeout: Duration) -> Result<Agreed, SendError> {
        let shard = &self.shards[shard];
        if let Some(connection) = shard.http2_with_room() {
            return Ok(Agreed::Http2(connection));
        }
        // Others wait here for the connection that is being opened, rather than opening their own.
        let opening = shard.opening.lock().await;
        if let Some(connection) = shard.http2_with_room() {
            return Ok(Agreed::Http2(connection));
        }
        if self.protocol.load(Ordering::Relaxed) == HTTP1 {
            drop(opening);
            let connected = self.connector.connect(connect_timeout).await?;
            return Ok(Agreed::Http1(Connection::new(connected.io)));
        }
        let connected = self.connector.connect(connect_timeout).await?;
        let is_http2 = connected.is_http2 || self.connector.url.scheme == Scheme::H2c;
        if !is_http2 {
            if self.http2_only {
                return Err(ConnectError::Protocol { origin: self.connector.url.origin() }.into());
            }
            self.protocol.store(HTTP1, Ordering::Relaxed);
            return Ok(Agreed::Http1(Connection::new(connected.io)));
        }
        self.protocol.store(HTTP2, Ordering::Relaxed);
        let connection = http2::Connection::open(connected.io)
            .await
            .map_err(|error| SendError::Http2 { error, seen: false })?;
        let mut connections = shard.http2();
        connections.retain(http2::Connection::is_open);
        connections.push(connection.clone());
        Ok(Agreed::Http2(connection))
    }

    /// An idle connection that is still good.
    fn take_idle(&self, shard: usize) -> Option<Connection> {
        let now = Instant::now();
        loop {
            let mut connection = self.shards[shard].idle().pop()?;
            if connection.is_fresh(now, self.keep.idle_timeout) && !connection.is_stale() {
                connection.is_reused = true;
                return Some(connection);
            }
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Keeps a connection for the next request, unless there are enough.
    pub(super) fn put_aside(&self, shard: usize, connection: Connection) -> bool {
        let mut idle = self.shards[shard].idle();
        let has_room = idle.len() < self.keep.per_host;
        if has_room {
            idle.push(connection);
        }
        has_room
    }

    /// Closes an idle connection of another worker, when the limit counts it and this worker needs its place.
    fn make_room(&self, shard: usize) {
        let most = self.limit.as_ref().map_or(usize::MAX, |limit| limit.slots.available_permits());
        let others = self.shards.iter().enumerate().filter(|(index, _)| *index != shard);
        let idle: usize = self.shards.iter().map(|shard| shard.idle().len()).sum();
        if idle > most {
            for (_, other) in others {
                if other.idle().pop().is_some() {
                    self.open.fetch_sub(1, Ordering::Relaxed);
                    return;
                }
            }
        }
    }

    /// The idle connections of a worker turned out to be closed: most likely all of them.
    fn forget_idle(&self, shard: usize) {
        let forgotten = std::mem::take(&mut *self.shards[shard].idle());
        self.open.fetch_sub(forgotten.len(), Ordering::Relaxed);
    }

    /// Closes what has been idle for too long.
    pub(crate) fn reap(&self) {
        let now = Instant::now();
        for shard in &self.shards {
            let mut closed = Vec::new();
            let mut idle = shard.idle();
            let mut index = 0;
            while index < idle.len() {
                if idle[index].is_fresh(now, self.keep.idle_timeout) && !idle[index].is_stale() {
                    index += 1;
                } else {
                    closed.push(idle.swap_remove(index));
                }
            }
            drop(idle);
            self.open.fetch_sub(closed.len(), Ordering::Relaxed);
            shard.http2().retain(http2::Connection::is_open);
        }
    }

    /// Just connects.
    pub(crate) async fn probe(&self, limit: Duration) -> Result<(), ConnectError> {
        self.connector.connect(limit).await.map(drop)
    }

    /// Closes up to so many idle connections. Returns how many it was.
    pub(super) fn close_idle(&self, most: usize) -> usize {
        let mut closed = 0;
        for shard in &self.shards {
            let mut idle = shard.idle();
            let here = idle.len().min(most - closed);
            let doomed: Vec<_> = idle.drain(..here).collect();
            drop(idle);
            closed += doomed.len();
        }
        self.open.fetch_sub(closed, Ordering::Relaxed);
        closed
    }

    /// How many connections are in use and idle.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let idle: usize = self.shards.iter().map(|shard| shard.idle().len()).sum();
        let shared: usize =
            self.shards.iter().map(|shard| shard.http2().iter().filter(|one| one.is_idle()).count()).sum();
        (self.open.load(Ordering::Relaxed).saturating_sub(idle), idle + shared)
    }
}

/// What an endpoint agreed to.
enum Agreed {
    Http1(Connection),
    Http2(http2::Connection),
}

impl Shard {
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn http2(&self) -> MutexGuard<'_, Vec<http2::Connection>> {
        self.http2.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn http2_with_room(&self) -> Option<http2::Connection> {
        self.http2().iter().find(|connection| connection.has_room()).cloned()
    }
}

/// A request that is not sent yet. Dropped, it leaves its head in its slot.
struct Unsent(Option<Sending>);

impl Unsent {
    fn needs(&self) -> (bool, Duration) {
        self.0
            .as_ref()
            .map_or((false, Duration::ZERO), |sending| (sending.wants_upgrade, sending.connect_timeout))
    }

    fn take(mut self) -> Result<Sending, SendError> {
        self.0.take().ok_or(SendError::Overloaded)
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        if let Some(Sending { request, slot: Some(slot), .. }) = self.0.take() {
            slot.give_back(request.into_parts().0);
        }
    }
}

/// Counts a waiting request.
struct Waiting<'w>(&'w AtomicUsize);

impl<'w> Waiting<'w> {
    fn begin(waiting: &'w AtomicUsize, most: usize) -> Option<Self> {
        let begun = Self(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < most).then_some(begun)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The error of our own request body, when that is what made hyper fail.
fn request_body_error(error: hyper::Error) -> Result<dgate_core::body::BodyError, hyper::Error> {
    let is_ours = error.is_user();
    if is_ours { Ok(error.into()) } else { Err(error) }
}

/// A response to come.
#[allow(clippy::large_enum_variant, reason = "the large one is the usual one")]
pub(crate) enum SendFuture {
    /// The usual case: on an idle connection, without any allocation.
    Pooled(Watched),
    /// Everything else.
    Other(BoxFuture<'static, Result<Response<Body>, SendError>>),
}

/// An exchange on a connection that had been idle.
pub(crate) struct Watched {
    exchange: Exchange,
    transport: Arc<Transport>,
    shard: usize,
}

impl Future for Watched {
    type Output = Result<Response<Body>, SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = Pin::new(&mut self.exchange).poll(cx);
        if let Poll::Ready(Err(ExchangeError::Closed { unseen: true, .. })) = &result {
            self.transport.forget_idle(self.shard);
        }
        result.map_err(Into::into)
    }
}

impl Future for SendFuture {
    type Output = Result<Response<Body>, SendError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Pooled(watched) => Pin::new(watched).poll(cx),
            Self::Other(future) => future.as_mut().poll(cx),
        }
    }
}
