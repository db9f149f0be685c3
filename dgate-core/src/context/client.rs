//! Who sent a request, and on which connection.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// What is known about a connection. Hosts that embed the gateway put it into a request's extensions; without it the
/// gateway takes the client for unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// Who connected.
    pub peer: SocketAddr,
    /// The port they connected to.
    pub local_port: u16,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The name of the listener.
    pub listener: Arc<str>,
}

impl ConnectionInfo {
    /// A plain connection from a peer.
    pub fn new(peer: SocketAddr) -> Self {
        Self { peer, local_port: 0, tls: false, listener: Arc::from("-") }
    }

    /// The same, to this port.
    #[must_use]
    pub fn to_port(mut self, port: u16) -> Self {
        self.local_port = port;
        self
    }

    /// The same, encrypted or not.
    #[must_use]
    pub fn encrypted(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// The same, accepted by a listener of this name.
    #[must_use]
    pub fn accepted_by(mut self, listener: impl Into<Arc<str>>) -> Self {
        self.listener = listener.into();
        self
    }

    /// `https` or `http`.
    pub const fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }
}

impl Default for ConnectionInfo {
    fn default() -> Self {
        Self::new(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0))
    }
}

/// Who sent a request, after trusted proxies were heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientInfo {
    /// The client's address.
    pub ip: IpAddr,
    /// Whether the connection came from a trusted proxy, so that its forwarding headers are believed.
    pub trusted: bool,
    /// Whether the client itself spoke TLS.
    pub tls: bool,
}
