//! Certificates of domains, found by the name a client asks for.

use std::fmt;
use std::sync::Arc;

use dgate_core::resource::{Domain, Resource};
use dgate_core::snapshot::Snapshot;
use dgate_core::stored::Stored;
use dgate_core::{Problem, Problems, metric_names as names};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::client::{certificates, private_key, provider};
use crate::settings::FallbackCertificate;

/// Certificates of domains. The same names that lead a request to a domain lead a handshake to its certificate.
#[derive(Default)]
pub(crate) struct CertificateTable {
    certificates: Vec<DomainCertificate>,
    /// For all other names.
    fallback: Option<(FallbackCertificate, Arc<CertifiedKey>)>,
}

/// The certificate of a domain.
#[derive(Clone)]
pub(crate) struct DomainCertificate {
    pub(crate) namespace: Arc<str>,
    pub(crate) domain: Arc<str>,
    stored: Arc<Stored<Domain>>,
    pub(crate) certified: Arc<CertifiedKey>,
}

impl CertificateTable {
    /// Reads the certificates of all domains; those that did not change are taken over.
    pub(super) fn new(
        snapshot: &Snapshot,
        fallback: Option<&FallbackCertificate>,
        previous: &Self,
        problems: &mut Problems,
    ) -> Self {
        let mut table = Self { fallback: previous.fallback.clone(), ..Self::default() };
        if previous.fallback.as_ref().map(|(pem, _)| pem) != fallback {
            table.fallback = fallback.and_then(|pem| match certified_key(&pem.cert, &pem.key) {
                Ok(certified) => Some((pem.clone(), Arc::new(certified))),
                Err((pointer, message)) => {
                    problems.push(Problem::error(format!("/proxy/tls{pointer}_file"), message));
                    None
                }
            });
        }
        for namespace in snapshot.namespaces().iter() {
            for (name, stored) in namespace.resources.domains.iter() {
                let (Some(cert), Some(key)) = (&stored.spec.cert, &stored.spec.key) else { continue };
                let known = previous.certificates.iter().find(|known| Arc::ptr_eq(&known.stored, stored));
                if let Some(known) = known {
                    table.certificates.push(known.clone());
                    continue;
                }
                match certified_key(cert, key) {
                    Ok(certified) => table.certificates.push(DomainCertificate {
                        namespace: namespace.name.clone(),
                        domain: name.clone(),
                        stored: stored.clone(),
                        certified: Arc::new(certified),
                    }),
                    Err((pointer, message)) => {
                        problems.push(Problem::error(pointer, message).about(&stored.spec.key()));
                    }
                }
            }
        }
        table
    }

    /// The certificate of the domain that a server name leads to, or the one for all others.
    pub(crate) fn find(&self, snapshot: &Snapshot, server_name: Option<&str>) -> Option<&Arc<CertifiedKey>> {
        let of_domain = server_name.and_then(|name| self.of_domain(snapshot, name));
        of_domain.or(self.fallback.as_ref().map(|(_, certified)| certified))
    }

    fn of_domain(&self, snapshot: &Snapshot, server_name: &str) -> Option<&Arc<CertifiedKey>> {
        let found = snapshot.domains().find_certain(server_name)?;
        let is_it = |certificate: &&DomainCertificate| {
            certificate.domain == found.entry.domain && certificate.namespace == found.entry.namespace
        };
        self.certificates.iter().find(is_it).map(|certificate| &certificate.certified)
    }

    /// Shows when certificates expire.
    pub(crate) fn show(&self) {
        let fallback = self.fallback.iter().map(|(_, certified)| ("-", "-", certified));
        let domains = self.certificates.iter().map(|one| (&*one.namespace, &*one.domain, &one.certified));
        for (namespace, domain, certified) in domains.chain(fallback) {
            if let Some(not_after) = certified.cert.first().and_then(|cert| not_after(cert)) {
                metrics::gauge!(
                    names::TLS_NOT_AFTER,
                    "namespace" => namespace.to_owned(),
                    "domain" => domain.to_owned()
                )
                .set(not_after as f64);
            }
        }
    }
}

impl fmt::Debug for CertificateTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.certificates.iter().map(|certificate| &certificate.domain)).finish()
    }
}

/// When a certificate expires, in seconds since 1970.
fn not_after(certificate: &[u8]) -> Option<i64> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

/// A certificate chain and its key, checked to belong together.
///
/// # Errors
/// Which of the two is wrong, as a pointer, and why.
pub(crate) fn certified_key(cert: &str, key: &str) -> Result<CertifiedKey, (&'static str, String)> {
    let chain = certificates(cert).map_err(|error| ("/cert", error))?;
    if let Some(own) = chain.first() {
        ParsedCertificate::try_from(own)
            .map_err(|error| ("/cert", format!("the certificate cannot be read: {error}")))?;
    }
    let key = private_key(key).map_err(|error| ("/key", error))?;
    let signing_key = provider()
        .key_provider
        .load_private_key(key)
        .map_err(|error| ("/key", format!("the private key cannot be used: {error}")))?;
    let certified = CertifiedKey::new(chain, signing_key);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(error) => Err(("/key", format!("the private key does not belong to the certificate: {error}"))),
    }
}
