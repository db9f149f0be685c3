//! The right to use a connection, and where it goes afterwards.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use dgate_core::endpoint::InFlight;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::Transport;
use crate::http1::client::Connection;

/// Counts one connection as open, and one as in use when the transport limits them. Dropped without giving the
/// connection back, it counts it as closed.
#[derive(Debug)]
pub(crate) struct Lease {
    transport: Arc<Transport>,
    shard: usize,
    _permit: Option<OwnedSemaphorePermit>,
    in_flight: Option<InFlight>,
    gave_back: bool,
}

impl Lease {
    /// For a connection that is counted as open already.
    pub(super) fn new(transport: Arc<Transport>, shard: usize, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self { transport, shard, _permit: permit, in_flight: None, gave_back: false }
    }

    /// The same, which counts the request as in flight as well.
    pub(super) fn counting(mut self, in_flight: Option<InFlight>) -> Self {
        self.in_flight = in_flight;
        self
    }

    /// Puts the connection aside for the next request.
    pub(crate) fn give_back(mut self, mut connection: Connection) {
        if connection.put_aside(Instant::now()) {
            self.gave_back = self.transport.put_aside(self.shard, connection);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.gave_back {
            self.transport.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
