//! The server around a gateway, as far as the Admin API tells of it.

use std::sync::Arc;

use dgate_core::endpoint::Endpoint;
use dgate_core::{Body, BoxFuture};
use http::{Request, Response};
use schemars::JsonSchema;
use serde::Serialize;

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

    /// The endpoints that have been used, with their health.
    fn endpoints(&self) -> Vec<Arc<Endpoint>>;

    /// How many connections clients have open: those that carry HTTP, and those that were upgraded.
    fn client_connections(&self) -> (usize, usize);

    /// Connections to upstreams.
    fn upstream_connections(&self) -> Vec<UpstreamConnections>;
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
