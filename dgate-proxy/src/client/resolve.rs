//! From host names to addresses.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;

/// Resolves host names: by the system, or by asking a given server.
#[derive(Debug, Clone, Default)]
pub(crate) enum Resolver {
    /// As every other program on this machine does.
    #[default]
    System,
    /// By asking a DNS server; answers are kept as long as they may be.
    Server(Arc<TokioResolver>),
}

impl Resolver {
    /// A resolver that asks this server.
    pub(crate) fn asking(server: SocketAddr, timeout: Duration) -> io::Result<Self> {
        let mut name_server = NameServerConfig::udp_and_tcp(server.ip());
        for connection in &mut name_server.connections {
            connection.port = server.port();
        }
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![name_server]);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        builder.options_mut().timeout = timeout;
        builder.options_mut().attempts = 2;
        let resolver = builder.build().map_err(io::Error::other)?;
        Ok(Self::Server(Arc::new(resolver)))
    }

    /// The addresses of a host.
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let addresses: Vec<_> = match self {
            Self::System => tokio::net::lookup_host((host, port)).await?.collect(),
            Self::Server(resolver) => {
                let found = resolver.lookup_ip(host).await.map_err(io::Error::other)?;
                found.iter().map(|ip| SocketAddr::new(ip, port)).collect()
            }
        };
        if addresses.is_empty() { Err(io::Error::other("the name has no addresses")) } else { Ok(addresses) }
    }
}

/// Whether an address is not on the public Internet: private, loopback, link-local and the like.
pub(crate) fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || ip.is_documentation()
                || ip.is_multicast()
                || a == 0
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0)
                || (a == 198 && (b == 18 || b == 19))
                || a >= 240
        }
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_multicast()
                // IPv4 in other clothes: NAT64 and 6to4.
                || matches!(ip.segments(), [0x64, 0xff9b, ..] | [0x2002, ..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known_in_every_disguise() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }
}
