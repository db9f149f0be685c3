//! What a storm takes, it gives back.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::time::Duration;

use dgate_core::Kind;
use dgate_proxy::testing::TestGateway;
use serde_json::json;

use crate::kit::{Setup, get, resource};

/// The threads that run modules here, by name; one that has just begun has that of the one that began it. Each test has a
/// process of its own.
fn threads() -> BTreeSet<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let name = |task: std::io::Result<std::fs::DirEntry>| {
        let name = std::fs::read_to_string(task.ok()?.path().join("comm")).ok()?;
        let number = name.trim().strip_prefix("modules-")?;
        number.parse::<usize>().is_ok().then(|| name.trim().to_owned())
    };
    tasks.filter_map(name).collect()
}

/// How much memory this process holds, in MiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().split(' ').next().unwrap().parse::<u64>().unwrap() / 1_024
}

/// What never is so makes the test hang, and be ended.
async fn eventually(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A module that has much alive, and then runs into a limit; at once, or after it waited.
const STORM: &str = "
    import { sleep } from 'dgate';
    export async function requestHandler(ctx) {
      if (ctx.pathParam('id') === 'late') await sleep(20);
      const all = [];
      for (let i = 0; i < 2e5; i++) all.push({ i });
      if (ctx.pathParam('id') === 'late') for (;;) Promise.resolve().then(() => {});
      const f = () => 1 + f();
      f();
    }";

const OK: &str = "
    import { setCache } from 'dgate/storage';
    export function requestHandler(ctx) {
      if (ctx.query().has('go')) setCache('go', true);
      ctx.response().send('ok');
    }";

/// Has two hooks, and in the second one waits until it may go on.
const WAITS: &str = "
    import { sleep } from 'dgate';
    import { getCache } from 'dgate/storage';
    export async function requestModifier(ctx) { ctx.set('k', 'kept'); await sleep(1); }
    export async function requestHandler(ctx) {
      while (!getCache('go')) await sleep(5);
      ctx.response().send(ctx.get('k'));
    }";

async fn storm(gateway: &TestGateway, target: &str) {
    assert_eq!(get(gateway, target).await.status(), 500);
}

async fn gateway() -> TestGateway {
    let mut setup = Setup::new();
    setup.settings.pool.max_threads = 1;
    // It is threads with runtimes that this is about.
    setup.settings.direct_hooks = false;
    setup
        .with(resource(
            Kind::Module,
            json!({ "name": "m", "payload_raw": STORM, "limits": { "cpu": "1m" } }),
        ))
        .with(resource(Kind::Module, json!({ "name": "ok", "payload_raw": OK, "permissions": ["cache"] })))
        .with(resource(
            Kind::Module,
            json!({ "name": "waits", "payload_raw": WAITS, "permissions": ["cache"], "limits": { "cpu": "1m" } }),
        ))
        .with(resource(Kind::Route, json!({ "name": "ok", "paths": ["/ok"], "modules": ["ok"] })))
        .with(resource(Kind::Route, json!({ "name": "waits", "paths": ["/waits"], "modules": ["waits"] })))
        .route(&["m"], None)
        .start()
        .await
}

#[tokio::test]
async fn a_thread_that_had_a_storm_makes_way_for_another() {
    let gateway = gateway().await;
    assert_eq!(get(&gateway, "/ok").await.text(), "ok");
    for target in ["/m/now", "/m/late"] {
        // One that has just begun still has the name of the thread that began it.
        eventually(|| threads().len() == 1).await;
        let before = threads();
        storm(&gateway, target).await;
        eventually(|| threads().is_disjoint(&before)).await;
        assert_eq!(get(&gateway, "/ok").await.text(), "ok");
    }
    // A hit alone is no reason.
    let before = threads();
    let small = "export function requestHandler() { const f = () => 1 + f(); f(); }";
    let other = Setup::new().module(small).route(&["m"], None).start().await;
    assert_eq!(get(&other, "/m/1").await.status(), 500);
    assert_eq!(get(&other, "/m/1").await.status(), 500);
    assert_eq!(threads().len(), before.len() + 1, "the other gateway's is still the same");
}

#[tokio::test]
async fn requests_keep_their_thread_until_they_are_over() {
    let gateway = gateway().await;
    let (waits, ()) = tokio::join!(get(&gateway, "/waits"), async {
        eventually(|| threads().len() == 1).await;
        let before = threads();
        storm(&gateway, "/m/now").await;
        // Another thread has to take this.
        assert_eq!(get(&gateway, "/ok").await.text(), "ok");
        let now = threads();
        assert!(now.is_superset(&before) && now.len() == 2, "{before:?}, then {now:?}");
        assert_eq!(get(&gateway, "/ok?go").await.text(), "ok");
    });
    assert_eq!(waits.text(), "kept", "its second hook found what the first one left");
    eventually(|| threads().len() == 1).await;
}

#[tokio::test]
async fn memory_comes_back() {
    let gateway = gateway().await;
    get(&gateway, "/ok").await;
    let before = memory();
    for _ in 0..3 {
        storm(&gateway, "/m/now").await;
        storm(&gateway, "/m/late").await;
    }
    assert_eq!(get(&gateway, "/ok").await.text(), "ok");
    eventually(|| threads().len() == 1).await;
    let after = memory();
    assert!(after < before + 128, "{before} MiB before, {after} MiB after");
}

/// A runtime that is no more leaves nothing behind: each of these holds 8 MiB.
#[tokio::test]
async fn runtimes_that_retire_are_gone() {
    let source = "const large = ['x'.repeat(1 << 23)];
        export function requestHandler(ctx) { for (const text of large) ctx.response().send(String(text.length)); }
        export default {};";
    let mut setup = Setup::new().module(source).route(&["m"], None);
    setup.settings = setup.settings.with(|settings| settings.pool.max_calls = 1);
    let gateway = setup.start().await;
    let mut after_some = 0;
    for call in 0..80 {
        let answer = get(&gateway, "/m/x").await;
        assert_eq!(answer.body, "8388608");
        if call == 40 {
            after_some = memory();
        }
    }
    let more = memory().saturating_sub(after_some);
    assert!(more < 120, "{more} MiB more after 40 runtimes, which held 320 MiB");
}
