//! Whether this server wants requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether this server wants requests. Load balancers ask for it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readiness(Arc<AtomicBool>);

impl Readiness {
    pub(crate) fn set(&self, is_ready: bool) {
        self.0.store(is_ready, Ordering::Release);
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
