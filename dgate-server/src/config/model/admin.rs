//! `admin`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use dgate_admin::auth::Role;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The admin listener: the Admin API, probes (`/livez`, `/readyz`, `/healthz`) and `/metrics`.
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
    /// Nobody may change anything.
    pub watch_only: bool,
    /// Speak TLS, with this certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<AdminTls>,
    /// How clients show who they are.
    pub auth_method: AuthMethod,
    /// With `basic`: who there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// With `key`: which keys there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_auth: Option<KeyAuth>,
    /// With `jwt`: who signs tokens, and what is in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt_auth: Option<JwtAuth>,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 9080,
            allow_list: Vec::new(),
            insecure: false,
            watch_only: false,
            tls: None,
            auth_method: AuthMethod::None,
            basic_auth: None,
            key_auth: None,
            jwt_auth: None,
        }
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

/// The certificate of the admin listener. It is read again with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdminTls {
    /// File with the certificate chain, PEM.
    pub cert_file: String,
    /// File with its private key, PEM.
    pub key_file: String,
}

/// How clients of the Admin API show who they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// Not at all: whoever reaches the listener may do everything. On loopback addresses only.
    #[default]
    None,
    /// By name and password.
    Basic,
    /// By a key in a header.
    Key,
    /// By a signed token.
    Jwt,
}

/// Users of the Admin API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// The users.
    pub users: Vec<User>,
}

/// A user of the Admin API.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The name.
    pub username: String,
    /// The password's hash, as `dgate-server hash-password` makes it. The password itself is accepted, with a warning.
    #[schemars(extend("writeOnly" = true))]
    pub password: String,
    /// What the user may do.
    #[serde(default = "everything")]
    pub role: Role,
    /// The namespaces the user is limited to; no limit when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
}

/// Keys of the Admin API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyAuth {
    /// The header that holds the key.
    #[serde(default = "KeyAuth::usual_header")]
    pub header_name: String,
    /// A query parameter that may hold the key, too. Addresses are written to many logs: better do without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_param_name: Option<String>,
    /// The keys.
    pub keys: Vec<Key>,
}

impl KeyAuth {
    fn usual_header() -> String {
        "X-API-Key".to_owned()
    }
}

/// A key of the Admin API.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Whose it is, as the changelog shows it.
    pub name: String,
    /// The key, or `sha256:` and its digest in hexadecimal.
    #[schemars(extend("writeOnly" = true))]
    pub key: String,
    /// What whoever has it may do.
    #[serde(default = "everything")]
    pub role: Role,
    /// The namespaces they are limited to; no limit when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
}

/// Who signs tokens, and what is in them. One of `public_key`, `jwks` and `secret` is needed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JwtAuth {
    /// The public key of whoever signs, PEM: RSA, EC or Ed25519. `${file:PATH}` reads it from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// A set of public keys (JWKS), as JSON. `${file:PATH}` reads it from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<String>,
    /// A secret that whoever signs knows as well (HMAC), of 32 bytes or more.
    #[schemars(extend("writeOnly" = true))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The issuer that tokens have to name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The audiences of which tokens have to name one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    /// The claim with the role, or a list of roles; `role` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_claim: Option<String>,
    /// The claim with the namespaces that somebody is limited to; `namespaces` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespaces_claim: Option<String>,
    /// The role of those whose token names none. Without it they may do nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_role: Option<Role>,
}

/// As in DGate 1 and 2, who is listed may do everything unless it is said otherwise.
const fn everything() -> Role {
    Role::Admin
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("username", &self.username)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

impl fmt::Debug for JwtAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtAuth")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}
