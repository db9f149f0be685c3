//! Reads and writes of resources.

use http::Method;
use serde_json::{Value, json};

use crate::kit::{Kit, request};

const SERVICE: &str = "/api/v1/service/default/s";
const ROUTE: &str = "/api/v1/route/default/r";

fn service() -> Value {
    json!({ "urls": ["http://127.0.0.1:9"] })
}

#[tokio::test]
async fn a_resource_is_created_read_replaced_patched_and_deleted() {
    let kit = Kit::start().await;
    let created = kit.put(SERVICE, service()).await;
    assert_eq!(created.header("etag"), "\"1\"");
    let created = created.is(201);
    assert_eq!((&created["success"], &created["revision"]), (&json!(true), &json!(1)));
    assert_eq!(created["data"]["name"], "s");
    assert_eq!(created["data"]["revision"], 1);
    let mut again = created["data"].clone();
    let unchanged = kit.put(SERVICE, again.clone()).await.is(200);
    assert_eq!(unchanged["revision"], 1, "what was read can be written back, and changes nothing");
    again["retries"] = json!(7);
    let replaced = kit.put(SERVICE, again).await.is(200);
    assert_eq!((&replaced["revision"], &replaced["data"]["retries"]), (&json!(2), &json!(7)));
    let patched =
        kit.ask(Method::PATCH, SERVICE, Some(json!({ "retries": null, "connectTimeoutMs": 250 }))).await;
    let patched = patched.is(200);
    assert_eq!(
        (&patched["data"]["retries"], &patched["data"]["connect_timeout"]),
        (&json!(2), &json!("250ms"))
    );
    let read = kit.get(SERVICE).await;
    assert_eq!(read.header("etag"), "\"3\"");
    assert_eq!(read.is(200)["data"], patched["data"]);
    assert_eq!(kit.get("/api/v1/service/s?namespace=default").await.is(200)["data"], patched["data"]);
    assert_eq!(kit.delete(SERVICE).await.is(200)["data"]["deleted"], json!(["service/default/s"]));
    let missing = kit.get(SERVICE).await;
    assert_eq!(missing.header("content-type"), "application/problem+json");
    let missing = missing.is(404);
    assert_eq!(missing["detail"], "service/default/s does not exist");
    assert_eq!((&missing["success"], &missing["error"]), (&json!(false), &missing["detail"]));
    kit.delete(SERVICE).await.is(404);
}

#[tokio::test]
async fn names_may_stand_in_the_body_as_in_dgate_1() {
    let kit = Kit::start().await;
    kit.put("/api/v1/service", json!({ "name": "s", "urls": ["http://a"] })).await.is(201);
    kit.post("/api/v1/route", json!({ "name": "r", "paths": ["/a"], "service": "s", "stripPath": true }))
        .await
        .is(201);
    assert_eq!(kit.get(ROUTE).await.is(200)["data"]["strip_path"], true);
    kit.ask(Method::DELETE, "/api/v1/route", Some(json!({ "name": "r", "namespace": "default" })))
        .await
        .is(200);
    kit.get(ROUTE).await.is(404);
    let renamed = kit.put(SERVICE, json!({ "name": "t", "urls": ["http://a"] })).await.is(422);
    assert_eq!(renamed["errors"][0]["pointer"], "/name");
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_place_and_a_suggestion() {
    let kit = Kit::start().await;
    let unknown = kit.put(SERVICE, json!({ "urls": ["http://a"], "retires": 1, "balance": 3 })).await.is(422);
    let errors = unknown["errors"].as_array().unwrap();
    assert!(
        errors
            .iter()
            .any(|error| error["pointer"] == "/retires" && error["help"] == "did you mean `retries`?")
    );
    assert!(errors.iter().any(|error| error["pointer"] == "/balance"), "{errors:?}");
    let missing = kit.put(ROUTE, json!({ "paths": ["/a"], "service": "nobody" })).await.is(422);
    assert_eq!(missing["errors"][0]["resource"], "route/default/r");
    assert_eq!(missing["errors"][0]["pointer"], "/service");
    assert_eq!(missing["type"], "urn:dgate:error:invalid");
    for (body, status, says) in [
        ("{", 400, "not JSON"),
        ("", 400, "is empty"),
        ("[1]", 422, "is an object, not a list"),
        (&format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)), 400, "recursion limit"),
    ] {
        let sent = http::Request::put(SERVICE).body(dgate_core::Body::full(body.to_owned())).unwrap();
        let answer = kit.send(sent).await.is(status);
        assert!(answer["detail"].as_str().unwrap().contains(says), "{answer}");
    }
    let form = request(Method::PUT, SERVICE, Some(service()), &[("content-type", "text/plain")]);
    kit.send(form).await.is(415);
    let large = http::Request::put(SERVICE).body(dgate_core::Body::full(vec![b' '; 33 << 20])).unwrap();
    kit.send(large).await.is(413);
    let parameter = kit.get("/api/v1/service?namespcae=x").await.is(400);
    assert!(parameter["detail"].as_str().unwrap().contains("did you mean `namespace`?"));
    let nowhere = kit.get("/api/v1/rout").await.is(404);
    assert!(nowhere["detail"].as_str().unwrap().contains("did you mean /api/v1/route?"), "{nowhere}");
    let method = kit.ask(Method::POST, SERVICE, Some(service())).await;
    assert!(method.header("allow").contains("PUT"), "{method:?}");
    method.is(405);
    assert_eq!(kit.get("/api/v1/changelog").await.is(200)["count"], 0, "nothing was changed");
}

#[tokio::test]
async fn only_one_of_many_wins_with_an_entity_tag() {
    let kit = Kit::start().await;
    let with = |method: Method, name: &str, tag: &str, retries: u32| {
        let body = json!({ "urls": ["http://127.0.0.1:9"], "retries": retries });
        kit.send(request(method, SERVICE, Some(body), &[(name, tag)]))
    };
    with(Method::PUT, "if-match", "*", 1).await.is(412);
    with(Method::PUT, "if-none-match", "*", 1).await.is(201);
    with(Method::PUT, "if-none-match", "*", 3).await.is(412);
    let (first, second) =
        tokio::join!(with(Method::PUT, "if-match", "\"1\"", 4), with(Method::PUT, "if-match", "\"1\"", 5));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    let known = kit.send(request(Method::GET, SERVICE, None, &[("if-none-match", "\"2\"")])).await;
    assert_eq!((known.status.as_u16(), known.header("etag")), (304, "\"2\""));
    kit.send(request(Method::DELETE, SERVICE, None, &[("if-match", "\"1\"")])).await.is(412);
    kit.send(request(Method::DELETE, SERVICE, None, &[("if-match", "\"2\"")])).await.is(200);
}

#[tokio::test]
async fn a_dry_run_tells_what_would_change_and_changes_nothing() {
    let kit = Kit::start().await;
    kit.put(SERVICE, service()).await.is(201);
    let plan = kit
        .put(&format!("{SERVICE}?dry_run=true"), json!({ "urls": ["http://b"], "retries": 2 }))
        .await
        .is(200);
    assert_eq!((&plan["data"]["dry_run"], &plan["data"]["updated"]), (&json!(true), &json!(1)));
    let diff = &plan["data"]["changes"][0]["diff"];
    assert_eq!(diff[0]["pointer"], "/urls");
    assert_eq!(kit.get(SERVICE).await.is(200)["data"]["revision"], 1);
    let plan = kit.delete(&format!("{SERVICE}?dry_run")).await.is(200);
    assert_eq!(plan["data"]["deleted"], 1);
    kit.get(SERVICE).await.is(200);
}

#[tokio::test]
async fn what_is_used_is_deleted_only_with_what_uses_it() {
    let kit = Kit::start().await;
    kit.put(SERVICE, service()).await.is(201);
    kit.put(ROUTE, json!({ "paths": ["/a"], "service": "s" })).await.is(201);
    let refused = kit.delete(SERVICE).await.is(409);
    assert!(refused["detail"].as_str().unwrap().contains("route/default/r"), "{refused}");
    assert_eq!(refused["type"], "urn:dgate:error:in_use");
    let gone = kit.delete(&format!("{SERVICE}?cascade=true")).await.is(200);
    assert_eq!(gone["data"]["deleted"], json!(["route/default/r", "service/default/s"]));
}

#[tokio::test]
async fn lists_are_filtered_and_come_page_by_page() {
    let kit = Kit::start().await;
    kit.put("/api/v1/namespace/n", json!({})).await.is(201);
    for index in 0..7 {
        let tags = if index % 2 == 0 { json!(["even"]) } else { json!([]) };
        let service = json!({ "urls": ["http://a"], "tags": tags });
        let namespace = if index < 5 { "default" } else { "n" };
        kit.put(&format!("/api/v1/service/{namespace}/s{index}"), service).await.is(201);
    }
    let names = |list: &Value| -> Vec<String> {
        list["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&kit.get("/api/v1/service").await.is(200)).len(), 7);
    assert_eq!(names(&kit.get("/api/v1/service?namespace=n").await.is(200)), ["s5", "s6"]);
    assert_eq!(names(&kit.get("/api/v1/service?tag=even").await.is(200)), ["s0", "s2", "s4", "s6"]);
    assert_eq!(names(&kit.get("/api/v1/service?q=S3").await.is(200)), ["s3"]);
    assert_eq!(names(&kit.get("/api/v1/namespace").await.is(200)), ["default", "n"]);
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = kit.get(&format!("/api/v1/service?limit=3&cursor={cursor}")).await.is(200);
        seen.extend(names(&page));
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(seen, ["s0", "s1", "s2", "s3", "s4", "s5", "s6"]);
    kit.get("/api/v1/service?limit=0").await.is(400);
    kit.get("/api/v1/service?cursor=nonsense").await.is(400);
}

#[tokio::test]
async fn documents_have_a_collection_in_their_path() {
    let kit = Kit::start().await;
    for collection in ["a", "a-b", "b"] {
        kit.put(&format!("/api/v1/collection/default/{collection}"), json!({})).await.is(201);
        for id in ["1", "2/x", "3"] {
            kit.put(&format!("/api/v1/document/default/{collection}/{id}"), json!({ "data": id }))
                .await
                .is(201);
        }
    }
    let document = kit.get("/api/v1/document/default/a/2/x").await.is(200);
    assert_eq!((&document["data"]["id"], &document["data"]["data"]), (&json!("2/x"), &json!("2/x")));
    assert_eq!(kit.get("/api/v1/document/1?collection=b").await.is(200)["data"]["collection"], "b");
    assert_eq!(kit.get("/api/v1/document?collection=a").await.is(200)["count"], 3);
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = kit.get(&format!("/api/v1/document?limit=2&cursor={cursor}")).await.is(200);
        let names = page["data"].as_array().unwrap().iter();
        seen.extend(
            names.map(|one| {
                format!("{}:{}", one["collection"].as_str().unwrap(), one["id"].as_str().unwrap())
            }),
        );
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    let expected = ["a:1", "a:2/x", "a:3", "a-b:1", "a-b:2/x", "a-b:3", "b:1", "b:2/x", "b:3"];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn secrets_are_never_shown_and_survive_being_written_back() {
    let kit = Kit::start().await;
    let path = "/api/v1/secret/default/token";
    let created = kit.put(path, json!({ "data": "hunter2" })).await.is(201);
    assert!(!created.to_string().contains("hunter2"));
    let mut shown = kit.get(path).await.is(200)["data"].clone();
    assert!(shown["data_fingerprint"].as_str().unwrap().starts_with("hmac:"));
    shown["tags"] = json!(["kept"]);
    kit.put(path, shown.clone()).await.is(200);
    kit.ask(Method::PATCH, path, Some(json!({ "tags": ["kept", "more"] }))).await.is(200);
    let live = kit.applier.live().load();
    let stored = live.resources.tables("default").unwrap().secrets.get("token").unwrap().clone();
    assert_eq!((&*stored.spec.data, stored.spec.tags.len()), ("hunter2", 2));
    shown["data_fingerprint"] = json!("hmac:0000000000000000");
    let refused = kit.put(path, shown).await.is(422);
    assert_eq!(refused["errors"][0]["pointer"], "/data_fingerprint");
    let changed = kit.put(&format!("{path}?dry_run"), json!({ "data": "other" })).await.is(200);
    assert!(!changed.to_string().contains("hunter2") && !changed.to_string().contains("other"), "{changed}");
    assert_eq!(changed["data"]["changes"][0]["diff"][0]["pointer"], "/data_fingerprint");
}

#[tokio::test]
async fn probes_and_status_are_there() {
    let kit = Kit::start().await;
    for path in ["/livez", "/readyz", "/healthz", "/health", "/metrics", "/", "/api/v1/connections"] {
        let answer = kit.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(!answer.header("x-request-id").is_empty());
    }
    kit.put(SERVICE, service()).await.is(201);
    let stats = kit.get("/api/v1/stats").await.is(200);
    assert_eq!((&stats["data"]["resources"]["services"], &stats["data"]["revision"]), (&json!(1), &json!(1)));
    assert_eq!(stats["data"]["listeners"][0]["name"], "admin");
    let upstreams = kit.get("/api/v1/upstreams").await.is(200);
    assert_eq!(upstreams["data"][0]["endpoints"][0]["url"], "http://127.0.0.1:9");
    assert_eq!(kit.get("/api/v1/session").await.is(200)["data"]["role"], "admin");
}

#[tokio::test]
async fn a_request_is_explained_without_being_sent() {
    let kit = Kit::start().await;
    kit.put(SERVICE, json!({ "urls": ["http://a:1/base"] })).await.is(201);
    for (name, route) in [
        ("literal", json!({ "paths": ["/x/y"], "methods": ["POST"], "service": "s" })),
        ("header", json!({ "paths": ["/x/{id}"], "match": { "headers": { "x-v": "2" } }, "service": "s" })),
        ("any", json!({ "paths": ["/x/**"], "service": "s", "strip_path": true })),
        ("last", json!({ "paths": ["/**"] })),
    ] {
        kit.put(&format!("/api/v1/route/default/{name}"), route).await.is(201);
    }
    let explained = kit.post("/api/v1/explain", json!({ "path": "/x/y?q=1" })).await.is(200)["data"].clone();
    assert_eq!(explained["domain"]["namespace"], "default");
    let candidates = explained["candidates"].as_array().unwrap();
    let reasons: Vec<_> = candidates
        .iter()
        .map(|one| (one["route"].as_str().unwrap(), one["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(reasons[0], ("literal", "it takes POST, not GET"));
    assert!(reasons[1].0 == "header" && reasons[1].1.starts_with("not so: header x-v "), "{reasons:?}");
    assert_eq!((reasons[2].0, &candidates[2]["wins"]), ("any", &json!(true)));
    assert_eq!(reasons[3], ("last", "another one goes before"));
    assert_eq!(explained["route"]["upstream_path"], "/y?q=1");
    assert_eq!(explained["route"]["endpoints"][0]["url"], "http://a:1/base");
    let other = json!({ "method": "post", "path": "/x/7", "headers": { "X-V": "2" } });
    let explained = kit.post("/api/v1/explain", other).await.is(200)["data"].clone();
    assert_eq!(
        (&explained["route"]["name"], &explained["route"]["parameters"]["id"]),
        (&json!("header"), &json!("7"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_clients_exactly_one_wins_each_round() {
    let kit = std::sync::Arc::new(Kit::start().await);
    kit.put(SERVICE, service()).await.is(201);
    for round in 1..=20_u32 {
        let tag = kit.get(SERVICE).await.header("etag").to_owned();
        let clients: Vec<_> = (0..50_u32)
            .map(|client| {
                let (kit, tag) = (kit.clone(), tag.clone());
                tokio::spawn(async move {
                    let body = json!({ "urls": ["http://127.0.0.1:9"], "retries": round * 100 + client });
                    kit.send(request(Method::PUT, SERVICE, Some(body), &[("if-match", &tag)]))
                        .await
                        .status
                        .as_u16()
                })
            })
            .collect();
        let mut won = 0;
        for client in clients {
            match client.await.unwrap() {
                200 => won += 1,
                status => assert_eq!(status, 412),
            }
        }
        assert_eq!(won, 1, "round {round}");
    }
    assert_eq!(kit.get("/api/v1/changelog").await.is(200)["count"], 21);
}

#[tokio::test]
async fn what_is_explained_can_really_be_sent() {
    let kit = Kit::start().await;
    let wish =
        json!({ "method": "POST", "path": "/x?y=1", "host": "a.example", "send": true, "body": "hello" });
    let explained = kit.post("/api/v1/explain", wish).await.is(200);
    assert_eq!(explained["data"]["refused"], "404: no route of namespace `default` takes it");
    let answer = &explained["data"]["answer"];
    assert_eq!((&answer["status"], &answer["truncated"]), (&json!(200), &json!(false)));
    assert_eq!(answer["body"], "POST /x?y=1 for \"a.example\"");
}
