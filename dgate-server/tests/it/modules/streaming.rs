//! Bodies that no hook touches are never held.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use dgate_core::Body;
use dgate_proxy::testing::{TestClient, TestUpstream};
use http::{Request, Response};
use http_body::Frame;

use crate::running::Running;

const CHUNK: usize = 64 << 10;
/// 128 MiB.
const CHUNKS: usize = 2_048;

/// The most memory that a process ever held, in MiB, where the system tells.
fn most_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or_default() / 1_024
}

/// So many chunks, made as they are read.
struct Chunks(usize);

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(left) = self.0.checked_sub(1) else { return Poll::Ready(None) };
        self.0 = left;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b'x'; CHUNK])))))
    }
}

fn large_body() -> Body {
    Body::new(Chunks(CHUNKS))
}

async fn count(mut body: Body) -> usize {
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        length += frame.unwrap().into_data().map_or(0, |data| data.len());
    }
    length
}

#[tokio::test]
async fn bodies_that_hooks_do_not_touch_keep_streaming() {
    let upstream = TestUpstream::streaming(|request| async move {
        let received = count(request.into_body()).await;
        let mut response = Response::new(large_body());
        response.headers_mut().insert("x-received", received.into());
        response
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
        payload_raw: |
          export async function requestModifier(ctx) {{ await null; ctx.request().headers.set('x-seen', 'yes'); }}
          export function responseModifier(ctx) {{ ctx.upstream().headers.set('x-passed', 'yes'); }}
    services: [{{name: s, urls: ['{}'], retries: 0}}]
    routes: [{{name: r, paths: ['/'], service: s, modules: [m]}}]
admin: {{port: 0}}
access_log: {{format: off}}
log_format: json
storage: {{type: memory}}
runtime: {{workers: 1}}
",
        upstream.url()
    ))
    .await;
    let mut client = TestClient::http1(running.address("proxy-http")).await;
    let small = || Request::post("/").header("host", "a").body(Body::from("small")).unwrap();
    assert_eq!(count(client.begin(small()).await.unwrap().into_body()).await, CHUNK * CHUNKS);
    let before = most_memory(running.id());
    let large = Request::post("/").header("host", "a").body(large_body()).unwrap();
    let response = client.begin(large).await.unwrap();
    assert_eq!(response.headers()["x-received"], (CHUNK * CHUNKS).to_string());
    assert_eq!(response.headers()["x-passed"], "yes");
    assert_eq!(count(response.into_body()).await, CHUNK * CHUNKS);
    let after = most_memory(running.id());
    println!("{before} MiB at most after one body of 128 MiB, {after} MiB after three");
    assert!(after < before + 16, "bodies are held: {before} MiB, then {after} MiB");
}
