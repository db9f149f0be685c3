//! `domain`: host patterns that lead to a namespace.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{default_namespace, is_default, named_resource};

/// Host patterns that lead to a namespace, and the certificate for those hosts.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// The name, unique in its namespace.
    pub name: String,
    /// The namespace that requests for these hosts belong to.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// Host patterns: `example.com`, `*.example.com`, `api.*`, `*api*`, `{tenant}.example.com`, `/regex/`.
    pub patterns: Vec<String>,
    /// Higher priorities are tried first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: i32,
    /// Certificate chain, PEM.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cert: Option<String>,
    /// Private key of the certificate, PEM. No API ever returns it.
    #[schemars(extend("writeOnly" = true))]
    #[serde(default, skip_serializing_if = "is_default")]
    pub key: Option<String>,
    /// File with the certificate chain, PEM; relative to the file that names it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cert_file: Option<String>,
    /// File with the private key, PEM; relative to the file that names it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub key_file: Option<String>,
    /// Obtain the certificate by ACME.
    #[serde(default, skip_serializing_if = "is_default")]
    pub acme: bool,
    /// Labels and conditions.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
}

named_resource!(Domain);

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Domain")
            .field("namespace", &self.namespace)
            .field("name", &self.name)
            .field("patterns", &self.patterns)
            .field("priority", &self.priority)
            .field("cert", &self.cert.as_ref().map(|_| "…"))
            .field("key", &self.key.as_ref().map(|_| "[redacted]"))
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}
