//! Upstreams close connections that are not in use whenever they like, without a word.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dgate_proxy::testing::TestUpstream;
use http::Request;
use tokio::io::AsyncWriteExt;

use super::read_head;
use crate::gateway_to;

/// How often each request arrived, by its path.
type Arrivals = Arc<Mutex<HashMap<String, usize>>>;

/// Answers, and closes connections on which nothing has come for some time up to `most`, at random.
async fn closing(most: Duration) -> (TestUpstream, Arrivals) {
    let arrivals = Arrivals::default();
    let noted = arrivals.clone();
    let upstream = TestUpstream::raw(move |mut stream| {
        let arrivals = noted.clone();
        async move {
            while let Some(head) = read_head(&mut stream).await {
                let path = head.split(' ').nth(1).unwrap().to_owned();
                *arrivals.lock().unwrap().entry(path).or_default() += 1;
                if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer").await.is_err() {
                    return;
                }
                let patience = most.mul_f64(fastrand::f64());
                if tokio::time::timeout(patience, stream.peek(&mut [0])).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    (upstream, arrivals)
}

/// Sends requests on several connections, with pauses up to `pause` at random.
async fn ask(
    gateway: &dgate_proxy::testing::TestGateway,
    method: &'static str,
    count: usize,
    pause: Duration,
) {
    let clients = (0..8).map(|client| async move {
        let mut connection = gateway.client().await;
        for index in 0..count / 8 {
            tokio::time::sleep(pause.mul_f64(fastrand::f64())).await;
            let path = format!("/{method}/{client}/{index}");
            let request = Request::builder().method(method).uri(&path).header("host", "a").body("").unwrap();
            assert_eq!(connection.send(request).await.status(), 200, "{path}");
        }
    });
    futures_util::future::join_all(clients).await;
}

#[tokio::test]
async fn idempotent_requests_notice_nothing() {
    let (upstream, _) = closing(Duration::from_millis(4)).await;
    let gateway = gateway_to(&upstream).await;
    for method in ["GET", "PUT"] {
        ask(&gateway, method, 1_200, Duration::from_millis(4)).await;
    }
    assert!(upstream.connections() > 100, "{} connections", upstream.connections());
}

/// A server whose patience ends in the moment in which the next request is on its way.
#[tokio::test]
async fn what_can_be_sent_only_once_goes_over_no_connection_that_may_end() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        let mut idle_since: Option<Instant> = None;
        loop {
            if stream.peek(&mut [0]).await.unwrap_or(0) == 0
                || idle_since.is_some_and(|since| since.elapsed() > Duration::from_millis(1_100))
            {
                return;
            }
            read_head(&mut stream).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer").await.unwrap();
            idle_since = Some(Instant::now());
        }
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    for pause in [0, 1_200, 0, 1_200, 0] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let request = Request::post("/").header("host", "a").body("").unwrap();
        assert_eq!(gateway.client().await.send(request).await.status(), 200);
    }
    assert_eq!(upstream.connections(), 3, "those that are in use are used again");
}

#[tokio::test]
async fn what_can_be_sent_only_once_never_arrives_twice() {
    let (upstream, arrivals) = closing(Duration::from_millis(4)).await;
    let gateway = gateway_to(&upstream).await;
    let clients = (0..8).map(|client| {
        let gateway = &gateway;
        async move {
            let mut connection = gateway.client().await;
            let mut good = Vec::new();
            for index in 0..100 {
                tokio::time::sleep(Duration::from_millis(4).mul_f64(fastrand::f64())).await;
                let path = format!("/{client}/{index}");
                let request = Request::post(&path).header("host", "a").body("").unwrap();
                // On a connection that was closed in the same moment it may be lost: then that is said.
                match connection.send(request).await.status().as_u16() {
                    200 => good.push(path),
                    status => assert_eq!(status, 502, "{path}"),
                }
            }
            good
        }
    });
    let good = futures_util::future::join_all(clients).await.concat();
    let arrivals = arrivals.lock().unwrap();
    assert!(arrivals.values().all(|times| *times == 1), "{arrivals:?}");
    assert!(good.iter().all(|path| arrivals.contains_key(path)));
    assert!(good.len() > 400, "only {} of 800", good.len());
}
