//! `secret`: a value that modules may read and nobody may print.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{default_namespace, is_default, named_resource};

/// A value that modules may read and nobody may print: no API returns it, no log shows it.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The name, unique in its namespace.
    pub name: String,
    /// The namespace it belongs to.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// The value.
    #[schemars(extend("writeOnly" = true))]
    pub data: String,
    /// Labels and conditions.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
}

named_resource!(Secret);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("namespace", &self.namespace)
            .field("name", &self.name)
            .field("data", &"[redacted]")
            .field("tags", &self.tags)
            .finish()
    }
}
