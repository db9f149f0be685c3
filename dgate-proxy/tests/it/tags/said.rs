//! What the access log and metrics say of variants.

use dgate_core::Kind::*;
use dgate_proxy::CanaryOverride;
use dgate_proxy::edge::{AccessLog, AccessLogFormat};
use dgate_proxy::testing::TestGateway;
use serde_json::{Value, json};

use super::{ask, builder, named, settings};
use crate::observability::{Lines, metered, sum};
use crate::resource;

#[test]
fn a_variant_is_told_by_the_tags_that_decided() {
    let lines = Lines::default();
    let log = AccessLog::new(lines.clone(), AccessLogFormat::Json).unwrap();
    let text = metered(async || {
        let upstream = named("there").await;
        let url = upstream.url();
        let resources = [
            resource(Service, json!({ "name": "s", "urls": [url] })),
            resource(Service, json!({ "name": "t", "urls": [url, { "url": url, "tags": ["#url:new"] }] })),
            resource(Route, json!({ "name": "plain", "paths": ["/plain"], "service": "s" })),
            resource(Route, json!({ "name": "a", "paths": ["/a"], "service": "s" })),
            resource(Route, json!({ "name": "a2", "paths": ["/a"], "service": "t", "tags": ["#canary:v2"] })),
        ];
        let mut settings = settings();
        settings.canary.forced_by = CanaryOverride::Any;
        let builder = builder(&["canary@0%:v2", "url@0%:new", "unused@100%:x"], resources);
        let gateway = TestGateway::build(builder.settings(settings).access_log(log.clone())).await;
        let mut client = gateway.client().await;
        for (path, forced) in [
            ("/plain", ""),
            ("/plain", "canary:v2"),
            ("/a", ""),
            ("/a", "canary:v2"),
            ("/a", "canary:v2, url:new"),
            ("/a", "canary:v2"),
            ("/nowhere", "canary:v2"),
        ] {
            ask(&mut client, path, &[("x-dgate-canary", forced)]).await;
        }
    });
    log.flush();
    let lines: Vec<Value> = lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|line| json!([line["route"], line["variant"]])).collect();
    assert_eq!(
        told,
        [
            json!(["plain", "-"]),
            json!(["plain", "-"]),
            json!(["a", "-"]),
            json!(["a2", "canary:v2"]),
            json!(["a2", "canary:v2,url:new"]),
            json!(["a2", "canary:v2"]),
            json!(["-", "-"]),
        ]
    );
    for (labels, expected) in [
        (&[("route", "plain"), ("variant", "-")][..], 2),
        (&[("route", "a2"), ("variant", "canary:v2")], 2),
        (&[("route", "a2"), ("variant", "canary:v2,url:new")], 1),
        (&[("route", "a2"), ("variant", "-")], 0),
    ] {
        assert_eq!(sum(&text, "dgate_proxy_requests_total", labels), expected, "{labels:?}\n{text}");
        assert_eq!(sum(&text, "dgate_proxy_request_duration_seconds_count", labels), expected, "{labels:?}");
    }
}

#[test]
fn only_so_many_variants_are_told_apart() {
    let text = metered(async || {
        let upstream = named("there").await;
        let tags: Vec<String> = (0..40).map(|index| format!("canary@0%:v{index}")).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let urls: Vec<Value> = (0..40)
            .map(|index| json!({ "url": upstream.url(), "tags": [format!("#canary:v{index}")] }))
            .collect();
        let resources = [
            resource(Service, json!({ "name": "s", "urls": urls })),
            resource(Route, json!({ "name": "r", "paths": ["/"], "service": "s" })),
        ];
        let mut settings = settings();
        settings.canary.forced_by = CanaryOverride::Any;
        let gateway = TestGateway::build(builder(&tags, resources).settings(settings)).await;
        let mut client = gateway.client().await;
        for index in 0..40 {
            let forced = format!("canary:v{index}");
            assert_eq!(ask(&mut client, "/", &[("x-dgate-canary", &forced)]).await, "there");
        }
    });
    let series = text.lines().filter(|line| line.starts_with("dgate_proxy_requests_total{")).count();
    assert_eq!(series, 17, "{text}");
    assert_eq!(sum(&text, "dgate_proxy_requests_total", &[("variant", "other")]), 24);
}
