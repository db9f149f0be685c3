//! Both ends of TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use dgate_proxy::{FallbackCertificate, ProxySettings};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::tls::{Authority, provider};

/// Settings with a certificate for a name.
pub(crate) fn settings(authority: &Authority, name: &str) -> ProxySettings {
    let (cert, key) = authority.issue(name);
    let mut settings = ProxySettings::default();
    settings.fallback_certificate = Some(FallbackCertificate { cert, key });
    settings
}

/// The server's end, with a certificate for a name.
#[derive(Clone)]
pub(crate) struct Server(TlsAcceptor);

impl Server {
    pub(crate) fn new(authority: &Authority, name: &str, protocol: &str) -> Self {
        let (cert, key) = authority.issue(name);
        let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let mut config = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Self(TlsAcceptor::from(Arc::new(config)))
    }

    pub(crate) async fn accept(&self, tcp: TcpStream) -> std::io::Result<server::TlsStream<TcpStream>> {
        self.0.accept(tcp).await
    }
}

/// Connects, asking for a name and a protocol.
pub(crate) async fn connect(
    authority: &Authority,
    address: SocketAddr,
    name: &str,
    protocol: &str,
) -> std::io::Result<client::TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let mut config = rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let tcp = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}
