//! Clients that send a lot and mean nothing by it, and clients that stop in the middle.

use std::time::Duration;

use dgate_proxy::testing::{TestGateway, TestUpstream};
use dgate_proxy::{Gateway, Limits, ProxySettings};
use http::Response;

use super::frames::{
    Answer, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, PRIORITY,
    RST_STREAM, SETTINGS, WINDOW_UPDATE, Wire, block, frame,
};
use crate::{all_to, eventually, gateway_to};

const ENHANCE_YOUR_CALM: u32 = 11;

fn get() -> Vec<u8> {
    block(&[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")])
}

fn post() -> Vec<u8> {
    block(&[(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a")])
}

async fn with_limits(upstream: &TestUpstream, change: impl FnOnce(&mut Limits)) -> TestGateway {
    let mut settings = ProxySettings::default();
    change(&mut settings.limits);
    TestGateway::build(Gateway::builder().spec(all_to(upstream.url())).settings(settings)).await
}

/// Ten times what a client has credit for, of each kind of frame that carries nothing.
#[tokio::test]
async fn frames_for_nothing_end_the_connection() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    let open = frame(HEADERS, END_HEADERS, 1, &post());
    for (what, begin, flood) in [
        ("PING", vec![], frame(PING, 0, 0, &[0; 8])),
        ("PING answers", vec![], frame(PING, 1, 0, &[0; 8])),
        ("SETTINGS", vec![], frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255])),
        ("empty SETTINGS", vec![], frame(SETTINGS, 0, 0, &[])),
        ("PRIORITY", vec![], frame(PRIORITY, 0, 3, &[0, 0, 0, 0, 16])),
        ("WINDOW_UPDATE", vec![], frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("WINDOW_UPDATE of a stream", open.clone(), frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])),
        ("empty DATA", open.clone(), frame(DATA, 0, 1, &[])),
        ("DATA of padding", open.clone(), frame(DATA, 8, 1, &[3, 0, 0, 0])),
        ("an unknown kind", vec![], frame(0x77, 0, 0, &[])),
    ] {
        let mut wire = Wire::open(&gateway).await;
        wire.send(&begin).await;
        wire.send(&flood.repeat(30_000)).await;
        let goaway = wire.next_of(GOAWAY).await;
        if let Some(goaway) = goaway {
            let reason = u32::from_be_bytes(goaway.payload[4..8].try_into().unwrap());
            assert_eq!(reason, ENHANCE_YOUR_CALM, "{what}");
        }
        while wire.next().await.is_some() {}
        assert_eq!(gateway.get("/").await.status(), 200, "{what}: others are served");
    }
}

#[tokio::test]
async fn a_header_block_without_end_ends_the_connection() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    for piece in [vec![], block(&[("x", "y".repeat(1_000))]), block(&[("x", "")])] {
        let mut wire = Wire::open(&gateway).await;
        wire.send(&frame(HEADERS, END_STREAM, 1, &get())).await;
        wire.send(&frame(CONTINUATION, 0, 1, &piece).repeat(30_000)).await;
        while wire.next().await.is_some() {}
    }
    assert!(upstream.seen().is_empty());
}

/// A small block that unpacks to a large one: references to one entry of the table.
#[tokio::test]
async fn a_header_block_that_unpacks_to_too_much_is_refused() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    let mut bomb = get();
    // A literal that goes into the table, and many references to it.
    bomb.extend_from_slice(&[0x40, 1, b'x', 127, 0x81, 0x1d]);
    bomb.extend_from_slice(&[b'y'; 3_840]);
    bomb.resize(bomb.len() + 10_000, 0xbe);
    let mut wire = Wire::open(&gateway).await;
    wire.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &bomb)).await;
    let answer = wire.answer(1).await;
    assert!(matches!(answer, Answer::Status(431) | Answer::Reset(_) | Answer::Closed), "{answer:?}");
    assert!(upstream.seen().is_empty());
    assert_eq!(gateway.get("/").await.status(), 200);
}

/// Streams that are opened and reset at once (CVE-2023-44487).
#[tokio::test]
async fn a_client_that_opens_and_resets_is_cut_off() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut wire = Wire::open(&gateway).await;
    let pairs: Vec<u8> = (0..5_000_u32)
        .flat_map(|index| {
            let stream = index * 2 + 1;
            let open = frame(HEADERS, END_HEADERS | END_STREAM, stream, &get());
            [open, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
        })
        .collect();
    wire.send(&pairs).await;
    while wire.next().await.is_some() {}
    assert!(upstream.connections() < 500, "{} requests got through", upstream.connections());
}

/// The same without haste: each request is on its way to the upstream before it is reset.
#[tokio::test]
async fn a_client_that_opens_and_resets_slowly_is_cut_off_as_well() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    let mut wire = Wire::open(&gateway).await;
    let mut sent = 0;
    loop {
        let stream = sent * 2 + 1;
        wire.send(&frame(HEADERS, END_HEADERS, stream, &post())).await;
        wire.send(&frame(PING, 0, 0, &[0; 8])).await;
        // The answer to the ping shows that the request was taken.
        if wire.next_of(PING).await.is_none() {
            break;
        }
        wire.send(&frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])).await;
        sent += 1;
        assert!(sent < 3_000, "nobody stops it");
    }
}

/// Requests that we have to reset ourselves (CVE-2025-8671).
#[tokio::test]
async fn a_client_that_makes_us_reset_is_cut_off() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut wire = Wire::open(&gateway).await;
    let pairs: Vec<u8> = (0..5_000_u32)
        .flat_map(|index| {
            let stream = index * 2 + 1;
            let open = frame(HEADERS, END_HEADERS | END_STREAM, stream, &get());
            // An increment of zero is an error of the stream.
            [open, frame(WINDOW_UPDATE, 0, stream, &[0; 4])].concat()
        })
        .collect();
    wire.send(&pairs).await;
    while wire.next().await.is_some() {}
    assert!(upstream.connections() < 500, "{} requests got through", upstream.connections());
}

#[tokio::test]
async fn a_client_that_says_hello_and_nothing_more_is_left() {
    let upstream = TestUpstream::echo().await;
    let gateway = with_limits(&upstream, |limits| {
        limits.header_timeout = Duration::from_millis(100);
        limits.idle_timeout = Duration::from_millis(100);
    })
    .await;
    for (what, bytes) in [
        ("half of a hello", PREFACE[..10].to_vec()),
        ("a hello", PREFACE.to_vec()),
        ("settings", [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()),
        ("half of a head", [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(HEADERS, 0, 1, &get())].concat()),
        (
            "half of a frame",
            [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(HEADERS, 4, 1, &get())[..20]].concat(),
        ),
    ] {
        let mut raw = gateway.raw().await;
        raw.send(&bytes).await;
        // Had it not ended, this would fail.
        raw.read_to_end().await;
        eventually(what, async || gateway.gateway().drain().count(dgate_proxy::drain::Busy::Connection) == 0)
            .await;
    }
}

#[tokio::test]
async fn a_client_that_stops_in_the_middle_of_a_body_is_answered() {
    let upstream = TestUpstream::echo().await;
    let gateway = with_limits(&upstream, |limits| limits.stall_timeout = Duration::from_millis(100)).await;
    let mut wire = Wire::open(&gateway).await;
    wire.send(&frame(HEADERS, END_HEADERS, 1, &post())).await;
    wire.send(&frame(DATA, 0, 1, b"hel")).await;
    assert_eq!(wire.answer(1).await, Answer::Status(408));
    // The connection goes on.
    wire.send(&frame(HEADERS, END_HEADERS | END_STREAM, 3, &get())).await;
    assert_eq!(wire.answer(3).await, Answer::Status(200));
}

/// A client that leaves no room for its response (and may have any number of them).
#[tokio::test]
async fn a_client_that_makes_no_room_is_reset() {
    const INITIAL_WINDOW_SIZE: u16 = 4;
    let upstream = TestUpstream::http(|_| async { Response::new("x".repeat(100_000).into()) }).await;
    let gateway = with_limits(&upstream, |limits| limits.stall_timeout = Duration::from_millis(100)).await;
    for window in [0, 10] {
        let mut wire = Wire::open_with(&gateway, &[(INITIAL_WINDOW_SIZE, window)]).await;
        wire.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &get())).await;
        assert_eq!(wire.answer(1).await, Answer::Status(200));
        let reset = wire.next_of(RST_STREAM).await.expect("a reset");
        assert_eq!((reset.stream, reset.payload), (1, vec![0, 0, 0, 8]));
    }
}
