//! How a server comes to its end.

use std::time::Duration;

use bytes::Bytes;
use dgate_core::body::Body;
use dgate_proxy::testing::{RawConnection, TestClient, TestUpstream};
use http::{Request, Response};
use rustix::process::Signal;

use crate::load::Load;
use crate::running::{Running, configuration};

#[tokio::test]
async fn sigterm_under_load_fails_no_request() {
    let upstream = TestUpstream::echo().await;
    let running = Running::start(&configuration(&upstream.url(), "")).await;
    let load = Load::start(running.address("proxy-http"), 16, "/x");
    load.more(100).await;
    let (status, log) = running.stop().await;
    assert!(status.success(), "{log}");
    assert!(log.contains("\"stopped\""), "{log}");
    let report = load.finish().await;
    assert_eq!(report.failed, [""; 0], "of {} requests", report.answered);
}

#[tokio::test]
async fn requests_under_way_are_answered_to_their_end() {
    let (release, released) = tokio::sync::watch::channel(false);
    let upstream = TestUpstream::http(move |_| {
        let mut released = released.clone();
        async move {
            let _ = released.wait_for(|is_released| *is_released).await;
            Response::new(Body::from("at last"))
        }
    })
    .await;
    let running = Running::start(&configuration(&upstream.url(), "")).await;
    let address = running.address("proxy-http");
    let slow = tokio::spawn(async move {
        let request = Request::get("/slow").header("host", "a").body(String::new()).unwrap();
        TestClient::http1(address).await.send(request).await
    });
    crate::eventually("the upstream was asked", async || !upstream.seen().is_empty()).await;
    running.signal(Signal::TERM);
    running.says("stopping").await;
    crate::eventually("no new connections", async || tokio::net::TcpStream::connect(address).await.is_err())
        .await;
    release.send(true).unwrap();
    let answer = slow.await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().as_str()), (200, "at last"));
    assert_eq!(answer.header("connection"), "close");
    assert!(running.end().await.0.success());
}

#[tokio::test]
async fn the_drain_delay_lets_load_balancers_notice() {
    let upstream = TestUpstream::echo().await;
    let running = Running::start(&configuration(&upstream.url(), "shutdown: {drain_delay: 3s}")).await;
    assert_eq!(running.admin("/readyz").await.status(), 200);
    running.signal(Signal::TERM);
    crate::eventually("it is not ready", async || running.admin("/readyz").await.status() == 503).await;
    assert_eq!(running.get("/still").await.status(), 200, "it still serves");
    assert_eq!(running.admin("/livez").await.status(), 200);
    assert!(running.end().await.0.success());
}

/// An upstream that never answers.
async fn silence() -> TestUpstream {
    TestUpstream::http(|_| async {
        std::future::pending::<()>().await;
        Response::new(Body::empty())
    })
    .await
}

#[tokio::test]
async fn requests_may_take_only_so_long() {
    let upstream = silence().await;
    let running = Running::start(&configuration(&upstream.url(), "shutdown: {timeout: 300ms}")).await;
    let mut client = RawConnection::open(running.address("proxy-http")).await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    crate::eventually("the upstream was asked", async || !upstream.seen().is_empty()).await;
    let (status, log) = running.stop().await;
    assert!(status.success());
    assert!(log.contains("requests were cut off"), "{log}");
    assert_eq!(client.read_to_end().await, "", "nothing that looks like an answer");
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let upstream = silence().await;
    let running = Running::start(&configuration(&upstream.url(), "shutdown: {timeout: 10m}")).await;
    let mut client = RawConnection::open(running.address("proxy-http")).await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    crate::eventually("the upstream was asked", async || !upstream.seen().is_empty()).await;
    running.signal(Signal::TERM);
    running.says("stopping").await;
    running.signal(Signal::INT);
    let (status, log) = running.end().await;
    assert!(status.success());
    assert!(log.contains("stopped at once"), "{log}");
}

#[tokio::test]
async fn sigquit_waits_however_long_requests_take() {
    let (release, released) = tokio::sync::watch::channel(false);
    let upstream = TestUpstream::http(move |_| {
        let mut released = released.clone();
        async move {
            let _ = released.wait_for(|is_released| *is_released).await;
            Response::new(Body::from(Bytes::from_static(b"done")))
        }
    })
    .await;
    let running = Running::start(&configuration(&upstream.url(), "shutdown: {timeout: 10ms}")).await;
    let address = running.address("proxy-http");
    let slow = tokio::spawn(async move {
        let request = Request::get("/slow").header("host", "a").body(String::new()).unwrap();
        TestClient::http1(address).await.send(request).await
    });
    crate::eventually("the upstream was asked", async || !upstream.seen().is_empty()).await;
    running.signal(Signal::QUIT);
    running.says("stopping").await;
    // Well past what `shutdown.timeout` allows.
    tokio::time::sleep(Duration::from_millis(200)).await;
    release.send(true).unwrap();
    assert_eq!(slow.await.unwrap().text(), "done");
    assert!(running.end().await.0.success());
}
