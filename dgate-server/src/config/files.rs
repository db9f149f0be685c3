//! Files that a configuration names: certificates, keys, sources of modules.

use std::path::{Path, PathBuf};

use dgate_core::{Problem, Problems};
use dgate_proxy::FallbackCertificate;
use dgate_proxy::server::TlsServer;

use super::model::{Config, InitResources, ResourceMut};

/// Reads files relative to the one that names them, and remembers which.
pub(super) struct Files<'a> {
    base: &'a Path,
    pub(super) read: Vec<PathBuf>,
}

impl<'a> Files<'a> {
    pub(super) fn new(base: &'a Path) -> Self {
        Self { base, read: Vec::new() }
    }

    /// The text of a file.
    pub(super) fn text(&mut self, path: &str) -> Result<String, String> {
        let path = self.base.join(path);
        let result = std::fs::read_to_string(&path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()));
        self.read.push(path);
        result
    }

    /// Puts the text of a file in the place of its name.
    fn inline(
        &mut self,
        pointer: String,
        name: &mut Option<String>,
        text: &mut Option<String>,
        problems: &mut Problems,
    ) {
        let Some(path) = name.take() else { return };
        if text.is_some() {
            problems.push(Problem::error(pointer, "either the text or a file is possible, not both"));
            return;
        }
        match self.text(&path) {
            Ok(content) => *text = Some(content),
            Err(error) => problems.push(Problem::error(pointer, error)),
        }
    }

    /// Reads the files that resources name.
    pub(super) fn inline_all(&mut self, resources: &mut InitResources, problems: &mut Problems) {
        resources.for_each_mut(|at, resource| match resource {
            ResourceMut::Domain(domain) => {
                self.inline(format!("{at}/cert_file"), &mut domain.cert_file, &mut domain.cert, problems);
                self.inline(format!("{at}/key_file"), &mut domain.key_file, &mut domain.key, problems);
            }
            ResourceMut::Module(module) => {
                if module.payload.is_none() {
                    let raw = &mut module.payload_raw;
                    self.inline(format!("{at}/payload_file"), &mut module.payload_file, raw, problems);
                }
            }
            ResourceMut::Other => {}
        });
    }

    /// Reads the certificate of the admin listener.
    pub(super) fn admin_certificate(
        &mut self,
        config: &Config,
        problems: &mut Problems,
    ) -> Option<FallbackCertificate> {
        let tls = config.admin.tls.as_ref()?;
        let mut read = |name: &str, path: &str| {
            let failed = |error| problems.push(Problem::error(format!("/admin/tls/{name}"), error));
            self.text(path).map_err(failed)
        };
        let (cert, key) = (read("cert_file", &tls.cert_file), read("key_file", &tls.key_file));
        let pem = FallbackCertificate { cert: cert.ok()?, key: key.ok()? };
        match TlsServer::of_certificate(&pem) {
            Ok(_) => Some(pem),
            Err((pointer, error)) => {
                problems.push(Problem::error(format!("/admin/tls{pointer}_file"), error));
                None
            }
        }
    }

    /// Reads or makes the certificate for names that no domain has one for.
    pub(super) fn fallback_certificate(
        &mut self,
        config: &Config,
        problems: &mut Problems,
    ) -> Option<FallbackCertificate> {
        let tls = config.proxy.tls.as_ref()?;
        match (&tls.cert_file, &tls.key_file) {
            (Some(cert), Some(key)) => {
                let mut read = |name: &str, path: &str| {
                    self.text(path)
                        .map_err(|error| problems.push(Problem::error(format!("/proxy/tls/{name}"), error)))
                };
                let (cert, key) = (read("cert_file", cert), read("key_file", key));
                Some(FallbackCertificate { cert: cert.ok()?, key: key.ok()? })
            }
            (None, None) if tls.auto_generate => match self_signed() {
                Ok(made) => Some(made),
                Err(error) => {
                    problems.push(Problem::error("/proxy/tls/auto_generate", error));
                    None
                }
            },
            (None, None) => None,
            (Some(_), None) => {
                problems.push(Problem::error("/proxy/tls/cert_file", "`cert_file` without `key_file`"));
                None
            }
            (None, Some(_)) => {
                problems.push(Problem::error("/proxy/tls/key_file", "`key_file` without `cert_file`"));
                None
            }
        }
    }
}

/// A certificate that nobody has reason to trust.
fn self_signed() -> Result<FallbackCertificate, String> {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).map_err(|error| error.to_string())?;
    Ok(FallbackCertificate { cert: made.cert.pem(), key: made.signing_key.serialize_pem() })
}
