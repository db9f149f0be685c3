//! The store that keeps everything in memory, and loses it with the process.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{Changed, DocumentQuery, Entry, Lease, Leases, Revisions, Store, StoreError, Transaction, Write};
use crate::resource::{AnyResource, Document};
use crate::stored::{ResourceSet, Revision, Stored, StoredAny};
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
    revisions: Revisions,
    leases: Leases,
}

/// Namespace, and `collection/id`.
type DocumentId = (Arc<str>, Arc<str>);

#[derive(Debug, Default)]
struct State {
    revision: Revision,
    resources: ResourceSet,
    documents: BTreeMap<DocumentId, Arc<Stored<Document>>>,
    /// When documents with a time to live are over; entries of documents that were written again may be stale.
    ends: BTreeSet<(Timestamp, DocumentId)>,
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
            self.revisions.set(state.revision);
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
        let start = after.as_deref().map_or(prefix.as_str(), |after| after.max(&prefix));
        let found = self
            .state()
            .documents
            .range((query.namespace.clone(), start.into())..)
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
        self.forget_what_is_over(Timestamp::now());
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
        let id = (key.namespace, key.name);
        self.ends.extend(end_of(&document).map(|end| (end, id.clone())));
        self.documents.insert(id, document).map(|old| old.erase())
    }

    /// Documents of a namespace whose name begins so.
    fn ids(&self, namespace: &Arc<str>, prefix: &str) -> Vec<DocumentId> {
        let from = self.documents.range((namespace.clone(), prefix.into())..).map(|(id, _)| id);
        from.take_while(|id| id.0 == *namespace && id.1.starts_with(prefix)).cloned().collect()
    }

    fn forget_what_is_over(&mut self, now: Timestamp) {
        while let Some((end, _)) = self.ends.first()
            && *end <= now
        {
            let id = self.ends.pop_first().map(|(_, id)| id);
            if let Some(id) = id.filter(|id| self.documents.get(id).is_some_and(|known| is_over(known, now)))
            {
                self.documents.remove(&id);
            }
        }
    }

    fn delete(&mut self, key: &Key) -> Vec<Changed> {
        let gone = |before: StoredAny| Changed { key: before.key(), before: Some(before), after: None };
        let doomed: Vec<_> = match key.kind {
            Kind::Document => vec![(key.namespace.clone(), key.name.clone())],
            Kind::Namespace => self.ids(&key.name, ""),
            Kind::Collection => self.ids(&key.namespace, &format!("{}/", key.name)),
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

/// When a document's time to live is over, if it has one.
fn end_of(document: &Stored<Document>) -> Option<Timestamp> {
    let ttl = SignedDuration::try_from(document.spec.ttl?.get()).ok()?;
    document.meta.updated_at.checked_add(ttl).ok()
}

pub(super) fn is_over(document: &Stored<Document>, now: Timestamp) -> bool {
    end_of(document).is_some_and(|end| end <= now)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::Author;
    use crate::stored::Meta;

    fn document(id: &str, ttl: Option<&str>, updated_at: Timestamp) -> StoredAny {
        let json = json!({ "id": id, "collection": "c", "data": 1, "ttl": ttl });
        let spec: Document = crate::decode(json).unwrap();
        StoredAny { spec: spec.into(), meta: Meta { updated_at, ..Meta::unstored() } }
    }

    fn commit(state: &mut State, writes: Vec<Write>) {
        state.commit(Transaction { writes, author: Author::default() });
    }

    #[test]
    fn documents_whose_time_is_over_do_not_stay_in_memory() {
        let mut state = State::default();
        let now = Timestamp::now();
        let long_ago = now - SignedDuration::from_hours(1);
        let old = |id| Write::Put(document(id, Some("1m"), long_ago));
        commit(&mut state, vec![old("a"), old("b"), Write::Put(document("c", None, long_ago))]);
        commit(&mut state, vec![Write::Put(document("b", Some("2h"), now))]);
        assert_eq!(state.documents.keys().map(|(_, name)| &**name).collect::<Vec<_>>(), ["c/b", "c/c"]);
        assert_eq!(state.ends.len(), 1);
    }

    #[tokio::test]
    async fn documents_are_read_page_by_page_and_by_prefix() {
        let store = MemoryStore::new();
        let now = Timestamp::now();
        let writes = ["a1", "a2", "b1", "b2", "b3"].map(|id| Write::Put(document(id, None, now)));
        store
            .commit(0, vec![Transaction { writes: writes.into(), author: Author::default() }])
            .await
            .unwrap();
        for (prefix, after, limit, expected) in [
            ("", None, 9, &["a1", "a2", "b1", "b2", "b3"][..]),
            ("", Some("a2"), 2, &["b1", "b2"]),
            ("b", None, 2, &["b1", "b2"]),
            ("b", Some("b2"), 9, &["b3"]),
            ("b", Some("a1"), 9, &["b1", "b2", "b3"]),
            ("a", Some("b1"), 9, &[]),
            ("x", None, 9, &[]),
        ] {
            let query = DocumentQuery {
                namespace: "default".into(),
                collection: "c".into(),
                prefix: prefix.to_owned(),
                after: after.map(str::to_owned),
                limit,
            };
            let found = store.documents(query).await.unwrap();
            let ids: Vec<_> = found.iter().map(|document| &*document.spec.id).collect();
            assert_eq!(ids, expected, "{prefix} {after:?}");
        }
    }

    #[tokio::test]
    async fn what_is_in_the_default_namespace_is_there_when_it_is_read_again() {
        let store = MemoryStore::new();
        let route = crate::resource::Route::new("r", "/a");
        let writes = vec![Write::Put(StoredAny { spec: route.into(), meta: Meta::unstored() })];
        store.commit(0, vec![Transaction { writes, author: Author::default() }]).await.unwrap();
        let (revision, resources) = store.load().await.unwrap();
        assert_eq!((revision, resources.len()), (1, 1));
    }
}
