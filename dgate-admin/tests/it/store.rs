//! What every store has to do, one suite for all of them; and what only the one in a file does.

mod crash;
mod file;
mod suite;

use std::sync::Arc;

use dgate_admin::store::{FileStore, FileStoreOptions};
use dgate_core::resource::AnyResource;
use dgate_core::store::{Author, MemoryStore, Store, Transaction, Write};
use dgate_core::stored::{Meta, Revision, StoredAny};
use dgate_core::{Kind, with_kind};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A store that the suite looks at, and what it needs to be there.
struct Subject {
    store: Arc<dyn Store>,
    _directory: Option<tempfile::TempDir>,
}

fn memory() -> Subject {
    Subject { store: Arc::new(MemoryStore::new()), _directory: None }
}

fn file() -> Subject {
    let directory = tempfile::tempdir().unwrap();
    let store = FileStore::open(FileStoreOptions::new(directory.path())).unwrap();
    Subject { store: Arc::new(store), _directory: Some(directory) }
}

fn resource(kind: Kind, value: Value) -> AnyResource {
    with_kind!(kind, R => dgate_core::decode::<R>(value).unwrap().into())
}

fn put(kind: Kind, value: Value, revision: Revision) -> Write {
    put_at(kind, value, revision, Timestamp::now())
}

fn put_at(kind: Kind, value: Value, revision: Revision, updated_at: Timestamp) -> Write {
    let meta = Meta { revision, created_at: updated_at, updated_at, owner: Some("team".into()) };
    Write::Put(StoredAny { spec: resource(kind, value), meta })
}

fn document(id: &str, data: impl Into<Value>, revision: Revision) -> Write {
    put(Kind::Document, json!({ "id": id, "collection": "c", "data": data.into() }), revision)
}

fn service(name: &str, namespace: &str, revision: Revision) -> Write {
    let spec = json!({ "name": name, "namespace": namespace, "urls": ["http://a"] });
    put(Kind::Service, spec, revision)
}

fn transaction(writes: impl Into<Vec<Write>>) -> Transaction {
    let author = Author {
        from: Some("10.0.0.1".to_owned()),
        message: Some("why".to_owned()),
        ..Author::internal("ann")
    };
    Transaction { writes: writes.into(), author }
}

fn an_hour_ago() -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(1)
}
