//! Documents of a local gateway.

use std::sync::{Arc, Weak};

use dgate_core::apply::{Applied, Applier, ApplyError, ChangeSet};
use dgate_core::capability::Documents;
use dgate_core::resource::Document;
use dgate_core::store::{DocumentQuery, Store, StoreError};
use dgate_core::stored::Stored;
use dgate_core::{BoxFuture, Key};

/// Documents of a local gateway. They do not keep its pipeline alive: the pipeline holds the modules, which hold these.
pub(super) struct LocalDocuments {
    store: Arc<dyn Store>,
    applier: Weak<Applier>,
}

impl LocalDocuments {
    pub(super) fn new(store: Arc<dyn Store>, applier: &Arc<Applier>) -> Self {
        Self { store, applier: Arc::downgrade(applier) }
    }
}

impl Documents for LocalDocuments {
    fn document(&self, key: Key) -> BoxFuture<'static, Result<Option<Arc<Stored<Document>>>, StoreError>> {
        let store = self.store.clone();
        Box::pin(async move { store.document(&key).await })
    }

    fn documents(
        &self,
        query: DocumentQuery,
    ) -> BoxFuture<'static, Result<Vec<Arc<Stored<Document>>>, StoreError>> {
        let store = self.store.clone();
        Box::pin(async move { store.documents(query).await })
    }

    fn apply(&self, changes: ChangeSet) -> BoxFuture<'static, Result<Applied, ApplyError>> {
        let applier = self.applier.upgrade();
        Box::pin(async move { applier.ok_or(ApplyError::Stopped)?.apply(changes).await })
    }

    fn revision(&self) -> u64 {
        self.applier.upgrade().map_or(0, |applier| applier.live().load().revision)
    }
}
