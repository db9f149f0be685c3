//! A thousand calls that wait at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dgate_core::Body;
use dgate_proxy::testing::{TestClient, TestUpstream};
use http::{Request, Response};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::running::Running;

const CALLS: usize = 1_000;

/// How much memory a process holds, in MiB, where the system tells.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or_default() / 1_024
}

/// Sends all requests at once, each on a connection of its own, and returns when all are answered.
async fn all_at_once(clients: Vec<TestClient>) -> Vec<TestClient> {
    let mut calls = JoinSet::new();
    for mut client in clients {
        calls.spawn(async move {
            let request = Request::get("/").header("host", "a").body("").unwrap();
            let answer = client.send(request).await;
            assert_eq!((answer.status().as_u16(), answer.text().as_str()), (200, "fetched"));
            client
        });
    }
    calls.join_all().await
}

#[tokio::test]
async fn few_runtimes_serve_a_thousand_calls_that_wait() {
    // It answers nobody before all of them are there: one that had to wait for another would wait for ever.
    let (barrier, most) = (Arc::new(Barrier::new(CALLS)), Arc::new(AtomicUsize::new(0)));
    let waiting = Arc::new(AtomicUsize::new(0));
    let counted = (most.clone(), waiting.clone());
    let upstream = TestUpstream::http(move |_| {
        let (barrier, (most, waiting)) = (barrier.clone(), counted.clone());
        async move {
            most.fetch_max(waiting.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            barrier.wait().await;
            waiting.fetch_sub(1, Ordering::SeqCst);
            Response::new(Body::from("fetched"))
        }
    })
    .await;
    let running = Running::start(&format!(
        "version: v1
proxy:
  host: 127.0.0.1
  port: 0
  init_resources:
    modules:
      - name: m
        permissions: ['os:net:http=127.0.0.1']
        limits: {{cpu: 1s}}
        payload_raw: |
          export async function requestHandler(ctx) {{
            const answer = await fetch('{}');
            ctx.response().send(await answer.text());
          }}
    routes: [{{name: r, paths: ['/'], modules: [m]}}]
admin: {{port: 0}}
access_log: {{format: off}}
log_format: json
storage: {{type: memory}}
runtime: {{workers: 1}}
modules: {{pool: {{max_threads: 1}}}}
",
        upstream.url()
    ))
    .await;
    let mut clients = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        clients.push(TestClient::http1(running.address("proxy-http")).await);
    }
    let clients = all_at_once(all_at_once(clients).await).await;
    let before = memory(running.id());
    let clients = all_at_once(all_at_once(all_at_once(clients).await).await).await;
    assert_eq!(clients.len(), CALLS);
    let after = memory(running.id());
    println!("{before} MiB after two rounds of {CALLS} calls, {after} MiB after five");
    assert_eq!(most.load(Ordering::SeqCst), CALLS, "all were there at the same time");
    // Where turns are long, calls move from the worker to the pool's thread.
    let created = running.metric("dgate_module_runtimes_created_total").await;
    assert!(created.is_some_and(|created| created <= 2.0), "one for each thread: {created:?}");
    assert!(after < before + before / 4 + 16, "memory grows: {before} MiB, then {after} MiB");
}
