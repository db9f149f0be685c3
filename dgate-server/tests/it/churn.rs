//! Ten changes a second among ten thousand routes, under load, with long-lived connections open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dgate_core::apply::ChangeSet;
use dgate_core::resource::{Route, Service};
use dgate_core::{Key, Kind};
use dgate_proxy::GatewayHandle;
use dgate_proxy::testing::{RawConnection, TestUpstream};
use dgate_server::{Server, config};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::load::Load;

/// How long it goes on, in seconds; a minute when somebody wants to know for sure.
const SECONDS: &str = "DGATE_CHURN_SECONDS";

const ROUTES: usize = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices_that_everything_changes() {
    let seconds = std::env::var(SECONDS).ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let upstream = TestUpstream::raw(answer).await;
    let text = "proxy: {host: 127.0.0.1, port: 0}\nadmin: {port: 0}\naccess_log: {format: off}\nstorage: {type: memory}\nruntime: {workers: 1}";
    let server = Server::start(config::load_text(text, "churn").unwrap()).await.unwrap();
    let handle = server.gateway().handle().clone();
    let address = server.addresses().next().unwrap().1;
    let mut all =
        ChangeSet::new().put(Service::new("s", [upstream.url()])).put(Service::new("t", [upstream.url()]));
    for index in 0..ROUTES {
        all = all.put(route(index, 0));
    }
    handle.apply(all).await.unwrap();

    let load = Load::start(address, 8, "/r/5000/x");
    let stop: Arc<AtomicBool> = Arc::default();
    let mut long_lived = Vec::new();
    for _ in 0..4 {
        long_lived.push(websocket(address, stop.clone()).await);
        long_lived.push(events(address, stop.clone()).await);
    }
    load.more(50).await;

    let began = Instant::now();
    let mut memory = Vec::new();
    for round in 0..seconds * 10 {
        let wanted = began + Duration::from_millis(100 * round as u64);
        tokio::time::sleep_until(wanted.into()).await;
        change(&handle, round).await;
        memory.push(resident_bytes());
    }
    load.more(50).await;
    stop.store(true, Ordering::Relaxed);
    for one in long_lived {
        assert!(one.await.unwrap() > 0, "it has carried something to the very end");
    }
    let report = load.finish().await;
    assert_eq!((report.failed.as_slice(), report.refused), (&[][..], 0), "of {} requests", report.answered);
    crate::eventually("one generation is alive", async || handle.live().generations_alive() == 1).await;
    let (early, late) = (median(&memory[..memory.len() / 3]), median(&memory[memory.len() * 2 / 3..]));
    assert!(late < early + early / 4 + (16 << 20), "memory grew from {early} to {late} bytes");
    println!(
        "{} changes in {:?}, {} requests, memory {} -> {} MiB",
        seconds * 10,
        began.elapsed(),
        report.answered,
        early >> 20,
        late >> 20
    );
    server.shutdown().await;
}

fn route(index: usize, version: usize) -> Route {
    let mut route = Route::new(format!("r{index}"), format!("/r/{index}/**")).to_service("s");
    route.paths.push(format!("/v{version}/{index}"));
    route
}

/// One of all the things that people change.
async fn change(handle: &GatewayHandle, round: usize) {
    // The route that is under load stays, and changes like all others.
    let index = (round * 7_919) % ROUTES;
    let changes = match round % 5 {
        0 => ChangeSet::new().put(route(index, round)),
        1 => ChangeSet::new().put(Route::new(format!("new{round}"), format!("/new/{round}")).to_service("t")),
        2 => ChangeSet::new().delete(Key::new(Kind::Route, "default", format!("new{}", round - 1))),
        3 => {
            let mut service = Service::new("s", handle_url(handle));
            service.retries = u32::try_from(round % 4).unwrap();
            ChangeSet::new().put(service)
        }
        _ => ChangeSet::new().put(route(5_000, round)),
    };
    handle.apply(changes).await.unwrap();
}

/// The URL that the service has.
fn handle_url(handle: &GatewayHandle) -> [String; 1] {
    let live = handle.live().load();
    let namespace = live.snapshot.namespaces().by_name("default").unwrap();
    [namespace.services().by_name("s").unwrap().spec.spec.urls[0].url.clone()]
}

/// A WebSocket that says something again and again, and wants to hear it back. Returns how often it did.
async fn websocket(address: std::net::SocketAddr, stop: Arc<AtomicBool>) -> JoinHandle<usize> {
    let mut connection = RawConnection::open(address).await;
    connection
        .send("GET /r/1/ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n")
        .await;
    connection.read_until("\r\n\r\n").await;
    let mut stream = connection.into_stream();
    tokio::spawn(async move {
        let frame = [0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];
        for count in 0.. {
            if stop.load(Ordering::Relaxed) {
                return count;
            }
            stream.write_all(&frame).await.unwrap();
            let mut echo = [0; 8];
            stream.read_exact(&mut echo).await.expect("a WebSocket is not dropped");
            assert_eq!(echo, frame);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        unreachable!("it counts for ever")
    })
}

/// A stream of events. Returns how many came.
async fn events(address: std::net::SocketAddr, stop: Arc<AtomicBool>) -> JoinHandle<usize> {
    let mut connection = RawConnection::open(address).await;
    connection.send("GET /r/2/events HTTP/1.1\r\nhost: a\r\n\r\n").await;
    connection.read_until("\r\n\r\n").await;
    let mut stream = connection.into_stream();
    tokio::spawn(async move {
        let mut count = 0;
        let mut buffer = [0; 1_024];
        while !stop.load(Ordering::Relaxed) {
            let read = stream.read(&mut buffer).await.expect("a stream of events is not dropped");
            assert_ne!(read, 0, "a stream of events does not end");
            count += 1;
        }
        count
    })
}

/// Answers as a path asks for: a WebSocket that echoes, events for ever, or a short answer.
async fn answer(mut stream: TcpStream) {
    let mut bytes = Vec::new();
    while stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if !text.ends_with("\r\n\r\n") {
            continue;
        }
        bytes.clear();
        if text.contains("/ws ") {
            let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
            let _ = stream.write_all(head.as_bytes()).await;
            let (mut read, mut write) = stream.split();
            let _ = tokio::io::copy(&mut read, &mut write).await;
            return;
        }
        if text.contains("/events ") {
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(b"9\r\ndata: x\n\n\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            return;
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    }
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1_024
}

fn median(values: &[usize]) -> usize {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}
