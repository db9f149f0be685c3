//! All transports that somebody uses, kept across changes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use dgate_core::snapshot::{CompiledUrl, Scheme};
use tokio_rustls::rustls::pki_types::ServerName;

use super::connect::Connector;
use super::resolve::Resolver;
use super::tls::ClientTls;
use super::transport::{Keep, Transport, TransportKey};

/// How the gateway behaves as a client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

/// The gateway as a client: its settings, with what they need.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) settings: Arc<ClientSettings>,
    resolver: Resolver,
}

impl Client {
    /// # Errors
    /// When the resolver cannot be set up.
    pub(crate) fn new(settings: &ClientSettings) -> std::io::Result<Self> {
        let resolver = Resolver::new(settings.dns_server, settings.dns_timeout)?;
        Ok(Self { settings: Arc::new(settings.clone()), resolver })
    }

    /// The same, but never to private addresses.
    pub(crate) fn without_private(&self) -> Self {
        let settings = ClientSettings { disable_private_ips: true, ..(*self.settings).clone() };
        Self { settings: Arc::new(settings), resolver: self.resolver.clone() }
    }
}

/// All transports that somebody uses. One that is asked for again under the same key is the same.
#[derive(Debug)]
pub(crate) struct TransportRegistry {
    /// One shard for each worker, and one for everybody else.
    shards: usize,
    transports: Mutex<HashMap<TransportKey, Weak<Transport>>>,
}

impl TransportRegistry {
    pub(crate) fn new(workers: usize) -> Self {
        Self { shards: workers + 1, transports: Mutex::default() }
    }

    fn transports(&self) -> MutexGuard<'_, HashMap<TransportKey, Weak<Transport>>> {
        self.transports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The transport for an endpoint. The key was made for the same client.
    ///
    /// # Errors
    /// What is wrong with its TLS settings, as a pointer into them and words.
    pub(crate) fn transport(
        &self,
        client: &Client,
        url: &CompiledUrl,
        key: TransportKey,
    ) -> Result<Arc<Transport>, (&'static str, String)> {
        let mut transports = self.transports();
        if let Some(transport) = transports.get(&key).and_then(Weak::upgrade) {
            return Ok(transport);
        }
        let tls = match url.scheme {
            Scheme::Https => {
                let name = key.tls.server_name.clone().unwrap_or_else(|| url.host.to_string());
                let server_name = ServerName::try_from(name.clone())
                    .map_err(|_| ("/server_name", format!("`{name}` is no host name")))?;
                Some((ClientTls::new(&key.tls, key.skip_verify, key.http2_only)?, server_name))
            }
            _ => None,
        };
        let settings = &client.settings;
        let connector =
            Connector::new(url.clone(), tls, client.resolver.clone(), !settings.disable_private_ips);
        let keep = Keep {
            idle_timeout: settings.idle_timeout,
            per_host: if settings.disable_keep_alives { 0 } else { settings.max_idle_per_host },
        };
        let transport = Arc::new(Transport::new(connector, &key, self.shards, keep));
        transports.insert(key, Arc::downgrade(&transport));
        Ok(transport)
    }

    /// Forgets what nobody uses, and closes connections that have been idle for too long, or are too many.
    pub(crate) fn maintain(&self, max_idle: Option<usize>) {
        let mut known = self.transports();
        known.retain(|_, transport| transport.strong_count() > 0);
        let transports: Vec<_> = known.values().filter_map(Weak::upgrade).collect();
        drop(known);
        let mut idle = 0;
        for transport in &transports {
            transport.reap();
            idle += transport.counts().1;
            if let Some(too_many) = max_idle.and_then(|most| idle.checked_sub(most)) {
                idle -= transport.close_idle(too_many);
            }
        }
    }

    /// The transports in use, with their origins.
    pub(crate) fn in_use(&self) -> Vec<(String, Arc<Transport>)> {
        let upgrade = |(key, transport): (&TransportKey, &Weak<Transport>)| {
            Some((key.origin.clone(), transport.upgrade()?))
        };
        self.transports().iter().filter_map(upgrade).collect()
    }
}
