//! Each module of a chain has limits of its own.

use std::sync::Arc;

use bytes::Bytes;
use dgate_core::Kind;
use dgate_core::apply::resource_set;
use dgate_core::store::MemoryStore;
use dgate_modules::ModuleSettings;
use dgate_modules::local::{LocalGateway, Network, Trial};
use http::Request;
use serde_json::json;

use crate::kit::{Setup, resource};

/// Status of a request with a body through two modules, each with a handler of its own and limits of its own; the first does not
/// answer.
async fn through(first: (&str, serde_json::Value), second: (&str, serde_json::Value)) -> u16 {
    let source = |body: &str| {
        format!("import {{ sleep }} from 'dgate';\nexport async function requestHandler(ctx) {{ {body} }}")
    };
    let module = |name: &str, (body, limits): (&str, serde_json::Value)| {
        resource(Kind::Module, json!({ "name": name, "payload_raw": source(body), "limits": limits }))
    };
    let gateway = Setup::new()
        .with(module("first", first))
        .with(module("second", second))
        .route(&["first", "second"], None)
        .start()
        .await;
    let request = Request::post("/m/1").header("host", "a").body("x".repeat(2_000)).unwrap();
    gateway.client().await.send(request).await.status().as_u16()
}

const GENEROUS: &str = r#"{"cpu": "1m", "timeout": "1m", "body": "1MiB"}"#;
const LOOP: &str = "const end = Date.now() + 200; while (Date.now() < end);";
const ANSWER: &str = "ctx.response().status(201);";

fn limits(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn computing_time() {
    let small = r#"{"cpu": "20ms", "timeout": "1m"}"#;
    assert_eq!(through((LOOP, limits(GENEROUS)), (ANSWER, limits(GENEROUS))).await, 201);
    assert_eq!(through((LOOP, limits(small)), (ANSWER, limits(GENEROUS))).await, 500);
    let then = format!("{LOOP} {ANSWER}");
    assert_eq!(through(("", limits(GENEROUS)), (&then, limits(small))).await, 500);
    assert_eq!(through(("await sleep(1);", limits(GENEROUS)), (&then, limits(small))).await, 500);
    // What the first one used is not the second one's.
    let little = r#"{"cpu": "150ms", "timeout": "1m"}"#;
    assert_eq!(through((LOOP, limits(GENEROUS)), (ANSWER, limits(little))).await, 201);
}

#[tokio::test]
async fn time_by_the_clock() {
    let short = r#"{"cpu": "1m", "timeout": "100ms"}"#;
    assert_eq!(through(("await sleep(1);", limits(GENEROUS)), (ANSWER, limits(GENEROUS))).await, 201);
    assert_eq!(through(("await sleep(2000);", limits(short)), (ANSWER, limits(GENEROUS))).await, 500);
    for first in ["", "await sleep(1);"] {
        assert_eq!(through((first, limits(GENEROUS)), ("await sleep('1h');", limits(short))).await, 500);
    }
    // The time of the first one does not run on when the second one waits.
    let then = format!("await sleep(300); {ANSWER}");
    assert_eq!(through(("await sleep(1);", limits(short)), (&then, limits(GENEROUS))).await, 201);
}

#[tokio::test]
async fn bodies() {
    let small = r#"{"cpu": "1m", "body": "1KiB"}"#;
    let read = "await ctx.request().text();";
    let then = format!("{read} {ANSWER}");
    assert_eq!(through((read, limits(GENEROUS)), (ANSWER, limits(small))).await, 201);
    assert_eq!(through((read, limits(small)), (ANSWER, limits(GENEROUS))).await, 413);
    assert_eq!(through((read, limits(GENEROUS)), (&then, limits(small))).await, 413);
}

/// Name and what a module does that leaves something behind, which computes for 200 ms.
fn left_behind() -> [(&'static str, String); 4] {
    [
        ("a timer", format!("setTimeout(() => {{ {LOOP} }}, 1);")),
        ("a handler", format!("sleep(1).then(() => {{ {LOOP} }});")),
        ("a function that waits", format!("(async () => {{ await sleep(1); await null; {LOOP} }})();")),
        (
            "a timer that comes again",
            format!("const id = setInterval(() => {{ {LOOP} clearInterval(id); }}, 1);"),
        ),
    ]
}

#[tokio::test]
async fn what_is_left_behind_is_charged_to_the_module_that_left_it() {
    let (little, small) = (r#"{"cpu": "300ms", "timeout": "1m"}"#, r#"{"cpu": "20ms", "timeout": "1m"}"#);
    let waits = format!("await sleep(100); {ANSWER}");
    let computes = format!("await sleep(100); {LOOP} {ANSWER}");
    for (name, leaves) in left_behind() {
        // The next module has not computed it, and has all its time left afterwards.
        assert_eq!(through((&leaves, limits(GENEROUS)), (&waits, limits(small))).await, 201, "{name}");
        assert_eq!(through((&leaves, limits(little)), (&computes, limits(little))).await, 201, "{name}");
    }
}

#[tokio::test]
async fn who_left_too_much_behind_is_named() {
    for (name, leaves) in left_behind() {
        let module = |name: &str, body: &str, cpu: &str| {
            let source = format!(
                "import {{ sleep }} from 'dgate';\nexport async function requestHandler(ctx) {{ {body} }}"
            );
            let spec = json!({ "name": name, "payload_raw": source, "limits": { "cpu": cpu } });
            resource(Kind::Module, spec)
        };
        let trial = Trial {
            revision: 1,
            resources: resource_set([
                module("first", &leaves, "20ms"),
                module("second", "await sleep('1s');", "1m"),
            ]),
            documents: Arc::new(MemoryStore::new()),
            settings: ModuleSettings::default(),
            network: Network::default(),
        };
        let gateway = LocalGateway::of_module(trial, "default", "first", "/first").await.unwrap();
        let route = json!({ "name": "both", "paths": ["/both"], "modules": ["first", "second"] });
        gateway.put(resource(Kind::Route, route)).await.unwrap();
        let reply = gateway.send(Request::get("/both").body(Bytes::new()).unwrap()).await;
        let [failure] = &*reply.failures else { panic!("{name}: {:?}", reply.failures) };
        assert_eq!((failure.kind, failure.module.as_deref()), ("cpu", Some("first")), "{name}: {failure}");
        assert!(failure.message.contains("20ms"), "{name}: {failure}");
        assert!(
            failure.place.as_deref().is_some_and(|place| place.starts_with("first.ts:")),
            "{name}: {failure}"
        );
    }
}
