//! Who sent a request, and on which connection.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::{Bytes, BytesMut};
use http::HeaderValue;

use super::HeaderBlock;

/// What is known about a connection. Hosts that embed the gateway put it into a request's extensions; without it the
/// gateway takes the client for unknown.
#[derive(Debug)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// Who connected.
    pub peer: SocketAddr,
    /// The port they connected to; 0 when nobody said.
    pub local_port: u16,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The name of the listener.
    pub listener: Arc<str>,
    peer_header: OnceLock<HeaderValue>,
    port_header: OnceLock<HeaderValue>,
    /// The last `Forwarded` element, and the host it was for.
    forwarded: Mutex<Option<(Option<HeaderValue>, HeaderValue)>>,
    /// The last block of forwarding headers, and the host it was for.
    block: Mutex<Option<(Option<HeaderValue>, Arc<HeaderBlock>)>>,
}

impl ConnectionInfo {
    /// A plain connection from a peer.
    pub fn new(peer: SocketAddr) -> Self {
        Self {
            peer,
            local_port: 0,
            tls: false,
            listener: Arc::from("-"),
            peer_header: OnceLock::new(),
            port_header: OnceLock::new(),
            forwarded: Mutex::default(),
            block: Mutex::default(),
        }
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

    /// The peer's address as a header value, formatted once a connection.
    pub fn peer_header(&self) -> &HeaderValue {
        self.peer_header.get_or_init(|| header(format_args!("{}", self.peer.ip().to_canonical())))
    }

    /// The local port as a header value, formatted once a connection; nothing when it is not known.
    pub fn port_header(&self) -> Option<&HeaderValue> {
        (self.local_port != 0)
            .then(|| self.port_header.get_or_init(|| header(format_args!("{}", self.local_port))))
    }

    /// The element that this connection adds to `Forwarded` (RFC 7239): formatted once for a host that is asked for
    /// again and again.
    pub fn forwarded_header(&self, host: Option<&HeaderValue>) -> HeaderValue {
        let mut last = self.forwarded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, value)) = &*last
            && known.as_ref() == host
        {
            return value.clone();
        }
        let node = match self.peer.ip().to_canonical() {
            IpAddr::V4(ip) => format!("{ip}"),
            IpAddr::V6(ip) => format!("\"[{ip}]\""),
        };
        let proto = self.scheme();
        let value = match host.and_then(|host| host.to_str().ok()).filter(|host| !host.contains(['"', '\\']))
        {
            // A port makes it more than a token.
            Some(host) if host.contains([':', '[']) => {
                header(format_args!("for={node};host=\"{host}\";proto={proto}"))
            }
            Some(host) if !host.is_empty() => header(format_args!("for={node};host={host};proto={proto}")),
            _ => header(format_args!("for={node};proto={proto}")),
        };
        *last = Some((host.map(copy), value.clone()));
        value
    }

    /// What this connection has requests say about where they come from: made from the host, once for a host that is
    /// asked for again and again.
    pub fn header_block(
        &self,
        host: Option<&HeaderValue>,
        make: impl FnOnce(Option<&HeaderValue>) -> HeaderBlock,
    ) -> Arc<HeaderBlock> {
        let mut last = self.block.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, block)) = &*last
            && known.as_ref() == host
        {
            return block.clone();
        }
        let host = host.map(copy);
        let block = Arc::new(make(host.as_ref()));
        *last = Some((host, block.clone()));
        block
    }
}

impl Default for ConnectionInfo {
    fn default() -> Self {
        Self::new(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0))
    }
}

/// As what a host puts it into a request's extensions, which have to be clonable.
impl Clone for ConnectionInfo {
    fn clone(&self) -> Self {
        Self::new(self.peer).to_port(self.local_port).encrypted(self.tls).accepted_by(self.listener.clone())
    }
}

/// A header value in memory of its own. A clone would hold on to the whole head that it came with, for as long as the
/// connection is idle.
fn copy(value: &HeaderValue) -> HeaderValue {
    HeaderValue::from_bytes(value.as_bytes()).unwrap_or_else(|_| value.clone())
}

/// A header value that is cheap to clone.
fn header(text: std::fmt::Arguments<'_>) -> HeaderValue {
    let mut bytes = BytesMut::with_capacity(64);
    let _ = bytes.write_fmt(text);
    let bytes: Bytes = bytes.freeze();
    HeaderValue::from_maybe_shared(bytes).unwrap_or_else(|_| HeaderValue::from_static(""))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_elements_are_quoted_where_they_must_be() {
        let of = |peer: &str, host: Option<&str>| {
            let connection = ConnectionInfo::new(peer.parse().unwrap());
            let host = host.map(|host| HeaderValue::from_str(host).unwrap());
            connection.forwarded_header(host.as_ref()).to_str().unwrap().to_owned()
        };
        assert_eq!(of("1.2.3.4:5", Some("a.example")), "for=1.2.3.4;host=a.example;proto=http");
        assert_eq!(of("1.2.3.4:5", Some("a.example:81")), "for=1.2.3.4;host=\"a.example:81\";proto=http");
        assert_eq!(of("[2001:db8::1]:5", None), "for=\"[2001:db8::1]\";proto=http");
        assert_eq!(of("[::ffff:1.2.3.4]:5", None), "for=1.2.3.4;proto=http");
        assert_eq!(of("1.2.3.4:5", Some("a\"b")), "for=1.2.3.4;proto=http");
    }

    #[test]
    fn what_a_connection_remembers_holds_no_buffer() {
        let head = Bytes::copy_from_slice(&[b'a'; 4_096]);
        let host = HeaderValue::from_maybe_shared(head.slice(..9)).unwrap();
        let connection = ConnectionInfo::new("1.2.3.4:5".parse().unwrap());
        let name = http::header::HOST;
        let make = |host: Option<&HeaderValue>| HeaderBlock::new(vec![(name, host.unwrap().clone())]);
        assert_eq!(connection.header_block(Some(&host), make).lines(), "host: aaaaaaaaa\r\n");
        connection.forwarded_header(Some(&host));
        drop(host);
        assert!(head.is_unique());
    }
}
