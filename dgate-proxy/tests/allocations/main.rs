//! How often memory is allocated for a plain proxied GET. The budget can only go down.
//!
//! Client and upstream are threads that allocate nothing while they talk, so that all that is counted is the gateway's.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::alloc::System;
use std::future::IntoFuture;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use dgate_core::resource::{Route, Service};
use dgate_proxy::Gateway;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations per request.
const BUDGET: f64 = 19.0;

/// What does not belong to requests: timers and gauges, now and then.
const NOISE: f64 = 0.1;

const WARM_UP: usize = 500;
const COUNTED: usize = 2_000;

const REQUEST: &[u8] =
    b"GET /api/users/42?full=1 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 13\r\n\r\n{\"id\":\"42\"}  ";

/// Answers every request that comes in one piece.
fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let mut buffer = [0; 4_096];
        while stream.read(&mut buffer).unwrap() > 0 {
            stream.write_all(RESPONSE).unwrap();
        }
    });
    address
}

fn ask(stream: &mut TcpStream, times: usize) {
    let mut buffer = [0; 4_096];
    for _ in 0..times {
        stream.write_all(REQUEST).unwrap();
        let mut read = 0;
        while !buffer[..read].ends_with(b"\"42\"}  ") {
            let more = stream.read(&mut buffer[read..]).unwrap();
            assert!(more > 0, "closed after {read} bytes");
            read += more;
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
}

#[test]
fn a_plain_get_stays_within_its_budget() {
    let upstream = upstream();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let gateway = Gateway::builder()
            .resource(Service::new("api", [format!("http://{upstream}")]))
            .resource(Route::new("api", "/api/**").to_service("api"))
            .build()
            .await
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(gateway.serve(listener).into_future());
        let client = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_nodelay(true).unwrap();
            ask(&mut stream, WARM_UP);
            let region = Region::new(GLOBAL);
            ask(&mut stream, COUNTED);
            region.change()
        });
        let change = client.await.unwrap();
        serving.abort();
        let each = |count: usize| count as f64 / COUNTED as f64;
        let count = each(change.allocations) + each(change.reallocations);
        println!("{count:.2} allocations, {:.0} bytes a request", each(change.bytes_allocated));
        assert!(count <= BUDGET + NOISE, "{count:.2} allocations a request; the budget is {BUDGET}");
    });
}
