//! Modules in the whole server.

mod events;
mod in_flight;
mod latency;
mod limits;
mod recipes;
mod runtimes;
mod streaming;
mod upstream;
mod watchdog;

use crate::running::{Running, get};

#[tokio::test]
async fn counters_say_what_modules_used_too_much_of() {
    // On workers, and on threads of the pool.
    for runtime in ["{workers: 1}", "{flavor: work_stealing}"] {
        count(runtime).await;
    }
}

async fn count(runtime: &str) {
    let source = "
version: v1
proxy:
  host: 127.0.0.1
  port: 0
  init_resources:
    modules:
      - {name: loop, payload_raw: 'export function requestHandler() { for (;;); }'}
      - {name: deep, payload_raw: 'export function requestHandler() { const f = () => 1 + f(); f(); }'}
      - {name: slow, limits: {timeout: 20ms}, payload_raw: 'import { sleep } from \"dgate\"; export const requestHandler = () => sleep(60000);'}
      - {name: marks, limits: {timeout: 20ms}, payload_raw: 'export function responseModifier() {}'}
      - {name: quick, payload_raw: 'import { sleep } from \"dgate\"; export const requestHandler = () => sleep(1);'}
      - {name: first, payload_raw: 'export function requestModifier(ctx) { ctx.request().headers.set(\"a\", \"b\"); }'}
      - {name: second, payload_raw: 'export function requestModifier(ctx) {} export function requestHandler(ctx) { ctx.response().send(\"x\"); }'}
      - {name: sly, payload_raw: 'export const requestHandler = () => fetch(\"http://a.example/\");'}
    routes:
      - {name: loop, paths: ['/loop'], modules: [loop]}
      - {name: deep, paths: ['/deep'], modules: [deep]}
      - {name: slow, paths: ['/slow'], modules: [marks, quick, slow]}
      - {name: both, paths: ['/both'], modules: [first, second]}
      - {name: sly, paths: ['/sly'], modules: [sly]}
admin: {port: 0}
access_log: {format: off}
log_format: json
storage: {type: memory}
runtime: RUNTIME
";
    let running = Running::start(&source.replace("RUNTIME", runtime)).await;
    for path in ["/loop", "/deep", "/slow", "/sly"] {
        assert_eq!(running.get(path).await.status(), 500, "{path}");
    }
    assert_eq!(running.get("/both").await.status(), 200);
    let metrics = get(running.address("admin"), "localhost", "/metrics").await.text();
    // Each module is counted for the hooks that it has, also in company.
    for (module, hook) in [
        ("quick", "requestHandler"),
        ("slow", "requestHandler"),
        ("first", "requestModifier"),
        ("second", "requestModifier"),
        ("second", "requestHandler"),
    ] {
        for line in ["dgate_module_calls_total", "dgate_module_call_duration_seconds_count"] {
            let line = format!("{line}{{namespace=\"default\",module=\"{module}\",hook=\"{hook}\"}} 1");
            assert!(metrics.contains(&line), "{line}\n{metrics}");
        }
    }
    assert!(!metrics.contains("module=\"marks\",hook=\"requestHandler\""), "{metrics}");
    assert!(!metrics.contains("module=\"first\",hook=\"requestHandler\""), "{metrics}");
    for (module, kind) in [("loop", "cpu"), ("deep", "recursion"), ("slow", "timeout"), ("sly", "denied")] {
        let line = format!(
            "dgate_module_errors_total{{namespace=\"default\",module=\"{module}\",hook=\"requestHandler\",kind=\"{kind}\"}} 1"
        );
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
    for kind in ["cpu", "recursion", "timeout"] {
        let line = format!("dgate_module_limit_hits_total{{namespace=\"default\",kind=\"{kind}\"}} 1");
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
    assert!(
        metrics.contains("dgate_module_denied_total{namespace=\"default\",module=\"sly\"} 1"),
        "{metrics}"
    );
}
