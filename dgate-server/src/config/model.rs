//! What may stand in the file, as documented serde types.

mod access_log;
mod admin;
mod canary;
mod init_resources;
mod modules;
mod proxy;
mod runtime;
mod storage;
mod test_server;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use access_log::{AccessLog, AccessLogFormat};
pub use admin::{Admin, AdminTls, AuthMethod, BasicAuth, JwtAuth, Key, KeyAuth, User};
pub use canary::Canary;
pub use init_resources::InitResources;
pub(super) use init_resources::ResourceMut;
pub use modules::{ModulePool, Modules};
pub use proxy::{ClientTransport, Limits, MinTls, Proxy, ProxyTls};
pub use runtime::{Runtime, RuntimeFlavor, Shutdown};
pub use storage::{Changelog, Storage, StorageType};
pub use test_server::TestServer;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The version of this format.
    pub version: Version,
    /// Read the file again when it changes.
    pub watch: bool,
    /// The least severe log lines that are written. `RUST_LOG` overrides it.
    pub log_level: LogLevel,
    /// How log lines look.
    pub log_format: LogFormat,
    /// The name of this node; the host's name when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_id: Option<String>,
    /// The tags of this server: `edge`, `region:eu`. Resources can be conditional on them. For a share of the requests:
    /// `canary@1%:v2`; from an instant on: `@(2030-01-31T08:00:00Z)#beta`.
    pub tags: Vec<String>,
    /// Do not create the namespace `default`.
    pub disable_default_namespace: bool,
    /// Do not serve `/metrics`.
    pub disable_metrics: bool,
    /// Where resources and documents are kept.
    pub storage: Storage,
    /// The proxy.
    pub proxy: Proxy,
    /// The admin listener: the Admin API, probes and metrics.
    pub admin: Admin,
    /// How modules are run.
    pub modules: Modules,
    /// How work is spread over threads.
    pub runtime: Runtime,
    /// How the server comes to an end.
    pub shutdown: Shutdown,
    /// A built-in upstream for trying things; off when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_server: Option<TestServer>,
    /// One line for each request.
    pub access_log: AccessLog,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: Version::V1,
            watch: false,
            log_level: LogLevel::Info,
            log_format: LogFormat::Auto,
            node_id: None,
            tags: Vec::new(),
            disable_default_namespace: false,
            disable_metrics: false,
            storage: Storage::default(),
            proxy: Proxy::default(),
            admin: Admin::default(),
            modules: Modules::default(),
            runtime: Runtime::default(),
            shutdown: Shutdown::default(),
            test_server: None,
            access_log: AccessLog::default(),
        }
    }
}

/// The version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Version {
    /// The first one.
    V1,
}

/// The least severe log lines that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// What helps to find defects.
    Debug,
    /// What happens.
    Info,
    /// What should not happen, but does.
    Warn,
    /// What must not happen.
    Error,
    /// Nothing at all.
    Off,
}

impl LogLevel {
    /// The name as a log filter knows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Off => "off",
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people on a terminal, else JSON.
    Auto,
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}
