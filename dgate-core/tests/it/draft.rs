//! Drafts over another store.

use std::sync::Arc;

use dgate_core::resource::Document;
use dgate_core::store::{Author, DocumentQuery, DraftStore, MemoryStore, Store, Transaction, Write};
use dgate_core::stored::{Meta, ResourceSet, Revision, StoredAny};
use dgate_core::{Key, Kind};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

fn put(collection: &str, id: &str, data: u64, revision: Revision, ttl: Option<&str>) -> Write {
    let json = json!({ "id": id, "collection": collection, "data": data, "ttl": ttl });
    let spec: Document = dgate_core::decode(json).unwrap();
    let updated_at = Timestamp::now() - SignedDuration::from_hours(1);
    Write::Put(StoredAny { spec: spec.into(), meta: Meta { revision, updated_at, ..Meta::unstored() } })
}

fn transaction(writes: impl Into<Vec<Write>>) -> Vec<Transaction> {
    vec![Transaction { writes: writes.into(), author: Author::internal("test") }]
}

fn key(name: &str) -> Key {
    Key::new(Kind::Document, "default", name)
}

async fn page(store: &dyn Store, collection: &str, after: Option<&str>, limit: usize) -> Vec<(String, u64)> {
    let query = DocumentQuery {
        namespace: "default".into(),
        collection: collection.into(),
        prefix: String::new(),
        after: after.map(str::to_owned),
        limit,
    };
    let found = store.documents(query).await.unwrap();
    found.iter().map(|found| (found.spec.id.clone(), found.spec.data.as_u64().unwrap())).collect()
}

async fn below() -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    let writes = [put("c", "a", 1, 1, None), put("c", "b", 1, 1, None), put("c", "d", 1, 1, None)];
    store.commit(0, transaction(writes)).await.unwrap();
    store.commit(1, transaction([put("other", "a", 1, 2, None)])).await.unwrap();
    store
}

#[tokio::test]
async fn what_is_written_to_a_draft_stays_in_it() {
    let below = below().await;
    let draft = DraftStore::new(below.clone(), 2, ResourceSet::with_default_namespace());
    assert_eq!(draft.load().await.unwrap().0, 2);
    let writes = [
        put("c", "a", 2, 3, None),
        put("c", "c", 2, 3, None),
        put("c", "over", 2, 3, Some("1m")),
        Write::Delete(key("c/b")),
    ];
    assert_eq!(draft.commit(2, transaction(writes.clone())).await.unwrap(), 3);
    assert!(draft.commit(2, transaction(writes)).await.is_err(), "it is at revision 3");
    let named = |pairs: &[(&str, u64)]| -> Vec<(String, u64)> {
        pairs.iter().map(|(id, data)| ((*id).to_owned(), *data)).collect()
    };
    assert_eq!(page(&draft, "c", None, 9).await, named(&[("a", 2), ("c", 2), ("d", 1)]));
    assert_eq!(page(&draft, "c", None, 1).await, named(&[("a", 2)]));
    assert_eq!(page(&draft, "c", Some("a"), 2).await, named(&[("c", 2), ("d", 1)]));
    assert_eq!(page(&draft, "c", Some("c"), 1).await, named(&[("d", 1)]));
    assert_eq!(page(&draft, "c", None, 0).await, named(&[]));
    assert_eq!(page(&draft, "other", None, 9).await, named(&[("a", 1)]));
    assert!(draft.document(&key("c/b")).await.unwrap().is_none());
    assert!(draft.document(&key("c/over")).await.unwrap().is_none());
    assert_eq!(draft.document(&key("c/d")).await.unwrap().unwrap().spec.data, 1);
    assert_eq!(page(&*below, "c", None, 9).await, named(&[("a", 1), ("b", 1), ("d", 1)]));
    assert_eq!(below.history(0, 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_collection_goes_from_a_draft_with_what_is_below() {
    let draft = DraftStore::new(below().await, 2, ResourceSet::with_default_namespace());
    let gone = Write::Delete(Key::new(Kind::Collection, "default", "c"));
    draft.commit(2, transaction([put("c", "z", 2, 3, None), gone])).await.unwrap();
    assert!(page(&draft, "c", None, 9).await.is_empty());
    assert!(draft.document(&key("c/a")).await.unwrap().is_none());
    assert_eq!(page(&draft, "other", None, 9).await.len(), 1);
    draft.commit(3, transaction([put("c", "a", 3, 4, None)])).await.unwrap();
    assert_eq!(page(&draft, "c", None, 9).await, [("a".to_owned(), 3)]);
}
