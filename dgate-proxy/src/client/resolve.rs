//! From host names to addresses.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;

/// Resolves host names.
#[derive(Debug, Clone)]
pub(crate) struct Resolver {
    asked: Asked,
    timeout: Duration,
}

/// Who is asked.
#[derive(Debug, Clone)]
enum Asked {
    /// Whoever every other program on this machine asks.
    System,
    /// A DNS server; answers are kept as long as they may be.
    Server(Arc<TokioResolver>),
}

impl Resolver {
    /// A resolver that asks this server, or the system. It may take so long to answer.
    pub(crate) fn new(server: Option<SocketAddr>, timeout: Duration) -> io::Result<Self> {
        let Some(server) = server else { return Ok(Self { asked: Asked::System, timeout }) };
        let mut name_server = NameServerConfig::udp_and_tcp(server.ip());
        for connection in &mut name_server.connections {
            connection.port = server.port();
        }
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![name_server]);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        // A lost packet leaves time to ask again.
        builder.options_mut().timeout = timeout / 2;
        builder.options_mut().attempts = 2;
        let resolver = builder.build().map_err(io::Error::other)?;
        Ok(Self { asked: Asked::Server(Arc::new(resolver)), timeout })
    }

    /// The addresses of a host.
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let found = tokio::time::timeout(self.timeout, self.ask(host, port)).await;
        let addresses = found
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the name is not resolved in time"))??;
        if addresses.is_empty() { Err(io::Error::other("the name has no addresses")) } else { Ok(addresses) }
    }

    async fn ask(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(match &self.asked {
            Asked::System => tokio::net::lookup_host((host, port)).await?.collect(),
            Asked::Server(resolver) => {
                let found = resolver.lookup_ip(host).await.map_err(io::Error::other)?;
                found.iter().map(|ip| SocketAddr::new(ip, port)).collect()
            }
        })
    }
}

/// Whether an address is not on the public Internet: private, loopback, link-local and the like, also where an IPv6
/// address stands for an IPv4 one.
pub(crate) fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_private_v4(ip),
        IpAddr::V6(ip) => {
            let bits = ip.to_bits();
            let is_in = |network: u128, length: u32| (bits >> (128 - length)) == network;
            let embedded = |shift: u32| Ipv4Addr::from((bits >> shift) as u32);
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_multicast()
                // Site-local, discard-only, documentation, NAT64 for local use.
                || is_in(0xfec0 >> 6, 10)
                || is_in(0x0100_0000_0000_0000, 64)
                || is_in(0x2001_0db8, 32)
                || is_in(0x0064_ff9b_0001, 48)
                // IPv4-compatible, NAT64 (RFC 6052), 6to4 (RFC 3056).
                || (is_in(0, 96) && is_private_v4(embedded(0)))
                || (is_in(0x0064_ff9b << 64, 96) && is_private_v4(embedded(0)))
                || (is_in(0x2002, 16) && is_private_v4(embedded(80)))
        }
    }
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_unspecified()
        || ip.is_broadcast()
        || ip.is_documentation()
        || ip.is_multicast()
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240
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
            "192.0.0.1",
            "198.18.0.1",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "fec0::1",
            "2001:db8::1",
        ] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }
}
