//! How a gateway stands, for those who operate it.

use std::collections::BTreeMap;
use std::sync::Arc;

use dgate_core::endpoint::Endpoint;

use super::{Gateway, Shared};
use crate::drain::Busy;

/// Connections of clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientConnections {
    /// Those that carry HTTP requests, or wait for some.
    pub http: usize,
    /// Those that were upgraded, as WebSockets are.
    pub upgraded: usize,
}

/// Connections to one origin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpstreamConnections {
    /// Those that carry requests.
    pub active: usize,
    /// Those that wait for some.
    pub idle: usize,
}

impl Gateway {
    /// The endpoints of all services that are live or still in use, with their health.
    pub fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        self.shared.registries.endpoints.in_use()
    }

    /// Connections of clients, as far as the gateway accepts them itself.
    pub fn client_connections(&self) -> ClientConnections {
        let drain = &self.shared.drain;
        ClientConnections { http: drain.count(Busy::Connection), upgraded: drain.count(Busy::Tunnel) }
    }

    /// Connections to upstreams, by origin (`http://10.0.0.7:8080`).
    pub fn upstream_connections(&self) -> BTreeMap<String, UpstreamConnections> {
        upstream_connections(&self.shared)
    }
}

pub(super) fn upstream_connections(shared: &Shared) -> BTreeMap<String, UpstreamConnections> {
    // An endpoint of two services has two transports.
    let mut connections: BTreeMap<String, UpstreamConnections> = BTreeMap::new();
    for (origin, transport) in shared.registries.transports.in_use() {
        let (active, idle) = transport.counts();
        let sum = connections.entry(origin).or_default();
        sum.active += active;
        sum.idle += idle;
    }
    connections
}
