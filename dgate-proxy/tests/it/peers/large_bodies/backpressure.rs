use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dgate_core::Body;
use dgate_core::resource::{Route, Service};
use dgate_proxy::testing::{TestClient, TestGateway, TestUpstream};
use http::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::pattern;
use crate::gateway_to;

const SIZE: usize = 100 << 20;

/// What may be on its way: the kernel's buffers of two connections, and the windows of HTTP/2.
const MOST: usize = 48 << 20;

/// Waits until a count has stopped growing.
async fn settled(count: &AtomicUsize) -> usize {
    let (mut last, mut unchanged) = (0, 0);
    crate::eventually("the sender waits", async || {
        let now = count.load(Ordering::Relaxed);
        unchanged = if now == last && now > 0 { unchanged + 1 } else { 0 };
        last = now;
        unchanged >= 50
    })
    .await;
    last
}

/// Counts what it sends.
async fn sending(h2c: bool) -> (TestUpstream, Arc<AtomicUsize>) {
    let sent: Arc<AtomicUsize> = Arc::default();
    let counter = sent.clone();
    let answer = move |_: Request<Body>| {
        let counter = counter.clone();
        async move { Response::new(pattern::counted(SIZE, counter)) }
    };
    let upstream =
        if h2c { TestUpstream::streaming_h2c(answer).await } else { TestUpstream::streaming(answer).await };
    (upstream, sent)
}

/// Reads nothing until it is told to.
async fn hesitating(h2c: bool) -> (TestUpstream, watch::Sender<bool>) {
    let (go, may_go) = watch::channel(false);
    let answer = move |request: Request<Body>| {
        let mut may_go = may_go.clone();
        async move {
            may_go.wait_for(|go| *go).await.unwrap();
            Response::new(pattern::check(request.into_body()).await.unwrap().to_string().into())
        }
    };
    let upstream =
        if h2c { TestUpstream::streaming_h2c(answer).await } else { TestUpstream::streaming(answer).await };
    (upstream, go)
}

async fn client(gateway: &TestGateway, http2: bool) -> TestClient {
    if http2 { TestClient::http2(gateway.address()).await } else { gateway.client().await }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_waits_for_a_client_that_reads_slowly() {
    for (h2c, http2) in [(false, false), (true, true), (false, true), (true, false)] {
        let (upstream, sent) = sending(h2c).await;
        let gateway = gateway_to(&upstream).await;
        let mut client = client(&gateway, http2).await;
        let request = Request::get(gateway.url("/")).header("host", "a").body("").unwrap();
        let response = client.begin(request).await.unwrap();
        let count = settled(&sent).await;
        assert!(count < MOST, "{count} bytes sent, and none read");
        assert_eq!(pattern::check(response.into_body()).await.unwrap(), SIZE, "all of it comes in the end");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_waits_for_an_upstream_that_reads_slowly() {
    for (h2c, http2) in [(false, false), (true, true), (false, true), (true, false)] {
        let (upstream, go) = hesitating(h2c).await;
        let gateway = gateway_to(&upstream).await;
        let mut client = client(&gateway, http2).await;
        let sent: Arc<AtomicUsize> = Arc::default();
        let body = pattern::counted(SIZE, sent.clone());
        let request = Request::put(gateway.url("/")).header("host", "a").body(body).unwrap();
        let answer = tokio::spawn(async move { client.send(request).await });
        let count = settled(&sent).await;
        assert!(count < MOST, "{count} bytes sent, and none read");
        go.send(true).unwrap();
        assert_eq!(answer.await.unwrap().text(), SIZE.to_string());
    }
}

/// One connection to the upstream carries the requests of many clients: those who do not read must not hold up others.
#[tokio::test]
async fn slow_readers_hold_up_nobody_else() {
    let (upstream, sent) = sending(true).await;
    let gateway = gateway_to(&upstream).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut client = client(&gateway, false).await;
        let request = Request::get("/").header("host", "a").body("").unwrap();
        slow.push((client.begin(request).await.unwrap(), client));
    }
    settled(&sent).await;
    let mut quick = client(&gateway, false).await;
    let mut body =
        quick.begin(Request::get("/").header("host", "a").body("").unwrap()).await.unwrap().into_body();
    let first = tokio::time::timeout(Duration::from_secs(10), body.frame()).await;
    assert!(!first.expect("nothing comes").unwrap().unwrap().into_data().unwrap().is_empty());
    assert_eq!(upstream.connections(), 1);
}

/// One connection of a client carries many requests: uploads that wait must not hold up others.
#[tokio::test]
async fn slow_uploads_hold_up_nobody_else() {
    let (slow, _go) = hesitating(false).await;
    let quick = TestUpstream::echo().await;
    let gateway = TestGateway::start([
        Service::new("slow", [slow.url()]).into(),
        Service::new("quick", [quick.url()]).into(),
        Route::new("slow", "/slow").to_service("slow").into(),
        Route::new("quick", "/quick").to_service("quick").into(),
    ])
    .await;
    let tcp = TcpStream::connect(gateway.address()).await.unwrap();
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(tcp));
    let (mut client, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    let sent: Arc<AtomicUsize> = Arc::default();
    for _ in 0..8 {
        let body = pattern::counted(SIZE, sent.clone());
        tokio::spawn(client.send_request(Request::put(gateway.url("/slow")).body(body).unwrap()));
    }
    settled(&sent).await;
    let answer = client.send_request(Request::put(gateway.url("/quick")).body(Body::from("hello")).unwrap());
    let answer = tokio::time::timeout(Duration::from_secs(10), answer).await.expect("no answer");
    assert_eq!(answer.unwrap().status(), 200);
    assert_eq!(quick.seen()[0].body, "hello");
}
