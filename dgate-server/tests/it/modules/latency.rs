//! Modules that use too much, all the time, beside a route that others use. Times are told, and not judged: see them with
//! `cargo nextest run -p dgate-server -E 'test(latency)' --no-capture`.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use dgate_proxy::testing::{TestClient, TestUpstream};
use http::Request;
use tokio::task::JoinSet;

use crate::running::Running;

/// Requests to the other route, for each percentile, and how many connections they come on.
const REQUESTS: usize = 800;
const CONNECTIONS: usize = 8;

/// Name and body of a handler.
const RUNAWAYS: [(&str, &str); 12] = [
    ("loop", "for (;;);"),
    (
        "nested loops",
        "const f = () => { for (let i = 0; i < 1e6; i++); }; for (let i = 0; i < 1e6; i++) f();",
    ),
    ("loop after await", "await null; for (;;);"),
    ("in a callback", "[1].map(() => { for (;;); });"),
    ("in a getter", "({ get x() { for (;;); } }).x;"),
    ("generator", "const g = function* () { for (;;) yield 1; }; for (const x of g());"),
    ("promise storm", "const f = () => Promise.resolve().then(f); await f();"),
    ("deep recursion", "const f = () => 1 + f(); f();"),
    ("regular expression", "/(a+)+$/.test('a'.repeat(40) + '!');"),
    ("huge text", "'x'.repeat(2 ** 30);"),
    ("huge list", "new Array(2 ** 31).fill(0);"),
    ("never resolves", "await new Promise(() => {});"),
];

/// The 50th and 99th percentile of the other route.
async fn percentiles(running: &Running) -> (Duration, Duration) {
    let address = running.address("proxy-http");
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        connections.spawn(async move {
            let mut client = TestClient::http1(address).await;
            let mut times = Vec::with_capacity(REQUESTS / CONNECTIONS);
            for _ in 0..REQUESTS / CONNECTIONS {
                let began = Instant::now();
                let request = Request::get("/ok").header("host", "a").body("").unwrap();
                assert_eq!(client.send(request).await.status(), 200);
                times.push(began.elapsed());
            }
            times
        });
    }
    let mut times: Vec<Duration> = connections.join_all().await.into_iter().flatten().collect();
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

/// Resident memory in MiB, where the system tells.
fn memory(running: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or_default() / 1_024
}

#[tokio::test(flavor = "multi_thread")]
async fn others_beside_modules_that_use_too_much() {
    let upstream = TestUpstream::echo().await;
    let mut source = format!(
        "version: v1
proxy:
  host: 127.0.0.1
  port: 0
  init_resources:
    services: [{{name: s, urls: ['{}']}}]
    modules:
      - {{name: ok, payload_raw: 'export function requestModifier(ctx) {{ ctx.request().headers.set(\"x\", \"y\"); }}'}}
",
        upstream.url()
    );
    for (number, (_, body)) in RUNAWAYS.iter().enumerate() {
        let handler = format!("export async function requestHandler(ctx) {{ {body} }}");
        writeln!(source, "      - name: m{number}\n        limits: {{timeout: 1s}}\n        payload_raw: |\n          {handler}")
            .unwrap();
    }
    source += "    routes:\n      - {name: ok, paths: ['/ok'], service: s, modules: [ok]}\n";
    for number in 0..RUNAWAYS.len() {
        writeln!(source, "      - {{name: r{number}, paths: ['/m{number}'], modules: [m{number}]}}").unwrap();
    }
    source += "admin: {port: 0}\naccess_log: {format: off}\nlog_format: json\nstorage: {type: memory}\n";
    let running = Running::start(&source).await;
    percentiles(&running).await;
    let at_first = memory(&running);
    for (number, (name, _)) in RUNAWAYS.iter().enumerate() {
        let before = percentiles(&running).await;
        let (address, path) = (running.address("proxy-http"), format!("/m{number}"));
        let runaway = tokio::spawn(async move {
            let mut client = TestClient::http1(address).await;
            let mut slowest = Duration::ZERO;
            loop {
                let began = Instant::now();
                let request = Request::get(&path).header("host", "a").body("").unwrap();
                assert_eq!(client.send(request).await.status(), 500);
                slowest = slowest.max(began.elapsed());
                // The task ends where it waits.
                tokio::task::yield_now().await;
                SLOWEST.store(slowest.as_millis() as u64, std::sync::atomic::Ordering::Relaxed);
            }
        });
        let beside = percentiles(&running).await;
        runaway.abort();
        println!(
            "{name:20} p50 {:?} -> {:?}, p99 {:?} -> {:?}, slowest runaway {} ms, {} MiB",
            before.0,
            beside.0,
            before.1,
            beside.1,
            SLOWEST.swap(0, std::sync::atomic::Ordering::Relaxed),
            memory(&running)
        );
    }
    for kind in ["cpu", "recursion", "timeout"] {
        let series = format!("dgate_module_limit_hits_total{{namespace=\"default\",kind=\"{kind}\"}}");
        assert!(running.metric(&series).await.is_some_and(|count| count >= 1.0), "{kind}");
    }
    let at_last = memory(&running);
    assert!(at_last < at_first + 128, "memory does not come back: {at_first} MiB, then {at_last} MiB");
}

static SLOWEST: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
