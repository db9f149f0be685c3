//! What may be asked about tags.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// A request that somebody asks about.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainTags {
    /// The method.
    #[serde(default = "get")]
    pub method: String,
    /// The host, with or without a port.
    #[serde(default)]
    pub host: String,
    /// The path, with the query.
    pub path: String,
    /// The headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The client's sticky key: the value of the header or cookie of `proxy.canary.sticky`, or its address.
    #[serde(default)]
    pub key: Option<String>,
    /// Answers to be forced, as in `X-DGate-Canary`: `canary:v2`, `!canary:v2`.
    #[serde(default)]
    pub forced: Vec<String>,
    /// The instant, as RFC 3339; now when absent.
    #[serde(default)]
    pub at: Option<String>,
}

fn get() -> String {
    "GET".to_owned()
}
