//! What can be set on the data plane as a whole. Changes go live like any other change.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use dgate_core::context::ClientInfo;
use dgate_core::pattern::HostPattern;
use http::{HeaderName, HeaderValue};
use ipnet::IpNet;

pub use crate::client::ClientSettings;
use crate::http1::{HeadLimits, ServerLimits};
use crate::pace::PaceLimits;

/// What can be set on the data plane as a whole.
///
/// ```
/// let mut settings = dgate_proxy::ProxySettings::default();
/// settings.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
/// settings.limits.in_flight = Some(10_000);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProxySettings {
    /// What a client may take.
    pub limits: Limits,
    /// Speak HTTP/2 over TLS.
    pub http2: bool,
    /// Speak HTTP/2 without TLS, when a client begins with it.
    pub h2c: bool,
    /// Hosts whose plain requests are sent to `https`.
    pub redirect_https: Vec<HostPattern>,
    /// The port that redirected requests are sent to; 443 when absent.
    pub https_port: Option<u16>,
    /// The only hosts that are served; all when empty.
    pub allowed_domains: Vec<HostPattern>,
    /// Headers added to every response.
    pub global_headers: Vec<(HeaderName, HeaderValue)>,
    /// Close the connection on requests for unknown hosts, instead of answering 404.
    pub strict_mode: bool,
    /// Proxies in front of this one, whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How many proxies stand in front: the client is so many places from the right in `X-Forwarded-For`. When
    /// absent, it is the first address from the right that is not trusted.
    pub x_forwarded_for_depth: Option<usize>,
    /// Send no `X-Forwarded-*`, `Forwarded` and `X-Real-IP` upstream.
    pub disable_x_forwarded_headers: bool,
    /// The only clients that are served; all when empty.
    pub allow_list: Vec<IpNet>,
    /// Certificate chain and key (PEM) for names that no domain has a certificate for.
    pub fallback_certificate: Option<FallbackCertificate>,
    /// How the gateway behaves as a client.
    pub client: ClientSettings,
    /// Who gets canary tags.
    pub canary: CanarySettings,
}

/// Who gets canary tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CanarySettings {
    /// What identifies a client: the same client gets the same answer.
    pub sticky: CanarySticky,
    /// Whose `X-DGate-Canary` is heard.
    pub forced_by: CanaryOverride,
}

impl CanarySettings {
    /// Whether `X-DGate-Canary` of a client is heard.
    pub(crate) fn hears(&self, client: &ClientInfo) -> bool {
        match self.forced_by {
            CanaryOverride::Off => false,
            CanaryOverride::Trusted => client.trusted,
            CanaryOverride::Any => true,
        }
    }
}

/// What identifies a client to canary tags. A request without it is on its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CanarySticky {
    /// Nothing: each request is on its own.
    #[default]
    None,
    /// The client's address.
    Ip,
    /// The value of a header.
    Header(HeaderName),
    /// The value of a cookie.
    Cookie(String),
}

/// Whose `X-DGate-Canary` is heard: `name:value` or `!name:value` settles what a request carries, for testing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CanaryOverride {
    /// Nobody's.
    Off,
    /// That of trusted proxies.
    #[default]
    Trusted,
    /// Everybody's.
    Any,
}

/// A certificate chain and its key, PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct FallbackCertificate {
    /// The chain, the server's own certificate first.
    pub cert: String,
    /// The private key.
    pub key: String,
}

impl fmt::Debug for FallbackCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FallbackCertificate(…)")
    }
}

impl Default for ProxySettings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            http2: true,
            h2c: true,
            redirect_https: Vec::new(),
            https_port: None,
            allowed_domains: Vec::new(),
            global_headers: Vec::new(),
            strict_mode: false,
            trusted_proxies: Vec::new(),
            x_forwarded_for_depth: None,
            disable_x_forwarded_headers: false,
            allow_list: Vec::new(),
            fallback_certificate: None,
            client: ClientSettings::default(),
            canary: CanarySettings::default(),
        }
    }
}

/// What a client may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a request head; more get 431.
    pub header_bytes: usize,
    /// Header fields of a request; more get 431.
    pub headers: usize,
    /// Bytes of a request target; more get 414.
    pub uri: usize,
    /// Bytes of a request body; more get 413. Unlimited when absent.
    pub body: Option<u64>,
    /// From a connection's beginning, or a request's first byte, until the head is complete.
    pub header_timeout: Duration,
    /// How long a connection may be idle between requests.
    pub idle_timeout: Duration,
    /// How long a client may send or take nothing in the middle of a body.
    pub stall_timeout: Duration,
    /// The least bytes per second a client must send or take, averaged over ten seconds of waiting for it.
    pub min_rate: u64,
    /// Most open client connections; unlimited when absent.
    pub connections: Option<usize>,
    /// Most requests being answered; further ones get 503. Unlimited when absent.
    pub in_flight: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 64 * 1_024,
            headers: 100,
            uri: 8 * 1_024,
            body: None,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(30),
            min_rate: 64,
            connections: None,
            in_flight: None,
        }
    }
}

impl Limits {
    pub(crate) fn for_http1(&self) -> ServerLimits {
        ServerLimits {
            head: HeadLimits {
                bytes: self.header_bytes,
                headers: self.headers,
                // Byte offsets into paths are 16 bits wide.
                uri: self.uri.min(usize::from(u16::MAX) - 1),
            },
            header_timeout: self.header_timeout,
            idle_timeout: self.idle_timeout,
            pace: self.pace(),
        }
    }

    pub(crate) fn pace(&self) -> PaceLimits {
        PaceLimits { stall: self.stall_timeout, min_rate: self.min_rate }
    }
}

/// Whether one of the networks holds an address.
pub(crate) fn holds(networks: &[IpNet], ip: IpAddr) -> bool {
    !networks.is_empty() && {
        let ip = ip.to_canonical();
        networks.iter().any(|network| network.contains(&ip))
    }
}
