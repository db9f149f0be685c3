//! What is counted.

use dgate_proxy::testing::TestUpstream;
use rustix::process::Signal;

use crate::running::{Running, configuration, get};

#[tokio::test]
async fn requests_are_counted_with_bounded_labels() {
    let upstream = TestUpstream::echo().await;
    let text = configuration(&upstream.url(), "node_id: n1").replace("paths: ['/**']", "paths: ['/in/**']");
    let text =
        text.replace("services: [", "services: [{name: gone, urls: ['http://127.0.0.1:1'], retries: 0}, ");
    let text = text.replace("routes: [", "routes: [{name: down, paths: [/down], service: gone}, ");
    let running = Running::start(&text).await;
    for index in 0..50 {
        assert_eq!(running.get(&format!("/in/{index}")).await.status(), 200);
        assert_eq!(running.get(&format!("/out/{index}")).await.status(), 404);
    }
    assert_eq!(running.get("/down").await.status(), 502);
    let request = |method: &str| {
        http::Request::builder().method(method).uri("/in/x").header("host", "a").body(String::new()).unwrap()
    };
    let mut client = dgate_proxy::testing::TestClient::http1(running.address("proxy-http")).await;
    for index in 0..20 {
        client.send(request(&format!("METHOD{index}"))).await;
    }
    let of = |route: &str, service: &str, method: &str, code: u16| {
        let namespace = if route == "-" { "-" } else { "default" };
        format!(
            "dgate_proxy_requests_total{{namespace=\"{namespace}\",route=\"{route}\",service=\"{service}\",\
             method=\"{method}\",code=\"{code}\",variant=\"-\"}}"
        )
    };
    for (series, expected) in [
        (of("all", "s", "GET", 200), 50.0),
        (of("all", "s", "OTHER", 200), 20.0),
        (of("-", "-", "GET", 404), 50.0),
        (of("down", "gone", "GET", 502), 1.0),
        ("dgate_proxy_errors_total{namespace=\"-\",route=\"-\",error_type=\"no_route\",variant=\"-\"}".to_owned(), 50.0),
        (
            "dgate_proxy_errors_total{namespace=\"default\",route=\"down\",error_type=\"upstream_refused\",variant=\"-\"}"
                .to_owned(),
            1.0,
        ),
        ("dgate_proxy_request_duration_seconds_count{namespace=\"default\",route=\"all\",variant=\"-\"}".to_owned(), 70.0),
        ("dgate_proxy_upstream_duration_seconds_count{namespace=\"default\",service=\"s\"}".to_owned(), 70.0),
        ("dgate_proxy_overhead_seconds_count".to_owned(), 121.0),
        ("dgate_config_revision".to_owned(), 1.0),
        ("dgate_config_last_reload_success".to_owned(), 1.0),
        ("dgate_config_generations_alive".to_owned(), 1.0),
        (format!("dgate_build_info{{version=\"{}\",node=\"n1\"}}", env!("CARGO_PKG_VERSION")), 1.0),
    ] {
        crate::eventually(&series, async || running.metric(&series).await == Some(expected)).await;
    }
    let all = running.admin("/metrics").await.text();
    assert!(!all.contains("/in/") && !all.contains("METHOD1"), "no paths, no made-up methods");
    for kind in ["# TYPE dgate_proxy_requests_total counter", "# HELP dgate_proxy_requests_total Requests"] {
        assert!(all.contains(kind), "{kind}");
    }
    // What is shown only from time to time.
    let healthy = format!(
        "dgate_upstream_healthy{{namespace=\"default\",service=\"s\",endpoint=\"{}\"}}",
        upstream.url()
    );
    for series in [healthy.as_str(), "dgate_proxy_requests_in_flight"] {
        crate::eventually(series, async || running.metric(series).await.is_some()).await;
    }
}

#[tokio::test]
async fn every_metric_that_is_documented_is_known_by_its_name() {
    let names: std::collections::BTreeSet<_> =
        dgate_core::metric_names::ALL.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), dgate_core::metric_names::ALL.len(), "no name twice");
    let upstream = TestUpstream::echo().await;
    let running = Running::start(&configuration(&upstream.url(), "")).await;
    get(running.address("proxy-http"), "a", "/").await;
    let text = running.admin("/metrics").await.text();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        assert!(names.contains(name), "{name} is nowhere documented");
    }
}

#[tokio::test]
async fn metrics_can_be_disabled() {
    let upstream = TestUpstream::echo().await;
    let running = Running::start(&configuration(&upstream.url(), "disable_metrics: true")).await;
    let answer = running.admin("/metrics").await;
    assert_eq!(answer.status(), 404);
    assert!(answer.text().contains("disable_metrics"));
    assert_eq!(running.admin("/livez").await.text(), "ok\n");
}

#[tokio::test]
async fn a_bad_reload_shows() {
    let upstream = TestUpstream::echo().await;
    let running = Running::start(&configuration(&upstream.url(), "")).await;
    running.configure("prxy: {}");
    running.signal(Signal::HUP);
    let series = "dgate_config_last_reload_success";
    crate::eventually("0", async || running.metric(series).await == Some(0.0)).await;
    running.configure(&configuration(&upstream.url(), ""));
    running.signal(Signal::HUP);
    crate::eventually("1", async || running.metric(series).await == Some(1.0)).await;
}
