//! From a listening socket to answered requests.

mod accept;
mod connection;
mod handler;
mod http2;
mod prefixed;
mod tls;

pub use accept::Acceptor;
pub use tls::{MinTlsVersion, TlsError, TlsServer};
