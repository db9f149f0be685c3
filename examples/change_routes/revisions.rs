//! Who wants to know when something changes.

use dgate_core::event::{Event, EventSink};
use dgate_core::stored::Revision;
use tokio::sync::watch;

/// Knows the revision that is live, and tells whoever waits for another one.
#[derive(Debug, Default)]
pub(crate) struct Revisions(watch::Sender<Revision>);

impl Revisions {
    /// The live revision from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<Revision> {
        self.0.subscribe()
    }
}

/// The gateway tells its events here: those of every resource, of endpoints, and of whole changes.
impl EventSink for Revisions {
    fn emit(&self, event: Event) {
        if let Event::ConfigApplied { revision } = event {
            self.0.send_replace(revision);
        }
    }
}
