//! A store that reads from another one and keeps what is written to itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::memory::is_over;
use super::{DocumentQuery, Entry, Lease, Leases, Revisions, Store, StoreError, Transaction, Write};
use crate::resource::{AnyResource, Document, Resource as _};
use crate::stored::{ResourceSet, Revision, Stored, StoredAny};
use crate::{BoxFuture, Key, Kind};

/// A store for trying things: it reads documents from another one, and what is written to it stays in it. Whoever tries
/// something sees what it has written; nobody else does, and nothing is left of it.
///
/// It has no history.
pub struct DraftStore {
    below: Arc<dyn Store>,
    state: Mutex<State>,
    revisions: Revisions,
    leases: Leases,
}

#[derive(Default)]
struct State {
    revision: Revision,
    resources: ResourceSet,
    /// Documents that are not as they are below: written, or gone.
    documents: BTreeMap<Key, Option<Arc<Stored<Document>>>>,
    /// Namespaces and collections that were deleted, with all that is below in them.
    gone: Vec<Key>,
}

/// What became of a document in a draft.
enum Here {
    AsBelow,
    Gone,
    Written(Arc<Stored<Document>>),
}

impl DraftStore {
    /// A draft over another store's documents, which begins with these resources.
    pub fn new(below: Arc<dyn Store>, revision: Revision, resources: ResourceSet) -> Self {
        let state = Mutex::new(State { revision, resources, ..State::default() });
        let (revisions, leases) = (Revisions::default(), Leases::default());
        revisions.set(revision);
        Self { below, state, revisions, leases }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is written was validated before, so nothing panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for DraftStore {
    fn load(&self) -> BoxFuture<'_, Result<(Revision, ResourceSet), StoreError>> {
        let state = self.state();
        let loaded = (state.revision, state.resources.clone());
        Box::pin(std::future::ready(Ok(loaded)))
    }

    fn commit(
        &self,
        expected: Revision,
        transactions: Vec<Transaction>,
    ) -> BoxFuture<'_, Result<Revision, StoreError>> {
        let mut state = self.state();
        let result = if expected == state.revision {
            transactions.into_iter().for_each(|transaction| state.commit(transaction));
            self.revisions.set(state.revision);
            Ok(state.revision)
        } else {
            Err(StoreError::Conflict { expected, actual: state.revision })
        };
        Box::pin(std::future::ready(result))
    }

    fn history(&self, _: Revision, _: usize) -> BoxFuture<'_, Result<Vec<Arc<Entry>>, StoreError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn past(&self, revision: Revision) -> BoxFuture<'static, Result<Revision, StoreError>> {
        self.revisions.past(revision)
    }

    fn lease(&self, wanted: Lease) -> BoxFuture<'_, Result<Lease, StoreError>> {
        Box::pin(std::future::ready(Ok(self.leases.take(wanted))))
    }

    fn release(&self, name: &str, holder: &str) -> BoxFuture<'_, Result<(), StoreError>> {
        self.leases.release(name, holder);
        Box::pin(std::future::ready(Ok(())))
    }

    fn leases(&self, prefix: &str) -> BoxFuture<'_, Result<Vec<Lease>, StoreError>> {
        Box::pin(std::future::ready(Ok(self.leases.list(prefix))))
    }

    fn document(&self, key: &Key) -> BoxFuture<'_, Result<Option<Arc<Stored<Document>>>, StoreError>> {
        let key = key.clone();
        Box::pin(async move {
            let here = self.state().find(&key);
            match here {
                Here::AsBelow => self.below.document(&key).await,
                Here::Gone => Ok(None),
                Here::Written(document) => Ok(Some(document)),
            }
        })
    }

    fn documents(
        &self,
        query: DocumentQuery,
    ) -> BoxFuture<'_, Result<Vec<Arc<Stored<Document>>>, StoreError>> {
        Box::pin(async move {
            let mut found: BTreeMap<Key, Arc<Stored<Document>>> = BTreeMap::new();
            let mut after = query.after.clone();
            loop {
                let below =
                    self.below.documents(DocumentQuery { after: after.take(), ..query.clone() }).await?;
                let is_last = below.len() < query.limit;
                after = below.last().map(|document| document.spec.id.clone());
                {
                    let state = self.state();
                    let there = |document: &Arc<Stored<Document>>| {
                        let key = document.spec.key();
                        matches!(state.find(&key), Here::AsBelow).then_some((key, document.clone()))
                    };
                    found.extend(below.iter().filter_map(there));
                }
                // What is gone here leaves a gap, which more from below fills.
                if is_last || found.len() >= query.limit {
                    break;
                }
            }
            found.extend(self.state().written(&query));
            Ok(found.into_values().take(query.limit).collect())
        })
    }
}

impl State {
    fn commit(&mut self, transaction: Transaction) {
        self.revision += 1;
        for write in transaction.writes {
            match write {
                Write::Put(StoredAny { spec: AnyResource::Document(spec), meta }) => {
                    self.documents.insert(spec.key(), Some(Arc::new(Stored { spec, meta })));
                }
                Write::Put(resource) => drop(self.resources.put(resource)),
                Write::Delete(key) if key.kind == Kind::Document => {
                    self.documents.insert(key, None);
                }
                Write::Delete(key) => {
                    self.documents.retain(|document, _| !holds(&key, document));
                    self.resources.remove(&key);
                    self.gone.push(key);
                }
            }
        }
    }

    fn find(&self, key: &Key) -> Here {
        match self.documents.get(key) {
            Some(Some(document)) if !is_over(document, Timestamp::now()) => Here::Written(document.clone()),
            Some(_) => Here::Gone,
            None if self.gone.iter().any(|gone| holds(gone, key)) => Here::Gone,
            None => Here::AsBelow,
        }
    }

    /// Documents that were written here.
    fn written(&self, query: &DocumentQuery) -> Vec<(Key, Arc<Stored<Document>>)> {
        let now = Timestamp::now();
        let is_wanted = |document: &Arc<Stored<Document>>| {
            let spec = &document.spec;
            spec.namespace == *query.namespace
                && spec.collection == *query.collection
                && spec.id.starts_with(&query.prefix)
                && query.after.as_ref().is_none_or(|after| spec.id > *after)
                && !is_over(document, now)
        };
        let written = self.documents.iter().filter_map(|(key, written)| Some((key, written.as_ref()?)));
        written
            .filter(|(_, document)| is_wanted(document))
            .map(|(key, document)| (key.clone(), document.clone()))
            .collect()
    }
}

/// Whether a document is in a namespace or collection.
fn holds(container: &Key, document: &Key) -> bool {
    match container.kind {
        Kind::Namespace => document.namespace == container.name,
        Kind::Collection => {
            document.namespace == container.namespace
                && document.name.split_once('/').is_some_and(|(collection, _)| *collection == *container.name)
        }
        _ => false,
    }
}

impl std::fmt::Debug for DraftStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DraftStore").field("revision", &self.state().revision).finish_non_exhaustive()
    }
}
