//! HTTP/2 upstreams that do what they may, and what they may not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dgate_core::Kind::*;
use dgate_proxy::testing::{TestClient, TestGateway, TestUpstream};
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::frames::{
    Answer, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, PREFACE, RST_STREAM, SETTINGS, Wire,
    block, frame,
};
use crate::{eventually, gateway_to, resource};

const OK: [u8; 1] = [0x88];

/// An upstream that speaks HTTP/2 by hand: what it says to each head, given how many it has seen on all connections.
async fn by_hand(
    settings: &'static [u8],
    say: impl Fn(usize, u32) -> Vec<u8> + Send + Sync + 'static,
) -> (TestUpstream, Arc<AtomicUsize>) {
    let seen: Arc<AtomicUsize> = Arc::default();
    let (say, counted) = (Arc::new(say), seen.clone());
    let upstream = TestUpstream::raw(move |stream| {
        let (say, seen) = (say.clone(), counted.clone());
        async move {
            let mut wire = Wire(stream);
            if wire.0.read_exact(&mut [0; PREFACE.len()]).await.is_err() {
                return;
            }
            wire.send(&frame(SETTINGS, 0, 0, settings)).await;
            while let Some(Frame { kind, stream, flags, .. }) = wire.next().await {
                match kind {
                    HEADERS => {
                        let number = seen.fetch_add(1, Ordering::Relaxed);
                        wire.send(&say(number, stream)).await;
                    }
                    SETTINGS if flags == 0 => wire.send(&frame(SETTINGS, 1, 0, &[])).await,
                    _ => {}
                }
            }
        }
    })
    .await;
    (upstream, seen)
}

fn ok(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &OK)
}

async fn gateway(upstream: &TestUpstream, mut service: Value) -> TestGateway {
    service["name"] = "s".into();
    service["urls"] = json!([upstream.url().replace("http:", "h2c:")]);
    TestGateway::start([
        resource(Service, service),
        resource(Route, json!({ "name": "all", "paths": ["/**"], "service": "s" })),
    ])
    .await
}

async fn send(gateway: &TestGateway, method: Method) -> StatusCode {
    let request = Request::builder().method(method).uri("/").header("host", "a").body("hello").unwrap();
    gateway.client().await.send(request).await.status()
}

/// A GOAWAY says which requests were never looked at: those are sent again, whatever their method.
#[tokio::test]
async fn requests_that_were_passed_over_are_sent_again() {
    // The second request meets a connection that is being ended.
    let (upstream, seen) = by_hand(&[], |number, stream| match number {
        1 => frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]),
        _ => ok(stream),
    })
    .await;
    let gateway = gateway(&upstream, json!({ "retries": 0 })).await;
    for _ in 0..3 {
        assert_eq!(send(&gateway, Method::POST).await, 200);
    }
    assert_eq!((seen.load(Ordering::Relaxed), upstream.connections()), (4, 2));
}

#[tokio::test]
async fn refused_streams_are_tried_again_and_failed_ones_only_when_that_is_safe() {
    const REFUSED_STREAM: u8 = 7;
    const INTERNAL_ERROR: u8 = 2;
    for (method, reason, expected) in [
        (Method::POST, REFUSED_STREAM, 200),
        (Method::POST, INTERNAL_ERROR, 502),
        (Method::PUT, INTERNAL_ERROR, 200),
    ] {
        let (upstream, _) = by_hand(&[], move |number, stream| match number {
            0 => frame(RST_STREAM, 0, stream, &[0, 0, 0, reason]),
            _ => ok(stream),
        })
        .await;
        let gateway = gateway(&upstream, json!({ "retry_timeout": "1ms" })).await;
        assert_eq!(send(&gateway, method.clone()).await, expected, "{method} after {reason}");
    }
}

#[tokio::test]
async fn broken_responses_become_502() {
    let head = |fields: &[(&str, &str)]| [&OK[..], &block(fields)].concat();
    for (what, head) in [
        ("two lengths", head(&[("content-length", "0"), ("content-length", "0")])),
        ("a length that is none", head(&[("content-length", "x")])),
        ("a connection", head(&[("connection", "close")])),
        ("a line end in a value", head(&[("x", "y\r\nz: 1")])),
        ("no status", block(&[("x", "y")])),
        ("an unasked upgrade", block(&[(":status", "101"), ("upgrade", "x")])),
        ("a head of 300 KiB", head(&[("x", "y".repeat(300_000).as_str())])),
    ] {
        let (upstream, seen) = by_hand(&[], move |_, stream| {
            let mut frames = Vec::new();
            let mut pieces = head.chunks(16_000).peekable();
            let mut kind = HEADERS;
            while let Some(piece) = pieces.next() {
                let end = if pieces.peek().is_none() { END_HEADERS } else { 0 };
                let end_stream = if kind == HEADERS { END_STREAM } else { 0 };
                frames.extend_from_slice(&frame(kind, end | end_stream, stream, piece));
                kind = super::frames::CONTINUATION;
            }
            frames
        })
        .await;
        let gateway = gateway(&upstream, json!({})).await;
        assert_eq!(send(&gateway, Method::POST).await, 502, "{what}");
        assert_eq!(seen.load(Ordering::Relaxed), 1, "{what}: nothing is sent again");
    }
}

/// An upstream that takes few requests at a time gets more connections.
#[tokio::test]
async fn an_upstream_may_want_fewer_requests_at_a_time() {
    const ONE_AT_A_TIME: [u8; 6] = [0, 3, 0, 0, 0, 1];
    let (upstream, seen) = by_hand(&ONE_AT_A_TIME, |number, stream| match number {
        // The first one is never answered.
        1 => Vec::new(),
        _ => ok(stream),
    })
    .await;
    let gateway = gateway(&upstream, json!({})).await;
    assert_eq!(send(&gateway, Method::GET).await, 200);
    let mut waiting = gateway.raw().await;
    waiting.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually("the first one waits", async || seen.load(Ordering::Relaxed) == 2).await;
    assert_eq!(send(&gateway, Method::GET).await, 200);
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn interim_responses_pass_through_from_and_to_every_version() {
    let (http2, _) = by_hand(&[], |_, stream| {
        let hints = block(&[(":status", "103"), ("link", "</a.css>; rel=preload"), ("content-length", "9")]);
        [frame(HEADERS, END_HEADERS, stream, &hints), ok(stream)].concat()
    })
    .await;
    let http1 = TestUpstream::raw(|mut stream: TcpStream| async move {
        let _ = stream.read(&mut [0; 4_096]).await;
        let response = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nContent-Length: 9\r\n\r\n\
                        HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let _ = stream.write_all(response.as_bytes()).await;
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    for gateway in [gateway(&http2, json!({})).await, gateway_to(&http1).await] {
        let mut raw = gateway.raw().await;
        raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        let answer = raw.read_to_end().await;
        let hints = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n";
        assert!(answer.starts_with(hints), "{answer}");

        let stream = TcpStream::connect(gateway.address()).await.unwrap();
        let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("http://a/").body(()).unwrap();
        let (mut response, _) = client.send_request(request, true).unwrap();
        let hints = std::future::poll_fn(|cx| response.poll_informational(cx)).await.unwrap().unwrap();
        assert_eq!(hints.status(), 103);
        assert_eq!(hints.headers()["link"], "</a.css>; rel=preload");
        assert!(!hints.headers().contains_key("content-length"));
        assert_eq!(response.await.unwrap().status(), 200);
    }
}

/// An upstream must not be able to keep a request for ever, or to fill our memory, by promising more to come.
#[tokio::test]
async fn interim_responses_come_to_an_end() {
    let (http2, _) = by_hand(&[], |_, stream| {
        frame(HEADERS, END_HEADERS, stream, &block(&[(":status", "102")])).repeat(1_000)
    })
    .await;
    let http1 = TestUpstream::raw(|mut stream: TcpStream| async move {
        let _ = stream.read(&mut [0; 4_096]).await;
        let _ = stream.write_all("HTTP/1.1 102 Processing\r\n\r\n".repeat(1_000).as_bytes()).await;
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    for gateway in [gateway(&http2, json!({})).await, gateway_to(&http1).await] {
        let mut raw = gateway.raw().await;
        raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        let answer = raw.read_to_end().await;
        assert!(answer.contains("HTTP/1.1 502 "), "{answer}");
    }
}

#[tokio::test]
async fn permission_to_send_is_given_over_http2() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    let mut wire = Wire::open(&gateway).await;
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "a"),
        ("expect", "100-continue"),
    ];
    wire.send(&frame(HEADERS, END_HEADERS, 1, &block(&fields))).await;
    assert_eq!(wire.answer(1).await, Answer::Status(100));
    wire.send(&frame(DATA, END_STREAM, 1, b"hello")).await;
    assert_eq!(wire.answer(1).await, Answer::Status(200));
    assert_eq!(upstream.seen()[0].body, "hello");
}

#[tokio::test]
async fn answers_to_head_have_no_body() {
    let upstream = TestUpstream::http(|seen| async move {
        let body = if seen.method == Method::HEAD { "" } else { "hello" };
        Response::builder().header("content-length", "5").body(body.into()).unwrap()
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let nothing = TestGateway::start([]).await;
    for (gateway, expected) in [(&gateway, 200), (&nothing, 404)] {
        let mut wire = Wire::open(gateway).await;
        let head = [(":method", "HEAD"), (":scheme", "http"), (":path", "/"), (":authority", "a")];
        wire.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&head))).await;
        let answer = wire.next_of(HEADERS).await.unwrap();
        assert_eq!(super::frames::status(&answer.payload), expected);
        assert_eq!(answer.flags & END_STREAM, END_STREAM, "{expected}: nothing follows");
    }
}

#[tokio::test]
async fn responses_have_a_date() {
    let nothing = TestGateway::start([]).await;
    let mut client = TestClient::http2(nothing.address()).await;
    let answer = client.send(Request::get("http://a/").body("").unwrap()).await;
    assert!(answer.header("date").ends_with(" GMT"), "{:?}", answer.headers());
}

/// A client that has sent its whole body and goes away is noticed, also when somebody else's task has read the body.
#[tokio::test]
async fn a_client_that_goes_away_after_its_upload_cancels_the_upstream() {
    let (ended, mut is_ended) = tokio::sync::mpsc::unbounded_channel();
    let upstream = TestUpstream::streaming_h2c(move |request| {
        let ended = Ended(ended.clone());
        async move {
            let body = request.into_body().collect_limited(1 << 20).await.unwrap();
            assert_eq!(body.bytes, "hello");
            ended.0.send("read").unwrap();
            let _ended = ended;
            std::future::pending().await
        }
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut raw = gateway.raw().await;
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel").await;
    eventually("the request arrives", async || upstream.connections() == 1).await;
    raw.send("lo").await;
    assert_eq!(is_ended.recv().await, Some("read"));
    drop(raw);
    let last = tokio::time::timeout(crate::PATIENCE, is_ended.recv()).await.expect("the upstream notices");
    assert_eq!(last, Some("cancelled"));
}

struct Ended(tokio::sync::mpsc::UnboundedSender<&'static str>);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.send("cancelled");
    }
}

/// A long response is no idle connection.
#[tokio::test]
async fn a_connection_with_a_long_response_is_not_idle() {
    let (frames, body) = crate::bodies::channel();
    let body = std::sync::Mutex::new(Some(body));
    let body = Arc::new(body);
    let upstream = TestUpstream::streaming(move |_| {
        let body = body.lock().unwrap().take().unwrap();
        async move { Response::new(body) }
    })
    .await;
    let mut settings = dgate_proxy::ProxySettings::default();
    settings.limits.idle_timeout = Duration::from_millis(50);
    let builder = dgate_proxy::Gateway::builder().spec(crate::all_to(upstream.url())).settings(settings);
    let gateway = TestGateway::build(builder).await;
    let mut wire = Wire::open(&gateway).await;
    let get = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")];
    wire.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&get))).await;
    assert_eq!(wire.answer(1).await, Answer::Status(200));
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(30)).await;
        frames.send(Ok(http_body::Frame::data("x".into()))).await.unwrap();
        let frame = wire.next().await.unwrap();
        assert_eq!(frame.kind, DATA, "no GOAWAY meanwhile: {frame:?}");
    }
    drop(frames);
    assert!(wire.next_of(GOAWAY).await.is_some(), "now it is idle");
}
