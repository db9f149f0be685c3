//! Tells who waits for it at which revision a store is.

use tokio::sync::watch;

use super::StoreError;
use crate::BoxFuture;
use crate::stored::Revision;

/// At which revision a store is, for those who wait for the next one.
#[derive(Debug, Default)]
pub struct Revisions(watch::Sender<Revision>);

impl Revisions {
    /// The store is at this revision now.
    pub fn set(&self, revision: Revision) {
        self.0.send_replace(revision);
    }

    /// See [`Store::past`](super::Store::past).
    pub fn past(&self, revision: Revision) -> BoxFuture<'static, Result<Revision, StoreError>> {
        let mut receiver = self.0.subscribe();
        Box::pin(async move {
            let there = receiver.wait_for(|now| *now > revision).await;
            there.map(|now| *now).map_err(|closed| StoreError::Unavailable(Box::new(closed)))
        })
    }
}
