//! Calls within calls, too many of them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dgate_core::apply::resource_set;
use dgate_core::resource::Module;
use dgate_core::store::MemoryStore;
use dgate_modules::ModuleSettings;
use dgate_modules::local::{LocalGateway, Network, Reply, Trial};
use http::Request;

const OTHER: &str = "export const other = (f) => 1 + f();";

async fn run(body: &str) -> Reply {
    let source = format!(
        "import {{ sleep }} from 'dgate'; import {{ other }} from './other';
         export async function requestHandler(ctx) {{ {body}; ctx.response().send('fine'); }}"
    );
    let trial = Trial {
        revision: 1,
        resources: resource_set([Module::new("m", source).into(), Module::new("other", OTHER).into()]),
        documents: Arc::new(MemoryStore::new()),
        // What is too much here is nothing but calls.
        settings: ModuleSettings::default().with(|settings| settings.limits.cpu = Duration::from_secs(60)),
        network: Network::default(),
    };
    let gateway = LocalGateway::of_module(trial, "default", "m", "/**").await.unwrap();
    gateway.send(Request::get("/").body(Bytes::new()).unwrap()).await
}

/// What may stand before: the engine tells of what goes wrong before an `await`, and not of what does after it.
const BEFORE: [&str; 4] =
    ["", "await null;", "await sleep(1);", "await (async () => { await sleep(1); await null; })();"];

#[tokio::test]
async fn calls_that_are_too_deep_end_as_such() {
    let deep = [
        "const f = () => 1 + f(); f()",
        "const f = function () { for (let i = 0; i < 1; i++) f(); }; f()",
        "const f = () => [1].map(f); f()",
        "const f = () => [2, 1].sort(f); f()",
        "const o = { get x() { return this.x; } }; o.x",
        "const o = () => ({ toString: () => `${o()}` }); String(o())",
        "const o = { toJSON: () => JSON.stringify(o) }; JSON.stringify(o)",
        "class A { constructor() { new A(); } } new A()",
        "const f = (n) => g(n), g = (n) => f(n); f(1)",
        "const f = () => other(f); f()",
        "const f = async () => { await f(); }; await f()",
        "const near = (n) => n && near(n - 1); for (const n of [10, 390, 10]) near(n); const f = () => 1 + f(); f()",
        "try { const f = () => 1 + f(); f(); } catch { }",
    ];
    for before in BEFORE {
        for body in deep {
            let reply = run(&format!("{before} {body}")).await;
            let kinds: Vec<_> = reply.failures.iter().map(|failure| failure.kind).collect();
            assert_eq!(kinds, ["recursion"], "{before} {body}: {:?}", reply.response);
            assert!(reply.failures[0].place.is_some(), "{before} {body}: {}", reply.failures[0]);
        }
    }
}

#[tokio::test]
async fn calls_may_be_nearly_as_deep_as_the_limit() {
    let fine = [
        "const f = (n) => n && 1 + f(n - 1); f(390)",
        "const f = (n) => n && 1 + f(n - 1); for (let i = 0; i < 100; i++) f(i * 3)",
        "const f = (n) => n && [1].map(() => f(n - 1)); f(120)",
        "const f = (n) => n && other(() => f(n - 1)); f(120)",
    ];
    for before in BEFORE {
        for body in fine {
            let reply = run(&format!("{before} {body}")).await;
            assert_eq!(&reply.response.body()[..], b"fine", "{before} {body}: {:?}", reply.failures);
        }
    }
}
