use dgate_core::Kind::*;
use dgate_proxy::testing::{Answer, TestGateway, TestUpstream};
use http::Request;
use serde_json::{Value, json};

use crate::{all_to, resource};

async fn get(gateway: &TestGateway, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path).header("host", "a");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    gateway.client().await.send(request.body("").unwrap()).await
}

#[tokio::test]
async fn errors_are_told_in_the_form_the_client_wants() {
    let gateway = TestGateway::start(all_to("http://127.0.0.1:1")).await;
    let text = get(&gateway, "/", &[]).await;
    assert_eq!((text.status().as_u16(), text.text().as_str()), (502, "Upstream refused the connection\n"));
    assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");

    let problem = get(&gateway, "/", &[("accept", "application/json")]).await;
    assert_eq!(problem.header("content-type"), "application/problem+json");
    let body = problem.json();
    assert_eq!(body["status"], 502);
    assert_eq!(body["code"], "upstream_refused");
    assert_eq!(body["title"], "Upstream refused the connection");
    assert_eq!(body["request_id"], problem.header("x-request-id"));
    assert!(!problem.text().contains("127.0.0.1"), "no internal address: {}", problem.text());

    let grpc = get(&gateway, "/", &[("content-type", "application/grpc+proto")]).await;
    assert_eq!(grpc.status(), 200);
    assert_eq!((grpc.header("grpc-status"), grpc.header("content-type")), ("14", "application/grpc"));
    assert_eq!(grpc.header("grpc-message"), "Upstream refused the connection");
}

#[tokio::test]
async fn each_situation_has_its_answer() {
    let upstream = TestUpstream::echo().await;
    let service = |name: &str, urls: Value| {
        resource(Service, json!({ "name": name, "urls": urls, "retries": 0, "connect_timeout": "200ms" }))
    };
    let route =
        |name: &str| resource(Route, json!({ "name": name, "paths": [format!("/{name}")], "service": name }));
    let gateway = TestGateway::start([
        service("refused", json!(["http://127.0.0.1:1"])),
        service("unknown", json!(["http://no-such-host.invalid"])),
        // An address that nobody answers for: connecting hangs, or is refused by the network at once.
        service("tls", json!([upstream.url().replace("http:", "https:")])),
        service("none", json!([{ "url": "http://127.0.0.1:1", "weight": 0 }])),
        route("refused"),
        route("unknown"),
        route("tls"),
        route("none"),
    ])
    .await;
    for (path, status, code) in [
        ("/refused", 502, "upstream_refused"),
        ("/unknown", 502, "upstream_connect"),
        ("/tls", 502, "upstream_tls"),
        ("/none", 502, "no_endpoint"),
        ("/nowhere", 404, "no_route"),
    ] {
        let answer = get(&gateway, path, &[("accept", "application/json")]).await;
        assert_eq!(
            (answer.status().as_u16(), answer.json()["code"].as_str().unwrap()),
            (status, code),
            "{path}"
        );
    }
}

#[tokio::test]
async fn overload_is_shed_at_once() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    let mut settings = dgate_proxy::ProxySettings::default();
    settings.limits.in_flight = Some(1);
    let builder = dgate_proxy::Gateway::builder().spec(all_to(upstream.url())).settings(settings);
    let gateway = TestGateway::build(builder).await;
    let mut waiting = gateway.raw().await;
    waiting.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    crate::eventually("the first one waits", async || upstream.connections() == 1).await;
    let answer = get(&gateway, "/", &[]).await;
    assert_eq!((answer.status().as_u16(), answer.header("retry-after")), (503, "1"));
    drop(waiting);
    // Once the first one has gone there is room again.
    crate::eventually("there is room", async || {
        let mut raw = gateway.raw().await;
        raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let before = upstream.connections();
        tokio::time::timeout(std::time::Duration::from_millis(100), raw.read_until("503")).await.is_err()
            && before >= 1
    })
    .await;
}
