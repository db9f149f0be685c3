//! Making a connection.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use dgate_core::address::is_private;
use dgate_core::snapshot::CompiledUrl;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::resolve::Resolver;
use super::tls::ClientTls;
use crate::io::Io;

/// How connections to one endpoint are made.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) url: CompiledUrl,
    pub(super) tls: Option<(ClientTls, ServerName<'static>)>,
    pub(super) resolver: Resolver,
    pub(super) allow_private: bool,
}

/// Why no connection could be made. Nothing of a request was sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// The name has no address, the network no way, or the like.
    #[error("cannot connect to {origin}")]
    Failed {
        /// To whom.
        origin: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nobody listens there.
    #[error("{origin} refuses connections")]
    Refused {
        /// Who.
        origin: String,
    },
    /// It took too long.
    #[error("connecting to {origin} took longer than {limit:?}")]
    Timeout {
        /// To whom.
        origin: String,
        /// How long it may take.
        limit: Duration,
    },
    /// The TLS handshake failed.
    #[error("the TLS handshake with {origin} failed")]
    Tls {
        /// With whom.
        origin: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It speaks another protocol than it was asked for.
    #[error("{origin} does not speak HTTP/2")]
    Protocol {
        /// Who.
        origin: String,
    },
}

/// What is offered to an endpoint that can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// Whatever the service allows.
    Any,
    /// HTTP/1.1 only, for an upgrade.
    Http1,
}

/// A new connection, and whether HTTP/2 was agreed on.
pub(super) struct Connected {
    pub(super) io: Io,
    pub(super) is_http2: bool,
}

impl Connector {
    pub(super) fn new(
        url: CompiledUrl,
        tls: Option<(ClientTls, ServerName<'static>)>,
        resolver: Resolver,
        allow_private: bool,
    ) -> Self {
        Self { url, tls, resolver, allow_private }
    }

    /// Connects, within `limit` for everything together.
    pub(super) async fn connect(&self, limit: Duration, offer: Offer) -> Result<Connected, ConnectError> {
        match tokio::time::timeout(limit, self.connect_in_time(limit, offer)).await {
            Ok(connected) => connected,
            Err(_) => Err(ConnectError::Timeout { origin: self.url.origin(), limit }),
        }
    }

    async fn connect_in_time(&self, limit: Duration, offer: Offer) -> Result<Connected, ConnectError> {
        let tcp = self.connect_tcp(limit).await.map_err(|source| match source.kind() {
            io::ErrorKind::ConnectionRefused => ConnectError::Refused { origin: self.url.origin() },
            _ => ConnectError::Failed { origin: self.url.origin(), source },
        })?;
        let Some((config, name)) = &self.tls else {
            return Ok(Connected { io: Io::Tcp(tcp), is_http2: false });
        };
        let config = match offer {
            Offer::Any => &config.any,
            Offer::Http1 => &config.http1,
        };
        let tls = TlsConnector::from(config.clone())
            .connect(name.clone(), tcp)
            .await
            .map_err(|source| ConnectError::Tls { origin: self.url.origin(), source })?;
        let is_http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(Connected { io: Io::Tls(Box::new(tls.into())), is_http2 })
    }

    /// Tries the host's addresses one after another, each for its share of the time that is left.
    async fn connect_tcp(&self, limit: Duration) -> io::Result<TcpStream> {
        let start = Instant::now();
        let addresses = self.resolver.resolve(&self.url.host, self.url.port).await?;
        let allowed: Vec<SocketAddr> =
            addresses.into_iter().filter(|address| self.allow_private || !is_private(address.ip())).collect();
        if allowed.is_empty() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "private addresses are not allowed"));
        }
        let mut last = io::Error::other("no address");
        for (index, address) in allowed.iter().enumerate() {
            let share = limit.saturating_sub(start.elapsed()) / (allowed.len() - index) as u32;
            match tokio::time::timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(last)
    }
}
