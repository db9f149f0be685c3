//! Many resources at once, export, changelog, rollback.

use http::Method;
use serde_json::{Value, json};

use crate::kit::{Kit, request};

fn resources() -> Value {
    json!({
        "services": [{ "name": "s", "urls": ["http://a"] }],
        "routes": [{ "name": "r", "paths": ["/a"], "service": "s" }],
        "secrets": [{ "name": "token", "data": "hunter2" }],
        "collections": [{ "name": "c" }],
        "documents": [{ "id": "d", "collection": "c", "data": { "n": 1 } }],
    })
}

async fn apply(kit: &Kit, resources: Value) -> Value {
    kit.post("/api/v1/apply", json!({ "resources": resources, "message": "why" })).await.is(200)
}

#[tokio::test]
async fn many_resources_are_one_revision_and_the_same_again_is_none() {
    let kit = Kit::start().await;
    let plan = kit.post("/api/v1/apply", json!({ "resources": resources(), "dry_run": true })).await.is(200);
    assert_eq!((&plan["data"]["created"], &plan["revision"]), (&json!(5), &json!(0)));
    let applied = apply(&kit, resources()).await;
    assert_eq!((&applied["data"]["created"], &applied["revision"]), (&json!(5), &json!(1)));
    let again = apply(&kit, resources()).await;
    assert_eq!((&again["data"]["unchanged"], &again["revision"]), (&json!(5), &json!(1)));
    let listed = json!([{ "kind": "route", "name": "r", "paths": ["/b"], "service": "s" }]);
    assert_eq!(apply(&kit, listed).await["data"]["updated"], 1);
}

#[tokio::test]
async fn all_mistakes_of_all_resources_are_told_at_once_and_nothing_is_applied() {
    let kit = Kit::start().await;
    let wrong = json!({ "resources": {
        "services": [{ "name": "s", "urls": ["http://a"], "retires": 1 }, { "name": "t", "urls": 3 }],
        "ruotes": [],
    } });
    let refused = kit.post("/api/v1/apply", wrong).await.is(422);
    let places: Vec<_> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["/resources/ruotes", "/resources/services/0/retires", "/resources/services/1/urls"]);
    let unknown = kit.post("/api/v1/apply", json!({ "resources": {}, "mod": "sync" })).await.is(422);
    assert_eq!(unknown["errors"][0]["help"], "did you mean `mode`?");
    kit.post("/api/v1/apply", json!({ "resources": [{ "name": "x" }] })).await.is(422);
    kit.post("/api/v1/apply", json!({ "resources": {}, "mode": "sync" })).await.is(422);
    assert_eq!(kit.get("/api/v1/stats").await.is(200)["data"]["revision"], 0);
}

#[tokio::test]
async fn sync_deletes_what_the_same_owner_no_longer_lists() {
    let kit = Kit::start().await;
    kit.put("/api/v1/service/default/theirs", json!({ "urls": ["http://b"] })).await.is(201);
    let sync = |services: Value| {
        let wish = json!({ "resources": { "services": services }, "mode": "sync", "owner": "team" });
        kit.post("/api/v1/apply", wish)
    };
    let (a, b) = (json!({ "name": "a", "urls": ["http://a"] }), json!({ "name": "b", "urls": ["http://b"] }));
    sync(json!([a, b])).await.is(200);
    let changed = sync(json!([b])).await.is(200);
    assert_eq!(changed["data"]["deleted"], 1);
    assert_eq!(kit.get("/api/v1/service/default/b").await.is(200)["data"]["owner"], "team");
    kit.get("/api/v1/service/default/theirs").await.is(200);
    let theirs = sync(json!([b, { "name": "theirs", "urls": ["http://c"] }])).await.is(200);
    assert!(theirs["warnings"][0]["detail"].as_str().unwrap().contains("left as it is"), "{theirs}");
}

#[tokio::test]
async fn of_two_changes_to_the_same_revision_one_is_refused() {
    let kit = Kit::start().await;
    apply(&kit, resources()).await;
    let wish = |path: &str| {
        let route = json!({ "name": "r", "paths": [path], "service": "s" });
        kit.post("/api/v1/apply", json!({ "resources": { "routes": [route] }, "expect_revision": 1 }))
    };
    let (one, other) = tokio::join!(wish("/one"), wish("/other"));
    let (won, lost) = if one.status == 200 { (one, other) } else { (other, one) };
    won.is(200);
    assert_eq!(lost.is(409)["detail"], "the configuration is at revision 2, not at 1");
    let tagged =
        request(Method::POST, "/api/v1/apply", Some(json!({ "resources": {} })), &[("if-match", "\"1\"")]);
    kit.send(tagged).await.is(409);
}

#[tokio::test]
async fn an_export_applied_again_changes_nothing() {
    let kit = Kit::start().await;
    apply(&kit, resources()).await;
    let export = kit.get("/api/v1/export?documents").await.is(200);
    assert!(!export.to_string().contains("hunter2"));
    let again = apply(&kit, export["data"].clone()).await;
    assert_eq!((&again["data"]["updated"], &again["data"]["created"]), (&json!(0), &json!(0)), "{again:#}");
    assert_eq!(again["data"]["unchanged"], 6, "five, and the namespace they made be stored");
    assert!(kit.get("/api/v1/export").await.is(200)["data"].get("documents").is_none());
    let nobody = kit.get("/api/v1/export?owner=nobody").await.is(200);
    assert_eq!(nobody["data"], json!({ "version": "v1" }));
}

#[tokio::test]
async fn the_changelog_tells_who_did_what_and_shows_no_secret() {
    let kit = Kit::start().await;
    apply(&kit, resources()).await;
    kit.put("/api/v1/secret/default/token?message=rotate", json!({ "data": "hunter3" })).await.is(200);
    let list = kit.get("/api/v1/changelog").await.is(200);
    assert_eq!(list["count"], 2);
    assert_eq!((&list["data"][0]["who"], &list["data"][0]["message"]), (&json!("anonymous"), &json!("why")));
    assert_eq!(list["data"][0]["from"], "127.0.0.1");
    assert!(list["data"][0]["request_id"].as_str().unwrap().len() > 30);
    let entry = kit.get("/api/v1/changelog/2").await.is(200);
    assert_eq!(entry["data"]["message"], "rotate");
    assert_eq!(entry["data"]["changes"][0]["diff"][0]["pointer"], "/data_fingerprint");
    assert!(entry["data"]["resources"][0]["before"]["data_fingerprint"].is_string());
    assert!(!entry.to_string().contains("hunter"));
    assert_eq!(kit.get("/api/v1/changelog?since=1").await.is(200)["count"], 1);
    assert_eq!(kit.get("/api/v1/changelog?limit=1&since=0").await.is(200)["next_cursor"], "1");
    kit.get("/api/v1/changelog/3").await.is(404);
    kit.get("/api/v1/changelog/0").await.is(404);
    kit.get("/api/v1/changelog/x").await.is(400);
}

#[tokio::test]
async fn a_rollback_is_planned_and_brings_everything_back() {
    let kit = Kit::start().await;
    apply(&kit, resources()).await;
    let before = kit.get("/api/v1/export?documents").await.is(200)["data"].clone();
    kit.put("/api/v1/document/default/c/kept", json!({ "data": 2 })).await.is(201);
    kit.put("/api/v1/secret/default/token", json!({ "data": "hunter3" })).await.is(200);
    kit.delete("/api/v1/service/default/s?cascade").await.is(200);
    kit.put("/api/v1/service/default/new", json!({ "urls": ["http://n"] })).await.is(201);
    let plan = kit.ask(Method::POST, "/api/v1/changelog/1/rollback?dry_run", None).await.is(200);
    let counts =
        |plan: &Value| ["created", "updated", "deleted"].map(|name| plan["data"][name].as_u64().unwrap());
    assert_eq!(counts(&plan), [2, 1, 1], "{plan:#}");
    kit.get("/api/v1/service/default/s").await.is(404);
    let done = kit.post("/api/v1/changelog/1/rollback", json!({})).await.is(200);
    assert_eq!((counts(&done), &done["revision"]), ([2, 1, 1], &json!(6)));
    kit.get("/api/v1/document/default/c/kept").await.is(200);
    let everything = kit.post("/api/v1/changelog/1/rollback", json!({ "documents": true })).await.is(200);
    assert_eq!(counts(&everything), [0, 0, 1]);
    assert_eq!(kit.get("/api/v1/export?documents").await.is(200)["data"], before);
    let live = kit.applier.live().load();
    assert_eq!(live.resources.tables("default").unwrap().secrets.get("token").unwrap().spec.data, "hunter2");
    let last = kit.get("/api/v1/changelog/6").await.is(200);
    assert_eq!(last["data"]["message"], "rollback to revision 1");
    kit.post("/api/v1/changelog/99/rollback", json!({})).await.is(404);
    let late = kit.post("/api/v1/changelog/1/rollback", json!({ "expect_revision": 1 })).await.is(409);
    assert!(late["detail"].as_str().unwrap().contains(", not at 1"), "{late}");
}

#[tokio::test]
async fn documents_come_back_with_their_collection() {
    let kit = Kit::start().await;
    apply(&kit, resources()).await;
    kit.delete("/api/v1/collection/default/c").await.is(409);
    kit.delete("/api/v1/collection/default/c?cascade").await.is(200);
    kit.get("/api/v1/document/default/c/d").await.is(404);
    kit.post("/api/v1/changelog/1/rollback", json!({})).await.is(200);
    assert_eq!(kit.get("/api/v1/document/default/c/d").await.is(200)["data"]["data"], json!({ "n": 1 }));
}
