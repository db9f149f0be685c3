//! Server-sent events, read by curl as they come.

use std::process::Stdio;

use bytes::Bytes;
use dgate_core::body::BodyError;
use dgate_proxy::testing::{TestClient, TestGateway, TestUpstream};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use tokio::io::AsyncReadExt;
use tokio::process::Child;
use tokio::sync::mpsc;

use super::support::curl;
use crate::{bodies, gateway_to};

type Events = mpsc::Sender<Result<Frame<Bytes>, BodyError>>;

/// A source of events; each subscription comes with the subscriber's headers and a way to send.
async fn source() -> (TestUpstream, mpsc::UnboundedReceiver<(HeaderMap, Events)>) {
    let (subscribed, subscriptions) = mpsc::unbounded_channel();
    let upstream = TestUpstream::streaming(move |request| {
        let (events, body) = bodies::channel();
        subscribed.send((request.headers().clone(), events)).unwrap();
        let response = Response::builder()
            .header("content-type", "text/event-stream")
            .header("cache-control", "no-cache");
        async move { response.body(body).unwrap() }
    })
    .await;
    (upstream, subscriptions)
}

fn subscribe(gateway: &TestGateway, protocol: &str) -> Child {
    curl()
        .args(["--no-buffer", protocol])
        .args(["-H", "Accept: text/event-stream", "-H", "Last-Event-ID: 41"])
        .arg(gateway.url("/events"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Reads what comes until it ends with a text.
async fn read_until(subscriber: &mut Child, end: &str) -> String {
    let output = subscriber.stdout.as_mut().unwrap();
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut buffer = [0; 4_096];
        let read = tokio::time::timeout(crate::PATIENCE, output.read(&mut buffer)).await;
        let read = read.unwrap_or_else(|_| panic!("`{end}` does not come, only {text}")).unwrap();
        assert_ne!(read, 0, "ended after {text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    text
}

#[tokio::test]
async fn each_event_and_comment_comes_at_once() {
    let (upstream, mut subscriptions) = source().await;
    let gateway = gateway_to(&upstream).await;
    for protocol in ["--http1.1", "--http2-prior-knowledge"] {
        let mut subscriber = subscribe(&gateway, protocol);
        let (headers, events) = subscriptions.recv().await.unwrap();
        assert_eq!(headers["last-event-id"], "41");
        for event in ["id: 42\ndata: one\n\n", ": still here\n\n", "event: last\ndata: two\ndata: lines\n\n"]
        {
            events.send(Ok(Frame::data(event.into()))).await.unwrap();
            // The upstream says no more until this has come.
            assert_eq!(read_until(&mut subscriber, event).await, event);
        }
        drop(events);
        assert!(subscriber.wait().await.unwrap().success());
    }
}

#[tokio::test]
async fn the_head_comes_before_there_is_an_event() {
    let (upstream, _subscriptions) = source().await;
    let gateway = gateway_to(&upstream).await;
    for mut client in [gateway.client().await, TestClient::http2(gateway.address()).await] {
        let request = Request::get(gateway.url("/events")).header("host", "a").body("").unwrap();
        let response = client.begin(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        assert!(!response.headers().contains_key("content-length"));
    }
}

#[tokio::test]
async fn a_subscriber_that_goes_away_ends_the_subscription() {
    let (upstream, mut subscriptions) = source().await;
    let gateway = gateway_to(&upstream).await;
    for protocol in ["--http1.1", "--http2-prior-knowledge"] {
        let mut subscriber = subscribe(&gateway, protocol);
        let (_, events) = subscriptions.recv().await.unwrap();
        events.send(Ok(Frame::data("data: one\n\n".into()))).await.unwrap();
        read_until(&mut subscriber, "data: one\n\n").await;
        subscriber.kill().await.unwrap();
        tokio::time::timeout(crate::PATIENCE, events.closed()).await.expect("the upstream notices");
    }
}

#[tokio::test]
async fn events_that_break_off_do_not_end_well() {
    let (upstream, mut subscriptions) = source().await;
    let gateway = gateway_to(&upstream).await;
    for (protocol, code) in [("--http1.1", 18), ("--http2-prior-knowledge", 92)] {
        let mut subscriber = subscribe(&gateway, protocol);
        let (_, events) = subscriptions.recv().await.unwrap();
        events.send(Ok(Frame::data("data: one\n\n".into()))).await.unwrap();
        read_until(&mut subscriber, "data: one\n\n").await;
        events.send(Err("broken".into())).await.unwrap();
        assert_eq!(subscriber.wait().await.unwrap().code(), Some(code), "{protocol}");
    }
}
