//! `dgate/upstream` in the whole server.

use dgate_proxy::testing::TestUpstream;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::eventually;
use crate::running::Running;

/// Does what the query says.
const OPERATOR: &str = r#"
            import { endpoints, setHealth, setWeight } from "dgate/upstream";
            export function requestHandler(ctx) {
              const [service, url, value] = ["service", "url", "value"].map((name) => ctx.query().get(name));
              const acts = {
                list: () => endpoints(service),
                health: () => setHealth(service, url, JSON.parse(value)),
                weight: () => setWeight(service, url, JSON.parse(value)),
              };
              try {
                ctx.response().json({ result: acts[ctx.pathParam("act")]() ?? null });
              } catch (error) {
                ctx.response().json({ error: `${error.name}: ${error.message}` });
              }
            }"#;

fn configuration(one: &str, two: &str, retries: u32) -> String {
    format!(
        "version: v1
proxy:
  host: 127.0.0.1
  port: 0
  init_resources:
    modules:
      - name: operator
        permissions: ['resource:service:health=s', 'resource:service:health=none']
        payload_raw: |{OPERATOR}
    services:
      - name: s
        urls: ['{one}', '{two}']
        retries: {retries}
        health_check: {{active: {{path: /, interval: 20ms, healthy_after: 1}}}}
      - {{name: other, urls: ['{one}']}}
    routes:
      - {{name: s, paths: ['/s'], service: s}}
      - {{name: operator, paths: ['/do/{{act}}'], modules: [operator]}}
admin: {{port: 0}}
access_log: {{format: off}}
log_format: json
storage: {{type: memory}}
"
    )
}

/// How many of ten requests go to an upstream; health checks ask for `/`.
async fn share(running: &Running, upstream: &TestUpstream) -> usize {
    let count = || upstream.seen().iter().filter(|seen| seen.uri == "/s").count();
    let before = count();
    for _ in 0..10 {
        assert_eq!(running.get("/s").await.status(), 200);
    }
    count() - before
}

async fn act(running: &Running, act: &str) -> Value {
    running.get(&format!("/do/{act}")).await.json()
}

/// An endpoint as the Admin API shows it.
async fn shown(running: &Running, url: &str) -> Value {
    let services = running.admin("/api/v1/upstreams").await.json();
    let service = services["data"].as_array().unwrap().iter().find(|service| service["service"] == "s");
    let endpoints = service.unwrap()["endpoints"].as_array().unwrap();
    endpoints.iter().find(|endpoint| endpoint["url"] == url).unwrap().clone()
}

#[tokio::test]
async fn modules_say_how_endpoints_are_and_what_they_get() {
    let (one, two) = (TestUpstream::echo().await, TestUpstream::echo().await);
    let (url, gone) = (two.url(), json!({ "result": null }));
    let mut running = Running::start(&configuration(&one.url(), &url, 0)).await;
    let reload = async |running: &mut Running, retries: u32| {
        running.configure(&configuration(&one.url(), &url, retries));
        let revision = running.metric("dgate_config_revision").await;
        running.signal(Signal::HUP);
        eventually("the change is live", async || running.metric("dgate_config_revision").await != revision)
            .await;
    };

    let listed = act(&running, "list?service=s").await;
    let second = &listed["result"][1];
    assert_eq!(
        (&second["url"], &second["healthy"], &second["weight"]),
        (&json!(url), &json!(true), &json!(1)),
        "{listed}"
    );
    assert_eq!(share(&running, &two).await, 5);

    // Checks pass all the time, and what is said wins; also over a change of everything but the endpoint.
    assert_eq!(act(&running, &format!("health?service=s&url={url}&value=false")).await, gone);
    assert_eq!(share(&running, &two).await, 0);
    let checks = two.seen().len();
    eventually("it is checked again", async || two.seen().len() > checks + 2).await;
    assert_eq!(share(&running, &two).await, 0);
    let series = format!("dgate_upstream_healthy{{namespace=\"default\",service=\"s\",endpoint=\"{url}\"}}");
    assert_eq!(running.metric(&series).await, Some(0.0));
    let endpoint = shown(&running, &url).await;
    assert_eq!((&endpoint["healthy"], &endpoint["said_healthy"]), (&json!(false), &json!(false)));
    reload(&mut running, 1).await;
    assert_eq!(share(&running, &two).await, 0);
    assert_eq!(act(&running, &format!("health?service=s&url={url}&value=null")).await, gone);
    assert_eq!(share(&running, &two).await, 5);
    assert_eq!(running.metric(&series).await, Some(1.0));

    assert_eq!(act(&running, &format!("weight?service=s&url={url}&value=4")).await, gone);
    assert_eq!(share(&running, &two).await, 8);
    let endpoint = shown(&running, &url).await;
    assert_eq!((&endpoint["weight"], &endpoint["given_weight"]), (&json!(4), &json!(4)));
    reload(&mut running, 2).await;
    assert_eq!(share(&running, &two).await, 8);
    act(&running, &format!("weight?service=s&url={url}&value=0")).await;
    assert_eq!(share(&running, &two).await, 0);
    act(&running, &format!("weight?service=s&url={url}&value=null")).await;
    assert_eq!(share(&running, &two).await, 5);

    for (path, error) in [
        ("health?service=s&url=http://127.0.0.1:1&value=true", "service `s` has no endpoint"),
        ("list?service=none", "there is no service `none`"),
        ("health?service=s&url=x&value=2", "must be true, false, or null"),
        ("weight?service=s&url=x&value=1.5", "must be a whole number"),
        ("list?service=other", "`resource:service:health=other` is not granted"),
    ] {
        let answer = act(&running, path).await;
        assert!(answer["error"].as_str().is_some_and(|text| text.contains(error)), "{path}: {answer}");
    }
}
