use std::time::Duration;

use dgate_core::Kind::*;
use dgate_proxy::testing::{RawConnection, TestGateway, TestUpstream};
use dgate_proxy::{Gateway, Limits, ProxySettings};
use serde_json::json;

use crate::{all_to, resource};

async fn with_limits(upstream: &TestUpstream, change: impl FnOnce(&mut Limits)) -> TestGateway {
    let mut settings = ProxySettings::default();
    change(&mut settings.limits);
    TestGateway::build(Gateway::builder().spec(all_to(upstream.url())).settings(settings)).await
}

#[tokio::test]
async fn silent_and_slow_heads_end() {
    let upstream = TestUpstream::echo().await;
    let gateway = with_limits(&upstream, |limits| limits.header_timeout = Duration::from_millis(100)).await;
    let mut silent = gateway.raw().await;
    assert_eq!(silent.read_to_end().await, "", "who says nothing is told nothing");
    let mut slow = gateway.raw().await;
    slow.send("GET / HTTP/1.1\r\nHo").await;
    assert!(slow.read_to_end().await.starts_with("HTTP/1.1 408 "));
    // Half of an HTTP/2 preface is no protocol either.
    let mut undecided = gateway.raw().await;
    undecided.send("PRI * HT").await;
    assert_eq!(undecided.read_to_end().await, "");
}

#[tokio::test]
async fn idle_connections_end() {
    let upstream = TestUpstream::echo().await;
    let gateway = with_limits(&upstream, |limits| limits.idle_timeout = Duration::from_millis(100)).await;
    let mut raw = gateway.raw().await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = raw.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.contains("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_stalled_upload_ends() {
    let upstream = TestUpstream::echo().await;
    let gateway = with_limits(&upstream, |limits| limits.stall_timeout = Duration::from_millis(100)).await;
    let mut raw = gateway.raw().await;
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello").await;
    let answer = raw.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(upstream.seen().iter().all(|seen| seen.body.len() < 10));
}

#[tokio::test]
async fn a_reader_that_takes_nothing_ends() {
    let upstream = TestUpstream::streaming(|_| async {
        let chunk = bytes::Bytes::from(vec![0_u8; 1 << 20]);
        let frames =
            (0..64).map(move |_| Ok::<_, dgate_core::body::BodyError>(http_body::Frame::data(chunk.clone())));
        let body = http_body_util::StreamBody::new(futures_util::stream::iter(frames));
        http::Response::new(dgate_core::Body::new(body))
    })
    .await;
    let gateway = with_limits(&upstream, |limits| limits.stall_timeout = Duration::from_millis(200)).await;
    let mut raw = gateway.raw().await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let drain = gateway.gateway().drain().clone();
    crate::eventually("the connection is served", async || {
        drain.count(dgate_proxy::drain::Busy::Connection) == 1
    })
    .await;
    crate::eventually("the connection is given up", async || {
        drain.count(dgate_proxy::drain::Busy::Connection) == 0
    })
    .await;
    assert!(raw.read_to_end().await.len() < 64 << 20, "not all of it was sent");
}

#[tokio::test]
async fn bodies_over_the_limit_get_413() {
    let upstream = TestUpstream::echo().await;
    let mut settings = ProxySettings::default();
    settings.limits.body = Some(10);
    let resources = [
        resource(Service, json!({ "name": "s", "urls": [upstream.url()] })),
        resource(Route, json!({ "name": "small", "paths": ["/small"], "service": "s" })),
        resource(Route, json!({ "name": "large", "paths": ["/large"], "service": "s", "max_body": "1KiB" })),
    ];
    let gateway = TestGateway::build(Gateway::builder().spec(resources).settings(settings)).await;
    let post = async |path: &str, size: usize, chunked: bool| {
        let mut raw: RawConnection = gateway.raw().await;
        let body = "x".repeat(size);
        let request = if chunked {
            format!(
                "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{size:x}\r\n{body}\r\n0\r\n\r\n"
            )
        } else {
            format!(
                "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n{body}"
            )
        };
        raw.send(request).await;
        raw.read_to_end().await.split(' ').nth(1).unwrap().to_owned()
    };
    for chunked in [false, true] {
        assert_eq!(post("/small", 10, chunked).await, "200");
        assert_eq!(post("/small", 11, chunked).await, "413");
        assert_eq!(post("/large", 1_024, chunked).await, "200");
        assert_eq!(post("/large", 1_025, chunked).await, "413");
    }
}

#[tokio::test]
async fn connections_over_the_limit_are_refused() {
    let upstream = TestUpstream::echo().await;
    let gateway = with_limits(&upstream, |limits| limits.connections = Some(2)).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut raw = gateway.raw().await;
        raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        raw.read_until("\"path\"").await;
        held.push(raw);
    }
    let mut third = gateway.raw().await;
    assert!(third.read_to_end().await.starts_with("HTTP/1.1 503 "));
    drop(held);
    crate::eventually("there is room again", async || {
        let mut raw = gateway.raw().await;
        raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        raw.read_to_end().await.starts_with("HTTP/1.1 200 ")
    })
    .await;
}

#[tokio::test]
async fn connections_to_a_service_are_limited_and_waited_for() {
    let upstream = TestUpstream::http(|_| async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        http::Response::new("ok".into())
    })
    .await;
    let gateway = TestGateway::start([
        resource(Service, json!({ "name": "s", "urls": [upstream.url()], "max_connections": 2, "max_pending": 4, "retries": 0 })),
        resource(Route, json!({ "name": "r", "paths": ["/**"], "service": "s" })),
    ])
    .await;
    let answers = futures_util::future::join_all((0..10).map(|_| gateway.get("/"))).await;
    let ok = answers.iter().filter(|answer| answer.status() == 200).count();
    let shed = answers.iter().filter(|answer| answer.status() == 503).count();
    assert_eq!((ok, shed), (6, 4), "two at a time, four wait, the others are shed");
    assert!(upstream.connections() <= 2);
}
