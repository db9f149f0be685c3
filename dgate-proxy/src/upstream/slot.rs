//! Where an attempt leaves its request's head when it does not need it any more, so that it can be tried again
//! without having been copied.

use std::sync::{Arc, Mutex, PoisonError};

use dgate_core::endpoint::Endpoint;
use http::request::Parts;

/// Where an attempt leaves its request's head, and says whom it asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReturnSlot(Arc<Mutex<Returned>>);

#[derive(Debug, Default)]
struct Returned {
    head: Option<Parts>,
    endpoint: Option<Arc<Endpoint>>,
}

impl ReturnSlot {
    /// Leaves the head.
    pub(crate) fn give_back(&self, mut head: Parts) {
        // A slot that held itself would never be freed.
        head.extensions.remove::<Self>();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).head = Some(head);
    }

    /// Notes who is asked.
    pub(super) fn asked(&self, endpoint: &Arc<Endpoint>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).endpoint = Some(endpoint.clone());
    }

    /// Takes back what was left.
    pub(super) fn take(&self) -> (Option<Parts>, Option<Arc<Endpoint>>) {
        let mut returned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (returned.head.take(), returned.endpoint.take())
    }
}
