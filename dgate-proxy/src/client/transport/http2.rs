//! Connections that carry many requests.

use std::sync::atomic::Ordering;
use std::time::Duration;

use dgate_core::body::Body;
use dgate_core::snapshot::Scheme;
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};

use super::{HTTP1, HTTP2, SendError, Sending, Transport};
use crate::client::Lease;
use crate::client::connect::{ConnectError, Offer};
use crate::http1::client::{Connection, ExchangeError};
use crate::http2::{self, Failure, Outbound};
use crate::io::Io;
use crate::upstream::Passage;

/// What an endpoint agreed to.
pub(super) enum Agreed {
    Http1(Connection),
    Http2(http2::Connection),
}

impl Transport {
    pub(super) async fn send_http2(
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
        if let Some(late) = request.extensions_mut().remove::<Passage>().and_then(|passage| passage.late) {
            late.set_in(request.headers_mut());
        }
        let scheme = if self.connector.url.scheme == Scheme::Https { "https" } else { "http" };
        let host = request.headers_mut().remove(HOST);
        let authority = host.as_ref().and_then(|host| host.to_str().ok()).map(str::to_owned);
        let authority = authority.unwrap_or_else(|| self.connector.url.authority());
        let target = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query(target).build();
        *request.uri_mut() =
            uri.map_err(|error| ExchangeError::Protocol(format!("no target for HTTP/2: {error}")))?;
        let outbound = Outbound {
            lease: lease.counting(sending.in_flight),
            request_timeout: sending.request_timeout,
            idle_timeout: sending.idle_timeout,
            interim: sending.interim,
        };
        connection.send(request, outbound).await.map_err(|failure| match failure {
            Failure::Timeout => ExchangeError::Timeout.into(),
            Failure::Protocol(error) => ExchangeError::Protocol(error).into(),
            Failure::RequestBody(error) => ExchangeError::RequestBody(error).into(),
            Failure::Broken { error, seen, stale } => SendError::Http2 { error, seen, stale },
        })
    }

    /// A connection for HTTP/2; or one for HTTP/1.1, if that is what the endpoint agreed to.
    pub(super) async fn http2_connection(
        &self,
        shard: usize,
        connect_timeout: Duration,
    ) -> Result<Agreed, SendError> {
        let place = &self.shards[shard];
        if let Some(connection) = place.http2_with_room() {
            return Ok(Agreed::Http2(connection));
        }
        // Others wait here for the connection that is being opened, rather than opening their own. They wait no longer
        // than connecting may take: else a dead endpoint would cost each of them as much more as there are before it.
        let timeout =
            || ConnectError::Timeout { origin: self.connector.url.origin(), limit: connect_timeout };
        let opening = tokio::time::timeout(connect_timeout, place.opening.lock()).await;
        let opening = opening.map_err(|_| timeout())?;
        if let Some(connection) = place.http2_with_room() {
            return Ok(Agreed::Http2(connection));
        }
        if self.protocol.load(Ordering::Relaxed) == HTTP1 {
            drop(opening);
        }
        let connected = self.connector.connect(connect_timeout, Offer::Any).await?;
        if connected.is_http2 || self.connector.url.scheme == Scheme::H2c {
            return Ok(Agreed::Http2(self.share(shard, connected.io).await?));
        }
        if self.http2_only {
            return Err(ConnectError::Protocol { origin: self.connector.url.origin() }.into());
        }
        self.protocol.store(HTTP1, Ordering::Relaxed);
        Ok(Agreed::Http1(Connection::new(connected.io)))
    }

    /// Speaks HTTP/2 on a new connection, and lets others use it as well.
    pub(super) async fn share(&self, shard: usize, io: Io) -> Result<http2::Connection, SendError> {
        self.protocol.store(HTTP2, Ordering::Relaxed);
        let connection = http2::Connection::open(io).await.map_err(|error| SendError::Http2 {
            error,
            seen: false,
            stale: false,
        })?;
        if self.keep.per_host > 0 {
            let mut connections = self.shards[shard].http2();
            connections.retain(http2::Connection::is_open);
            connections.push(connection.clone());
        }
        Ok(connection)
    }
}
