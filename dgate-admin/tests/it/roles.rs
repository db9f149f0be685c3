//! Who may do what: every endpoint for every role.

use std::net::SocketAddr;
use std::sync::Arc;

use dgate_admin::auth::{ApiKey, Auth, Grant, KeyAuth, Role, User, UserAuth};
use dgate_core::store::MemoryStore;
use http::Method;
use serde_json::{Value, json};

use crate::kit::{Answer, Kit, LOCAL, request};

fn key(name: &str, role: Role, namespaces: &[&str]) -> ApiKey {
    let namespaces = namespaces.iter().map(|&namespace| namespace.to_owned()).collect();
    ApiKey { name: name.to_owned(), key: format!("key-of-{name}"), grant: Grant { role, namespaces } }
}

async fn kit() -> Kit {
    let keys = KeyAuth::new([
        key("viewer", Role::Viewer, &[]),
        key("editor", Role::Editor, &[]),
        key("admin", Role::Admin, &[]),
        key("limited", Role::Admin, &["mine"]),
    ]);
    Kit::with(Arc::new(MemoryStore::new()), Auth::keys(keys.unwrap())).await
}

async fn ask(kit: &Kit, who: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let key = format!("key-of-{who}");
    kit.send(request(method, path, body, &[("x-api-key", &key)])).await
}

/// What a role has to be to be let in: nothing, or at least this.
fn rank(role: Option<&str>) -> u8 {
    match role {
        None => 0,
        Some("viewer") => 1,
        Some("editor") => 2,
        Some("admin") => 3,
        Some(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn every_endpoint_lets_in_whom_it_says_and_nobody_else() {
    let kit = kit().await;
    let document = dgate_admin::api::openapi();
    let mut looked_at = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let needed = rank(operation["x-dgate-role"].as_str());
            let path = path.replace("{revision}", "1").replace(['{', '}'], "");
            let method: Method = method.to_uppercase().parse().unwrap();
            for (who, has) in [("nobody", 0), ("viewer", 1), ("editor", 2), ("admin", 3)] {
                // Only the head: there are streams that do not end by themselves.
                let key = format!("key-of-{who}");
                let request = request(method.clone(), &path, None, &[("x-api-key", &key)]);
                let status = kit.api.answer(request, LOCAL.into()).await.status().as_u16();
                let expected = match (who, has >= needed) {
                    (_, true) => None,
                    ("nobody", false) => Some(401),
                    (_, false) => Some(403),
                };
                match expected {
                    Some(expected) => assert_eq!(status, expected, "{who}: {method} {path}"),
                    None => assert!(!matches!(status, 401 | 403), "{who}: {method} {path} {status}"),
                }
                // Somebody who guesses has to wait; that is another test.
                ask(&kit, "admin", Method::GET, "/api/v1/session", None).await.is(200);
                looked_at += 1;
            }
            let writes = !matches!(method, Method::GET) && !path.ends_with("/explain");
            assert!(!writes || needed >= 2, "{method} {path} changes something, and is for viewers");
        }
    }
    assert!(looked_at > 400, "{looked_at}");
    for stream in ["/api/v1/watch", "/api/v1/events", "/api/v1/logs"] {
        assert!(document["paths"][stream]["get"]["x-dgate-role"].is_string(), "{stream} is among them");
    }
}

#[tokio::test]
async fn nothing_is_told_to_those_who_are_not_let_in() {
    let kit = kit().await;
    for path in ["/", "/metrics", "/api/v1/stats", "/api/v1/openapi.json", "/api/v1/nowhere", "/api/v1/watch"]
    {
        let answer = kit.get(path).await;
        assert!(answer.header("www-authenticate").starts_with("ApiKey"), "{path}");
        let body = answer.is(401);
        assert_eq!(body["detail"], "credentials are needed", "{path}");
        ask(&kit, "admin", Method::GET, "/api/v1/session", None).await.is(200);
    }
    for path in ["/livez", "/readyz", "/healthz", "/health"] {
        kit.get(path).await.is(200);
    }
}

#[tokio::test]
async fn whoever_is_limited_to_namespaces_sees_and_changes_nothing_else() {
    let kit = kit().await;
    for namespace in ["mine", "theirs"] {
        ask(&kit, "admin", Method::PUT, &format!("/api/v1/namespace/{namespace}"), Some(json!({})))
            .await
            .is(201);
        let path = format!("/api/v1/service/{namespace}/s");
        ask(&kit, "admin", Method::PUT, &path, Some(json!({ "urls": ["http://a"] }))).await.is(201);
    }
    let limited = async |method, path: &str, body| ask(&kit, "limited", method, path, body).await;
    let service = || Some(json!({ "urls": ["http://b"] }));
    limited(Method::PUT, "/api/v1/service/mine/s", service()).await.is(200);
    for (method, path, body) in [
        (Method::GET, "/api/v1/service/theirs/s", None),
        (Method::PUT, "/api/v1/service/theirs/s", service()),
        (Method::PATCH, "/api/v1/service/theirs/s", service()),
        (Method::DELETE, "/api/v1/service/theirs/s", None),
        (Method::GET, "/api/v1/service?namespace=theirs", None),
        (Method::GET, "/api/v1/namespace/theirs", None),
        (Method::PUT, "/api/v1/namespace/new", Some(json!({}))),
        (Method::DELETE, "/api/v1/namespace/mine?cascade", None),
        (Method::GET, "/api/v1/export?namespace=theirs", None),
        (Method::POST, "/api/v1/changelog/1/rollback", Some(json!({}))),
        (
            Method::POST,
            "/api/v1/apply",
            Some(
                json!({ "resources": { "services": [{ "name": "x", "namespace": "theirs", "urls": ["http://a"] }] } }),
            ),
        ),
    ] {
        let answer = limited(method.clone(), path, body).await;
        assert_eq!(answer.status, 403, "{method} {path}: {:#}", answer.body);
    }
    assert_eq!(limited(Method::GET, "/api/v1/service", None).await.is(200)["count"], 1);
    assert_eq!(limited(Method::GET, "/api/v1/namespace", None).await.is(200)["count"], 1);
    let export = limited(Method::GET, "/api/v1/export", None).await.is(200);
    assert!(!export.to_string().contains("theirs"), "{export}");
    let changelog = limited(Method::GET, "/api/v1/changelog", None).await.is(200);
    assert!(
        changelog["count"].as_u64().unwrap() >= 2 && !changelog.to_string().contains("theirs"),
        "{changelog}"
    );
    limited(Method::GET, "/api/v1/changelog/4", None).await.is(404);
    assert_eq!(limited(Method::GET, "/api/v1/stats", None).await.is(200)["data"]["resources"]["services"], 1);
    assert!(!limited(Method::GET, "/api/v1/upstreams", None).await.is(200).to_string().contains("theirs"));
}

#[tokio::test]
async fn an_owner_that_is_limited_deletes_nothing_elsewhere() {
    let kit = kit().await;
    ask(&kit, "admin", Method::PUT, "/api/v1/namespace/mine", Some(json!({}))).await.is(201);
    let services = |namespaces: &[&str]| -> Value {
        let service = |namespace: &&str| json!({ "name": "s", "namespace": namespace, "urls": ["http://a"] });
        let services: Vec<_> = namespaces.iter().map(service).collect();
        json!({ "resources": { "services": services }, "mode": "sync", "owner": "team" })
    };
    ask(&kit, "admin", Method::POST, "/api/v1/apply", Some(services(&["mine", "default"]))).await.is(200);
    let refused =
        ask(&kit, "limited", Method::POST, "/api/v1/apply", Some(services(&["mine"]))).await.is(403);
    assert!(refused["detail"].as_str().unwrap().contains("service/default/s"), "{refused}");
}

#[tokio::test]
async fn whoever_guesses_has_to_wait() {
    let users = [User { name: "ann".into(), password: "hunter2".into(), grant: Grant::of(Role::Admin) }];
    let auth = Auth::users(UserAuth::new(users).unwrap());
    let kit = Kit::with(Arc::new(MemoryStore::new()), auth).await;
    let login = |password: &str, from: SocketAddr| {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("ann:{password}"));
        let header = format!("Basic {pair}");
        let request = request(Method::GET, "/api/v1/session", None, &[("authorization", &header)]);
        kit.send_from(request, from)
    };
    let here: SocketAddr = LOCAL.into();
    let elsewhere: SocketAddr = ([10, 0, 0, 7], 1).into();
    login("hunter2", here).await.is(200);
    for _ in 0..6 {
        login("guess", here).await.is(401);
    }
    let waits = login("hunter2", here).await;
    assert!(waits.header("retry-after").parse::<u64>().unwrap() <= 2);
    waits.is(429);
    assert_eq!(login("hunter2", elsewhere).await.is(200)["data"]["name"], "ann");
}

#[tokio::test]
async fn watching_and_addresses_are_limits_for_everybody() {
    let store = || Arc::new(MemoryStore::new());
    let kit = Kit::with(store(), Auth::none().watch_only(true)).await;
    let refused = kit.put("/api/v1/service/default/s", json!({ "urls": ["http://a"] })).await.is(403);
    assert!(refused["detail"].as_str().unwrap().contains("watch_only"));
    kit.get("/api/v1/service").await.is(200);
    kit.post("/api/v1/explain", json!({ "path": "/" })).await.is(200);
    let kit = Kit::with(store(), Auth::none().allow_list(vec!["10.0.0.0/8".parse().unwrap()])).await;
    kit.get("/api/v1/service").await.is(403);
    kit.get("/livez").await.is(200);
    let from_inside = request(Method::GET, "/api/v1/service", None, &[]);
    kit.send_from(from_inside, ([10, 1, 2, 3], 1).into()).await.is(200);
    let mapped: SocketAddr = "[::ffff:10.1.2.3]:1".parse().unwrap();
    kit.send_from(request(Method::GET, "/api/v1/service", None, &[]), mapped).await.is(200);
}

#[tokio::test]
async fn pages_of_other_sites_can_do_nothing() {
    let kit = Kit::start().await;
    let with = |headers: &[(&str, &str)]| {
        let body = Some(json!({ "urls": ["http://a"] }));
        kit.send(request(Method::PUT, "/api/v1/service/default/s", body, headers))
    };
    with(&[("host", "localhost:9080"), ("origin", "https://evil.example")]).await.is(403);
    with(&[("host", "evil.example:9080"), ("origin", "http://evil.example:9080")]).await.is(403);
    with(&[("host", "localhost:9080"), ("origin", "http://localhost:9080")]).await.is(201);
}
