//! Connections to upstreams: made, pooled, given back, and kept across changes.

mod connect;
mod fetch;
mod http2;
mod lease;
mod registry;
mod resolve;
mod tls;
mod transport;

pub(crate) use connect::ConnectError;
pub(crate) use fetch::FetchClient;
pub(crate) use lease::Lease;
pub use registry::ClientSettings;
pub(crate) use registry::TransportRegistry;
pub(crate) use tls::{certificates, private_key, provider};
pub(crate) use transport::{SendError, SendFuture, Sending, Transport, TransportKey};
