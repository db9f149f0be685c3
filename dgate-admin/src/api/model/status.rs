//! How things stand.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::{ServerInfo, UpstreamConnections};

/// How a server stands.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Stats {
    /// What it is.
    #[serde(flatten)]
    pub server: ServerInfo,
    /// For how many seconds it has run.
    pub uptime_seconds: u64,
    /// Whether it wants requests.
    pub ready: bool,
    /// The revision that is live.
    pub revision: u64,
    /// How many configurations have been live since the start.
    pub generation: u64,
    /// How many configurations are still in use by somebody.
    pub generations_alive: usize,
    /// How many resources there are of each kind, documents apart.
    pub resources: BTreeMap<String, usize>,
}

/// The endpoints of a service.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct UpstreamService {
    /// The namespace.
    pub namespace: String,
    /// The service.
    pub service: String,
    /// Its endpoints that apply to this server.
    pub endpoints: Vec<UpstreamEndpoint>,
}

/// One endpoint of a service.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct UpstreamEndpoint {
    /// Its URL.
    pub url: String,
    /// Its share of the requests, as it was written, or given by a module since.
    pub weight: u32,
    /// The weight that a module gave it instead of the written one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_weight: Option<u32>,
    /// Endpoints of a higher priority are used first.
    pub priority: i32,
    /// Whether it gets requests; absent when it has not been used yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy: Option<bool>,
    /// What a module said of its health, which wins over active checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said_healthy: Option<bool>,
    /// How many requests it has in flight.
    pub in_flight: u32,
}

/// A node of the gateway.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Node {
    /// Its name.
    pub id: String,
    /// The version of the program.
    pub version: String,
    /// The address of its Admin API.
    pub address: String,
    /// The address of its proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_address: Option<String>,
    /// Whether it is the one that answers.
    #[serde(rename = "this")]
    pub is_this: bool,
    /// Whether it wants requests.
    pub ready: bool,
    /// Its tags.
    pub tags: Vec<String>,
    /// The revision that is live on it.
    pub revision: u64,
    /// Since when it runs.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: jiff::Timestamp,
    /// How much it has to do.
    pub load: Load,
}

/// How much a node has to do.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Load {
    /// How many connections of clients are open.
    pub connections: usize,
    /// How many requests wait for upstreams.
    pub in_flight: u32,
}

/// Who asks.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Session {
    /// The name of whoever asks.
    pub name: String,
    /// What they may do: `viewer`, `editor`, `admin`.
    pub role: String,
    /// The namespaces they are limited to; absent when there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<Vec<String>>,
}

/// Who is connected.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Connections {
    /// How many connections of clients carry HTTP requests, or wait for some.
    pub http: usize,
    /// How many connections of clients were upgraded, as WebSockets are.
    pub upgraded: usize,
    /// Connections to upstreams.
    pub upstreams: Vec<UpstreamConnections>,
}
