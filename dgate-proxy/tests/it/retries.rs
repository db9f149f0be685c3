use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dgate_core::Kind::*;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use http::{Request, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{gateway_to, resource};

async fn gateway(service: Value) -> TestGateway {
    let mut service = service;
    service["name"] = "s".into();
    service["retry_timeout"] = "1ms".into();
    TestGateway::start([
        resource(Service, service),
        resource(Route, json!({ "name": "all", "paths": ["/**"], "service": "s" })),
    ])
    .await
}

/// Fails so many times, then answers.
async fn failing(times: usize, status: u16) -> TestUpstream {
    let left = Arc::new(AtomicUsize::new(times));
    TestUpstream::http(move |_| {
        let fails =
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        async move {
            let mut response = Response::new("answer".into());
            if fails {
                *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
            }
            response
        }
    })
    .await
}

/// Reads a request and hangs up; after so many times it answers.
async fn resetting(times: usize) -> TestUpstream {
    let left = Arc::new(AtomicUsize::new(times));
    TestUpstream::raw(move |mut stream| {
        let fails =
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        async move {
            let _ = stream.read(&mut [0; 16_384]).await;
            if !fails {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer").await;
                let _ = stream.read(&mut [0; 1]).await;
            }
        }
    })
    .await
}

async fn send(gateway: &TestGateway, method: &str, body: &'static str) -> u16 {
    let request = Request::builder().method(method).uri("/x").header("host", "a").body(body).unwrap();
    gateway.client().await.send(request).await.status().as_u16()
}

#[tokio::test]
async fn what_never_reached_an_upstream_is_tried_elsewhere() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway(json!({ "urls": ["http://127.0.0.1:1", upstream.url()] })).await;
    for method in ["GET", "POST", "PUT", "PATCH"] {
        for _ in 0..4 {
            assert_eq!(send(&gateway, method, "hello").await, 200, "{method}");
        }
    }
    assert!(upstream.seen().iter().all(|seen| seen.body.is_empty() || seen.body == "hello"));
}

#[tokio::test]
async fn listed_failures_of_idempotent_methods_are_tried_again() {
    for (method, times, expected) in
        [("GET", 2, 200), ("GET", 3, 503), ("PUT", 1, 200), ("POST", 1, 503), ("PATCH", 1, 503)]
    {
        let upstream = failing(times, 503).await;
        let gateway = gateway(json!({ "urls": [upstream.url()], "retries": 2 })).await;
        assert_eq!(send(&gateway, method, "hello").await, expected, "{method} after {times} failures");
    }
    let upstream = failing(1, 500).await;
    let gateway = gateway(json!({ "urls": [upstream.url()] })).await;
    assert_eq!(send(&gateway, "GET", "").await, 500, "500 is not on the list");
    let upstream = failing(1, 500).await;
    let gateway = self::gateway(json!({ "urls": [upstream.url()], "retry_on": [500] })).await;
    assert_eq!(send(&gateway, "GET", "").await, 200, "unless it is put there");
}

#[tokio::test]
async fn resets_are_tried_again_when_that_is_safe() {
    for (method, times, expected) in [("GET", 2, 200), ("DELETE", 1, 200), ("POST", 1, 502)] {
        let upstream = resetting(times).await;
        let gateway = gateway(json!({ "urls": [upstream.url()], "retries": 2 })).await;
        assert_eq!(send(&gateway, method, "hello").await, expected, "{method} after {times} resets");
    }
    let upstream = resetting(1).await;
    let gateway = gateway(json!({ "urls": [upstream.url()], "retry_on": ["connect"] })).await;
    assert_eq!(send(&gateway, "GET", "").await, 502);
    let upstream = resetting(1).await;
    let gateway = self::gateway(json!({ "urls": [upstream.url()], "retries": 0 })).await;
    assert_eq!(send(&gateway, "GET", "").await, 502);
}

#[tokio::test]
async fn a_streamed_body_is_sent_again_as_long_as_it_is_small() {
    for (size, expected) in [(1_000, 200), (200_000, 502)] {
        let upstream = resetting_after_body(1).await;
        let gateway = gateway(json!({ "urls": [upstream.url()], "retries": 2 })).await;
        let mut raw = gateway.raw().await;
        let body = "x".repeat(size);
        raw.send(format!(
            "PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{size:x}\r\n{body}\r\n0\r\n\r\n"
        ))
        .await;
        let answer = raw.read_to_end().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")), "{size}: {answer}");
    }
}

/// Reads a whole chunked request and hangs up; after so many times it answers with the body's size.
async fn resetting_after_body(times: usize) -> TestUpstream {
    let left = Arc::new(AtomicUsize::new(times));
    TestUpstream::raw(move |mut stream| {
        let fails =
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        async move {
            let mut bytes = Vec::new();
            let mut buffer = vec![0; 65_536];
            while !bytes.ends_with(b"0\r\n\r\n") {
                match stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => return,
                    Ok(read) => bytes.extend_from_slice(&buffer[..read]),
                }
            }
            if !fails {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer").await;
                let _ = stream.read(&mut [0; 1]).await;
            }
        }
    })
    .await
}

/// Every attempt is made of the same request: nothing that one added is in the next.
#[tokio::test]
async fn every_attempt_has_the_same_target() {
    for (times, fails) in [(2, "with a status"), (0, "to connect")] {
        let upstream = failing(times, 503).await;
        let base = format!("{}/base", upstream.url());
        let urls = if times > 0 { vec![base] } else { vec!["http://127.0.0.1:1/base".to_owned(), base] };
        let gateway = gateway(json!({ "urls": urls, "retries": 2 })).await;
        for _ in 0..4 {
            assert_eq!(send(&gateway, "GET", "").await, 200, "fails {fails}");
        }
        let targets: Vec<_> = upstream.seen().iter().map(|seen| seen.uri.clone()).collect();
        assert!(targets.iter().all(|target| target == "/base/x"), "fails {fails}: {targets:?}");
    }
}

#[tokio::test]
async fn retries_stay_within_the_budget() {
    let upstream = TestUpstream::http(|_| async {
        let mut response = Response::new("".into());
        *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        response
    })
    .await;
    let gateway = gateway(json!({ "urls": [upstream.url()], "retries": 5, "retry_budget": "20%" })).await;
    let mut client = gateway.client().await;
    for _ in 0..300 {
        let request = Request::get("/").header("host", "a").body("").unwrap();
        assert_eq!(client.send(request).await.status(), 503);
    }
    let extra = upstream.seen().len() - 300;
    assert!((40..=75).contains(&extra), "{extra} extra attempts for 300 requests");
}

/// A connection that turns out to be closed costs no retry and is no error, with any method that allows it.
#[tokio::test]
async fn connections_closed_while_idle_are_no_failure() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        for _ in 0..2 {
            if stream.read(&mut [0; 16_384]).await.unwrap_or(0) == 0 {
                return;
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer").await;
        }
        // Closed without a word, right after the second answer.
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut client = gateway.client().await;
    for index in 0..200 {
        let method = if index % 3 == 0 { "PUT" } else { "GET" };
        let request = Request::builder().method(method).uri("/").header("host", "a").body("").unwrap();
        assert_eq!(client.send(request).await.status(), 200, "request {index}");
    }
    assert!(upstream.connections() >= 100);
}

#[tokio::test]
async fn keep_alive_hints_of_upstreams_are_heeded() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        while stream.read(&mut [0; 16_384]).await.unwrap_or(0) > 0 {
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 6\r\n\r\nanswer")
                .await;
        }
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    for _ in 0..3 {
        let answer = gateway.get("/").await;
        assert_eq!((answer.status().as_u16(), answer.header("keep-alive")), (200, ""));
    }
    assert_eq!(upstream.connections(), 3, "a connection that ends within a second is not kept at all");
}
