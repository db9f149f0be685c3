//! All transports that somebody uses, kept across changes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use dgate_core::snapshot::{CompiledUrl, Scheme};
use tokio_rustls::rustls::pki_types::ServerName;

use super::connect::Connector;
use super::resolve::Resolver;
use super::tls::client_config;
use super::transport::{Keep, Transport, TransportKey};

/// How the gateway behaves as a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// Ask this DNS server instead of the system.
    pub dns_server: Option<SocketAddr>,
    /// How long it may take to answer.
    pub dns_timeout: Duration,
    /// Most idle connections, to all endpoints together; unlimited when absent.
    pub max_idle: Option<usize>,
    /// Most idle connections of one worker to one endpoint.
    pub max_idle_per_host: usize,
    /// Most connections to one endpoint; unlimited when absent.
    pub max_per_host: Option<u32>,
    /// How long a connection is kept that nobody needs.
    pub idle_timeout: Duration,
    /// Ask upstreams not to compress.
    pub disable_compression: bool,
    /// Use each connection for one request only.
    pub disable_keep_alives: bool,
    /// Never connect to private, loopback or link-local addresses.
    pub disable_private_ips: bool,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            dns_server: None,
            dns_timeout: Duration::from_secs(5),
            max_idle: None,
            max_idle_per_host: 1_024,
            max_per_host: None,
            idle_timeout: Duration::from_secs(60),
            disable_compression: false,
            disable_keep_alives: false,
            disable_private_ips: false,
        }
    }
}

/// All transports that somebody uses. One that is asked for again under the same key is the same.
#[derive(Debug)]
pub(crate) struct TransportRegistry {
    /// One shard for each worker, and one for everybody else.
    shards: usize,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    settings: ClientSettings,
    resolver: Resolver,
    transports: HashMap<TransportKey, Weak<Transport>>,
}

impl TransportRegistry {
    pub(crate) fn new(workers: usize) -> Self {
        Self { shards: workers + 1, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over new settings. Transports that were made under others are made anew when they are asked for.
    ///
    /// # Errors
    /// When the resolver cannot be set up.
    pub(crate) fn configure(&self, settings: &ClientSettings) -> std::io::Result<()> {
        let mut known = self.known();
        if known.settings == *settings {
            return Ok(());
        }
        let resolver = match settings.dns_server {
            Some(server) => Resolver::asking(server, settings.dns_timeout)?,
            None => Resolver::System,
        };
        *known = Known { settings: settings.clone(), resolver, transports: HashMap::new() };
        Ok(())
    }

    /// The transport for an endpoint.
    ///
    /// # Errors
    /// What is wrong with its TLS settings, as a pointer into them and words.
    pub(crate) fn transport(
        &self,
        url: &CompiledUrl,
        key: TransportKey,
    ) -> Result<Arc<Transport>, (&'static str, String)> {
        let mut known = self.known();
        if let Some(transport) = known.transports.get(&key).and_then(Weak::upgrade) {
            return Ok(transport);
        }
        let tls = match url.scheme {
            Scheme::Https => {
                let protocols: &[&[u8]] = if key.http2_only { &[b"h2"] } else { &[b"h2", b"http/1.1"] };
                let name = key.tls.server_name.clone().unwrap_or_else(|| url.host.to_string());
                let server_name = ServerName::try_from(name.clone())
                    .map_err(|_| ("/server_name", format!("`{name}` is no host name")))?;
                Some((client_config(&key.tls, key.skip_verify, protocols)?, server_name))
            }
            _ => None,
        };
        let settings = &known.settings;
        let private = key.private && !settings.disable_private_ips;
        let connector = Connector::new(url.clone(), tls, known.resolver.clone(), private);
        let keep = Keep {
            idle_timeout: settings.idle_timeout,
            per_host: if settings.disable_keep_alives { 0 } else { settings.max_idle_per_host },
        };
        let transport = Arc::new(Transport::new(connector, &key, self.shards, keep));
        known.transports.insert(key, Arc::downgrade(&transport));
        Ok(transport)
    }

    /// Forgets what nobody uses, and closes connections that have been idle for too long, or are too many.
    pub(crate) fn maintain(&self) {
        let mut known = self.known();
        known.transports.retain(|_, transport| transport.strong_count() > 0);
        let max_idle = known.settings.max_idle;
        let transports: Vec<_> = known.transports.values().filter_map(Weak::upgrade).collect();
        drop(known);
        let mut idle = 0;
        for transport in &transports {
            transport.reap();
            idle += transport.counts().1;
            if max_idle.is_some_and(|most| idle > most) {
                idle -= transport.close_idle(idle - max_idle.unwrap_or(idle));
            }
        }
    }

    /// The transports in use, with their origins.
    pub(crate) fn in_use(&self) -> Vec<(String, Arc<Transport>)> {
        let upgrade = |(key, transport): (&TransportKey, &Weak<Transport>)| {
            Some((key.origin.clone(), transport.upgrade()?))
        };
        self.known().transports.iter().filter_map(upgrade).collect()
    }
}
