//! Connections to upstreams: made, pooled, given back, and kept across changes.

mod connect;
mod fetch;
mod lease;
mod paused;
mod registry;
mod resolve;
mod tls;
mod transport;

pub(crate) use connect::ConnectError;
pub(crate) use fetch::FetchClient;
pub(crate) use lease::Lease;
pub(crate) use paused::{BodyPaused, WaitingSince};
pub use registry::ClientSettings;
pub(crate) use registry::{Client, TransportRegistry};
pub(crate) use tls::{certificates, private_key, provider};
pub(crate) use transport::{SendError, SendFuture, Sending, Transport, TransportKey};
