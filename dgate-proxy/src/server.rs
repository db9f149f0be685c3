//! From a listening socket to answered requests.

mod accept;
mod connection;
mod handler;
mod tls;

pub use accept::Acceptor;
pub(crate) use handler::Handler;
pub use tls::{MinTlsVersion, TlsError, TlsServer};
