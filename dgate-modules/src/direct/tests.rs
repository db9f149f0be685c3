//! A hook does the same with the engine and without it.

mod cases;
mod chains;
mod refused;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dgate_core::Kind;
use dgate_core::resource::AnyResource;
use dgate_proxy::Gateway;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use http::{HeaderValue, Request};
use serde_json::{Value, json};

use self::cases::CASES;
use self::chains::CHAINS;
use self::writer::Writer;
use super::Translation;
use crate::hook::Hook;
use crate::{ModuleRunner, ModuleSettings};

/// An error handler that needs the engine.
const REVEAL: &str = "export function errorHandler(ctx, error) { for (const it of [error]) ctx.response().status(500).send(it.message); }";

fn resource(kind: Kind, value: Value) -> AnyResource {
    dgate_core::with_kind!(kind, R => dgate_core::decode::<R>(value).unwrap().into())
}

/// Whether hooks run without the engine where they can.
fn settings(direct_hooks: bool) -> ModuleSettings {
    ModuleSettings::default().with(|settings| {
        settings.direct_hooks = direct_hooks;
        // Whatever else the machine does.
        settings.limits.cpu = Duration::from_secs(10);
    })
}

/// A gateway with a route for each module.
async fn gateway(cases: &[(String, String)], upstream: &str, settings: ModuleSettings) -> TestGateway {
    let runner = Arc::new(ModuleRunner::new(settings));
    let mut resources = vec![
        resource(Kind::Service, json!({ "name": "s", "urls": [upstream], "retries": 0 })),
        resource(Kind::Module, json!({ "name": "reveal", "payload_raw": REVEAL })),
    ];
    for (name, source) in cases {
        let module = json!({
            "name": name, "payload_raw": source, "permissions": ["cache"],
            "env": { "A": "from env", "WIDE": "a😀bä" },
        });
        resources.push(resource(Kind::Module, module));
        let mut route =
            json!({ "name": name, "paths": [format!("/{name}/{{id}}")], "modules": [name, "reveal"] });
        if !source.contains("requestHandler") {
            route["service"] = "s".into();
        }
        resources.push(resource(Kind::Route, route));
    }
    TestGateway::build(Gateway::builder().hook_runner(runner).spec(resources)).await
}

/// What a client sees: status, headers, body; that of the upstream says what it saw.
type Outcome = (u16, BTreeMap<String, Vec<String>>, String);

async fn outcome(gateway: &TestGateway, name: &str) -> Outcome {
    let latin = HeaderValue::from_bytes(b"\xe4b").unwrap();
    let request = Request::get(format!("/{name}/ann%20b?q=a+b&n=7&q=2"))
        .header("host", "a.example")
        .header("x-in", "In put")
        .header("x-latin", latin)
        .header("x-two", "one")
        .header("x-two", "two")
        .header("x-long", "x".repeat(1_024))
        .header("accept", "x/y")
        .header("cookie", "a=1; b=x%20y")
        .body("")
        .unwrap();
    let answer = gateway.client().await.send(request).await;
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in answer.headers() {
        if !matches!(name.as_str(), "date" | "x-request-id" | "content-length") {
            headers.entry(name.to_string()).or_default().push(format!("{value:?}"));
        }
    }
    let mut text = answer.text();
    if let Ok(mut seen) = serde_json::from_str::<Value>(&text)
        && let Some(headers) = seen.get_mut("headers").and_then(Value::as_object_mut)
    {
        for name in ["host", "x-request-id", "x-forwarded-port", "x-long"] {
            headers.remove(name);
        }
        text = seen.to_string();
    }
    (answer.status().as_u16(), headers, text)
}

fn without_column((status, headers, text): Outcome) -> Outcome {
    let text = text.rsplit_once(':').map_or(text.clone(), |(text, _)| text.to_owned());
    (status, headers, text)
}

/// Both ways of running a module, side by side.
async fn compare(cases: &[(String, String)]) {
    let upstream = TestUpstream::echo().await;
    let with = gateway(cases, &upstream.url(), settings(false)).await;
    let without = gateway(cases, &upstream.url(), settings(true)).await;
    let mut differences = Vec::new();
    for (name, source) in cases {
        let (engine, direct) = (outcome(&with, name).await, outcome(&without, name).await);
        // Of these the engine tells the place of the call before.
        let is_vague = name.starts_with("random")
            || [
                "chain-in-brackets",
                "chain-awaited",
                "null-method",
                "null-length",
                "split-of-null",
                "index-of-null",
                "slice-of-number",
                "bad-path",
                "bad-method",
            ]
            .contains(&name.as_str());
        let (engine, direct) =
            if is_vague { (without_column(engine), without_column(direct)) } else { (engine, direct) };
        if engine != direct {
            differences.push(format!("{name}: {source}\n  engine: {engine:?}\n  direct: {direct:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

fn owned(cases: &[(&str, &str)]) -> Vec<(String, String)> {
    cases.iter().map(|(name, source)| ((*name).to_owned(), (*source).to_owned())).collect()
}

#[tokio::test]
async fn chains_do_the_same_with_the_engine_and_without() {
    let upstream = TestUpstream::echo().await;
    let mut gateways = Vec::new();
    for direct_hooks in [false, true] {
        let mut resources =
            vec![resource(Kind::Service, json!({ "name": "s", "urls": [upstream.url()], "retries": 0 }))];
        for (name, policy, first, second) in CHAINS {
            let (a, b) = (format!("{name}-a"), format!("{name}-b"));
            let permissions = if *name == "denied" { vec![] } else { vec!["cache"] };
            let module = |name: &str, source: &str, policy: &str| {
                resource(
                    Kind::Module,
                    json!({
                        "name": name, "payload_raw": source, "on_failure": policy, "permissions": permissions,
                    }),
                )
            };
            resources.extend([module(&a, first, policy), module(&b, second, "closed")]);
            let mut route = json!({ "name": name, "paths": [format!("/{name}/{{id}}")], "modules": [a, b] });
            if !format!("{first}{second}").contains("requestHandler") {
                route["service"] = "s".into();
            }
            resources.push(resource(Kind::Route, route));
        }
        let runner = Arc::new(ModuleRunner::new(settings(direct_hooks)));
        gateways.push(TestGateway::build(Gateway::builder().hook_runner(runner).spec(resources)).await);
    }
    for (name, ..) in CHAINS {
        let (engine, direct) = (outcome(&gateways[0], name).await, outcome(&gateways[1], name).await);
        assert_eq!(engine, direct, "{name}");
    }
}

/// What works on large texts ends, whatever it does with them.
#[tokio::test]
async fn large_texts_have_an_end() {
    let large = "let s = ctx.request().headers.get('x-long'); s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s; const t = s + 'x'; s = s + 'y';";
    let times = |line: &str| line.repeat(300);
    let numbered = |count: usize, line: &str| {
        (0..count).fold(String::new(), |all, n| all + &line.replace('#', &n.to_string()))
    };
    let bodies = [
        ("compared", times("s < t;")),
        ("same", times("s === t;")),
        ("numbers", times("+s;")),
        ("as-json", format!("JSON.stringify([{}]);", "s,".repeat(300))),
        ("kept", numbered(300, "const a# = s;")),
        ("found", times("s.includes(t);")),
        ("listed", times("['a', 'b'].includes(s);")),
        ("handed-on", times("f(s);")),
        ("taken-apart", times("s.slice(1);")),
        ("parts", times("s.split('x').length;")),
        ("joined", times("[s, t].join('');")),
        ("copied", "const l = [s, t, s, t];".to_owned() + &numbered(80, " const l# = l.slice();")),
        ("rest", "const l = [s, t, s, t];".to_owned() + &numbered(80, " const [, ...r#] = l;")),
        ("substituted", "s.replace('x', \"$'\".padEnd(60000, \"$'\"));".to_owned()),
        ("written", format!("const l = [s, t, s, t]; JSON.stringify({{ {} }});", numbered(300, "a#: l,"))),
    ];
    let cases: Vec<_> = bodies
        .iter()
        .map(|(name, body)| {
            let source = format!("export function requestHandler(ctx) {{ {large} {body} ctx.response().send('done'); }} function f(x) {{ return 1; }}");
            ((*name).to_owned(), source)
        })
        .collect();
    let upstream = TestUpstream::echo().await;
    // With bounds that are soon reached.
    let settings = settings(true).with(|settings| settings.limits.string = 1 << 20);
    let gateway = gateway(&cases, &upstream.url(), settings).await;
    for (name, source) in &cases {
        let compiled = crate::typescript::compile(source, true).unwrap();
        let hook = &compiled.translated.hooks.unwrap()[Hook::RequestHandler as usize];
        assert!(matches!(hook, Translation::Direct(_)), "{name}: {hook:?}");
        let (status, _, text) = outcome(&gateway, name).await;
        assert_eq!(status, 500, "{name}: {text}");
        assert!(text.starts_with("module_limit") || text.contains("larger than modules"), "{name}: {text}");
    }
}

#[test]
fn all_cases_need_no_engine() {
    let mut obstacles = Vec::new();
    for (name, source) in CASES {
        let compiled = crate::typescript::compile(source, true).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        let hooks = compiled.translated.hooks.expect("what it exports is known");
        let direct = hooks.iter().filter(|hook| matches!(hook, Translation::Direct(_))).count();
        let engine = hooks.iter().find(|hook| matches!(hook, Translation::Engine(_)));
        if direct == 0 || engine.is_some() {
            obstacles.push(format!("{name}: {engine:?}"));
        }
    }
    assert!(obstacles.is_empty(), "{}", obstacles.join("\n"));
}

#[tokio::test]
async fn a_hook_does_the_same_with_the_engine_and_without() {
    compare(&owned(CASES)).await;
}

#[tokio::test]
async fn hooks_made_at_random_do_the_same_with_the_engine_and_without() {
    let mut writer = Writer { random: fastrand::Rng::with_seed(7), variables: 0 };
    let cases: Vec<_> = (0..150).map(|number| (format!("random{number}"), writer.module())).collect();
    for (_, source) in &cases {
        let compiled = crate::typescript::compile(source, true).unwrap_or_else(|e| panic!("{e:?}: {source}"));
        let hooks = compiled.translated.hooks.expect("what it exports is known");
        let found = &hooks[Hook::RequestHandler as usize];
        assert!(matches!(found, Translation::Direct(_)), "{found:?}: {source}");
    }
    compare(&cases).await;
}
