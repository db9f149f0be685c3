//! Documents, which the store keeps apart from the configuration.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{ApplyError, Planner};
use crate::compile::DocumentCheck;
use crate::resource::{AnyResource, Collection, Document, Resource};
use crate::store::{DocumentQuery, Write};
use crate::stored::{Stored, StoredAny};
use crate::{Key, Kind, Problem, Problems};

/// How many documents are read at a time.
const PAGE: usize = 1_000;
/// How many documents that do not satisfy a new schema are named.
const MOST_NAMED: usize = 20;

/// What becomes of documents: nothing when they go.
#[derive(Debug, Clone, Default)]
pub(super) struct Documents(BTreeMap<Key, Option<StoredAny>>);

/// Nothing was planned for a document.
pub(super) struct Unplanned;

impl Documents {
    pub(super) fn put(&mut self, key: Key, document: StoredAny) {
        self.0.insert(key, Some(document));
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.0.insert(key, None);
    }

    /// What was planned for a document: nothing when it goes.
    ///
    /// # Errors
    /// When nothing was planned.
    pub(super) fn get(&self, key: &Key) -> Result<Option<&StoredAny>, Unplanned> {
        self.0.get(key).map(Option::as_ref).ok_or(Unplanned)
    }
}

/// The compiled schemas of collections, by the address of each: one is enough for all documents of a change set.
#[derive(Default)]
pub(super) struct Schemas(HashMap<usize, (Arc<Stored<Collection>>, DocumentCheck)>);

impl Schemas {
    /// The check for documents of a collection; nothing when its schema is not valid, which is told elsewhere.
    fn check(&mut self, collection: &Arc<Stored<Collection>>) -> Option<&DocumentCheck> {
        match self.0.entry(Arc::as_ptr(collection).addr()) {
            Entry::Occupied(known) => Some(&known.into_mut().1),
            Entry::Vacant(place) => {
                let check = DocumentCheck::new(&collection.spec).ok()?;
                Some(&place.insert((collection.clone(), check)).1)
            }
        }
    }
}

impl Planner<'_> {
    pub(super) fn check_document(&mut self, key: &Key, document: &Document) {
        let tables = self.plan.next.tables(&key.namespace);
        let Some(collection) = tables.and_then(|tables| tables.collections.get(&document.collection)) else {
            let (collection, namespace) = (&document.collection, &key.namespace);
            let names = tables.into_iter().flat_map(|tables| tables.collections.names());
            let help = crate::problems::did_you_mean(collection, names);
            let text = format!("collection `{collection}` does not exist in namespace `{namespace}`");
            self.problems.push(Problem::error("/collection", text).with_help_if(help).about(key));
            return;
        };
        let checked = self.schemas.check(collection).map_or(Ok(()), |check| check.check(document));
        self.problems.extend(checked.err().unwrap_or_default());
    }

    /// A new schema holds for the documents that are there already.
    pub(super) async fn check_documents_of_changed_schemas(&mut self) -> Result<(), ApplyError> {
        let changed: Vec<_> = self.plan.writes.iter().filter_map(collection_with_schema).collect();
        for collection in changed {
            let key = collection.key();
            let tables = self.plan.next.tables(&key.namespace);
            let Some(stored) = tables.and_then(|tables| tables.collections.get(&key.name)).cloned() else {
                continue;
            };
            let documents = self.documents_of(&key).await?;
            let Some(check) = self.schemas.check(&stored) else { continue };
            let wrong = documents.iter().filter_map(|document| match &document.spec {
                AnyResource::Document(document) => check.check(document).err(),
                _ => None,
            });
            let wrong: Problems = wrong.flatten().take(MOST_NAMED).collect();
            self.problems.extend(wrong.into_iter().map(|problem| {
                Problem::error("/schema", format!("it does not hold for what is there: {problem}"))
                    .about(&key)
            }));
        }
        Ok(())
    }

    /// The documents of a collection, with what was planned so far.
    pub(super) async fn documents_of(&self, collection: &Key) -> Result<Vec<StoredAny>, ApplyError> {
        let mut found = BTreeMap::new();
        let mut after = None;
        loop {
            let query = DocumentQuery {
                namespace: collection.namespace.clone(),
                collection: collection.name.clone(),
                prefix: String::new(),
                after: after.take(),
                limit: PAGE,
            };
            let page = self.around.store.documents(query).await?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|document| document.spec.id.clone());
            found.extend(page.iter().map(|document| (document.spec.key(), document.erase())));
            if is_last {
                break;
            }
        }
        let prefix = format!("{}/", collection.name);
        let first = Key::new(Kind::Document, collection.namespace.clone(), prefix.as_str());
        let planned = self.plan.documents.0.range(first..).take_while(|(key, _)| {
            key.kind == Kind::Document
                && key.namespace == collection.namespace
                && key.name.starts_with(&prefix)
        });
        for (key, document) in planned {
            match document {
                Some(document) => found.insert(key.clone(), document.clone()),
                None => found.remove(key),
            };
        }
        Ok(found.into_values().collect())
    }
}

fn collection_with_schema(write: &Write) -> Option<Arc<Collection>> {
    match write {
        Write::Put(StoredAny { spec: AnyResource::Collection(collection), .. }) => {
            collection.schema.is_some().then(|| collection.clone())
        }
        _ => None,
    }
}
