//! From host names to addresses.

use std::io;
use std::net::{IpAddr, SocketAddr};
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
