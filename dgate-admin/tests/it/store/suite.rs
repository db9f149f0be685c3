//! What every store has to do.

use std::time::Duration;

use dgate_core::store::{DocumentQuery, Lease, Store, StoreError, Write};
use dgate_core::{Key, Kind};
use serde_json::json;

use super::{an_hour_ago, document, put, put_at, service, transaction};

macro_rules! suite {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                let subject = super::super::memory();
                super::$name(&*subject.store).await;
            })*
        }

        mod file {
            $(#[tokio::test]
            async fn $name() {
                let subject = super::super::file();
                super::$name(&*subject.store).await;
            })*
        }
    };
}

suite!(
    what_is_written_can_be_read,
    transactions_take_one_revision_each_and_all_or_none_are_written,
    a_namespace_goes_with_its_contents_and_a_collection_with_its_documents,
    documents_are_over_when_their_time_to_live_is,
    documents_are_read_page_by_page_and_by_prefix,
    the_history_tells_what_was_before_and_after,
    writers_at_the_same_revision_are_told_apart,
    whoever_follows_sees_every_revision_once_and_in_order,
    a_lease_belongs_to_one_holder_for_its_time,
);

fn key(kind: Kind, name: &str) -> Key {
    Key::new(kind, "default", name)
}

async fn what_is_written_can_be_read(store: &dyn Store) {
    let writes = [
        put(Kind::Namespace, json!({ "name": "default", "tags": ["a"] }), 1),
        service("s", "default", 1),
        put(Kind::Secret, json!({ "name": "token", "data": "hunter2" }), 1),
        put(
            Kind::Route,
            json!({ "name": "r", "paths": ["/a"], "match": { "headers": { "x": { "prefix": "1" } } }, "timeout": "250ms" }),
            1,
        ),
        put(Kind::Collection, json!({ "name": "c", "schema": { "type": "object" } }), 1),
        document("d", json!({ "n": [1, null, "x"] }), 1),
    ];
    assert_eq!(store.commit(0, vec![transaction(writes.clone())]).await.unwrap(), 1);
    let (revision, resources) = store.load().await.unwrap();
    assert_eq!((revision, resources.len()), (1, 5), "documents are not configuration");
    for write in writes {
        let Write::Put(stored) = write else { unreachable!() };
        let found = if stored.spec.kind() == Kind::Document {
            store.document(&stored.key()).await.unwrap().map(|document| document.erase())
        } else {
            resources.get(&stored.key())
        };
        assert_eq!(found, Some(stored));
    }
    assert_eq!(store.document(&key(Kind::Document, "c/missing")).await.unwrap(), None);
    assert_eq!(store.document(&Key::new(Kind::Document, "other", "c/d")).await.unwrap(), None);
}

async fn transactions_take_one_revision_each_and_all_or_none_are_written(store: &dyn Store) {
    let two = vec![transaction([service("a", "default", 1)]), transaction([service("b", "default", 2)])];
    assert_eq!(store.commit(0, two.clone()).await.unwrap(), 2);
    let conflict = store.commit(1, two).await.unwrap_err();
    assert!(matches!(conflict, StoreError::Conflict { expected: 1, actual: 2 }), "{conflict}");
    assert_eq!(store.load().await.unwrap().1.len(), 2);
    assert_eq!(store.history(0, 10).await.unwrap().len(), 2);
    assert_eq!(store.commit(2, Vec::new()).await.unwrap(), 2);
    let replaced = put(Kind::Service, json!({ "name": "a", "urls": ["http://b"] }), 3);
    store.commit(2, vec![transaction([replaced])]).await.unwrap();
    let service = store.load().await.unwrap().1.get(&key(Kind::Service, "a")).unwrap();
    assert_eq!(service.meta.revision, 3);
    let deletion =
        transaction([Write::Delete(key(Kind::Service, "a")), Write::Delete(key(Kind::Service, "never"))]);
    store.commit(3, vec![deletion]).await.unwrap();
    assert!(store.load().await.unwrap().1.get(&key(Kind::Service, "a")).is_none());
}

async fn a_namespace_goes_with_its_contents_and_a_collection_with_its_documents(store: &dyn Store) {
    let in_other = |id: &str, collection: &str| {
        put(Kind::Document, json!({ "id": id, "namespace": "n", "collection": collection, "data": 1 }), 1)
    };
    let writes = [
        put(Kind::Namespace, json!({ "name": "n" }), 1),
        put(Kind::Namespace, json!({ "name": "n2" }), 1),
        service("s", "n", 1),
        service("s", "n2", 1),
        put(Kind::Collection, json!({ "name": "c", "namespace": "n" }), 1),
        put(Kind::Collection, json!({ "name": "cc", "namespace": "n" }), 1),
        in_other("a", "c"),
        in_other("b", "c"),
        in_other("a", "cc"),
    ];
    store.commit(0, vec![transaction(writes)]).await.unwrap();
    let collection = Write::Delete(Key::new(Kind::Collection, "n", "c"));
    store.commit(1, vec![transaction([collection])]).await.unwrap();
    let document = async |name: &str| store.document(&Key::new(Kind::Document, "n", name)).await.unwrap();
    assert!(document("c/a").await.is_none() && document("cc/a").await.is_some());
    assert_eq!(store.load().await.unwrap().1.len(), 5);
    store.commit(2, vec![transaction([Write::Delete(Key::new(Kind::Namespace, "", "n"))])]).await.unwrap();
    let (_, resources) = store.load().await.unwrap();
    let left: Vec<_> = resources.iter().map(|stored| stored.key().to_string()).collect();
    assert_eq!(left, ["namespace/n2", "service/n2/s"]);
    assert!(document("cc/a").await.is_none());
    let gone: usize = store.history(1, 10).await.unwrap().iter().map(|entry| entry.changes.len()).sum();
    assert_eq!(gone, 7, "each thing that went is told");
}

async fn documents_are_over_when_their_time_to_live_is(store: &dyn Store) {
    let with_ttl = |id: &str, ttl: &str, revision, at| {
        put_at(Kind::Document, json!({ "id": id, "collection": "c", "data": 1, "ttl": ttl }), revision, at)
    };
    let old = [
        with_ttl("over", "1m", 1, an_hour_ago()),
        with_ttl("there", "2h", 1, an_hour_ago()),
        with_ttl("renewed", "1m", 1, an_hour_ago()),
    ];
    store.commit(0, vec![transaction(old)]).await.unwrap();
    let now = jiff::Timestamp::now();
    store.commit(1, vec![transaction([with_ttl("renewed", "1h", 2, now)])]).await.unwrap();
    store.commit(2, vec![transaction([document("other", json!(1), 3)])]).await.unwrap();
    let there =
        async |id: &str| store.document(&key(Kind::Document, &format!("c/{id}"))).await.unwrap().is_some();
    assert!(!there("over").await && there("there").await && there("renewed").await);
    let query = DocumentQuery {
        namespace: "default".into(),
        collection: "c".into(),
        prefix: String::new(),
        after: None,
        limit: 10,
    };
    let ids: Vec<_> =
        store.documents(query).await.unwrap().iter().map(|found| found.spec.id.clone()).collect();
    assert_eq!(ids, ["other", "renewed", "there"]);
}

async fn documents_are_read_page_by_page_and_by_prefix(store: &dyn Store) {
    let writes: Vec<_> = ["a1", "a2", "b1", "b2", "b3"].map(|id| document(id, json!(id), 1)).into();
    let others = put(Kind::Document, json!({ "id": "a0", "collection": "d", "data": 1 }), 1);
    store.commit(0, vec![transaction(writes), transaction([others])]).await.unwrap();
    for (prefix, after, limit, expected) in [
        ("", None, 9, &["a1", "a2", "b1", "b2", "b3"][..]),
        ("", Some("a2"), 2, &["b1", "b2"]),
        ("b", None, 2, &["b1", "b2"]),
        ("b", Some("b2"), 9, &["b3"]),
        ("b", Some("a1"), 9, &["b1", "b2", "b3"]),
        ("a", Some("b1"), 9, &[]),
        ("x", None, 9, &[]),
        ("", None, 0, &[]),
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

async fn the_history_tells_what_was_before_and_after(store: &dyn Store) {
    let secret = |data: &str, revision| put(Kind::Secret, json!({ "name": "token", "data": data }), revision);
    store.commit(0, vec![transaction([secret("one", 1)])]).await.unwrap();
    store.commit(1, vec![transaction([secret("two", 2)])]).await.unwrap();
    store.commit(2, vec![transaction([Write::Delete(key(Kind::Secret, "token"))])]).await.unwrap();
    let history = store.history(0, 10).await.unwrap();
    let data = |stored: &Option<dgate_core::stored::StoredAny>| {
        stored
            .as_ref()
            .map(|stored| serde_json::to_value(&stored.spec).unwrap()["data"].as_str().unwrap().to_owned())
    };
    let told: Vec<_> = history
        .iter()
        .map(|entry| (entry.revision, data(&entry.changes[0].before), data(&entry.changes[0].after)))
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(told, [(1, None, text("one")), (2, text("one"), text("two")), (3, text("two"), None)]);
    let first = &history[0];
    assert_eq!((&*first.author.who, first.author.message.as_deref()), ("ann", Some("why")));
    assert!(first.at <= jiff::Timestamp::now() && first.at > an_hour_ago());
    assert_eq!(store.history(1, 1).await.unwrap()[0].revision, 2);
    assert!(store.history(3, 10).await.unwrap().is_empty());
    assert!(store.history(u64::MAX, 10).await.unwrap().is_empty());
}

async fn writers_at_the_same_revision_are_told_apart(store: &dyn Store) {
    for revision in 0..20 {
        let write =
            |name: &str| store.commit(revision, vec![transaction([service(name, "default", revision + 1)])]);
        let (a, b, c) = tokio::join!(write("a"), write("b"), write("c"));
        let won = [a, b, c].into_iter().flatten().count();
        assert_eq!(won, 1, "after revision {revision}");
    }
    assert_eq!(store.load().await.unwrap().0, 20);
}

async fn whoever_follows_sees_every_revision_once_and_in_order(store: &dyn Store) {
    const LAST: u64 = 30;
    let write = async {
        for revision in 0..LAST {
            let name = format!("s{revision}");
            let written = service(&name, "default", revision + 1);
            store.commit(revision, vec![transaction([written])]).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let follow = async {
        let (mut seen, mut at) = (Vec::new(), 0);
        while at < LAST {
            assert!(store.past(at).await.unwrap() > at);
            // In small steps, as after a break.
            for entry in store.history(at, 4).await.unwrap() {
                at = entry.revision;
                seen.push(entry.revision);
            }
        }
        seen
    };
    let ((), seen) = tokio::join!(write, follow);
    assert_eq!(seen, (1..=LAST).collect::<Vec<_>>());
    assert_eq!(store.past(LAST - 1).await.unwrap(), LAST, "what has come already is there at once");
    let mut later = store.past(LAST);
    let nothing_yet = futures_util::FutureExt::now_or_never(&mut later);
    assert!(nothing_yet.is_none());
    store.commit(LAST, vec![transaction([document("d", json!(1), LAST + 1)])]).await.unwrap();
    assert_eq!(later.await.unwrap(), LAST + 1);
}

async fn a_lease_belongs_to_one_holder_for_its_time(store: &dyn Store) {
    tokio::time::pause();
    let second = Duration::from_secs(1);
    let wanted = |name: &str, holder: &str| Lease {
        name: name.to_owned(),
        holder: holder.to_owned(),
        value: json!({ "by": holder }),
        lasts: 10 * second,
    };
    let take = async |name: &str, holder: &str| store.lease(wanted(name, holder)).await.unwrap();
    assert_eq!(take("job/a", "ann").await, wanted("job/a", "ann"));
    tokio::time::advance(4 * second).await;
    let held = take("job/a", "bob").await;
    assert_eq!((&*held.holder, held.lasts, &held.value), ("ann", 6 * second, &json!({ "by": "ann" })));
    assert_eq!(take("job/a", "ann").await.lasts, 10 * second, "renewed");
    tokio::time::advance(9 * second).await;
    take("job/b", "bob").await;
    take("node/x", "bob").await;
    let names = async |prefix: &str| -> Vec<String> {
        store.leases(prefix).await.unwrap().into_iter().map(|lease| lease.name).collect()
    };
    assert_eq!(names("job/").await, ["job/a", "job/b"]);
    tokio::time::advance(second).await;
    assert_eq!(names("").await, ["job/b", "node/x"], "what is not renewed is over");
    assert_eq!(take("job/a", "bob").await.holder, "bob");
    store.release("job/a", "ann").await.unwrap();
    assert_eq!(take("job/a", "ann").await.holder, "bob", "nobody gives back what is another's");
    store.release("job/a", "bob").await.unwrap();
    assert_eq!(take("job/a", "ann").await.holder, "ann");
}
