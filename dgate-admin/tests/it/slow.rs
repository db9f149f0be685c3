//! Slow disks, slow readers, and much at once: others do not wait for it.

use std::sync::Arc;

use dgate_admin::auth::Auth;
use dgate_core::store::{Author, GatedStore, Store, Transaction, Write};
use dgate_core::stored::{Meta, StoredAny};
use http::Method;
use serde_json::{Value, json};

use crate::kit::{Kit, LOCAL, request};

#[tokio::test]
async fn a_change_is_answered_when_the_disk_has_it_and_nobody_else_waits() {
    let store = Arc::new(GatedStore::new());
    let kit = Arc::new(Kit::with(store.clone(), Auth::none()).await);
    kit.put("/api/v1/service/default/s", json!({ "urls": ["http://a"] })).await.is(201);
    store.commits.set(false);
    let change = tokio::spawn({
        let kit = kit.clone();
        async move { kit.put("/api/v1/service/default/s", json!({ "urls": ["http://b"] })).await }
    });
    for _ in 0..50 {
        for path in ["/api/v1/service", "/api/v1/stats", "/api/v1/export", "/api/v1/changelog", "/readyz"] {
            kit.get(path).await.is(200);
        }
        let read = kit.get("/api/v1/service/default/s").await.is(200);
        assert_eq!((&read["data"]["urls"][0], &read["revision"]), (&json!("http://a"), &json!(1)));
        assert!(!change.is_finished(), "it is not on the disk yet");
    }
    store.commits.set(true);
    assert_eq!(change.await.unwrap().is(200)["revision"], 2);
    let read = kit.get("/api/v1/service/default/s").await.is(200);
    assert_eq!(read["data"]["urls"][0], "http://b");
}

/// As many documents, written past the API.
async fn write_documents(store: &dyn Store, revision: u64, count: usize) {
    let document = |number: usize| {
        let json = json!({ "id": format!("d{number:05}"), "collection": "c", "data": { "n": number } });
        let spec: dgate_core::resource::Document = dgate_core::decode(json).unwrap();
        let meta = Meta { revision: revision + 1, ..Meta::unstored() };
        Write::Put(StoredAny { spec: spec.into(), meta })
    };
    let writes = (0..count).map(document).collect();
    let transaction = Transaction { writes, author: Author::internal("test") };
    store.commit(revision, vec![transaction]).await.unwrap();
}

#[tokio::test]
async fn an_export_comes_in_pieces_and_is_whole() {
    const COUNT: usize = 2_500;
    let store = Arc::new(GatedStore::new());
    let kit = Kit::with(store.clone(), Auth::none()).await;
    let resources = json!({ "collections": [{ "name": "c" }, { "name": "empty" }, { "name": "other" }],
        "documents": [{ "id": "x", "collection": "other", "data": 1 }] });
    kit.post("/api/v1/apply", json!({ "resources": resources })).await.is(200);
    write_documents(&*store, 1, COUNT).await;
    // Others write to the store, and what they have written goes live.
    while kit.get("/api/v1/stats").await.is(200)["data"]["revision"] != 2 {
        tokio::task::yield_now().await;
    }

    let export = request(Method::GET, "/api/v1/export?documents", None, &[]);
    let response = kit.api.answer(export, LOCAL.into()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["etag"], "\"2\"");
    let mut body = response.into_body();
    let (mut text, mut pieces) = (Vec::new(), 0);
    // The first pieces are there; the rest is read when it is wanted, and meanwhile others are answered.
    store.pages.set(false);
    while pieces < 3 {
        let frame = body.frame().await.unwrap().unwrap();
        text.extend(frame.into_data().unwrap());
        pieces += 1;
    }
    let rest = tokio::spawn(async move {
        let mut rest = Vec::new();
        while let Some(frame) = body.frame().await {
            rest.push(frame.unwrap().into_data().unwrap());
        }
        rest
    });
    for _ in 0..20 {
        kit.get("/api/v1/collection/default/c").await.is(200);
        kit.put("/api/v1/service/default/s", json!({ "urls": ["http://a"] })).await;
        assert!(!rest.is_finished());
    }
    store.pages.set(true);
    let rest = rest.await.unwrap();
    assert!(pieces + rest.len() >= 5, "{}", pieces + rest.len());
    text.extend(rest.concat());
    let whole: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!((&whole["success"], &whole["revision"]), (&json!(true), &json!(2)));
    let documents = whole["data"]["documents"].as_array().unwrap();
    assert_eq!(documents.len(), COUNT + 1);
    assert_eq!(
        documents[COUNT - 1],
        json!({ "id": "d02499", "namespace": "default", "collection": "c", "data": { "n": 2499 } })
    );

    // What was exported can be applied, and changes nothing.
    let again = json!({ "resources": whole["data"], "dry_run": true });
    let mut again = kit.post("/api/v1/apply", again).await.is(200);
    assert_eq!((&again["data"]["updated"], &again["data"]["deleted"]), (&json!(0), &json!(0)));
    let empty = kit.get("/api/v1/export?namespace=default&owner=nobody&documents").await.is(200);
    again = empty["data"].clone();
    assert_eq!(again, json!({ "version": "v1" }));
}

#[tokio::test]
async fn a_page_of_the_changelog_ends_when_it_grows_large() {
    let store = Arc::new(GatedStore::new());
    let kit = Kit::with(store.clone(), Auth::none()).await;
    kit.put("/api/v1/collection/default/c", json!({})).await.is(201);
    for revision in 1..=60 {
        write_documents(&*store, revision, 400).await;
    }
    while kit.get("/api/v1/stats").await.is(200)["data"]["revision"] != 61 {
        tokio::task::yield_now().await;
    }
    let (mut since, mut seen, mut pages) = ("0".to_owned(), Vec::new(), 0);
    loop {
        let page = kit.get(&format!("/api/v1/changelog?since={since}&limit=1000")).await.is(200);
        let revisions =
            page["data"].as_array().unwrap().iter().map(|entry| entry["revision"].as_u64().unwrap());
        seen.extend(revisions);
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut since),
            None => break,
        }
    }
    assert_eq!(seen, (1..=61).collect::<Vec<_>>());
    assert_eq!(pages, 2);
}
