//! A canary that is widened, promoted and aborted under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use dgate_core::Kind::*;
use dgate_core::apply::ChangeSet;
use dgate_core::resource::AnyResource;
use dgate_core::{Key, Kind};
use dgate_proxy::testing::TestGateway;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{ask, change, gateway, named, settings};
use crate::{eventually, resource};

/// Asks and asks from some connections.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    /// How often each answer came.
    clients: Vec<JoinHandle<Vec<(String, usize)>>>,
}

impl Load {
    async fn start(gateway: &TestGateway) -> Self {
        let (stop, answered): (Arc<AtomicBool>, Arc<AtomicUsize>) = Default::default();
        let mut clients = Vec::new();
        for number in 0..8 {
            let (stop, answered) = (stop.clone(), answered.clone());
            let mut client = gateway.client().await;
            clients.push(tokio::spawn(async move {
                let mut said: Vec<(String, usize)> = Vec::new();
                for turn in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let user = format!("user-{}", turn * 8 + number);
                    let answer = name(&ask(&mut client, "/", &[("x-user", &user)]).await);
                    match said.iter_mut().find(|(known, _)| *known == answer) {
                        Some((_, count)) => *count += 1,
                        None => said.push((answer, 1)),
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                said
            }));
        }
        Self { stop, answered, clients }
    }

    async fn more(&self, count: usize) {
        let wanted = self.answered.load(Ordering::Relaxed) + count;
        eventually("more answers", async || self.answered.load(Ordering::Relaxed) >= wanted).await;
    }

    /// How often each answer came.
    async fn finish(self) -> std::collections::BTreeMap<String, usize> {
        self.stop.store(true, Ordering::Relaxed);
        let mut said = std::collections::BTreeMap::new();
        for client in self.clients {
            for (answer, count) in client.await.unwrap() {
                *said.entry(answer).or_default() += count;
            }
        }
        said
    }
}

/// Who has answered.
fn name(answer: &str) -> String {
    answer.split(' ').next().unwrap().to_owned()
}

async fn widen_and_promote(
    base: Vec<AnyResource>,
    canary: Vec<AnyResource>,
    promoted: ChangeSet,
    answers: [&str; 2],
) {
    let gateway = gateway(&[], base).await;
    let load = Load::start(&gateway).await;
    load.more(50).await;
    let tags = |percent: &str| format!("canary@{percent}:v2");
    gateway.apply(change(&[&tags("0%")], settings())).await.unwrap();
    gateway.apply(canary.into_iter().collect::<ChangeSet>()).await.unwrap();
    load.more(50).await;
    for percent in ["1%", "5%", "25%", "50%", "100%"] {
        gateway.apply(change(&[&tags(percent)], settings())).await.unwrap();
        load.more(100).await;
    }
    let answer = async || name(&ask(&mut gateway.client().await, "/", &[("x-user", "user-1")]).await);
    assert_eq!(answer().await, answers[1]);
    gateway.apply(promoted).await.unwrap();
    gateway.apply(change(&[], settings())).await.unwrap();
    load.more(50).await;
    assert_eq!(answer().await, answers[1], "for good");
    let said = load.finish().await;
    let kinds: Vec<&str> = said.keys().map(String::as_str).collect();
    let mut expected = answers.to_vec();
    expected.sort_unstable();
    assert_eq!(kinds, expected, "nothing else was ever answered: {said:?}");
}

fn key(kind: Kind, name: &str) -> Key {
    Key::new(kind, "default", name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_service_goes_from_one_percent_to_all_without_a_failed_request() {
    let (stable, canary) = (named("stable").await, named("canary").await);
    let service = |name: &str, url: String| resource(Service, json!({ "name": name, "urls": [url] }));
    let route = |name: &str, service: &str, tags: Value| {
        resource(Route, json!({ "name": name, "paths": ["/**"], "service": service, "tags": tags }))
    };
    widen_and_promote(
        vec![service("old", stable.url()), route("r", "old", json!([]))],
        vec![service("new", canary.url()), route("r-canary", "new", json!(["#canary:v2"]))],
        ChangeSet::new()
            .put(route("r", "new", json!([])))
            .delete(key(Route, "r-canary"))
            .delete(key(Service, "old")),
        ["stable", "canary"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_module_goes_from_one_percent_to_all_without_a_failed_request() {
    let module =
        |name: &str, tags: Value| resource(Module, json!({ "name": name, "payload_raw": "", "tags": tags }));
    let route =
        |modules: Value| resource(Route, json!({ "name": "r", "paths": ["/**"], "modules": modules }));
    widen_and_promote(
        vec![module("old", json!([])), route(json!(["old"]))],
        vec![
            module("old", json!(["!canary:v2"])),
            module("new", json!(["#canary:v2"])),
            route(json!(["old", "new"])),
        ],
        ChangeSet::new().put(module("new", json!([]))).put(route(json!(["new"]))).delete(key(Module, "old")),
        ["old", "new"],
    )
    .await;
}

/// What is configured, as people would write it.
fn written(gateway: &TestGateway) -> Vec<String> {
    let live = gateway.gateway().handle().live().load();
    live.snapshot.resources().iter().map(|stored| format!("{:?}", stored.spec)).collect()
}

/// The whole life of a canary by resources alone, as clients of the Admin API have it: nobody touches a server's own tags.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_that_is_aborted_leaves_no_trace() {
    let (stable, canary) = (named("stable").await, named("canary").await);
    let service = |name: &str, url: String| resource(Service, json!({ "name": name, "urls": [url] }));
    let namespace = |tags: &[&str]| resource(Namespace, json!({ "name": "default", "server_tags": tags }));
    let base = vec![
        namespace(&["shop:x"]),
        service("old", stable.url()),
        service("new", canary.url()),
        resource(Route, json!({ "name": "r", "paths": ["/**"], "service": "old" })),
    ];
    let gateway = gateway(&[], base).await;
    let before = written(&gateway);
    let load = Load::start(&gateway).await;
    let beside = resource(
        Route,
        json!({ "name": "r-canary", "paths": ["/**"], "service": "new", "tags": ["#canary:r"] }),
    );
    gateway.apply(ChangeSet::new().put(namespace(&["shop:x", "canary@1%:r"])).put(beside)).await.unwrap();
    load.more(100).await;
    gateway.apply(namespace(&["shop:x", "canary@50%:r"])).await.unwrap();
    load.more(100).await;
    assert_eq!(ask(&mut gateway.client().await, "/", &[("x-user", "user-0")]).await, "canary");
    gateway.apply(ChangeSet::new().put(namespace(&["shop:x"])).delete(key(Route, "r-canary"))).await.unwrap();
    load.more(50).await;
    assert_eq!(ask(&mut gateway.client().await, "/", &[("x-user", "user-0")]).await, "stable");
    assert_eq!(written(&gateway), before);
    let said = load.finish().await;
    assert!(said.keys().all(|name| name == "stable" || name == "canary"), "{said:?}");
}
