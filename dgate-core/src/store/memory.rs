//! The store that keeps everything in memory, and loses it with the process.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{Changed, DocumentQuery, Entry, Store, StoreError, Transaction, Write};
use crate::resource::{AnyResource, Document};
use crate::stored::{Meta, ResourceSet, Revision, Stored, StoredAny};
use crate::{BoxFuture, Key, Kind};

/// How many transactions the history keeps.
const HISTORY: usize = 1_000;

/// The store that keeps everything in memory, and loses it with the process.
///
/// ```
/// # async fn example() -> Result<(), dgate_core::store::StoreError> {
/// use dgate_core::store::{MemoryStore, Store};
/// let store = MemoryStore::new();
/// let (revision, resources) = store.load().await?;
/// assert_eq!((revision, resources.len()), (0, 0));
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    revision: Revision,
    resources: ResourceSet,
    documents: BTreeMap<(Arc<str>, Arc<str>), Arc<Stored<Document>>>,
    history: VecDeque<Arc<Entry>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A commit cannot panic half-way: what it writes was validated before.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
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
            Ok(state.revision)
        } else {
            Err(StoreError::Conflict { expected, actual: state.revision })
        };
        Box::pin(std::future::ready(result))
    }

    fn history(&self, after: Revision, limit: usize) -> BoxFuture<'_, Result<Vec<Arc<Entry>>, StoreError>> {
        let entries =
            self.state().history.iter().filter(|entry| entry.revision > after).take(limit).cloned().collect();
        Box::pin(std::future::ready(Ok(entries)))
    }

    fn document(&self, key: &Key) -> BoxFuture<'_, Result<Option<Arc<Stored<Document>>>, StoreError>> {
        let found = self.state().documents.get(&(key.namespace.clone(), key.name.clone())).cloned();
        let now = Timestamp::now();
        Box::pin(std::future::ready(Ok(found.filter(|document| !is_over(document, now)))))
    }

    fn documents(
        &self,
        query: DocumentQuery,
    ) -> BoxFuture<'_, Result<Vec<Arc<Stored<Document>>>, StoreError>> {
        let now = Timestamp::now();
        let prefix = format!("{}/{}", query.collection, query.prefix);
        let after = query.after.map(|id| format!("{}/{id}", query.collection));
        let start: Arc<str> = after.as_deref().unwrap_or(&prefix).into();
        let found = self
            .state()
            .documents
            .range((query.namespace.clone(), start)..)
            .take_while(|((namespace, name), _)| *namespace == query.namespace && name.starts_with(&prefix))
            .filter(|((_, name), document)| Some(&**name) != after.as_deref() && !is_over(document, now))
            .take(query.limit)
            .map(|(_, document)| document.clone())
            .collect();
        Box::pin(std::future::ready(Ok(found)))
    }
}

impl State {
    fn commit(&mut self, transaction: Transaction) {
        let Transaction { writes, author } = transaction;
        self.revision += 1;
        let revision = self.revision;
        let mut changes = Vec::with_capacity(writes.len());
        for write in writes {
            match write {
                Write::Put(resource) => {
                    let key = resource.key();
                    let before = self.put(resource.clone());
                    changes.push(Changed { key, before, after: Some(resource) });
                }
                Write::Delete(key) => changes.extend(self.delete(&key)),
            }
        }
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(Arc::new(Entry { revision, at: Timestamp::now(), author, changes }));
    }

    fn put(&mut self, resource: StoredAny) -> Option<StoredAny> {
        let StoredAny { spec: AnyResource::Document(spec), meta } = resource else {
            return self.resources.put(resource);
        };
        let key = crate::resource::Resource::key(&*spec);
        let document = Arc::new(Stored { spec, meta });
        self.documents.insert((key.namespace, key.name), document).map(|old| old.erase())
    }

    fn delete(&mut self, key: &Key) -> Vec<Changed> {
        let gone = |before: StoredAny| Changed { key: before.key(), before: Some(before), after: None };
        let doomed: Vec<_> = match key.kind {
            Kind::Document => vec![(key.namespace.clone(), key.name.clone())],
            Kind::Namespace => {
                self.documents.keys().filter(|(namespace, _)| *namespace == key.name).cloned().collect()
            }
            Kind::Collection => {
                let prefix = format!("{}/", key.name);
                let inside = |(namespace, name): &&(Arc<str>, Arc<str>)| {
                    *namespace == key.namespace && name.starts_with(&prefix)
                };
                self.documents.keys().filter(inside).cloned().collect()
            }
            _ => Vec::new(),
        };
        let documents = doomed.into_iter().filter_map(|id| self.documents.remove(&id)).map(|old| old.erase());
        let mut changes: Vec<_> = documents.map(gone).collect();
        if key.kind == Kind::Namespace
            && let Some(tables) = self.resources.tables(&key.name)
        {
            changes.extend(tables.iter().map(gone));
        }
        changes.extend(self.resources.remove(key).map(gone));
        changes
    }
}

/// Whether a document's time to live is over.
fn is_over(document: &Stored<Document>, now: Timestamp) -> bool {
    let Meta { updated_at, .. } = document.meta;
    document.spec.ttl.is_some_and(|ttl| {
        SignedDuration::try_from(ttl.get())
            .is_ok_and(|ttl| updated_at.saturating_add(ttl).is_ok_and(|end| end <= now))
    })
}
