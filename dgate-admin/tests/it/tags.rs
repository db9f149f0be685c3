//! Tags: explained, planned, and changed together with what asks for them.

use std::sync::Arc;

use dgate_admin::auth::{ApiKey, Auth, Grant, KeyAuth, Role};
use dgate_core::store::MemoryStore;
use http::Method;
use serde_json::{Value, json};

use crate::kit::{Kit, request};

const SALE: &str = "@(2030-01-01T00:00:00Z..2030-02-01T00:00:00Z)#season:sale";

/// A stable route, and one for a season.
async fn shop() -> Kit {
    let kit = Kit::start().await;
    let resources = json!([
        { "kind": "namespace", "name": "shop", "server_tags": [SALE] },
        { "kind": "domain", "name": "d", "namespace": "shop", "patterns": ["shop.example"] },
        { "kind": "service", "name": "old", "namespace": "shop", "urls": ["http://a"] },
        { "kind": "service", "name": "new", "namespace": "shop", "urls": ["http://b"] },
        { "kind": "route", "name": "api", "namespace": "shop", "paths": ["/**"], "service": "old" },
        { "kind": "route", "name": "sale", "namespace": "shop", "paths": ["/sale"], "service": "new", "tags": ["#season:sale"] },
    ]);
    kit.post("/api/v1/apply", json!({ "resources": resources })).await.is(200);
    kit
}

async fn route_of(kit: &Kit, question: Value) -> Value {
    let mut question = question;
    question["host"] = json!("shop.example");
    kit.post("/api/v1/tags/explain", question).await.is(200)["data"]["route"].clone()
}

#[tokio::test]
async fn a_request_is_explained_for_another_client_and_instant() {
    let kit = shop().await;
    let answer =
        kit.post("/api/v1/tags/explain", json!({ "host": "shop.example", "path": "/sale?x=1" })).await;
    let explained = &answer.is(200)["data"];
    assert_eq!(explained["route"], "api");
    assert_eq!(explained["routes"][0]["resource"], "route/shop/sale");
    assert_eq!(explained["routes"][0]["conditions"][0]["holds"], false);
    assert_eq!(explained["outcome"], "route/shop/api takes it, and service/shop/old answers");
    assert_eq!(route_of(&kit, json!({ "path": "/sale", "at": "2030-01-15T00:00:00Z" })).await, "sale");
    for (question, said) in [
        (json!({ "path": "sale" }), "`path` must start with `/`"),
        (json!({ "path": "/", "method": "GE T" }), "`GE T` is no method"),
        (json!({ "path": "/", "at": "tomorrow" }), "`at` is no instant"),
        (json!({ "path": "/", "headers": { "a b": "c" } }), "`a b: c` is no header"),
    ] {
        let refused = kit.post("/api/v1/tags/explain", question).await.is(400);
        assert!(refused["detail"].as_str().unwrap().contains(said), "{refused}");
    }
    kit.post("/api/v1/tags/explain", json!({ "path": "/", "kee": "x" })).await.is(422);
}

#[tokio::test]
async fn one_explanation_says_all_of_it() {
    let kit = shop().await;
    let ask = async |more: Value| {
        let mut question = json!({ "host": "shop.example", "path": "/sale?x=1" });
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        kit.post("/api/v1/explain", question).await
    };
    let now = ask(json!({})).await.is(200)["data"].clone();
    let candidate = &now["candidates"][0];
    assert_eq!((&candidate["route"], &candidate["wins"]), (&json!("sale"), &json!(false)));
    assert_eq!(candidate["conditions"][0]["condition"], "#season:sale");
    assert_eq!((&now["route"]["name"], &now["route"]["upstream_path"]), (&json!("api"), &json!("/sale?x=1")));
    assert_eq!(
        (&now["domain"]["domain"], &now["domains"][0]["chosen"]),
        (&json!("domain/shop/d"), &json!(true))
    );
    assert_eq!(now["tags"][0]["carried"], false);

    let then = ask(json!({ "at": "2030-01-15T00:00:00Z" })).await.is(200)["data"].clone();
    assert_eq!((&then["at"], &then["route"]["name"]), (&json!("2030-01-15T00:00:00Z"), &json!("sale")));
    assert_eq!(then["route"]["endpoints"][0]["url"], "http://b");
    assert_eq!(then["outcome"], "route/shop/sale takes it, and service/shop/new answers");

    let tags = json!({ "kind": "namespace", "name": "shop", "server_tags": ["canary@50%:v2"] });
    kit.post("/api/v1/apply", json!({ "resources": [tags] })).await.is(200);
    let tag = async |more: Value| ask(more).await.is(200)["data"]["tags"][0].clone();
    assert!(tag(json!({ "key": "user-9" })).await["why"].as_str().unwrap().starts_with("`user-9` is "));
    assert_eq!(tag(json!({ "key": "user-9", "forced": ["canary:v2"] })).await["carried"], true);
    assert_eq!(tag(json!({ "key": "user-9", "forced": ["!canary:v2"] })).await["carried"], false);
    ask(json!({ "at": "2030-01-15T00:00:00Z", "send": true })).await.is(400);
    let elsewhere = json!({ "host": "shop.example", "path": "/", "send": true });
    kit.post("/api/v1/tags/explain", elsewhere).await.is(400);
}

#[tokio::test]
async fn what_time_will_bring_is_listed() {
    let kit = shop().await;
    let planned = kit.get("/api/v1/tags/plan?until=2030-01-01T00:00:00Z").await.is(200);
    assert_eq!(
        planned["data"],
        json!([{
            "at": "2030-01-01T00:00:00Z",
            "tags": [{ "tag": SALE, "namespace": "shop", "change": "begins" }],
            "begins": ["route/shop/sale"],
            "begins_for_some": [],
            "ends": [],
        }])
    );
    assert_eq!(kit.get("/api/v1/tags/plan?until=2031-01-01T00:00:00Z").await.is(200)["count"], 2);
    kit.get("/api/v1/tags/plan").await.is(200);
    kit.get("/api/v1/tags/plan?until=soon").await.is(400);
}

#[tokio::test]
async fn a_canary_begins_and_ends_in_one_change_each_and_leaves_no_trace() {
    let kit = shop().await;
    let before = kit.get("/api/v1/export").await.is(200)["data"].clone();
    let namespace = |tags: &[&str]| json!({ "kind": "namespace", "name": "shop", "server_tags": tags });
    let beside = json!({ "kind": "route", "name": "api-canary", "namespace": "shop", "paths": ["/**"], "service": "new",
        "tags": ["#canary:api"] });
    let begun = kit
        .post("/api/v1/apply", json!({ "resources": [beside, namespace(&[SALE, "canary@50%:api"])] }))
        .await
        .is(200);
    let of = async |key: &str| route_of(&kit, json!({ "path": "/x", "key": key })).await;
    // As the documented hash says.
    assert_eq!((of("user-9").await, of("user-3").await), (json!("api-canary"), json!("api")));
    let forced = json!({ "path": "/x", "key": "user-3", "forced": ["canary:api"] });
    assert_eq!(route_of(&kit, forced).await, "api-canary");

    let end = json!({ "resources": [namespace(&[SALE])], "delete": ["route/shop/api-canary"],
        "expect_revision": begun["revision"] });
    let ended = kit.post("/api/v1/apply", end.clone()).await.is(200);
    assert_eq!((&ended["data"]["deleted"], &ended["data"]["updated"]), (&json!(1), &json!(1)));
    assert_eq!(ended["revision"].as_u64(), begun["revision"].as_u64().map(|revision| revision + 1));
    assert_eq!(kit.get("/api/v1/export").await.is(200)["data"], before);
    kit.post("/api/v1/apply", end).await.is(409);
}

#[tokio::test]
async fn what_is_deleted_is_named_well_and_not_used() {
    let kit = shop().await;
    for name in
        ["route/shop", "rout/shop/api", "route/shop/", "route//api", "route/shop/a/b", "namespace/", "x"]
    {
        let refused = kit.post("/api/v1/apply", json!({ "resources": [], "delete": [name] })).await.is(422);
        assert_eq!(refused["errors"][0]["pointer"], "/delete/0", "{refused}");
    }
    let used = json!({ "resources": [], "delete": ["service/shop/old"] });
    assert!(!kit.post("/api/v1/apply", used).await.status.is_success(), "a route uses it");
    kit.ask(Method::GET, "/api/v1/service/shop/old", None).await.is(200);
    let with_users = json!({ "resources": [], "delete": ["service/shop/old"], "cascade": true });
    assert_eq!(kit.post("/api/v1/apply", with_users).await.is(200)["data"]["deleted"], 2);
}

#[tokio::test]
async fn who_is_limited_to_a_namespace_learns_nothing_of_others() {
    let key = |name: &str, namespaces: &[&str]| ApiKey {
        name: name.to_owned(),
        key: format!("key-of-{name}"),
        grant: Grant {
            role: Role::Admin,
            namespaces: namespaces.iter().map(|&namespace| namespace.to_owned()).collect(),
        },
    };
    let keys = KeyAuth::new([key("all", &[]), key("mine", &["mine"])]).unwrap();
    let kit = Kit::with(Arc::new(MemoryStore::new()), Auth::keys(keys)).await;
    let ask = async |who: &str, method: Method, path: &str, body: Option<Value>| {
        let key = format!("key-of-{who}");
        kit.send(request(method, path, body, &[("x-api-key", &key)])).await
    };
    let resources = json!([
        { "kind": "namespace", "name": "mine", "server_tags": [SALE] },
        { "kind": "namespace", "name": "other", "server_tags": [SALE] },
        { "kind": "domain", "name": "d", "namespace": "mine", "patterns": ["*.example"] },
        { "kind": "domain", "name": "e", "namespace": "other", "patterns": ["*"] },
        { "kind": "route", "name": "r", "namespace": "mine", "paths": ["/**"], "tags": ["#season:sale"] },
        { "kind": "route", "name": "r", "namespace": "other", "paths": ["/**"], "tags": ["#season:sale"] },
    ]);
    ask("all", Method::POST, "/api/v1/apply", Some(json!({ "resources": resources }))).await.is(200);
    let explain = async |host: &str| {
        let question = json!({ "host": host, "path": "/" });
        ask("mine", Method::POST, "/api/v1/tags/explain", Some(question)).await
    };
    let explained = explain("a.example").await.is(200);
    assert_eq!(explained["data"]["domains"].as_array().unwrap().len(), 1, "{explained}");
    explain("b.other").await.is(403);
    let path = "/api/v1/tags/plan?until=2031-01-01T00:00:00Z";
    let planned = ask("mine", Method::GET, path, None).await.is(200);
    assert_eq!(planned["data"][0]["begins"], json!(["route/mine/r"]));
    assert!(!planned.to_string().contains("other"), "{planned}");
    let delete = json!({ "resources": [], "delete": ["route/other/r"] });
    ask("mine", Method::POST, "/api/v1/apply", Some(delete)).await.is(403);
}
