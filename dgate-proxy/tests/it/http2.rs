//! HTTP/2 on both sides.

mod floods;
mod frames;
mod matrix;
mod upstreams;

use bytes::Bytes;
use dgate_core::Kind::*;
use dgate_proxy::testing::{TestClient, TestGateway, TestUpstream};
use http::{HeaderMap, Request, Response, Version};
use http_body::Frame;
use serde_json::json;

use crate::bodies::channel;
use crate::{gateway_to, resource};

#[tokio::test]
async fn http2_clients_reach_http1_upstreams() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    let mut client = TestClient::http2(gateway.address()).await;
    for index in 0..20 {
        let uri = format!("http://shop.example/p{index}?q=1");
        let request = Request::post(uri).body(format!("body {index}")).unwrap();
        let answer = client.send(request).await;
        assert_eq!(answer.json()["path"], format!("/p{index}?q=1"));
        assert_eq!(answer.json()["body"], format!("body {index}"));
        assert_eq!(answer.json()["headers"]["x-forwarded-host"], "shop.example");
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn http1_clients_reach_http2_upstreams() {
    let upstream = TestUpstream::h2c(|seen| async move {
        let version = if seen.version == Version::HTTP_2 { "2" } else { "1" };
        Response::new(format!("{version} {} {} {}", seen.uri, seen.header("te"), seen.body.len()).into())
    })
    .await;
    let gateway = TestGateway::start([
        resource(Service, json!({ "name": "s", "urls": [format!("{}/base", upstream.url())] })),
        resource(Route, json!({ "name": "r", "paths": ["/**"], "service": "s", "preserve_host": true })),
    ])
    .await;
    let mut client = gateway.client().await;
    let request =
        Request::post("/x?y").header("host", "shop.example").header("te", "trailers").body("hello").unwrap();
    let answer = client.send(request).await;
    assert_eq!(answer.text(), "2 http://shop.example/base/x?y trailers 5");
    let answers = futures_util::future::join_all((0..50).map(|_| gateway.get("/"))).await;
    assert!(answers.iter().all(|answer| answer.status() == 200));
    assert_eq!(upstream.connections(), 1, "one connection carries them all");
}

/// What gRPC needs: both directions at once, and trailers at the end.
#[tokio::test]
async fn both_directions_stream_at_once_with_trailers() {
    let upstream = TestUpstream::streaming_h2c(|request| async move {
        let (frames, body) = channel();
        let te = request.headers().get("te").cloned();
        tokio::spawn(async move {
            let mut incoming = request.into_body();
            while let Some(Ok(frame)) = incoming.frame().await {
                if let Ok(data) = frame.into_data() {
                    frames.send(Ok(Frame::data(data))).await.unwrap();
                }
            }
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", "0".parse().unwrap());
            frames.send(Ok(Frame::trailers(trailers))).await.unwrap();
        });
        assert_eq!(te.unwrap(), "trailers");
        Response::builder().header("content-type", "application/grpc").body(body).unwrap()
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut client = TestClient::http2(gateway.address()).await;
    let (outgoing, body) = channel();
    let request = Request::post("http://a/pkg.Service/Chat")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(body)
        .unwrap();
    let mut incoming = client.begin(request).await.unwrap().into_body();
    for index in 0..5 {
        let message = Bytes::from(format!("message {index}"));
        outgoing.send(Ok(Frame::data(message.clone()))).await.unwrap();
        assert_eq!(incoming.frame().await.unwrap().unwrap().into_data().unwrap(), message);
    }
    drop(outgoing);
    let trailers = incoming.frame().await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(trailers["grpc-status"], "0");
}

#[tokio::test]
async fn an_upstream_that_breaks_off_resets_the_stream() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let upstream = TestUpstream::raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 4_096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello").await;
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut client = TestClient::http2(gateway.address()).await;
    let request = Request::get("http://a/").body("").unwrap();
    assert!(client.try_send(request).await.is_err());
}

#[tokio::test]
async fn http2_can_be_turned_off() {
    let upstream = TestUpstream::echo().await;
    let mut settings = dgate_proxy::ProxySettings::default();
    settings.h2c = false;
    let builder = dgate_proxy::Gateway::builder().spec(crate::all_to(upstream.url())).settings(settings);
    let gateway = TestGateway::build(builder).await;
    let mut raw = gateway.raw().await;
    raw.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(raw.read_to_end().await.starts_with("HTTP/1.1 505 "));
}
