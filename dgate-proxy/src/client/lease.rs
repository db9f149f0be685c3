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
    /// Whether the connection is counted as open, and is not when this is dropped.
    is_counted: bool,
}

impl Lease {
    /// For a connection that is counted as open already.
    pub(super) fn new(transport: Arc<Transport>, shard: usize, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self { transport, shard, _permit: permit, in_flight: None, is_counted: true }
    }

    /// For a new connection.
    pub(super) fn opened(
        transport: Arc<Transport>,
        shard: usize,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        transport.open.fetch_add(1, Ordering::Relaxed);
        Self::new(transport, shard, permit)
    }

    /// For a connection that others use as well.
    pub(super) fn shared(transport: Arc<Transport>, permit: Option<OwnedSemaphorePermit>) -> Self {
        let mut lease = Self::new(transport, 0, permit);
        lease.is_counted = false;
        lease
    }

    /// The same, which counts the request as in flight as well.
    pub(super) fn counting(mut self, in_flight: Option<InFlight>) -> Self {
        self.in_flight = in_flight;
        self
    }

    /// Puts the connection aside for the next request.
    pub(crate) fn give_back(mut self, mut connection: Connection) {
        if connection.put_aside(Instant::now()) {
            self.is_counted = !self.transport.put_aside(self.shard, connection);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.is_counted {
            self.transport.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
