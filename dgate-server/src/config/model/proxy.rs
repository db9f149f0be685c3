//! `proxy`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use dgate_core::units::{ByteSize, HumanDuration};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Canary, InitResources};

/// The proxy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Proxy {
    /// The address to listen on.
    #[schemars(with = "dgate_core::units::Address")]
    pub host: IpAddr,
    /// The port for plain HTTP; 0 picks a free one.
    pub port: u16,
    /// The listener for HTTPS; off when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ProxyTls>,
    /// Speak HTTP/2 over TLS.
    pub enable_http2: bool,
    /// Speak HTTP/2 without TLS, with clients that begin with it.
    pub enable_h2c: bool,
    /// Host patterns whose plain requests are sent to `https`.
    pub redirect_https: Vec<String>,
    /// Host patterns that are served; all when empty.
    pub allowed_domains: Vec<String>,
    /// Headers added to every response.
    pub global_headers: BTreeMap<String, String>,
    /// Close the connection on requests for hosts that no namespace owns, instead of answering 404.
    pub strict_mode: bool,
    /// Proxies in front of this one (CIDR), whose forwarding headers are believed.
    #[schemars(with = "Vec<dgate_core::units::Network>")]
    pub trusted_proxies: Vec<IpNet>,
    /// How many proxies stand in front: the client's address is so many places from the right in `X-Forwarded-For`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x_forwarded_for_depth: Option<usize>,
    /// Send no `X-Forwarded-*`, `Forwarded` and `X-Real-IP` upstream.
    pub disable_x_forwarded_headers: bool,
    /// Clients that are served (CIDR); all when empty.
    #[schemars(with = "Vec<dgate_core::units::Network>")]
    pub allow_list: Vec<IpNet>,
    /// What a client may take.
    pub limits: Limits,
    /// How the gateway behaves as a client.
    pub client_transport: ClientTransport,
    /// Who gets the canary tags of this server.
    pub canary: Canary,
    /// Resources that this file owns.
    pub init_resources: InitResources,
}

impl Default for Proxy {
    fn default() -> Self {
        Self {
            host: IpAddr::from([0, 0, 0, 0]),
            port: 8080,
            tls: None,
            enable_http2: true,
            enable_h2c: true,
            redirect_https: Vec::new(),
            allowed_domains: Vec::new(),
            global_headers: BTreeMap::new(),
            strict_mode: false,
            trusted_proxies: Vec::new(),
            x_forwarded_for_depth: None,
            disable_x_forwarded_headers: false,
            allow_list: Vec::new(),
            limits: Limits::default(),
            client_transport: ClientTransport::default(),
            canary: Canary::default(),
            init_resources: InitResources::default(),
        }
    }
}

/// The listener for HTTPS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProxyTls {
    /// The port; 0 picks a free one.
    pub port: u16,
    /// File with the certificate chain (PEM) for names that no domain has a certificate for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<String>,
    /// File with its private key (PEM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<String>,
    /// Make a self-signed certificate at start, for development.
    pub auto_generate: bool,
    /// The oldest version that is spoken.
    pub min_version: MinTls,
}

impl Default for ProxyTls {
    fn default() -> Self {
        Self { port: 8443, cert_file: None, key_file: None, auto_generate: false, min_version: MinTls::Tls12 }
    }
}

/// The oldest TLS version that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MinTls {
    /// TLS 1.2.
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    Tls13,
}

/// What a client may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of a request head; more get 431.
    pub header_bytes: ByteSize,
    /// Header fields of a request; more get 431.
    pub headers: usize,
    /// Bytes of a request target; more get 414.
    pub uri: ByteSize,
    /// Bytes of a request body; more get 413. Unlimited when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<ByteSize>,
    /// From a connection's beginning, or a request's first byte, until the head is complete.
    pub header_timeout: HumanDuration,
    /// How long a connection may be idle between requests.
    pub idle_timeout: HumanDuration,
    /// How long a client may send or take nothing in the middle of a body.
    pub stall_timeout: HumanDuration,
    /// The least a client must send or take a second, averaged over ten seconds of waiting for it.
    pub min_rate: ByteSize,
    /// Most open client connections; unlimited when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<usize>,
    /// Most requests being answered; further ones get 503. Unlimited when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        let proxy = dgate_proxy::Limits::default();
        Self {
            header_bytes: ByteSize::new(proxy.header_bytes as u64),
            headers: proxy.headers,
            uri: ByteSize::new(proxy.uri as u64),
            body: proxy.body.map(ByteSize::new),
            header_timeout: proxy.header_timeout.into(),
            idle_timeout: proxy.idle_timeout.into(),
            stall_timeout: proxy.stall_timeout.into(),
            min_rate: ByteSize::new(proxy.min_rate),
            connections: proxy.connections,
            in_flight: proxy.in_flight,
        }
    }
}

/// How the gateway behaves as a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClientTransport {
    /// `address` or `address:port` of a DNS server to ask instead of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_server: Option<String>,
    /// How long that server may take to answer.
    pub dns_timeout: HumanDuration,
    /// Most idle connections to all endpoints together; unlimited when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_idle_conns: Option<usize>,
    /// Most idle connections of one worker to one endpoint.
    pub max_idle_conns_per_host: usize,
    /// Most connections to one endpoint; unlimited when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_conns_per_host: Option<u32>,
    /// How long a connection is kept that nobody needs.
    pub idle_conn_timeout: HumanDuration,
    /// Ask upstreams not to compress.
    pub disable_compression: bool,
    /// Use each connection for one request only.
    pub disable_keep_alives: bool,
    /// Never connect to private, loopback or link-local addresses.
    pub disable_private_ips: bool,
}

impl Default for ClientTransport {
    fn default() -> Self {
        let client = dgate_proxy::ClientSettings::default();
        Self {
            dns_server: None,
            dns_timeout: client.dns_timeout.into(),
            max_idle_conns: client.max_idle,
            max_idle_conns_per_host: client.max_idle_per_host,
            max_conns_per_host: client.max_per_host,
            idle_conn_timeout: client.idle_timeout.into(),
            disable_compression: client.disable_compression,
            disable_keep_alives: client.disable_keep_alives,
            disable_private_ips: client.disable_private_ips,
        }
    }
}
