//! What was acknowledged stays: across restarts, kills and hand-overs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use dgate_proxy::testing::{Answer, TestClient, TestUpstream};
use http::{Method, Request};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::running::{Directory, Running, configuration, line_of, send_signal};

/// How often the server is killed.
const ROUNDS: usize = 6;

fn durable(upstream: &str) -> String {
    configuration(upstream, "").replace("storage: {type: memory}", "storage: {dir: data}")
}

async fn ask(address: SocketAddr, method: Method, path: &str, body: Value) -> Answer {
    TestClient::http1(address).await.send(request(method, path, &body)).await
}

fn request(method: Method, path: &str, body: &Value) -> Request<String> {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    request.header("content-type", "application/json").body(body.to_string()).unwrap()
}

/// Starts a server where another one has ended.
async fn again(running: Running) -> Running {
    let mut running = running;
    let directory = std::mem::replace(&mut running.directory, Directory::new());
    running.end().await;
    Running::start_in(directory, |_| {}).await
}

#[tokio::test]
async fn what_was_changed_is_there_after_a_restart_and_can_be_undone() {
    let upstream = TestUpstream::echo().await;
    let directory = Directory::new();
    directory.write("config.yaml", durable(&upstream.url()));
    let running = Running::start_in(directory, |_| {}).await;
    let admin = running.address("admin");
    let route = json!({ "paths": ["/only/{here}"], "service": "s", "match": { "headers": { "x-a": "1" } } });
    assert_eq!(ask(admin, Method::PUT, "/api/v1/route/default/more", route).await.status(), 201);
    let secret = json!({ "data": "hunter2" });
    assert_eq!(ask(admin, Method::PUT, "/api/v1/secret/default/token", secret).await.status(), 201);
    let before = running.admin("/api/v1/export").await.json()["data"].clone();
    running.signal(Signal::TERM);
    let running = again(running).await;
    let after = running.admin("/api/v1/export").await.json();
    assert_eq!((&after["data"], &after["revision"]), (&before, &json!(3)), "fingerprints are the same, too");
    assert!(!running.log().contains("hunter2"));
    let explain = json!({ "path": "/only/x", "headers": { "x-a": "1" }, "send": true });
    let explained = ask(running.address("admin"), Method::POST, "/api/v1/explain", explain).await.json();
    assert_eq!(explained["data"]["route"]["name"], "more");
    assert_eq!(explained["data"]["answer"]["status"], 200, "{explained}");
    let back = ask(running.address("admin"), Method::POST, "/api/v1/changelog/1/rollback", json!({})).await;
    assert_eq!(back.status(), 200, "{}", back.text());
    running.signal(Signal::TERM);
    let running = again(running).await;
    assert_eq!(running.admin("/api/v1/route/default/more").await.status(), 404);
    assert_eq!(running.admin("/api/v1/changelog?since=0").await.json()["count"], 4);
}

/// What clients were told is written: documents and their values.
type Acknowledged = Arc<Mutex<BTreeMap<String, u64>>>;

/// Writes until the server is gone.
async fn write(admin: SocketAddr, client: usize, round: usize, acknowledged: Acknowledged) {
    let mut connection = TestClient::http1(admin).await;
    for number in 0.. {
        let id = format!("{client}-{}", number % 10);
        let value = (round * 1_000_000 + number) as u64;
        let path = format!("/api/v1/document/default/c/{id}");
        match connection.try_send(request(Method::PUT, &path, &json!({ "data": value }))).await {
            Ok(answer) if matches!(answer.status().as_u16(), 200 | 201) => {
                acknowledged.lock().unwrap().insert(id, value);
            }
            Ok(answer) => panic!("{}", answer.text()),
            Err(_) => return,
        }
    }
}

#[tokio::test]
async fn whatever_was_acknowledged_survives_kills() {
    let upstream = TestUpstream::echo().await;
    let directory = Directory::new();
    directory.write("config.yaml", durable(&upstream.url()));
    let mut running = Running::start_in(directory, |_| {}).await;
    let created = ask(running.address("admin"), Method::PUT, "/api/v1/collection/default/c", json!({})).await;
    assert_eq!(created.status(), 201);
    let acknowledged = Acknowledged::default();
    for round in 0..ROUNDS {
        let admin = running.address("admin");
        let clients: Vec<_> =
            (0..4).map(|client| tokio::spawn(write(admin, client, round, acknowledged.clone()))).collect();
        let wanted = (round * 1_000_000 + 5 + round) as u64;
        crate::eventually("some writes", async || {
            acknowledged.lock().unwrap().values().any(|value| *value >= wanted)
        })
        .await;
        running.signal(Signal::KILL);
        for client in clients {
            client.await.unwrap();
        }
        running = again(running).await;
        let admin = running.address("admin");
        let expected = acknowledged.lock().unwrap().clone();
        for (id, value) in expected {
            let path = format!("/api/v1/document/default/c/{id}");
            let found = ask(admin, Method::GET, &path, json!(null)).await.json()["data"]["data"].as_u64();
            // The last write of each client may have happened without anybody having heard of it.
            assert!(found >= Some(value), "{id}: {value} was acknowledged, {found:?} is there");
        }
    }
}

#[tokio::test]
async fn a_successor_goes_on_with_the_same_store() {
    let upstream = TestUpstream::echo().await;
    let directory = Directory::new();
    directory.write("config.yaml", durable(&upstream.url()));
    let running = Running::start_in(directory, |_| {}).await;
    let admin = running.address("admin");
    let put = async |name: &str| {
        ask(admin, Method::PUT, &format!("/api/v1/secret/default/{name}"), json!({ "data": "x" })).await
    };
    assert_eq!(put("before").await.status(), 201);
    running.signal(Signal::USR2);
    running.says("the new process serves").await;
    let line = line_of(&running.log(), "the new process serves").unwrap();
    let successor = u32::try_from(line["pid"].as_u64().unwrap()).unwrap();
    let mut running = running;
    let directory = std::mem::replace(&mut running.directory, Directory::new());
    running.end().await;
    assert_eq!(put("after").await.status(), 201);
    let listed = crate::running::get(admin, "localhost", "/api/v1/secret").await.json();
    assert_eq!(listed["count"], 2);
    send_signal(successor, Signal::TERM);
    crate::eventually("the successor has gone", async || std::net::TcpStream::connect(admin).is_err()).await;
    let again = Running::start_in(directory, |_| {}).await;
    assert_eq!(again.admin("/api/v1/secret").await.json()["count"], 2);
}
