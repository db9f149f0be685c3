//! A thread that does not come back from a built-in function.

use crate::running::{Running, line_of};

/// Modules run on one thread of the pool. `slow` is in one built-in function for long.
fn configuration() -> String {
    r#"
version: v1
proxy:
  host: 127.0.0.1
  port: 0
  init_resources:
    modules:
      - name: slow
        limits: {cpu: 20ms}
        payload_raw: |
          const text = "a".repeat(1 << SIZE), wanted = "a".repeat(120) + "\u20ac";
          export function requestHandler() { for (let i = 0; i < 8; i++) text.indexOf(wanted); }
      - name: ok
        payload_raw: |
          export const requestHandler = (ctx) => void ctx.response().send("ok");
    routes:
      - {name: slow, paths: ["/slow"], modules: [slow]}
      - {name: ok, paths: ["/ok"], modules: [ok]}
modules: {pool: {max_threads: 1, watchdog: 100ms}}
admin: {port: 0}
access_log: {format: off}
log_format: json
storage: {type: memory}
runtime: {flavor: work_stealing}
"#
    .replace("SIZE", if cfg!(debug_assertions) { "19" } else { "22" })
}

#[tokio::test]
async fn others_go_on_when_a_module_does_not_come_back() {
    let running = Running::start(&configuration()).await;
    assert_eq!(running.get("/ok").await.text(), "ok");
    let slow = running.get("/slow");
    let others = async {
        running.says("does not come back from a built-in function").await;
        // There is no other thread than the one that is stuck, until another one takes its place.
        assert_eq!(running.get("/ok").await.text(), "ok");
        // Whether it is refused or makes the next thread wait depends on whether the first one is back.
        assert_eq!(running.get("/slow").await.status(), 500);
    };
    let (slow, ()) = tokio::join!(slow, others);
    assert_eq!(slow.status(), 500);
    running.says("a module came back").await;
    let line = line_of(
        &running.log(),
        "a module does not come back from a built-in function; its calls are refused until it does",
    );
    let line = line.unwrap();
    assert_eq!(
        (line["module"].as_str(), line["hook"].as_str(), line["level"].as_str()),
        (Some("slow"), Some("requestHandler"), Some("ERROR"))
    );
    let watchdog = "dgate_module_limit_hits_total{namespace=\"default\",kind=\"watchdog\"}";
    assert!(running.metric(watchdog).await.is_some_and(|count| count >= 1.0));
    assert_eq!(running.get("/ok").await.text(), "ok");
}

#[tokio::test]
async fn what_waits_for_a_thread_that_is_stuck_goes_to_another() {
    let running = Running::start(&configuration()).await;
    let slow = async {
        running.get("/slow").await;
        "slow"
    };
    let waiting = async {
        // While the thread is busy, this waits for it.
        crate::eventually("the module runs", async || {
            running.metric("dgate_module_runtimes{state=\"executing\"}").await == Some(1.0)
        })
        .await;
        assert_eq!(running.get("/ok").await.text(), "ok");
        "waiting"
    };
    let first = tokio::select! { first = slow => first, first = waiting => first };
    assert_eq!(first, "waiting");
}
