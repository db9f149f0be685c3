//! The server around a gateway, as far as the Admin API tells of it.

use std::sync::Arc;

use bytes::Bytes;
use dgate_core::endpoint::Endpoint;
use dgate_core::{Body, BoxFuture, Problems};
use http::{Request, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::model::ModuleRan;

/// The server around a gateway, as far as the Admin API tells of it. Whoever joins the parts implements it.
pub trait GatewayServer: Send + Sync + 'static {
    /// Whether it wants requests.
    fn is_ready(&self) -> bool;

    /// The metrics as text (Prometheus); nothing when they are disabled.
    fn metrics(&self) -> Option<String>;

    /// What it is.
    fn info(&self) -> ServerInfo;

    /// Answers a request as if a client had sent it.
    fn send(&self, request: Request<Body>) -> BoxFuture<'static, Response<Body>>;

    /// Tries a module of what is live with one request, apart from what serves: nothing that is live changes.
    ///
    /// # Errors
    /// Everything that is wrong with the module, or with the pattern that is to lead to it.
    fn run_module(&self, trial: ModuleTrial) -> BoxFuture<'static, Result<ModuleRan, Problems>>;

    /// The endpoints that have been used, with their health.
    fn endpoints(&self) -> Vec<Arc<Endpoint>>;

    /// How many connections clients have open: those that carry HTTP, and those that were upgraded.
    fn client_connections(&self) -> (usize, usize);

    /// Connections to upstreams.
    fn upstream_connections(&self) -> Vec<UpstreamConnections>;
}

/// A module and a request to try it with.
#[derive(Debug)]
pub struct ModuleTrial {
    /// The module's namespace.
    pub namespace: String,
    /// Its name.
    pub module: String,
    /// The pattern of the route that leads to it.
    pub pattern: String,
    /// The request.
    pub request: Request<Bytes>,
}

/// What a server is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ServerInfo {
    /// The version of the program.
    pub version: String,
    /// The name of this node.
    pub node: String,
    /// Where it keeps resources: `memory`, `file`.
    pub storage: String,
    /// Since when it runs.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: jiff::Timestamp,
    /// What listens where.
    pub listeners: Vec<Listener>,
}

/// Something that listens.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Listener {
    /// Its name: `proxy-http`.
    pub name: String,
    /// Its address.
    pub address: String,
}

/// Connections to one origin.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct UpstreamConnections {
    /// Where to: `http://10.0.0.7:8080`.
    pub origin: String,
    /// Connections that carry requests.
    pub active: usize,
    /// Connections that wait for requests.
    pub idle: usize,
}
