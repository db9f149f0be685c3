//! What metrics and the access log say.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dgate_core::Kind::*;
use dgate_proxy::edge::{AccessLog, AccessLogFormat};
use dgate_proxy::testing::{TestClient, TestGateway, TestUpstream};
use dgate_proxy::{Gateway, ProxySettings};
use http::Request;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{eventually, resource};

/// Runs something on this thread, and returns what an exporter shows afterwards.
pub(crate) fn metered(test: impl AsyncFnOnce()) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(test()));
    recorder.handle().render()
}

/// The sum of a metric's series that have these labels.
pub(crate) fn sum(text: &str, name: &str, labels: &[(&str, &str)]) -> u64 {
    let has = |line: &str| labels.iter().all(|(label, value)| line.contains(&format!("{label}=\"{value}\"")));
    let ours =
        |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])) && has(line);
    text.lines().filter(ours).map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

fn resources(upstream: &TestUpstream) -> Vec<dgate_core::resource::AnyResource> {
    vec![
        resource(Service, json!({ "name": "s", "urls": [upstream.url()] })),
        resource(Service, json!({ "name": "dead", "urls": ["http://127.0.0.1:1"], "retries": 0 })),
        resource(Route, json!({ "name": "all", "paths": ["/a/**"], "service": "s" })),
        resource(Route, json!({ "name": "slow", "paths": ["/slow"], "service": "s", "timeout": "50ms" })),
        resource(Route, json!({ "name": "dead", "paths": ["/dead"], "service": "dead" })),
        resource(Route, json!({ "name": "get", "paths": ["/get"], "methods": ["GET"], "service": "s" })),
    ]
}

/// Answers at once, but for `/slow` and `/a/never`.
async fn upstream() -> TestUpstream {
    TestUpstream::http(|seen| async move {
        if seen.uri == "/slow" || seen.uri == "/a/never" {
            std::future::pending::<()>().await;
        }
        http::Response::new("hello".into())
    })
    .await
}

/// One request of each kind of fate.
async fn one_of_each(gateway: &TestGateway, upstream: &TestUpstream) {
    for _ in 0..3 {
        assert_eq!(gateway.get("/a/1?page=2&token=s3cret").await.status(), 200);
    }
    let mut client = gateway.client().await;
    for (method, path, expected) in [
        ("HEAD", "/a/1", 200),
        ("BREW", "/a/1", 200),
        ("GET", "/nowhere", 404),
        ("POST", "/get", 405),
        ("GET", "/dead", 502),
        ("GET", "/slow", 504),
    ] {
        let request = Request::builder().method(method).uri(path).header("host", "shop.example");
        let request =
            request.header("user-agent", "\"agent\"").header("cookie", "id=s3cret").body("").unwrap();
        assert_eq!(client.send(request).await.status(), expected, "{method} {path}");
    }
    let mut raw = gateway.raw().await;
    raw.send("nonsense\r\n\r\n").await;
    raw.read_to_end().await;
    let mut gone = gateway.raw().await;
    gone.send("GET /a/never HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually("it is on its way", async || upstream.seen().iter().any(|seen| seen.uri == "/a/never")).await;
    drop(gone);
    let mut http2 = TestClient::http2(gateway.address()).await;
    assert_eq!(http2.send(Request::get("http://a/a/2").body("").unwrap()).await.status(), 200);
    let drain = gateway.gateway().drain().clone();
    drop((client, http2));
    eventually("all have gone", async || drain.count(dgate_proxy::drain::Busy::Connection) == 0).await;
}

#[test]
fn every_request_is_counted_once_under_bounded_labels() {
    let text = metered(async || {
        let upstream = upstream().await;
        let gateway = TestGateway::start(resources(&upstream)).await;
        one_of_each(&gateway, &upstream).await;
    });
    let requests = |labels: &[(&str, &str)]| sum(&text, "dgate_proxy_requests_total", labels);
    for (labels, expected) in [
        (&[("route", "all"), ("method", "GET"), ("code", "200"), ("service", "s")][..], 4),
        (&[("route", "all"), ("method", "HEAD"), ("code", "200")], 1),
        (&[("route", "all"), ("method", "OTHER"), ("code", "200")], 1),
        (&[("route", "all"), ("code", "499")], 1),
        (&[("route", "-"), ("code", "404"), ("namespace", "-")], 1),
        (&[("route", "-"), ("code", "405"), ("method", "POST")], 1),
        (&[("route", "-"), ("code", "400"), ("method", "OTHER")], 1),
        (&[("route", "dead"), ("code", "502")], 1),
        (&[("route", "slow"), ("code", "504")], 1),
        (&[], 12),
    ] {
        assert_eq!(requests(labels), expected, "{labels:?}\n{text}");
    }
    for (kind, expected) in [
        ("no_route", 1),
        ("method_not_allowed", 1),
        ("bad_request", 1),
        ("upstream_refused", 1),
        ("upstream_timeout", 1),
        ("client_gone", 1),
        ("internal", 0),
    ] {
        assert_eq!(
            sum(&text, "dgate_proxy_errors_total", &[("error_type", kind)]),
            expected,
            "{kind}\n{text}"
        );
    }
    assert_eq!(sum(&text, "dgate_proxy_request_duration_seconds_count", &[]), 12, "{text}");
    // Six that were answered, one in vain, one cut off, one given up.
    assert_eq!(sum(&text, "dgate_proxy_upstream_duration_seconds_count", &[]), 9, "{text}");
    for unbounded in ["/a/1", "agent", "shop.example", "s3cret", "BREW", "nowhere"] {
        assert!(!text.contains(unbounded), "{unbounded} is a label: {text}");
    }
}

/// Where the access log goes in tests.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn every_request_has_a_line_that_says_what_became_of_it() {
    let lines = Lines::default();
    let log = AccessLog::new(lines.clone(), AccessLogFormat::Json).unwrap();
    let upstream = upstream().await;
    let builder = Gateway::builder().spec(resources(&upstream)).access_log(log.clone());
    let gateway = TestGateway::build(builder).await;
    one_of_each(&gateway, &upstream).await;
    log.flush();
    let text = lines.text();
    assert!(!text.contains("s3cret"), "{text}");
    let all: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(all.len(), 12, "{text}");
    let of = |status: u16| all.iter().find(|line| line["status"] == status).unwrap();
    let ok = of(200);
    for (field, expected) in [
        ("client", json!("127.0.0.1")),
        ("method", json!("GET")),
        ("host", json!("localhost")),
        ("path", json!("/a/1")),
        ("query", json!("page=2&token=***")),
        ("protocol", json!("HTTP/1.1")),
        ("bytes", json!(5)),
        ("namespace", json!("default")),
        ("route", json!("all")),
        ("service", json!("s")),
        ("endpoint", json!(upstream.url())),
        ("attempts", json!(1)),
        ("module_ms", json!(0.0)),
    ] {
        assert_eq!(ok[field], expected, "{field}: {ok}");
    }
    assert!(
        ok["upstream_ms"].as_f64().unwrap() > 0.0 && ok["duration_ms"].as_f64() >= ok["upstream_ms"].as_f64()
    );
    assert_eq!(ok["request_id"].as_str().unwrap().len(), 36);
    assert!(ok.get("error").is_none());
    let head = all.iter().find(|line| line["method"] == "HEAD").unwrap();
    assert_eq!(head["bytes"], 0);
    assert!(all.iter().any(|line| line["protocol"] == "HTTP/2"));
    for (status, error, route) in [
        (400, "bad_request", "-"),
        (404, "no_route", "-"),
        (405, "method_not_allowed", "-"),
        (499, "client_gone", "all"),
        (502, "upstream_refused", "dead"),
        (504, "upstream_timeout", "slow"),
    ] {
        let line = of(status);
        assert_eq!((&line["error"], &line["route"]), (&json!(error), &json!(route)), "{line}");
    }
    // Who was asked, and for how long, is known also when nobody waited for the end.
    for status in [499, 504] {
        let line = of(status);
        assert_eq!((&line["endpoint"], &line["attempts"]), (&json!(upstream.url()), &json!(1)), "{line}");
        assert!(line["upstream_ms"].as_f64().unwrap() > 0.0, "{line}");
    }
}

/// An answer that breaks off is no good one, whatever its status says.
#[tokio::test]
async fn answers_that_break_off_are_told_apart() {
    for (pauses, error) in [(false, "upstream_reset"), (true, "upstream_timeout")] {
        let upstream = TestUpstream::raw(move |mut stream| async move {
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello").await;
            if pauses {
                let _ = stream.read(&mut [0; 1]).await;
            }
        })
        .await;
        let lines = Lines::default();
        let log = AccessLog::new(lines.clone(), AccessLogFormat::Json).unwrap();
        let builder = Gateway::builder().access_log(log.clone()).spec([
            resource(Service, json!({ "name": "s", "urls": [upstream.url()], "idle_timeout": "50ms" })),
            resource(Route, json!({ "name": "all", "paths": ["/**"], "service": "s" })),
        ]);
        let gateway = TestGateway::build(builder).await;
        let mut raw = gateway.raw().await;
        raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(raw.read_to_end().await.ends_with("hello"));
        eventually("a line", async || {
            log.flush();
            !lines.text().is_empty()
        })
        .await;
        let line: Value = serde_json::from_str(lines.text().trim()).unwrap();
        assert_eq!(
            (&line["status"], &line["error"], &line["bytes"]),
            (&json!(200), &json!(error), &json!(5))
        );
    }
}

/// A log that cannot be written costs nobody an answer.
#[test]
fn lines_that_cannot_be_written_are_counted() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let text = metered(async || {
        let log = AccessLog::new(Full, AccessLogFormat::Common).unwrap();
        let upstream = TestUpstream::echo().await;
        let builder = Gateway::builder().spec(crate::all_to(upstream.url())).access_log(log.clone());
        let gateway = TestGateway::build(builder).await;
        for _ in 0..3 {
            assert_eq!(gateway.get("/").await.status(), 200);
        }
        log.flush();
    });
    assert_eq!(sum(&text, "dgate_access_log_dropped_total", &[]), 3, "{text}");
}

/// Nothing that lives long keeps a configuration alive: neither a stream over HTTP/2 nor a tunnel.
#[tokio::test]
async fn streams_and_tunnels_hold_no_configuration() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        let mut buffer = [0; 4_096];
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        let answer: &[u8] = if buffer[..read].windows(9).any(|window| window == b"upgrade: ") {
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello"
        } else {
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        };
        let _ = stream.write_all(answer).await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    let gateway = TestGateway::build(
        Gateway::builder().spec(crate::all_to(upstream.url())).settings(ProxySettings::default()),
    )
    .await;
    let mut tunnel = gateway.raw().await;
    tunnel.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n").await;
    tunnel.read_until("hello").await;
    let mut client = TestClient::http2(gateway.address()).await;
    let mut stream = client.begin(Request::get("http://a/").body("").unwrap()).await.unwrap().into_body();
    stream.frame().await.unwrap().unwrap();
    for index in 0..5 {
        let route = dgate_core::resource::Route::new("other", format!("/{index}"));
        gateway.apply(dgate_core::apply::ChangeSet::new().put(route)).await.unwrap();
        assert_eq!(gateway.gateway().handle().live().generations_alive(), 1, "after change {index}");
    }
    tunnel.send("still here").await;
    tokio::time::timeout(Duration::from_millis(50), stream.frame()).await.expect_err("and so is the stream");
}
