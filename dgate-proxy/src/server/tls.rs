//! TLS towards clients.

use std::fmt;
use std::io;
use std::sync::Arc;

use dgate_core::pattern::normalize_host;
use dgate_core::publish::Live;
use tokio::net::TcpStream;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsStream};

use crate::client::provider;
use crate::gateway::Gateway;
use crate::plan::{ProxyPlan, certified_key};
use crate::settings::FallbackCertificate;

/// The oldest TLS version that is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MinTlsVersion {
    /// TLS 1.2.
    #[default]
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// Speaks TLS with clients. Certificates are looked up for each handshake in what is live, so that changing them needs
/// no restart.
pub struct TlsServer {
    with_http2: TlsAcceptor,
    without_http2: TlsAcceptor,
}

impl TlsServer {
    /// For a gateway's certificates.
    ///
    /// # Errors
    /// When the cryptographic provider cannot do what TLS needs.
    pub fn new(gateway: &Gateway, min_version: MinTlsVersion) -> Result<Arc<Self>, TlsError> {
        let live = gateway.handle().live().clone();
        let resolver: Arc<dyn ResolvesServerCert> = Arc::new(LiveCertificates(live));
        Self::with_resolver(&resolver, min_version)
    }

    /// With one certificate, for listeners beside the gateway.
    ///
    /// # Errors
    /// Whether `/cert` or `/key` is wrong, and why.
    pub fn of_certificate(pem: &FallbackCertificate) -> Result<Arc<Self>, (&'static str, String)> {
        let certified = certified_key(&pem.cert, &pem.key)?;
        let resolver: Arc<dyn ResolvesServerCert> = Arc::new(SingleCertAndKey::from(certified));
        Self::with_resolver(&resolver, MinTlsVersion::Tls12).map_err(|error| ("/cert", error.to_string()))
    }

    fn with_resolver(
        resolver: &Arc<dyn ResolvesServerCert>,
        min_version: MinTlsVersion,
    ) -> Result<Arc<Self>, TlsError> {
        let acceptor = |protocols: &[&[u8]]| -> Result<TlsAcceptor, TlsError> {
            let versions: &[&rustls::SupportedProtocolVersion] = match min_version {
                MinTlsVersion::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
                MinTlsVersion::Tls13 => &[&rustls::version::TLS13],
            };
            let mut config = ServerConfig::builder_with_provider(provider())
                .with_protocol_versions(versions)
                .map_err(TlsError)?
                .with_no_client_auth()
                .with_cert_resolver(resolver.clone());
            config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            // Plain sockets carry whole responses; records should, too.
            config.max_fragment_size = None;
            Ok(TlsAcceptor::from(Arc::new(config)))
        };
        Ok(Arc::new(Self {
            with_http2: acceptor(&[b"h2", b"http/1.1", b"http/1.0"])?,
            without_http2: acceptor(&[b"http/1.1", b"http/1.0"])?,
        }))
    }

    /// Shakes hands; may speak HTTP/2 afterwards, or may not.
    ///
    /// # Errors
    /// When the client does not want what is offered, or breaks off.
    pub async fn accept(&self, stream: TcpStream, http2: bool) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = if http2 { &self.with_http2 } else { &self.without_http2 };
        acceptor.accept(stream).await.map(Into::into)
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsServer")
    }
}

/// TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up")]
pub struct TlsError(#[source] rustls::Error);

/// Finds certificates in what is live.
struct LiveCertificates(Live);

impl fmt::Debug for LiveCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LiveCertificates")
    }
}

impl ResolvesServerCert for LiveCertificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let live = self.0.load();
        let name = hello.server_name().and_then(normalize_host);
        live.plan::<ProxyPlan>()?.certificates.find(&live.snapshot, name.as_deref()).cloned()
    }
}
