//! How much longer than its limit a module computes, by the thread's own clock: what others do meanwhile does not count.
#![cfg(unix)]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dgate_core::Body;
use dgate_core::apply::resource_set;
use dgate_core::resource::Module;
use dgate_core::store::MemoryStore;
use http::Request;

use super::{LocalGateway, Network, Trial};
use crate::ModuleSettings;
use crate::engine::{Begun, Runtime, Task};
use crate::exchange::{Exchange, RequestInfo, RequestPart};
use crate::hook::Hook;
use crate::limits::Rules;
use crate::program::{self, Library};
use crate::thread_time::thread_time;

/// What a call may compute beyond its limit.
const MORE: Duration = Duration::from_millis(50);

/// Name and handler.
const RUNAWAYS: [(&str, &str); 18] = [
    ("a loop", "for (;;);"),
    (
        "loops across functions",
        "const f = () => { for (let i = 0; i < 1e6; i++); }; for (let i = 0; i < 1e6; i++) f();",
    ),
    ("a loop after await", "await null; for (;;);"),
    ("a loop that catches", "for (;;) { try { for (;;); } catch { } finally { } }"),
    ("a callback", "[1].map(() => { for (;;); });"),
    ("a comparison", "[2, 1].sort(() => { for (;;); });"),
    ("a getter", "return ({ get x() { for (;;); } }).x;"),
    ("a generator", "const g = function* () { for (;;) yield 1; }; for (const x of g());"),
    ("exponential calls", "const f = (n) => n < 2 ? n : f(n - 1) + f(n - 2); f(60);"),
    ("a storm of promises", "const f = () => Promise.resolve().then(f); await f();"),
    ("await for ever", "for (;;) await null;"),
    ("deep recursion", "const f = () => 1 + f(); f();"),
    ("a regular expression", "/(a+)+$/.test('a'.repeat(40) + '!');"),
    ("a regular expression everywhere", "/\\s+$/.test(' '.repeat(1e6) + '!');"),
    ("a text of 2^30 characters", "'x'.repeat(2 ** 30);"),
    ("a list of 2^31 elements", "new Array(2 ** 31).fill(0);"),
    ("nested lists as text", "let a = []; for (let i = 0; i < 60; i++) a = [a, a]; String(a);"),
    ("an odd value", "throw { toString() { for (;;); } };"),
];

/// What one call of a handler computes.
async fn computed(body: &str) -> Duration {
    let module = Module::new("m", format!("export async function requestHandler(ctx) {{ {body} }}"));
    let trial = Trial {
        revision: 1,
        resources: resource_set([module.into()]),
        documents: Arc::new(MemoryStore::new()),
        settings: ModuleSettings::default(),
        network: Network::default(),
    };
    let gateway = LocalGateway::of_module(trial, "default", "m", "/**").await.unwrap();
    let names = ["m".to_owned()];
    let namespace = gateway.namespace().unwrap();
    let program = program::build(&Library::default(), &namespace, &names, &Rules::default()).unwrap();
    let mut request = Request::get("/").body(Body::from(Bytes::new())).unwrap();
    let context = gateway.context(&request).unwrap();
    let exchange = Exchange { request: Some(RequestPart::take(&mut request)), ..Exchange::default() };
    let task = Task {
        hook: Hook::RequestHandler,
        request: 1,
        info: RequestInfo::new(&context).unwrap().into(),
        exchange: Box::new(exchange),
        error: None,
        keep: false,
    };
    let runtime = Runtime::new(1, &Arc::new(program), Arc::default()).unwrap();
    let began = thread_time().unwrap();
    let begun = runtime.begin(task);
    let computed = thread_time().unwrap().saturating_sub(began);
    assert!(matches!(begun, Begun::Done(done) if done.result.is_err()), "{body} ends, and fails");
    computed
}

#[test]
fn no_call_computes_for_much_longer_than_it_may() {
    // As large as those of the pool's threads, for calls that go deep.
    let thread = std::thread::Builder::new().stack_size(crate::stack::STACK).spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(all_are_in_time());
    });
    thread.unwrap().join().unwrap();
}

async fn all_are_in_time() {
    let limit = crate::LimitSettings::default().cpu;
    let mut late = Vec::new();
    for (name, body) in RUNAWAYS {
        let computed = computed(body).await;
        if computed > limit + MORE {
            late.push((name, computed));
        }
    }
    assert!(late.is_empty(), "more than {limit:?} and {MORE:?}: {late:?}");
}
