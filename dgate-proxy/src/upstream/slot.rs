//! Where an attempt leaves its request's head when it does not need it any more, so that it can be tried again
//! without having been copied.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dgate_core::endpoint::Endpoint;
use http::Uri;
use http::request::Parts;

use super::Passage;

/// Where an attempt leaves its request's head, and says whom it asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReturnSlot(Arc<Mutex<Returned>>);

#[derive(Debug, Default)]
struct Returned {
    head: Option<Parts>,
    /// Whether the head is a copy, so that nothing needs to be given back.
    is_copy: bool,
    /// The head's target before it was aimed at the endpoint.
    target: Option<Uri>,
    endpoint: Option<Arc<Endpoint>>,
}

impl ReturnSlot {
    /// Leaves the head.
    pub(crate) fn give_back(&self, mut head: Parts) {
        let mut returned = self.returned();
        if returned.is_copy {
            return;
        }
        if let Some(target) = returned.target.take() {
            head.uri = target;
        }
        Passage::take_slot(&mut head.extensions);
        returned.head = Some(head);
    }

    /// Leaves a copy of the head: what the attempt makes of it does not matter.
    pub(super) fn keep(&self, head: &Parts) {
        let mut copy = head.clone();
        Passage::take_slot(&mut copy.extensions);
        let mut returned = self.returned();
        returned.head = Some(copy);
        returned.is_copy = true;
    }

    /// Notes who is asked, and what the head's target was, if that is another one now.
    pub(super) fn asked(&self, endpoint: &Arc<Endpoint>, target: Option<Uri>) {
        let mut returned = self.returned();
        returned.endpoint = Some(endpoint.clone());
        returned.target = target;
    }

    /// Takes back what was left.
    pub(super) fn take(&self) -> (Option<Parts>, Option<Arc<Endpoint>>) {
        let mut returned = self.returned();
        (returned.head.take(), returned.endpoint.take())
    }

    fn returned(&self) -> MutexGuard<'_, Returned> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
