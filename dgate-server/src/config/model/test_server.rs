//! `test_server`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A built-in upstream that answers every request with what it saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TestServer {
    /// The address to listen on.
    #[schemars(with = "dgate_core::units::Address")]
    pub host: IpAddr,
    /// The port; 0 picks a free one.
    pub port: u16,
    /// Headers added to every answer, and named in it.
    pub global_headers: BTreeMap<String, String>,
    /// Show the environment variables of the process in every answer. Never where strangers can ask.
    pub enable_env_vars: bool,
}

impl Default for TestServer {
    fn default() -> Self {
        Self {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 8888,
            global_headers: BTreeMap::new(),
            enable_env_vars: false,
        }
    }
}
