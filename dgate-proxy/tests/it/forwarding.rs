use dgate_core::Kind::*;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use dgate_proxy::{Gateway, ProxySettings};
use http::Request;
use serde_json::json;

use crate::{all_to, gateway_to, resource};

#[tokio::test]
async fn the_upstream_learns_where_a_request_comes_from() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    let port = gateway.address().port().to_string();
    let request = Request::get("/x")
        .header("host", "shop.example:81")
        .header("x-forwarded-for", "6.6.6.6")
        .header("x-forwarded-host", "evil")
        .header("x-forwarded-proto", "https")
        .header("forwarded", "for=6.6.6.6")
        .header("x-real-ip", "6.6.6.6")
        .header("x-request-id", "mine")
        .header("x-dgate-route", "fake")
        .header("via", "1.1 front")
        .header("connection", "keep-alive, x-private")
        .header("x-private", "1")
        .header("keep-alive", "timeout=5")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .body("")
        .unwrap();
    let answer = gateway.client().await.send(request).await;
    let seen = &upstream.seen()[0];
    for (name, value) in [
        ("host", upstream.address().to_string().as_str()),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "shop.example:81"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", port.as_str()),
        ("forwarded", "for=127.0.0.1;host=\"shop.example:81\";proto=http"),
        ("x-real-ip", "127.0.0.1"),
        ("x-dgate-namespace", "default"),
        ("x-dgate-route", "all"),
        ("x-dgate-service", "s"),
        ("via", "1.1 front, 1.1 dgate"),
        ("x-private", ""),
        ("keep-alive", ""),
        ("connection", ""),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ] {
        assert_eq!(seen.header(name), value, "{name}");
    }
    let id = seen.header("x-request-id");
    assert_ne!(id, "mine", "an untrusted client does not name its requests");
    assert_eq!(answer.header("x-request-id"), id);
    assert_eq!(answer.header("via"), "");
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_and_added_to() {
    let upstream = TestUpstream::echo().await;
    let mut settings = ProxySettings::default();
    settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let gateway =
        TestGateway::build(Gateway::builder().spec(all_to(upstream.url())).settings(settings)).await;
    let request = Request::get("/x")
        .header("host", "shop.example")
        .header("x-forwarded-for", "1.2.3.4")
        .header("x-forwarded-for", "5.6.7.8")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "outer.example")
        .header("forwarded", "for=1.2.3.4")
        .header("x-request-id", "from-outside")
        .body("")
        .unwrap();
    let answer = gateway.client().await.send(request).await;
    let seen = &upstream.seen()[0];
    for (name, value) in [
        ("x-forwarded-for", "1.2.3.4, 5.6.7.8, 127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "outer.example"),
        ("forwarded", "for=1.2.3.4, for=127.0.0.1;host=shop.example;proto=http"),
        ("x-real-ip", "5.6.7.8"),
        ("x-request-id", "from-outside"),
    ] {
        assert_eq!(seen.header(name), value, "{name}");
    }
    assert_eq!(answer.header("x-request-id"), "from-outside");
}

#[tokio::test]
async fn forwarding_headers_can_be_turned_off() {
    let upstream = TestUpstream::echo().await;
    let mut settings = ProxySettings::default();
    settings.disable_x_forwarded_headers = true;
    settings.client.disable_compression = true;
    settings.global_headers = vec![("x-powered-by".parse().unwrap(), "dgate".parse().unwrap())];
    let resources = [
        resource(Service, json!({ "name": "s", "urls": [upstream.url()], "hide_dgate_headers": true })),
        resource(Route, json!({ "name": "r", "paths": ["/**"], "service": "s", "preserve_host": true })),
    ];
    let gateway = TestGateway::build(Gateway::builder().spec(resources).settings(settings)).await;
    let request = Request::get("/")
        .header("host", "shop.example")
        .header("x-forwarded-for", "6.6.6.6")
        .header("x-dgate-route", "fake")
        .header("accept-encoding", "gzip")
        .body("")
        .unwrap();
    let answer = gateway.client().await.send(request).await;
    let seen = &upstream.seen()[0];
    for name in
        ["x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip", "x-dgate-route", "x-dgate-service"]
    {
        assert_eq!(seen.header(name), "", "{name}");
    }
    assert_eq!(seen.header("host"), "shop.example");
    assert_eq!(seen.header("accept-encoding"), "identity");
    assert_eq!(answer.header("x-powered-by"), "dgate");
    let mut raw = gateway.raw().await;
    raw.send("nonsense\r\n\r\n").await;
    assert!(raw.read_to_end().await.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn a_mirror_gets_copies_and_changes_nothing() {
    let (upstream, mirror) = (TestUpstream::echo().await, TestUpstream::echo().await);
    let gateway = TestGateway::start([
        resource(Service, json!({ "name": "s", "urls": [upstream.url()] })),
        resource(Service, json!({ "name": "m", "urls": [mirror.url()] })),
        resource(Service, json!({ "name": "dead", "urls": ["http://127.0.0.1:1"], "retries": 0 })),
        resource(Route, json!({ "name": "r", "paths": ["/m/**"], "service": "s", "mirror": { "service": "m" } })),
        resource(Route, json!({ "name": "none", "paths": ["/none"], "service": "s", "mirror": { "service": "m", "percent": "0%" } })),
        resource(Route, json!({ "name": "dead", "paths": ["/dead"], "service": "s", "mirror": { "service": "dead" } })),
    ])
    .await;
    let mut client = gateway.client().await;
    let body = "x".repeat(100_000);
    let post = Request::post("/m/post?q=1").header("host", "a").body(body.clone()).unwrap();
    assert_eq!(client.send(post).await.json()["body"].as_str().unwrap().len(), body.len());
    assert_eq!(gateway.get("/none").await.status(), 200);
    assert_eq!(gateway.get("/dead").await.status(), 200);
    crate::eventually("the copy arrives", async || !mirror.seen().is_empty()).await;
    let copy = &mirror.seen()[0];
    assert_eq!(
        (copy.method.as_str(), copy.uri.as_str(), copy.body.len()),
        ("POST", "/m/post?q=1", body.len())
    );
    assert_eq!(copy.header("x-forwarded-for"), "127.0.0.1");
    assert_eq!(mirror.seen().len(), 1);
    assert_eq!(gateway.gateway().handle().live().generations_alive(), 1);
}
