//! TLS towards endpoints.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_default;

/// How `https` and `tls` endpoints are verified, and how this gateway proves itself to them.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamTls {
    /// Accept any certificate. For tests only.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_verify: bool,
    /// Trust these certificate authorities (PEM) instead of the system's.
    #[serde(skip_serializing_if = "is_default")]
    pub ca: Option<String>,
    /// Client certificate chain, PEM.
    #[serde(skip_serializing_if = "is_default")]
    pub cert: Option<String>,
    /// Private key of the client certificate, PEM. No API ever returns it.
    #[schemars(extend("writeOnly" = true))]
    #[serde(skip_serializing_if = "is_default")]
    pub key: Option<String>,
    /// Name to ask for and to verify, when it is not the URL's host.
    #[serde(skip_serializing_if = "is_default")]
    pub server_name: Option<String>,
}

impl fmt::Debug for UpstreamTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamTls")
            .field("skip_verify", &self.skip_verify)
            .field("ca", &self.ca.as_ref().map(|_| "…"))
            .field("cert", &self.cert.as_ref().map(|_| "…"))
            .field("key", &self.key.as_ref().map(|_| "[redacted]"))
            .field("server_name", &self.server_name)
            .finish()
    }
}
