//! `listener`: a TCP address and what to do with its connections.

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{default_namespace, is_default, named_resource};
use crate::units::HumanDuration;

/// A TCP address and what to do with its connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// The name, unique in its namespace.
    pub name: String,
    /// The namespace it belongs to.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// `host:port` to listen on.
    pub address: String,
    /// Which connections are meant, when several listeners share an address.
    #[serde(default, rename = "match", skip_serializing_if = "is_default")]
    pub matches: ListenerMatch,
    /// TLS towards the client.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls: ListenerTls,
    /// The wire format, when modules or actions read the bytes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub protocol: Option<String>,
    /// Where connections go.
    #[serde(default, skip_serializing_if = "is_default")]
    pub service: Option<String>,
    /// Modules whose connection hooks run, in this order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub modules: Vec<String>,
    /// The PROXY protocol, in and out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub proxy_protocol: ProxyProtocol,
    /// How many and how long.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: ListenerLimits,
    /// Clients that may connect; everybody when empty.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(with = "Vec<crate::units::Network>")]
    pub allow_list: Vec<IpNet>,
    /// Labels and conditions.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
}

named_resource!(Listener);

/// Which connections of a shared address are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListenerMatch {
    /// Server names the client asks for in its TLS hello: `db.example.com`, `*.db.example.com`.
    #[serde(skip_serializing_if = "is_default")]
    pub sni: Vec<String>,
}

/// TLS towards the client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListenerTls {
    /// Whether TLS is spoken, and by whom.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: TlsMode,
    /// File with the certificate chain, PEM, for `terminate`.
    #[serde(skip_serializing_if = "is_default")]
    pub cert_file: Option<String>,
    /// File with the private key, PEM, for `terminate`.
    #[serde(skip_serializing_if = "is_default")]
    pub key_file: Option<String>,
}

/// Whether TLS is spoken on a listener, and by whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TlsMode {
    /// No TLS, or not our business.
    #[default]
    None,
    /// The gateway decrypts.
    Terminate,
    /// The gateway reads the server name and passes the bytes on.
    Passthrough,
}

/// The PROXY protocol, in and out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProxyProtocol {
    /// Which header is expected from clients.
    #[serde(skip_serializing_if = "is_default")]
    pub accept: ProxyProtocolAccept,
    /// Clients whose header is believed.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(with = "Vec<crate::units::Network>")]
    pub trusted: Vec<IpNet>,
    /// Which header is sent upstream.
    #[serde(skip_serializing_if = "is_default")]
    pub send: ProxyProtocolSend,
}

/// Which PROXY header is expected from clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProxyProtocolAccept {
    /// None.
    #[default]
    Off,
    /// The text form.
    V1,
    /// The binary form.
    V2,
    /// Either.
    Any,
}

/// Which PROXY header is sent upstream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProxyProtocolSend {
    /// None.
    #[default]
    Off,
    /// The text form.
    V1,
    /// The binary form.
    V2,
}

/// How many connections, and how long they may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListenerLimits {
    /// Most open connections.
    pub connections: u32,
    /// How long connecting upstream may take.
    pub connect_timeout: HumanDuration,
    /// The longest silence.
    pub idle_timeout: HumanDuration,
    /// How long the first byte may take.
    pub first_byte_timeout: HumanDuration,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connect_timeout: HumanDuration::from_secs(1),
            idle_timeout: HumanDuration::from_secs(300),
            first_byte_timeout: HumanDuration::from_secs(10),
        }
    }
}
