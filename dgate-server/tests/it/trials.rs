//! Modules that are tried with one request, apart from what serves.

use std::net::SocketAddr;

use dgate_proxy::testing::TestClient;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::running::Running;

const SERVER: &str = "
version: v1
proxy: {host: 127.0.0.1, port: 0}
admin: {port: 0}
access_log: {format: off}
log_format: json
storage: {type: memory}
modules: {default_permissions: [cache]}
";

async fn ask(admin: SocketAddr, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.header("content-type", "application/json").body(body.to_string()).unwrap();
    let answer = TestClient::http1(admin).await.send(request).await;
    (answer.status().as_u16(), answer.json())
}

async fn put(admin: SocketAddr, path: &str, body: Value) {
    let (status, body) = ask(admin, Method::PUT, path, body).await;
    assert_eq!(status, 201, "{path}: {body:#}");
}

async fn run(admin: SocketAddr, module: &str, wish: Value) -> Value {
    let path = format!("/api/v1/module/default/{module}/run");
    let (status, body) = ask(admin, Method::POST, &path, wish).await;
    assert_eq!(status, 200, "{module}: {body:#}");
    body["data"].clone()
}

const COUNTER: &str = r#"
import { getDocument, addDocument } from "dgate/state";
import { getSecret } from "dgate/secrets";
import { prefix } from "./names";

export async function requestHandler(ctx) {
  const before = await getDocument("visits", "counts");
  const count = (before?.data ?? 0) + 1;
  await addDocument({ id: "visits", collection: "counts", data: count });
  const after = await getDocument("visits", "counts");
  console.log("counted", after.data);
  try { await fetch("http://127.0.0.1:1/"); } catch (error) { console.warn(error.name); }
  const token = await getSecret("token");
  ctx.response().status(201).json({ hello: prefix + ctx.pathParam("who"), count: after.data, token: token.length });
}
"#;

#[tokio::test]
async fn a_module_is_tried_and_nothing_that_is_live_changes() {
    let running = Running::start(SERVER).await;
    let admin = running.address("admin");
    put(admin, "/api/v1/collection/default/counts", json!({ "schema": { "type": "integer" } })).await;
    put(admin, "/api/v1/document/default/counts/visits", json!({ "data": 41 })).await;
    put(admin, "/api/v1/secret/default/token", json!({ "data": "hunter2" })).await;
    put(admin, "/api/v1/module/default/names", json!({ "payload_raw": "export const prefix = 'dear ';" }))
        .await;
    let permissions = ["resource:document:read", "resource:document:write", "resource:secret:read"];
    let module = json!({ "payload_raw": COUNTER, "permissions": permissions, "tags": ["never"] });
    put(admin, "/api/v1/module/default/counter", module).await;
    let (_, before) = ask(admin, Method::GET, "/api/v1/export?documents", Value::Null).await;

    for _ in 0..2 {
        let wish = json!({ "method": "POST", "path": "/hello/Ann?x=1", "pattern": "/hello/{who}" });
        let ran = run(admin, "counter", wish).await;
        assert_eq!(ran["status"], 201, "{ran:#}");
        let body: Value = serde_json::from_str(ran["body"].as_str().unwrap()).unwrap();
        assert_eq!(body, json!({ "hello": "dear Ann", "count": 42, "token": 7 }));
        let lines: Vec<_> = ran["console"].as_array().unwrap().iter().map(|line| &line["text"]).collect();
        assert_eq!(lines, ["counted 42", "PermissionDenied"]);
        assert_eq!(ran["denied"].as_array().unwrap().len(), 1);
        assert!(ran["denied"][0].as_str().unwrap().contains("os:net:http=127.0.0.1:1"), "{ran:#}");
        assert_eq!(ran["hooks"][0]["hook"], "requestHandler");
        assert!(ran["hooks"][0]["took_ms"].as_f64().unwrap() > 0.0);
        assert_eq!((&ran["failures"], &ran["upstream"]), (&json!([]), &Value::Null));
    }

    let (_, after) = ask(admin, Method::GET, "/api/v1/export?documents", Value::Null).await;
    assert_eq!(before, after, "a trial leaves nothing behind, not even a revision");
    assert!(!running.log().contains("hunter2"));
}

#[tokio::test]
async fn what_goes_wrong_is_told_with_its_place_and_limits_hold() {
    let running = Running::start(SERVER).await;
    let admin = running.address("admin");
    let thrower = "export function requestModifier(ctx: { x: number }): void {\n  const deep = (): never => {\n    throw new Error('broken');\n  };\n  deep();\n}\n";
    for (name, source) in [
        ("thrower", thrower),
        ("endless", "export function requestHandler() { for (;;); }"),
        (
            "header",
            "export const responseModifier = (ctx) => { ctx.upstream().headers.set('x-seen', '1'); };",
        ),
    ] {
        put(admin, &format!("/api/v1/module/default/{name}"), json!({ "payload_raw": source })).await;
    }
    let ran = run(admin, "thrower", json!({})).await;
    let failure = &ran["failures"][0];
    assert_eq!((&ran["status"], &failure["message"]), (&json!(500), &json!("broken")), "{ran:#}");
    assert_eq!((&failure["hook"], &failure["kind"]), (&json!("requestModifier"), &json!("threw")));
    assert!(failure["place"].as_str().unwrap().starts_with("thrower.ts:3:"), "{failure:#}");
    assert!(failure["trace"].as_array().unwrap().len() >= 2, "{failure:#}");

    let ran = run(admin, "endless", json!({})).await;
    assert_eq!(ran["failures"][0]["kind"], "cpu", "{ran:#}");

    // No upstream is asked: it is an echo that the module changes.
    let ran = run(admin, "header", json!({ "headers": { "x-a": "b" }, "body": "hi" })).await;
    assert_eq!(ran["upstream"], "an echo of the request", "{ran:#}");
    assert!(ran["headers"].as_array().unwrap().contains(&json!(["x-seen", "1"])), "{ran:#}");
    let echo: Value = serde_json::from_str(ran["body"].as_str().unwrap()).unwrap();
    assert_eq!((&echo["headers"]["x-a"], &echo["body"]), (&json!("b"), &json!("hi")));
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused() {
    let running = Running::start(SERVER).await;
    let admin = running.address("admin");
    put(
        admin,
        "/api/v1/module/default/m",
        json!({ "payload_raw": "export const requestHandler = () => {};" }),
    )
    .await;
    let run = async |module: &str, wish| {
        ask(admin, Method::POST, &format!("/api/v1/module/{module}/run"), wish).await
    };
    assert_eq!(run("default/missing", json!({})).await.0, 404);
    assert_eq!(run("nowhere/m", json!({})).await.0, 404);
    let (status, body) = run("default/m", json!({ "pattern": "/{" })).await;
    assert_eq!(status, 422, "{body:#}");
    for wish in [json!({ "path": "x" }), json!({ "method": "a b" }), json!({ "headers": { "a b": "c" } })] {
        assert_eq!(run("default/m", wish).await.0, 400);
    }
    let (status, body) = run("default/m", json!({ "paht": "/" })).await;
    assert!(status == 422 && body.to_string().contains("did you mean `path`"), "{body:#}");
}
