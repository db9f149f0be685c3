//! A store with a slow disk, for tests.

use std::sync::Arc;

use tokio::sync::watch;

use super::{DocumentQuery, Entry, Lease, MemoryStore, Store, StoreError, Transaction};
use crate::resource::Document;
use crate::stored::{ResourceSet, Revision, Stored};
use crate::{BoxFuture, Key};

/// A store with a slow disk: commits, and reads of many documents, wait while their gates are closed. It keeps everything
/// in memory.
#[derive(Debug)]
pub struct GatedStore {
    inner: MemoryStore,
    /// What commits have to pass.
    pub commits: Gate,
    /// What reads of many documents have to pass.
    pub pages: Gate,
}

/// Lets nothing pass while it is closed.
#[derive(Debug)]
pub struct Gate(watch::Sender<bool>);

impl Gate {
    fn open() -> Self {
        Self(watch::Sender::new(true))
    }

    /// Opens or closes it.
    pub fn set(&self, is_open: bool) {
        self.0.send_replace(is_open);
    }

    async fn pass(&self) {
        // The sender is here.
        let _ = self.0.subscribe().wait_for(|is_open| *is_open).await;
    }
}

impl GatedStore {
    /// An empty one, with its gates open.
    #[expect(clippy::new_without_default, reason = "it is made where it is shared")]
    pub fn new() -> Self {
        Self { inner: MemoryStore::new(), commits: Gate::open(), pages: Gate::open() }
    }
}

impl Store for GatedStore {
    fn load(&self) -> BoxFuture<'_, Result<(Revision, ResourceSet), StoreError>> {
        self.inner.load()
    }

    fn commit(
        &self,
        expected: Revision,
        writes: Vec<Transaction>,
    ) -> BoxFuture<'_, Result<Revision, StoreError>> {
        Box::pin(async move {
            self.commits.pass().await;
            self.inner.commit(expected, writes).await
        })
    }

    fn history(&self, after: Revision, limit: usize) -> BoxFuture<'_, Result<Vec<Arc<Entry>>, StoreError>> {
        self.inner.history(after, limit)
    }

    fn past(&self, revision: Revision) -> BoxFuture<'static, Result<Revision, StoreError>> {
        self.inner.past(revision)
    }

    fn lease(&self, wanted: Lease) -> BoxFuture<'_, Result<Lease, StoreError>> {
        self.inner.lease(wanted)
    }

    fn release(&self, name: &str, holder: &str) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.release(name, holder)
    }

    fn leases(&self, prefix: &str) -> BoxFuture<'_, Result<Vec<Lease>, StoreError>> {
        self.inner.leases(prefix)
    }

    fn document(&self, key: &Key) -> BoxFuture<'_, Result<Option<Arc<Stored<Document>>>, StoreError>> {
        self.inner.document(key)
    }

    fn documents(
        &self,
        query: DocumentQuery,
    ) -> BoxFuture<'_, Result<Vec<Arc<Stored<Document>>>, StoreError>> {
        Box::pin(async move {
            self.pages.pass().await;
            self.inner.documents(query).await
        })
    }
}
