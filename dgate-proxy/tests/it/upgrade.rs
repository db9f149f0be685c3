use std::time::Duration;

use dgate_core::Kind::*;
use dgate_proxy::drain::Stage;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{gateway_to, resource};

const HANDSHAKE: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Protocol: chat\r\n\r\n";

/// Accepts an upgrade and echoes bytes; says `early` right behind its 101.
async fn echoing() -> TestUpstream {
    TestUpstream::raw(|mut stream| async move {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read(&mut byte).await.unwrap_or(0) == 0 {
                return;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        assert!(head.contains("connection: upgrade\r\n") && head.contains("upgrade: websocket\r\n"), "{head}");
        let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\nearly";
        stream.write_all(answer.as_bytes()).await.unwrap();
        let (mut from, mut to) = stream.split();
        let _ = tokio::io::copy(&mut from, &mut to).await;
    })
    .await
}

#[tokio::test]
async fn an_upgrade_becomes_a_tunnel() {
    let upstream = echoing().await;
    let gateway = gateway_to(&upstream).await;
    let mut raw = gateway.raw().await;
    // Bytes that come along with the request go on only behind the upstream's 101.
    raw.send(format!("{HANDSHAKE}hello")).await;
    let answer = raw.read_until("hello").await;
    let (head, rest) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
    for line in [
        "upgrade: websocket",
        "connection: upgrade",
        "sec-websocket-protocol: chat",
        "sec-websocket-accept: s3pP",
    ] {
        assert!(head.contains(line), "{line}: {head}");
    }
    assert_eq!(rest, "earlyhello");
    // Half-close: the echo still comes.
    raw.send("last words").await;
    raw.finish().await;
    assert_eq!(raw.read_to_end().await, "last words");
}

#[tokio::test]
async fn nothing_reaches_an_upstream_that_does_not_upgrade() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    let mut raw = gateway.raw().await;
    raw.send(format!("{HANDSHAKE}GET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
    let answers = raw.read_to_end().await;
    // The upstream answered 200, so what follows is the client's next request: answered in turn, not tunnelled.
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");
    assert_eq!(
        upstream.seen().iter().map(|seen| seen.uri.as_str()).collect::<Vec<_>>(),
        ["/chat", "/smuggled"]
    );
}

#[tokio::test]
async fn routes_can_forbid_upgrades() {
    let upstream = echoing().await;
    let gateway = TestGateway::start([
        resource(Service, json!({ "name": "s", "urls": [upstream.url()] })),
        resource(Route, json!({ "name": "r", "paths": ["/**"], "service": "s", "websocket": false })),
    ])
    .await;
    let mut raw = gateway.raw().await;
    raw.send(HANDSHAKE).await;
    assert!(raw.read_until("\r\n\r\n").await.starts_with("HTTP/1.1 403 "));
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn h2c_upgrades_are_ordinary_requests() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    let mut raw = gateway.raw().await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n").await;
    assert!(raw.read_to_end().await.starts_with("HTTP/1.1 200 "));
    let seen = &upstream.seen()[0];
    assert_eq!((seen.header("upgrade"), seen.header("http2-settings")), ("", ""));
}

#[tokio::test]
async fn idle_tunnels_end() {
    let upstream = echoing().await;
    let gateway = TestGateway::start([
        resource(Service, json!({ "name": "s", "urls": [upstream.url()], "idle_timeout": "100ms" })),
        resource(Route, json!({ "name": "r", "paths": ["/**"], "service": "s" })),
    ])
    .await;
    let mut raw = gateway.raw().await;
    raw.send(HANDSHAKE).await;
    assert!(raw.read_to_end().await.ends_with("early"));
}

/// A WebSocket is told to go away by a close frame of its own, never in the middle of another frame.
#[tokio::test]
async fn drained_websockets_get_a_close_frame() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 16_384]).await;
        let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        // The first half of a text frame; the other half comes late.
        stream.write_all(&[0x81, 4, b'a', b'b']).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        stream.write_all(b"cd").await.unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        assert!(
            said.ends_with(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]),
            "the upstream hears it as well: {said:?}"
        );
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut raw = gateway.raw().await;
    raw.send(HANDSHAKE).await;
    raw.read_until("ab").await;
    let drain = gateway.gateway().drain().clone();
    drain.advance_to(Stage::Draining);
    drain.advance_to(Stage::Closing);
    let mut rest = Vec::new();
    tokio::time::timeout(crate::PATIENCE, raw.into_stream().read_to_end(&mut rest)).await.unwrap().unwrap();
    assert_eq!(rest, [b'c', b'd', 0x88, 0x02, 0x03, 0xe9]);
}
