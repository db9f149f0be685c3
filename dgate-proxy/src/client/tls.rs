//! TLS towards upstreams.

use std::sync::{Arc, OnceLock};

use dgate_core::resource::UpstreamTls;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{Resumption, WebPkiServerVerifier};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// The provider of all cryptography, passed on explicitly: a library must not choose for the whole process.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(aws_lc_rs::default_provider())).clone()
}

/// The system's certificate authorities, read once.
fn system_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let read = || {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "a system certificate cannot be read");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        Arc::new(roots)
    };
    ROOTS.get_or_init(read).clone()
}

/// What a service's TLS settings amount to.
#[derive(Debug, Clone)]
pub(super) struct ClientTls {
    /// Offers what the service allows.
    pub(super) any: Arc<ClientConfig>,
    /// Offers HTTP/1.1 only.
    pub(super) http1: Arc<ClientConfig>,
}

impl ClientTls {
    /// # Errors
    /// What is wrong with a certificate or key, as a pointer into the settings and words.
    pub(super) fn new(
        tls: &UpstreamTls,
        skip_verify: bool,
        http2_only: bool,
    ) -> Result<Self, (&'static str, String)> {
        let mut any = client_config(tls, skip_verify)?;
        let mut http1 = any.clone();
        any.alpn_protocols = vec![b"h2".to_vec()];
        if !http2_only {
            any.alpn_protocols.push(b"http/1.1".to_vec());
        }
        http1.alpn_protocols = vec![b"http/1.1".to_vec()];
        // What was agreed on with one is not resumed with the other.
        http1.resumption = Resumption::default();
        Ok(Self { any: Arc::new(any), http1: Arc::new(http1) })
    }
}

/// The settings, without protocols.
///
/// # Errors
/// What is wrong with a certificate or key, as a pointer into the settings and words.
fn client_config(tls: &UpstreamTls, skip_verify: bool) -> Result<ClientConfig, (&'static str, String)> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| ("", error.to_string()))?;
    let builder = if skip_verify || tls.skip_verify {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate))
    } else {
        let roots = match &tls.ca {
            Some(pem) => Arc::new(own_roots(pem).map_err(|error| ("/ca", error))?),
            None => system_roots(),
        };
        // A machine without any certificate authorities can still run a gateway; it only trusts nobody.
        let verifier: Arc<dyn ServerCertVerifier> = if roots.is_empty() {
            Arc::new(NoCertificate)
        } else {
            WebPkiServerVerifier::builder_with_provider(roots, provider())
                .build()
                .map_err(|error| ("/ca", error.to_string()))?
        };
        builder.dangerous().with_custom_certificate_verifier(verifier)
    };
    Ok(match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => {
            let chain = certificates(cert).map_err(|error| ("/cert", error))?;
            let key = private_key(key).map_err(|error| ("/key", error))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| ("/key", error.to_string()))?
        }
        _ => builder.with_no_client_auth(),
    })
}

fn own_roots(pem: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots.add(certificate).map_err(|error| format!("a certificate authority cannot be used: {error}"))?;
    }
    Ok(roots)
}

/// The certificates in a PEM text; at least one.
pub(crate) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|error| format!("the certificate cannot be read: {error}"))?;
    if found.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(found) }
}

/// The private key in a PEM text.
pub(crate) fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| format!("the private key cannot be read: {error}"))
}

/// Accepts whatever certificate an upstream shows.
#[derive(Debug)]
struct AnyCertificate;

/// Accepts none.
#[derive(Debug)]
struct NoCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for NoCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Err(rustls::Error::General("this machine has no certificate authorities; set `tls.ca`".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("no certificate was accepted".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("no certificate was accepted".to_owned()))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
