use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use dgate_core::Kind::*;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use http::Response;
use serde_json::{Value, json};

use crate::{eventually, resource};

/// An upstream that says its name, with a status that can be changed.
async fn named(name: &'static str) -> (TestUpstream, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(200));
    let upstream = TestUpstream::http({
        let status = status.clone();
        move |_| {
            let status = http::StatusCode::from_u16(status.load(Ordering::Relaxed)).unwrap();
            async move { Response::builder().status(status).body(name.into()).unwrap() }
        }
    })
    .await;
    (upstream, status)
}

async fn gateway(service: &Value) -> TestGateway {
    TestGateway::start(resources(service)).await
}

fn resources(service: &Value) -> Vec<dgate_core::resource::AnyResource> {
    let mut service = service.clone();
    service["name"] = "s".into();
    vec![
        resource(Service, service),
        resource(Route, json!({ "name": "all", "paths": ["/**"], "service": "s" })),
    ]
}

async fn names(gateway: &TestGateway, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..count {
        names.push(gateway.get("/").await.text());
    }
    names.sort();
    names.dedup();
    names
}

#[tokio::test]
async fn active_checks_take_endpoints_out_and_back_in() {
    let ((a, status), (b, _)) = (named("a").await, named("b").await);
    let service = json!({
        "urls": [a.url(), b.url()],
        "retries": 0,
        "health_check": {
            "active": { "path": "/health", "interval": "10ms", "timeout": "1s", "healthy_after": 2, "unhealthy_after": 2 },
            "passive": { "max_failures": 0 },
        },
    });
    let gateway = gateway(&service).await;
    assert_eq!(names(&gateway, 6).await, ["a", "b"]);
    status.store(500, Ordering::Relaxed);
    eventually("a goes out", async || names(&gateway, 6).await == ["b"]).await;
    // An edit does not reset what is known.
    let mut edited = service.clone();
    edited["retries"] = 1.into();
    gateway.apply(resources(&edited).into_iter().collect::<dgate_core::apply::ChangeSet>()).await.unwrap();
    assert_eq!(names(&gateway, 6).await, ["b"]);
    status.store(200, Ordering::Relaxed);
    eventually("a comes back", async || names(&gateway, 6).await == ["a", "b"]).await;
}

#[tokio::test]
async fn tcp_checks_notice_who_does_not_listen() {
    let (a, _) = named("a").await;
    let service = json!({
        "urls": ["http://127.0.0.1:1", a.url()],
        "retries": 0,
        "health_check": {
            "active": { "tcp": true, "interval": "10ms", "unhealthy_after": 1 },
            "passive": { "max_failures": 0 },
        },
    });
    let gateway = gateway(&service).await;
    eventually("the dead one goes out", async || names(&gateway, 6).await == ["a"]).await;
}

#[tokio::test]
async fn grpc_checks_ask_the_health_service() {
    let serving = Arc::new(AtomicBool::new(true));
    let upstream = TestUpstream::streaming_h2c({
        let serving = serving.clone();
        move |request| {
            let serving = serving.load(Ordering::Relaxed);
            async move {
                let (frames, body) = crate::bodies::channel();
                if request.uri().path() == "/grpc.health.v1.Health/Check" {
                    let status = if serving { 1 } else { 2 };
                    let message = bytes::Bytes::from(vec![0, 0, 0, 0, 2, 0x08, status]);
                    frames.try_send(Ok(http_body::Frame::data(message))).unwrap();
                    let mut trailers = http::HeaderMap::new();
                    trailers.insert("grpc-status", "0".parse().unwrap());
                    frames.try_send(Ok(http_body::Frame::trailers(trailers))).unwrap();
                }
                Response::new(body)
            }
        }
    })
    .await;
    let service = json!({
        "urls": [upstream.url()],
        "health_check": {
            "active": { "grpc": "", "interval": "10ms", "healthy_after": 1, "unhealthy_after": 1 },
            "fail_closed": true,
        },
    });
    let gateway = gateway(&service).await;
    assert_eq!(gateway.get("/").await.status(), 200);
    serving.store(false, Ordering::Relaxed);
    eventually("it goes out", async || gateway.get("/").await.status() == 502).await;
    serving.store(true, Ordering::Relaxed);
    eventually("it comes back", async || gateway.get("/").await.status() == 200).await;
}

#[tokio::test]
async fn endpoints_that_fail_requests_are_ejected_for_a_while() {
    let ((a, status), (b, _)) = (named("a").await, named("b").await);
    let gateway = gateway(&json!({
        "urls": [a.url(), b.url()],
        "retries": 0,
        "health_check": { "passive": { "max_failures": 3, "eject_for": "300ms" } },
    }))
    .await;
    status.store(503, Ordering::Relaxed);
    eventually("a is ejected", async || names(&gateway, 4).await == ["b"]).await;
    status.store(200, Ordering::Relaxed);
    eventually("a comes back", async || names(&gateway, 4).await == ["a", "b"]).await;
}

#[tokio::test]
async fn the_last_endpoints_are_not_ejected() {
    let (a, status) = named("a").await;
    let gateway = gateway(
        &json!({ "urls": [a.url()], "retries": 0, "health_check": { "passive": { "max_failures": 1 } } }),
    )
    .await;
    status.store(503, Ordering::Relaxed);
    for _ in 0..5 {
        assert_eq!(gateway.get("/").await.status(), 503);
    }
    status.store(200, Ordering::Relaxed);
    assert_eq!(gateway.get("/").await.status(), 200);
}

#[tokio::test]
async fn when_all_are_down_they_are_asked_all_the_same_unless_told_otherwise() {
    for (fail_closed, expected) in [(false, 500), (true, 502)] {
        let (a, status) = named("a").await;
        status.store(500, Ordering::Relaxed);
        let gateway = gateway(&json!({
            "urls": [a.url()],
            "health_check": { "active": { "path": "/", "interval": "5ms", "unhealthy_after": 1 }, "fail_closed": fail_closed },
        }))
        .await;
        eventually("the check has failed", async || a.seen().len() > 3).await;
        assert_eq!(gateway.get("/").await.status(), expected);
    }
}

#[tokio::test]
async fn an_upstream_that_comes_back_is_used_again() {
    let gateway;
    let address;
    {
        let (a, _) = named("a").await;
        address = a.address();
        gateway = self::gateway(&json!({ "urls": [a.url()], "retries": 1 })).await;
        assert_eq!(gateway.get("/").await.status(), 200);
    }
    eventually("it is gone", async || gateway.get("/").await.status() == 502).await;
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                while stream.read(&mut [0; 16_384]).await.unwrap_or(0) > 0 {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nback").await;
                }
            });
        }
    });
    eventually("it is back", async || gateway.get("/").await.text() == "back").await;
}

#[tokio::test]
async fn the_hash_balancer_keeps_clients_with_their_endpoint() {
    let ((a, _), (b, _), (c, _)) = (named("a").await, named("b").await, named("c").await);
    let gateway = gateway(
        &json!({ "urls": [a.url(), b.url(), c.url()], "balance": { "hash": { "on": "header:x-user" } } }),
    )
    .await;
    let mut client = gateway.client().await;
    let mut ask = async |user: &str| {
        let request = http::Request::get("/").header("host", "h").header("x-user", user).body("").unwrap();
        client.send(request).await.text()
    };
    let mut all = Vec::new();
    for user in 0..30 {
        let user = user.to_string();
        let first = ask(&user).await;
        assert_eq!(ask(&user).await, first);
        all.push(first);
    }
    all.sort();
    all.dedup();
    assert_eq!(all, ["a", "b", "c"]);
}
