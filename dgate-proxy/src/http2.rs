//! HTTP/2 (RFC 9113), on both sides.
//!
//! Frames, header compression and flow control are the `h2` crate's. It is used directly, as a gateway has to know what
//! more comfortable libraries hide: which requests an upstream never looked at, interim responses, how long a client
//! leaves a stream without room, and how many frames it sends for nothing.

mod client;
mod keep_alive;
mod receive;
mod send;
mod server;

pub(crate) use client::{Connection, Failure, Outbound};
pub(crate) use server::serve;
