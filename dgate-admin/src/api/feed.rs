//! Tells who watches that something has changed.

use std::sync::Arc;

use dgate_core::BoxFuture;
use dgate_core::event::{Event, EventSink, NoEvents, Verdict};
use dgate_core::stored::Revision;
use tokio::sync::watch;

/// Tells who watches that something has changed, and passes all events on. Cheap to clone.
#[derive(Clone)]
pub struct Feed {
    revision: Arc<watch::Sender<Revision>>,
    next: Arc<dyn EventSink>,
}

impl Feed {
    /// A feed in front of another sink.
    pub fn new(next: Arc<dyn EventSink>) -> Self {
        Self { revision: Arc::new(watch::Sender::new(0)), next }
    }

    /// Whoever listens to the receiver is woken when a revision has gone live.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Revision> {
        self.revision.subscribe()
    }
}

impl Default for Feed {
    fn default() -> Self {
        Self::new(Arc::new(NoEvents))
    }
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").field("revision", &*self.revision.borrow()).finish_non_exhaustive()
    }
}

impl EventSink for Feed {
    fn intercept<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Verdict> {
        self.next.intercept(event)
    }

    fn emit(&self, event: Event) {
        if let Event::ConfigApplied { revision } = event {
            self.revision.send_replace(revision);
        }
        self.next.emit(event);
    }
}
