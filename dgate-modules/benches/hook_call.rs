//! What a hook call costs, in the process and without sockets: `cargo bench -p dgate-modules`.
//!
//! An argument chooses those whose names contain it. Each figure is the median over rounds that take turns, so that whatever else the machine does hits all alike.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::sync::Arc;
use std::time::Instant;

use dgate_core::capability::{Fetch, FetchError, FetchRules};
use dgate_core::resource::AnyResource;
use dgate_core::{Body, BoxFuture, Kind};
use dgate_modules::{ModuleRunner, ModuleSettings};
use dgate_proxy::Gateway;
use http::{Request, Response};
use serde_json::{Value, json};
use tower_service::Service as _;

const ROUNDS: usize = 15;
const CALLS: usize = 2_000;

/// Name and source of what is measured; each answers, so that no upstream is needed.
const CASES: [(&str, &[&str]); 12] = [
    ("empty handler", &["export function requestHandler(ctx) { ctx.response().status(204); }"]),
    ("empty async handler", &["export async function requestHandler(ctx) { ctx.response().status(204); }"]),
    (
        "async handler, two awaits",
        &[
            "export async function requestHandler(ctx) { await null; await null; ctx.response().status(204); }",
        ],
    ),
    (
        "JSON handler",
        &[
            "export function requestHandler(ctx) { ctx.response().json({ hello: ctx.pathParam('id'), n: 1 }); }",
        ],
    ),
    (
        "header modifier + empty handler",
        &[
            "export function requestModifier(ctx) { ctx.request().headers.set('x-added', 'yes'); }",
            "export function requestHandler(ctx) { ctx.response().status(204); }",
        ],
    ),
    (
        "async header modifier + empty handler",
        &[
            "export async function requestModifier(ctx) { ctx.request().headers.set('x-added', 'yes'); }",
            "export function requestHandler(ctx) { ctx.response().status(204); }",
        ],
    ),
    (
        "async handler, one fetch",
        &[
            "export async function requestHandler(ctx) { const answer = await fetch('http://a.test/x'); ctx.response().send(await answer.text()); }",
        ],
    ),
    (
        "loop of 1000",
        &[
            "export function requestHandler(ctx) { let n = 0; for (let i = 0; i < 1000; i++) n += i; ctx.response().status(204); }",
        ],
    ),
    (
        "for of 1000 elements",
        &[
            "const list = Array.from({ length: 1000 }, (_, i) => i); export function requestHandler(ctx) { let n = 0; for (const i of list) n += i; ctx.response().status(204); }",
        ],
    ),
    (
        "1000 characters",
        &[
            "const text = 'x'.repeat(1000); export function requestHandler(ctx) { let n = 0; for (let i = 0; i < 1000; i++) n += text.charCodeAt(i); ctx.response().status(204); }",
        ],
    ),
    (
        "map, filter, join",
        &[
            "const list = Array.from({ length: 100 }, (_, i) => i); export function requestHandler(ctx) { list.map((i) => i + 1).filter((i) => i % 2).join(); ctx.response().status(204); }",
        ],
    ),
    (
        "texts and objects",
        &[
            "export function requestHandler(ctx) { const parts = 'a=1; b=2; c=3'.split(';').map((part) => part.trim()); const all = Object.fromEntries(parts.map((part) => part.split('='))); const text = JSON.stringify({ ...all, list: parts, n: Math.max(1, 2) }); ctx.response().send(JSON.parse(text).b + text.slice(1).startsWith('x')); }",
        ],
    ),
];

/// An upstream in the process, which answers at once.
struct AtHand;

impl Fetch for AtHand {
    fn fetch(
        &self,
        _: Request<Body>,
        _: FetchRules,
    ) -> BoxFuture<'static, Result<Response<Body>, FetchError>> {
        Box::pin(async { Ok(Response::new(Body::from("an answer"))) })
    }
}

fn resource(kind: Kind, value: Value) -> AnyResource {
    dgate_core::with_kind!(kind, R => dgate_core::decode::<R>(value).expect("a resource").into())
}

async fn gateway(sources: &[&str]) -> Gateway {
    let settings =
        ModuleSettings::default().with(|settings| settings.default_permissions = vec!["*".to_owned()]);
    let runner = Arc::new(ModuleRunner::new(settings));
    runner.connect_fetch(Arc::new(AtHand));
    let names: Vec<String> = (0..sources.len()).map(|number| format!("m{number}")).collect();
    let mut resources: Vec<AnyResource> = sources
        .iter()
        .zip(&names)
        .map(|(source, name)| resource(Kind::Module, json!({ "name": name, "payload_raw": source })))
        .collect();
    resources.push(resource(Kind::Route, json!({ "name": "r", "paths": ["/m/{id}"], "modules": names })));
    Gateway::builder().hook_runner(runner).workers(1).spec(resources).build().await.expect("a gateway")
}

async fn round(gateway: &mut Gateway) -> f64 {
    let started = Instant::now();
    for _ in 0..CALLS {
        let request = Request::get("/m/7").header("host", "a").body(String::new()).expect("a request");
        let response = gateway.call(request).await.expect("an answer");
        assert!(response.status().is_success(), "{}", response.status());
    }
    started.elapsed().as_secs_f64() / CALLS as f64 * 1e6
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    dgate_core::worker::enter(0);
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted));
    let mut gateways = Vec::new();
    for (name, sources) in CASES.into_iter().filter(|(name, _)| is_wanted(name)) {
        let started = Instant::now();
        let mut gateway = gateway(sources).await;
        let ready = started.elapsed();
        let started = Instant::now();
        round(&mut gateway).await;
        gateways.push((name, gateway, Vec::new()));
        println!("{name}: ready in {ready:.2?}, first {CALLS} calls {:.2?}", started.elapsed());
    }
    for _ in 0..ROUNDS {
        for (_, gateway, times) in &mut gateways {
            times.push(round(gateway).await);
        }
    }
    for (name, _, mut times) in gateways {
        times.sort_by(f64::total_cmp);
        println!("{name}: {:.2} µs", times[times.len() / 2]);
    }
}
