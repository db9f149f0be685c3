//! The modules in `examples/modules`, each doing what it says.

use std::path::Path;
use std::sync::Arc;

use dgate_core::Kind;
use dgate_modules::{ModuleRunner, ModuleSettings};
use dgate_proxy::Gateway;
use dgate_proxy::testing::{Answer, TestGateway, TestUpstream};
use http::Request;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::kit::{get, resource};

/// A gateway with one example; `more` goes into its module, `urls` are those of its service.
async fn example(file: &str, more: Value, urls: &[String]) -> TestGateway {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/modules").join(file);
    let source = std::fs::read_to_string(&path).unwrap();
    let is_script = path.extension().is_some_and(|extension| extension == "js");
    let kind = if is_script { "javascript" } else { "typescript" };
    let mut module = json!({ "name": "m", "type": kind, "payload_raw": source });
    module.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut route = json!({ "name": "r", "paths": ["/m", "/m/{id}"], "modules": ["m"] });
    let mut resources = vec![
        resource(Kind::Module, module),
        resource(Kind::Collection, json!({ "name": "links" })),
        resource(Kind::Secret, json!({ "name": "jwt", "data": "k" })),
    ];
    if !urls.is_empty() {
        route["service"] = "s".into();
        resources.push(resource(Kind::Service, json!({ "name": "s", "urls": urls, "retries": 0 })));
    }
    resources.push(resource(Kind::Route, route));
    let runner = ModuleRunner::new(ModuleSettings::default());
    let gateway =
        TestGateway::build(Gateway::builder().hook_runner(Arc::new(runner.clone())).spec(resources)).await;
    runner.connect_fetch(gateway.gateway().fetch_client());
    runner.connect_documents(gateway.gateway().documents());
    gateway
}

async fn post(gateway: &TestGateway, target: &str) -> Answer {
    let request = Request::post(target).header("host", "a").body("").unwrap();
    gateway.client().await.send(request).await
}

const LINKS: [&str; 2] = ["resource:document:read=links", "resource:document:write=links"];

#[tokio::test]
async fn the_url_shortener_shortens() {
    for file in ["url-shortener.ts", "url-shortener.script.js"] {
        let gateway = example(file, json!({ "permissions": LINKS }), &[]).await;
        let made = post(&gateway, "/m?url=https://dgate.example/x").await;
        assert_eq!(made.status(), 201, "{file}: {}", made.text());
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let followed = get(&gateway, &format!("/m/{id}")).await;
        assert_eq!(
            (followed.status().as_u16(), followed.header("location")),
            (307, "https://dgate.example/x"),
            "{file}"
        );
        assert_eq!(get(&gateway, "/m/none").await.status(), 404, "{file}");
        assert_eq!(post(&gateway, "/m").await.status(), 400, "{file}");
    }
}

#[tokio::test]
async fn answers_are_merged() {
    let upstream = TestUpstream::echo().await;
    let upstreams = format!("{0}/a {0}/b http://127.0.0.1:1/", upstream.url());
    let more = json!({ "permissions": ["os:net:http=127.0.0.1"], "env": { "UPSTREAMS": upstreams } });
    let gateway = example("merge.ts", more, &[]).await;
    let merged = get(&gateway, "/m").await.json();
    assert_eq!(
        (&merged[0]["path"], &merged[1]["path"], &merged[2]),
        (&json!("/a"), &json!("/b"), &Value::Null)
    );
}

#[tokio::test]
async fn requests_are_enriched_from_a_cache() {
    let upstream = TestUpstream::echo().await;
    let runner = "export function requestHandler(ctx) { ctx.response().json({ plan: 'gold' }); }";
    let users = crate::kit::Setup::new()
        .module(runner)
        .with(resource(Kind::Route, json!({ "name": "r", "paths": ["/users/{id}"], "modules": ["m"] })));
    let users = users.start().await;
    let url = format!("http://{}", users.address());
    let more = json!({ "permissions": ["os:net:http=127.0.0.1", "cache"], "env": { "USERS": url } });
    let gateway = example("enrich.ts", more, &[upstream.url()]).await;
    for _ in 0..3 {
        assert_eq!(get(&gateway, "/m/ann").await.json()["headers"]["x-user-plan"], "gold");
    }
}

#[tokio::test]
async fn answers_are_rewritten() {
    let upstream = crate::kit::handler(
        "export const requestHandler = (ctx) => ctx.pathParam('id') === 'json'
           ? Response.json({ a: 1, headers: {} }) : new Response(new Uint8Array([255, 0, 254]));",
    )
    .await;
    let gateway = example("rewrite.ts", json!({}), &[format!("http://{}", upstream.address())]).await;
    assert_eq!(get(&gateway, "/m/json").await.json(), json!({ "a": 1 }));
    assert_eq!(*get(&gateway, "/m/binary").await.body, [255, 0, 254]);
}

#[tokio::test]
async fn a_client_stays_with_its_endpoint() {
    let (one, two) = (TestUpstream::echo().await, TestUpstream::echo().await);
    let gateway = example("ip-hash.ts", json!({}), &[one.url(), two.url()]).await;
    for _ in 0..4 {
        assert_eq!(get(&gateway, "/m/ann").await.status(), 200);
    }
    let mut counts = [one.seen().len(), two.seen().len()];
    counts.sort_unstable();
    assert_eq!(counts, [0, 4]);
}

#[tokio::test]
async fn only_valid_tokens_come_in() {
    let upstream = TestUpstream::echo().await;
    let gateway =
        example("jwt-check.ts", json!({ "permissions": ["resource:secret:read=jwt"] }), &[upstream.url()])
            .await;
    // {"alg":"HS256"} {"sub":"ann","iss":"https://login.example","exp":4102444800}, signed with `k`
    let signer = crate::kit::handler(
        "import { sign } from 'dgate/jwt';
         export const requestHandler = (ctx) => ctx.response().send(sign({ sub: 'ann', iss: 'https://login.example', exp: 4102444800 }, 'k')) && undefined;",
    )
    .await;
    let token = get(&signer, "/m/1").await.text();
    let with = |token: String| {
        Request::get("/m/x")
            .header("host", "a")
            .header("authorization", format!("Bearer {token}"))
            .body("")
            .unwrap()
    };
    let answer = gateway.client().await.send(with(token.clone())).await;
    assert_eq!(answer.json()["headers"]["x-user"], "ann", "{}", answer.text());
    assert_eq!(answer.json()["headers"].get("authorization"), None);
    assert_eq!(gateway.client().await.send(with(format!("{token}x"))).await.status(), 401);
    assert_eq!(get(&gateway, "/m/x").await.status(), 401);
}

#[tokio::test]
async fn errors_have_a_page() {
    let gateway = example("error-page.ts", json!({}), &["http://127.0.0.1:1".to_owned()]).await;
    let answer = get(&gateway, "/m/x").await;
    assert_eq!((answer.status().as_u16(), answer.header("content-type")), (502, "text/html; charset=utf-8"));
    assert!(
        answer.text().contains("upstream_refused") && answer.text().contains(answer.header("x-request-id"))
    );
}

#[tokio::test]
async fn websockets_are_guarded() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        assert!(head.contains("sec-websocket-protocol: chat.v1\r\n"), "{head}");
        let answer = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-protocol: chat.v1\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        let byte = stream.read_u8().await.unwrap();
        stream.write_all(&[byte, b'!']).await.unwrap();
    })
    .await;
    let env = json!({ "env": { "ORIGINS": "https://app.example", "PROTOCOL": "chat.v1" } });
    let gateway = example("websocket-guard.ts", env, &[upstream.url()]).await;
    let handshake = |origin: &str, protocol: &str| {
        format!(
            "GET /m/x HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\norigin: {origin}\r\nsec-websocket-protocol: {protocol}\r\n\r\n"
        )
    };
    for (origin, protocol, status) in
        [("https://evil.example", "chat.v1", "403"), ("https://app.example", "other", "400")]
    {
        let mut refused = gateway.raw().await;
        refused.send(handshake(origin, protocol)).await;
        let head = refused.read_until("\r\n\r\n").await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
    }
    let mut open = gateway.raw().await;
    open.send(handshake("https://app.example", "other, chat.v1")).await;
    let head = open.read_until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101") && head.contains("x-guarded: yes"), "{head}");
    open.send("?").await;
    assert_eq!(open.read_until("!").await, "?!");
}

#[tokio::test]
async fn workers_work() {
    let gateway = example("worker.ts", json!({ "env": { "GREETING": { "secret": "jwt" } } }), &[]).await;
    assert_eq!(get(&gateway, "/m/x").await.text(), "k from /m/x", "a secret's value");
    assert_eq!(post(&gateway, "/m/x").await.json(), json!({ "echo": "", "pathname": "/m/x" }));
}
