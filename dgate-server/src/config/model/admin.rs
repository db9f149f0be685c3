//! `admin`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The admin listener: probes (`/livez`, `/readyz`, `/healthz`) and `/metrics`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// The address to listen on.
    #[schemars(with = "dgate_core::units::Address")]
    pub host: IpAddr,
    /// The port; 0 picks a free one.
    pub port: u16,
    /// Clients that may ask (CIDR); all when empty. Probes are open to everybody.
    #[schemars(with = "Vec<dgate_core::units::Network>")]
    pub allow_list: Vec<IpNet>,
    /// Listen on an address that others can reach, without authentication.
    pub insecure: bool,
}

impl Default for Admin {
    fn default() -> Self {
        Self { host: IpAddr::from([127, 0, 0, 1]), port: 9080, allow_list: Vec::new(), insecure: false }
    }
}

impl Admin {
    /// Where this machine reaches it: an address for all networks is none to connect to.
    pub fn reachable_at(&self) -> SocketAddr {
        let host = match self.host {
            IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            host => host,
        };
        SocketAddr::new(host, self.port)
    }
}
