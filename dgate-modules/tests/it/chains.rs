//! Each module of a chain has limits of its own.

use dgate_core::Kind;
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
