//! The life of runtimes: made before they are needed, given up for a reason.

use dgate_proxy::testing::TestClient;
use rustix::process::Signal;

use crate::eventually;
use crate::running::Running;

fn configuration(answer: &str, pool: &str) -> String {
    format!(
        "version: v1
proxy:
  host: 127.0.0.1
  port: 0
  init_resources:
    modules:
      - name: m
        payload_raw: |
          let count = 0;
          export function requestHandler(ctx) {{
            if (ctx.query().has('loop')) for (;;);
            if (ctx.query().has('proxies')) for (let i = 0, p = {{}}; i < 5002; i++) p = new Proxy(p, {{}});
            ctx.response().send('{answer}' + ++count);
          }}
    routes: [{{name: r, paths: ['/'], modules: [m]}}]
modules: {{pool: {pool}}}
admin: {{port: 0}}
access_log: {{format: off}}
log_format: json
storage: {{type: memory}}
runtime: {{workers: 1}}
"
    )
}

const CREATED: &str = "dgate_module_runtimes_created_total";

async fn retired(running: &Running, reason: &str) -> u64 {
    let series = format!("dgate_module_runtimes_retired_total{{reason=\"{reason}\"}}");
    running.metric(&series).await.unwrap_or_default() as u64
}

async fn becomes(running: &Running, series: &str, value: f64) {
    eventually(&format!("{series} {value}"), async || running.metric(series).await == Some(value)).await;
}

#[tokio::test]
async fn workers_are_ready_before_the_first_request_and_after_each_change() {
    let running = Running::start(&configuration("a", "{}")).await;
    becomes(&running, CREATED, 1.0).await;
    assert_eq!(running.get("/").await.text(), "a1");
    assert_eq!(running.metric(CREATED).await, Some(1.0), "it was there already");
    running.configure(&configuration("b", "{}"));
    running.signal(Signal::HUP);
    becomes(&running, CREATED, 2.0).await;
    eventually("the old one goes", async || retired(&running, "changed").await == 1).await;
    assert_eq!(running.get("/").await.text(), "b1");
    assert_eq!(running.metric(CREATED).await, Some(2.0));
    becomes(&running, "dgate_module_runtimes{state=\"idle\"}", 1.0).await;
}

#[tokio::test]
async fn runtimes_are_given_up_for_each_reason() {
    let running = Running::start(&configuration("a", "{max_calls: 3}")).await;
    for expected in ["a1", "a2", "a3", "a1"] {
        assert_eq!(running.get("/").await.text(), expected, "after three calls there is a new one");
    }
    assert_eq!(retired(&running, "max_calls").await, 1);
    assert_eq!(running.get("/?loop").await.status(), 500);
    assert_eq!(retired(&running, "limit").await, 1);
    assert!(running.get("/").await.text().starts_with('a'));
    let running = Running::start(&configuration("a", "{}")).await;
    assert_eq!(running.get("/?proxies").await.text(), "a1");
    assert_eq!(retired(&running, "proxies").await, 1, "they may lie behind one another, without end");
    assert_eq!(running.get("/").await.text(), "a1");

    let running = Running::start(&configuration("a", "{idle_timeout: 40ms}")).await;
    eventually("it goes when it is not used", async || retired(&running, "idle").await >= 1).await;
    becomes(&running, "dgate_module_runtimes{state=\"idle\"}", 0.0).await;
    assert_eq!(running.get("/").await.text(), "a1");
}

#[tokio::test]
async fn what_computes_for_long_leaves_the_worker() {
    let busy = "const end = Date.now() + 20; while (Date.now() < end); ctx.response().send('done');";
    let source = configuration("a", "{max_threads: 1}")
        .replace("ctx.response().send('a' + ++count);", busy)
        .replace("- name: m\n", "- name: m\n        limits: {cpu: 10s}\n");
    let running = Running::start(&source).await;
    becomes(&running, CREATED, 1.0).await;
    eventually("there is a second one, on a thread of the pool", async || {
        assert_eq!(running.get("/").await.text(), "done");
        running.metric(CREATED).await == Some(2.0)
    })
    .await;
}

#[tokio::test]
async fn many_small_calls_in_one_turn_stay_on_the_worker() {
    let source = "
          let waiting = [];
          export async function requestHandler(ctx) {
            if (ctx.query().has('go')) {
              const all = waiting;
              waiting = [];
              all.forEach((resolve) => resolve());
              return ctx.response().send(`${all.length}`);
            }
            await new Promise((resolve) => { waiting.push(resolve); setTimeout(resolve, 60_000); });
            let sum = 0;
            for (let i = 0; i < 1_000; i++) sum += i;
            ctx.response().send(`${sum}`);
          }
";
    let whole = configuration("a", "{max_threads: 1}");
    let (head, rest) = whole.split_once("          let count").unwrap();
    let (_, tail) = rest.split_once("    routes:").unwrap();
    let running =
        Running::start(&format!("{head}{}    routes:{tail}", source.trim_start_matches('\n'))).await;
    const CALLS: usize = 300;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..CALLS {
        let mut client = TestClient::http1(running.address("proxy-http")).await;
        calls.spawn(async move {
            let request = http::Request::get("/").header("host", "a").body("").unwrap();
            client.send(request).await.text()
        });
    }
    let mut gone = 0;
    eventually("all went on", async || {
        gone += running.get("/?go").await.text().parse::<usize>().unwrap();
        gone == CALLS
    })
    .await;
    assert!(calls.join_all().await.iter().all(|sum| sum == "499500"));
    assert_eq!(running.metric(CREATED).await, Some(1.0), "none of them did much");
}

/// The niceness of each of a server's threads that have this name and a number.
#[cfg(target_os = "linux")]
fn niceness(running: &Running, name: &str) -> Vec<i32> {
    let mut found = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{}/task", running.id())).unwrap().flatten() {
        let Ok(stat) = std::fs::read_to_string(task.path().join("stat")) else { continue };
        let (head, rest) = stat.rsplit_once(')').unwrap();
        let number = head.split_once('(').unwrap().1.strip_prefix(name);
        if number.is_some_and(|number| number.parse::<u32>().is_ok()) {
            // Its field 19; the first of these is field 3.
            found.push(rest.split_whitespace().nth(16).unwrap().parse().unwrap());
        }
    }
    found
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn heavy_modules_stand_back() {
    let stealing = configuration("a", "{}").replace("{workers: 1}", "{workers: 1, flavor: work_stealing}");
    for (configuration, expected) in [
        (configuration("a", "{}"), 10),
        (configuration("a", "{niceness: 3}"), 3),
        (configuration("a", "{niceness: 0}"), 0),
        (stealing, 0),
    ] {
        let running = Running::start(&configuration).await;
        // Once it has looped, its calls go to the pool's threads.
        assert_eq!(running.get("/?loop").await.status(), 500);
        assert!(running.get("/").await.text().starts_with('a'));
        let threads = niceness(&running, "modules-");
        assert!(
            !threads.is_empty() && threads.iter().all(|nice| *nice == expected),
            "{expected}: {threads:?}"
        );
        assert!(niceness(&running, "worker-").iter().all(|nice| *nice == 0), "{expected}");
    }
}
