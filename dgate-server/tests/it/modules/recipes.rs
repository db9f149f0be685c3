//! Every recipe of `examples/modules`, as it is, in one server.

use dgate_core::Body;
use dgate_proxy::testing::{Answer, RawConnection, TestClient, TestUpstream};
use http::{Request, Response};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::running::Running;

/// Sends a request with a method and headers.
async fn ask(running: &Running, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("host", "a");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut client = TestClient::http1(running.address("proxy-http")).await;
    client.send(request.body("").unwrap()).await
}

/// Answers everything with JSON.
async fn answering(json: &'static str) -> TestUpstream {
    TestUpstream::http(move |_| async move {
        Response::builder().header("content-type", "application/json").body(Body::from(json)).unwrap()
    })
    .await
}

/// Upgrades to a subprotocol in which each byte is repeated with a mark.
async fn chat() -> TestUpstream {
    TestUpstream::raw(|mut stream| async move {
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
    .await
}

#[tokio::test]
async fn all_recipes_work_in_a_server() {
    let (echo, other) = (TestUpstream::echo().await, TestUpstream::echo().await);
    let (users, document) =
        (answering(r#"{"plan":"gold"}"#).await, answering(r#"{"a":1,"headers":{}}"#).await);
    let chat = chat().await;
    let chat_url = chat.url();
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/modules");
    let (echo_url, other_url) = (echo.url(), other.url());
    let (users_url, document_url) = (users.url(), document.url());
    let running = Running::start(&format!(
        "version: v1
proxy:
  host: 127.0.0.1
  port: 0
  init_resources:
    collections: [{{name: links}}]
    secrets: [{{name: jwt, data: k}}]
    services:
      - {{name: echo, urls: ['{echo_url}']}}
      - {{name: both, urls: ['{echo_url}', '{other_url}']}}
      - {{name: document, urls: ['{document_url}']}}
      - {{name: chat, urls: ['{chat_url}']}}
      - {{name: nobody, urls: ['http://127.0.0.1:1'], retries: 0}}
    modules:
      - {{name: shortener, payload_file: '{examples}/url-shortener.ts', permissions: ['resource:document:*=links']}}
      - name: script
        type: javascript
        payload_file: '{examples}/url-shortener.script.js'
        permissions: ['resource:document:*=links']
      - name: merge
        payload_file: '{examples}/merge.ts'
        permissions: ['os:net:http=127.0.0.1']
        env: {{UPSTREAMS: '{echo_url}/a {echo_url}/b http://127.0.0.1:1/'}}
      - name: enrich
        payload_file: '{examples}/enrich.ts'
        permissions: ['os:net:http=127.0.0.1', cache]
        env: {{USERS: '{users_url}'}}
      - {{name: rewrite, payload_file: '{examples}/rewrite.ts'}}
      - {{name: ip-hash, payload_file: '{examples}/ip-hash.ts'}}
      - {{name: jwt-check, payload_file: '{examples}/jwt-check.ts', permissions: ['resource:secret:read=jwt']}}
      - {{name: error-page, payload_file: '{examples}/error-page.ts'}}
      - name: guard
        payload_file: '{examples}/websocket-guard.ts'
        env: {{ORIGINS: 'https://app.example', PROTOCOL: chat.v1}}
      - {{name: worker, payload_file: '{examples}/worker.ts', env: {{GREETING: {{secret: jwt}}}}}}
      - name: signer
        payload_raw: |
          import {{ sign }} from 'dgate/jwt';
          export const requestHandler = (ctx) => void ctx.response().send(
            sign({{ sub: 'ann', iss: 'https://login.example', exp: 4102444800 }}, 'k'));
    routes:
      - {{name: shortener, paths: ['/links', '/links/{{id}}'], modules: [shortener]}}
      - {{name: script, paths: ['/script', '/script/{{id}}'], modules: [script]}}
      - {{name: merge, paths: ['/merge'], modules: [merge]}}
      - {{name: enrich, paths: ['/users/{{id}}'], service: echo, modules: [enrich]}}
      - {{name: rewrite, paths: ['/rewrite'], service: document, modules: [rewrite]}}
      - {{name: ip-hash, paths: ['/hash'], service: both, modules: [ip-hash]}}
      - {{name: jwt-check, paths: ['/jwt'], service: echo, modules: [jwt-check]}}
      - {{name: error-page, paths: ['/broken'], service: nobody, modules: [error-page]}}
      - {{name: guard, paths: ['/ws'], service: chat, modules: [guard]}}
      - {{name: worker, paths: ['/worker'], modules: [worker]}}
      - {{name: signer, paths: ['/sign'], modules: [signer]}}
admin: {{port: 0}}
access_log: {{format: off}}
log_format: json
storage: {{type: memory}}
"
    ))
    .await;

    for path in ["/links", "/script"] {
        let made = ask(&running, "POST", &format!("{path}?url=https://dgate.example/x"), &[]).await;
        assert_eq!(made.status(), 201, "{path}: {}", made.text());
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let followed = running.get(&format!("{path}/{id}")).await;
        assert_eq!(
            (followed.status().as_u16(), followed.header("location")),
            (307, "https://dgate.example/x")
        );
        assert_eq!(running.get(&format!("{path}/none")).await.status(), 404);
    }

    let merged = running.get("/merge").await.json();
    assert_eq!((&merged[0]["path"], &merged[1]["path"]), (&json!("/a"), &json!("/b")));
    assert!(merged[2].is_null(), "{merged}");

    for _ in 0..3 {
        assert_eq!(running.get("/users/ann").await.json()["headers"]["x-user-plan"], "gold");
    }
    assert_eq!(users.seen().len(), 1, "asked once, then remembered");

    assert_eq!(running.get("/rewrite").await.json(), json!({ "a": 1 }));

    let asked =
        || [&echo, &other].map(|upstream| upstream.seen().iter().filter(|seen| seen.uri == "/hash").count());
    for _ in 0..4 {
        assert_eq!(running.get("/hash").await.status(), 200);
    }
    let mut counts = asked();
    counts.sort_unstable();
    assert_eq!(counts, [0, 4]);

    let token = running.get("/sign").await.text();
    let with = |token: &str| format!("Bearer {token}");
    let let_in = ask(&running, "GET", "/jwt", &[("authorization", &with(&token))]).await;
    assert_eq!(let_in.json()["headers"]["x-user"], "ann", "{}", let_in.text());
    for headers in [vec![], vec![("authorization", with(&format!("{token}x")))]] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(ask(&running, "GET", "/jwt", &headers).await.status(), 401);
    }

    let page = running.get("/broken").await;
    assert_eq!((page.status().as_u16(), page.header("content-type")), (502, "text/html; charset=utf-8"));

    let handshake = async |origin: &str, protocol: &str| {
        let mut connection = RawConnection::open(running.address("proxy-http")).await;
        let head = format!(
            "GET /ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\norigin: {origin}\r\nsec-websocket-protocol: {protocol}\r\n\r\n"
        );
        connection.send(head).await;
        let answer = connection.read_until("\r\n\r\n").await;
        (connection, answer)
    };
    let (_, answer) = handshake("https://evil.example", "chat.v1").await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let (_, answer) = handshake("https://app.example", "other").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let (mut open, answer) = handshake("https://app.example", "other, chat.v1").await;
    assert!(answer.starts_with("HTTP/1.1 101") && answer.contains("x-guarded: yes"), "{answer}");
    open.send("?").await;
    assert_eq!(open.read_until("!").await, "?!");

    assert_eq!(running.get("/worker").await.text(), "k from /worker");
    assert_eq!(
        ask(&running, "POST", "/worker", &[]).await.json(),
        json!({ "echo": "", "pathname": "/worker" })
    );
}
