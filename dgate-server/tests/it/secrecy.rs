//! Nothing that is secret is in anything that can be read.

use std::net::SocketAddr;

use dgate_proxy::testing::TestClient;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::running::Running;

const KEY: &str = "admin-key-4711-a";
const WRONG_KEY: &str = "admin-key-4712-b";
const SECRETS: [&str; 5] =
    [KEY, WRONG_KEY, "hunter2-of-the-api", "hunter2-of-the-file", "hunter2-that-is-new"];

async fn ask(admin: SocketAddr, key: &str, method: Method, path: &str, body: Value) -> (u16, String) {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.header("x-api-key", key).header("content-type", "application/json");
    let answer = TestClient::http1(admin).await.send(request.body(body.to_string()).unwrap()).await;
    (answer.status().as_u16(), answer.text())
}

#[tokio::test]
async fn no_secret_is_in_any_answer_metric_or_line_of_the_log() {
    let running = Running::start(&format!(
        "
version: v1
log_level: debug
log_format: json
access_log: {{format: off}}
storage: {{dir: data}}
proxy:
  host: 127.0.0.1
  port: 0
  init_resources:
    secrets: [{{name: of-file, data: hunter2-of-the-file}}]
    modules:
      - {{name: reads, permissions: ['resource:secret:read'], payload_raw: 'import {{ getSecret }} from \"dgate/secrets\"; export async function requestHandler(ctx) {{ const s = await getSecret(\"of-file\"); ctx.response().json({{ length: s.length }}); }}'}}
    routes: [{{name: reads, paths: ['/reads'], modules: [reads]}}]
admin:
  port: 0
  auth_method: key
  key_auth: {{keys: [{{name: ci, key: {KEY}, role: admin}}]}}
"
    ))
    .await;
    let admin = running.address("admin");
    let mut said = Vec::new();
    for (method, path, body, status) in [
        (Method::PUT, "/api/v1/secret/default/token", json!({ "data": "hunter2-of-the-api" }), 201),
        (Method::PUT, "/api/v1/secret/default/token", json!({ "data": "hunter2-that-is-new" }), 200),
        (Method::PATCH, "/api/v1/secret/default/token", json!({ "tags": ["a"] }), 200),
        (
            Method::POST,
            "/api/v1/apply?dry_run=true",
            json!({ "resources": { "secrets": [{ "name": "of-file", "data": "hunter2-that-is-new" }] } }),
            200,
        ),
        (Method::POST, "/api/v1/module/default/reads/run", json!({}), 200),
        (
            Method::POST,
            "/api/v1/explain",
            json!({ "path": "/reads", "send": true, "headers": { "x-api-key": KEY } }),
            200,
        ),
        (Method::POST, "/api/v1/changelog/2/rollback", json!({}), 200),
    ] {
        let answer = ask(admin, KEY, method.clone(), path, body).await;
        assert_eq!(answer.0, status, "{method} {path}: {}", answer.1);
        said.push((path.to_owned(), answer.1));
    }
    assert_eq!(ask(admin, WRONG_KEY, Method::GET, "/api/v1/stats", Value::Null).await.0, 401);
    assert_eq!(running.get("/reads").await.text(), "{\"length\":19}");
    for path in [
        "/metrics",
        "/api/v1/export?documents",
        "/api/v1/secret",
        "/api/v1/secret/default/token",
        "/api/v1/stats",
        "/api/v1/changelog?since=0",
        "/api/v1/changelog/1",
        "/api/v1/changelog/2",
        "/api/v1/changelog/3",
        "/api/v1/changelog/4",
        "/api/v1/session",
        "/api/v1/cluster",
        "/api/v1/upstreams",
        "/api/v1/openapi.json",
    ] {
        let answer = ask(admin, KEY, Method::GET, path, Value::Null).await;
        assert_eq!(answer.0, 200, "{path}: {}", answer.1);
        said.push((path.to_owned(), answer.1));
    }
    said.push(("the log".to_owned(), running.log()));
    said.push(("standard output".to_owned(), running.stdout()));
    assert!(running.log().contains("/api/v1/secret/default/token"), "the log tells who changed what");
    for (place, text) in &said {
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret} is in {place}: {text}");
        }
    }
}
