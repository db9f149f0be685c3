//! A hook does the same with the engine and without it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use dgate_core::Kind;
use dgate_core::resource::AnyResource;
use dgate_proxy::Gateway;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use http::{HeaderValue, Request};
use serde_json::{Value, json};

use super::Translation;
use crate::hook::Hook;
use crate::{ModuleRunner, ModuleSettings};

/// Modules; each has hooks that need no engine. The first line of some says which.
const CASES: &[(&str, &str)] = &[
    ("set", "export function requestModifier(ctx) { ctx.request().headers.set('x-a', '1'); }"),
    (
        "headers",
        "export async function requestModifier(ctx) {
           const { headers } = ctx.request();
           headers.append('x-two', `three ${headers.get('X-In')}`);
           headers.delete('accept');
           headers.set('connection', 'close'); headers.set('x-ä'.length === 3 ? 'x-n' : 'x-m', 1.5);
           headers.set('x-latin', headers.get('x-latin') + 'ö');
           headers.set('x-none', headers.get('x-none'));
           headers.set('x-has', headers.has('x-in') && !headers.has('x-out'));
           headers.add('x-both', '  spaced\\t'); headers.del('x-both2');
         }",
    ),
    ("bad-name", "export function requestModifier(ctx) {\n  ctx.request().headers.set('a b', 'x');\n}"),
    ("bad-value", "export function requestModifier(ctx) {\n  const v = 'a' + '\\n' + 'b';\n  ctx.request().headers.set('a', v);\n}"),
    ("bad-wide", "export const requestModifier = (ctx) => { ctx.request().headers.append('a', '😀€'); }"),
    ("bad-both", "export const requestModifier = (ctx) => ctx.request().headers.append(`${' '}`, `€${1}`);"),
    (
        "path",
        "export function requestModifier(ctx) {
           const r = ctx.request();
           r.path = `/new/${ctx.pathParam('id')}/ü#`;
           r.method = r.method === 'GET' ? 'delete' : 'PUT';
         }",
    ),
    ("bad-path", "export function requestModifier(ctx) { ctx.request().path = 'x' + 1; }"),
    ("bad-method", "export function requestModifier(ctx) { ctx.request().method = 'CONN' + 'ECT'; }"),
    ("query-in-path", "export function requestModifier(ctx) { ctx.request().path = '/x?y=1'; }"),
    (
        "what-there-is",
        "export function requestHandler(ctx) {
           const r = ctx.request(), q = ctx.query();
           ctx.response().json({
             method: r.method, path: r.path, url: r.url, host: r.host, proto: r.proto, length: r.contentLength,
             namespace: ctx.namespace().name, route: ctx.route().name, service: ctx.service()?.name,
             id: ctx.pathParam('id'), none: ctx.pathParam('none'), domain: ctx.domainParam('x'), q: q.get('q'),
             n: q.get('none'), has: r.query.has('n'), env: ctx.env.A, noenv: ctx.env['B'], node: ctx.node().id,
             version: ctx.node().version, sent: ctx.response().headersSent, idIs: typeof ctx.id,
             cookie: ctx.response().getCookie('b'), nocookie: ctx.response().getCookie('x'),
             nested: { list: [1, 'two', null, undefined, true, [], {}], 'quoted \"key\"\\n': 'a\\u0001\\\\' },
           });
         }",
    ),
    (
        "no-service",
        "export function requestHandler(ctx) {\n  ctx.response().send(ctx.service().name);\n}",
    ),
    (
        "operators",
        "export function requestHandler(ctx) {
           const x = ctx.request().headers.get('x-in'), n = ctx.query().get('n'), u = ctx.pathParam('none');
           ctx.response().json([
             x + n, n + 1, +n + 1, n - 1, n * '2', n / 0, -n % 4, '0x10' * 1, null + 1, true + true, u + 1, 'a' + null,
             n === '7', n === 7, n == null, u == null, null !== u, n < 10, 'b' > 'a', 'a' >= u, '10' < '9', x ?? 'y', u ?? 'y',
             u || 'or', x && 'and', !x, !u, typeof u, typeof n, typeof 1, typeof null, typeof !u, x ? 1 : 2, void 0, -0, 0 / -1,
             NaN, Infinity, undefined, 1e21, 1e-7, 0.1 + 0.2, 123456789012345680000, Number(' 12 '), Number('1x'), String(u),
             Boolean(''), Boolean('0'), encodeURIComponent('a b/ü?😀'), JSON.stringify({ a: [x] }), JSON.stringify(u),
             JSON.stringify('\"'), Number(null), Number(undefined), Number(''), String(-0), `${-0}`, `${null} ${1.50}`,
           ]);
         }",
    ),
    (
        "texts",
        "export function requestHandler(ctx) {
           const u = ctx.pathParam('none'), x = ctx.request().headers.get('x-in'), l = ctx.request().headers.get('x-latin'), e = '😀\\u00a0';
           ctx.response().json([
             x.length, l.length, e.length, x.toLowerCase(), l.toUpperCase(), 'ß'.toUpperCase(), 'ΑΣ'.toLowerCase(), e.trim(),
             '\\ufeff\\u0085 a \\n'.trim().length, x.startsWith('In'), x.endsWith('t'), x.includes('z'), x.includes(' '),
             e.indexOf('\\u00a0'), x.indexOf('q'), x.concat('!', 1, null), x.toString(), 'undefined'.includes(ctx.pathParam('none')),
             'a'.concat(), x.trim()?.length, ctx.request().headers.get('none')?.trim().length, ctx.query().get('n')?.length,
             ctx.request().headers.get('none')?.length ?? 'nothing', ['In put', 7].includes(x), [7, null].includes(null), [1, 0].includes(-0), ['x'].includes(u),
           ]);
         }",
    ),
    ("null-method", "export function requestHandler(ctx) {\n  const x = ctx.request().headers.get('none');\n  ctx.response().send(x.trim());\n}"),
    ("null-length", "export function requestHandler(ctx) {\n  ctx.response().send(ctx.pathParam('none').length);\n}"),
    ("no-function", "export function requestHandler(ctx) {\n  const x = 1 + 1;\n  ctx.response().send(x.trim());\n}"),
    ("number-text", "export function requestHandler(ctx) { const x = 1 / 3; ctx.response().send(x.toString() + (1).length); }"),
    (
        "flow",
        "const LIMIT = 3, NAMES = ['In put', 'x'];
         function label(text: string, n?: number): string {
           if (n === undefined) return 'none';
           if (text.length > LIMIT) { return `long:${n}`; } else if (!text) return 'empty';
           return 'short';
         }
         const twice = (x) => x + x;
         export function requestHandler(ctx: Context): void {
           let out = '';
           const r = ctx.request();
           const x = r.headers.get('x-in')!;
           out += label(x, 1) + ',' + label('', 2) + ',' + label('ab', 3) + ',' + label('abc');
           out = twice(out);
           switch (r.method) {
             case 'POST': out = 'post'; break;
             case 'GET':
             case 'HEAD': { const y = 1; out += y; break; }
             default: out = 'other';
           }
           if (NAMES.includes(x)) out += '!'; else { out = ''; }
           if (r.method !== 'GET') return;
           answer(ctx, out);
         }
         function answer(ctx, text) { ctx.response().status(203).send(text); }",
    ),
    (
        "throws",
        "function check(x) {\n  if (x) throw new TypeError(`no ${x}`);\n}\nexport function requestHandler(ctx) {\n  check('');\n  check(ctx.query().get('n'));\n}",
    ),
    ("throws-async", "export async function requestHandler(ctx) {\n  await null;\n  throw new Error('late');\n}"),
    ("throws-range", "export const requestHandler = async (ctx) => { throw new RangeError('a' + 1); }"),
    (
        "awaits",
        "async function name(ctx) { return ctx.request().headers.get('x-in'); }
         export async function requestHandler(ctx) { const n = await name(ctx); ctx.response().send(await n); }",
    ),
    ("status", "export function requestHandler(ctx) { ctx.response().status('404').end(); }"),
    ("no-status", "export function requestHandler(ctx) {\n  ctx.response().status(99).end();\n}"),
    ("no-status-text", "export function requestHandler(ctx) { ctx.response().status('x').end(); }"),
    ("status-alone", "export const requestHandler = (ctx) => ctx.response().status(204.9);"),
    ("send-object", "export const requestHandler = (ctx) => ctx.response().send({ a: ctx.query().get('q') });"),
    ("send-number", "export const requestHandler = (ctx) => ctx.response().send(1.5);"),
    ("send-nothing", "export const requestHandler = (ctx) => ctx.response().send();"),
    ("send-null", "export const requestHandler = (ctx) => ctx.response().send(null);"),
    ("end-text", "export const requestHandler = (ctx) => ctx.response().end('x');"),
    ("end-object", "export const requestHandler = (ctx) => ctx.response().end([1, 2]);"),
    ("end-typed", "export function requestHandler(ctx) { ctx.response().headers.set('Content-Type', 'a/b'); ctx.response().end('x'); }"),
    ("json-nothing", "export function requestHandler(ctx) {\n  ctx.response().json(ctx.pathParam('none'));\n}"),
    ("json-text", "export const requestHandler = (ctx) => ctx.response().json(`a\"${'b'}`);"),
    ("json-stored", "export function requestHandler(ctx) { const body = { p: ctx.request().path, u: undefined }; ctx.request().path = '/y'; ctx.response().json({ body, list: [body] }); }"),
    ("write", "export function requestHandler(ctx) { ctx.response().write('a'); ctx.response().write({ b: 1 }).write(2).end('c'); }"),
    ("write-alone", "export function requestHandler(ctx) { ctx.response().write('a' + 1); }"),
    ("twice", "export function requestHandler(ctx) {\n  ctx.response().send('a');\n  ctx.response().send('b');\n}"),
    ("redirect", "export const requestHandler = (ctx) => ctx.response().redirect('/x?' + ctx.query().get('n'));"),
    ("redirect-code", "export const requestHandler = (ctx) => ctx.response().redirect('/x', 308);"),
    ("redirect-none", "export const requestHandler = (ctx) => ctx.response().redirect('/x', undefined);"),
    ("redirect-nowhere", "export const requestHandler = (ctx) => ctx.response().redirect(ctx.query().get('gone'));"),
    ("redirect-for-good-nowhere", "export const requestHandler = (ctx) => ctx.response().redirectPermanent(undefined);"),
    ("location-nowhere", "export const requestHandler = (ctx) => ctx.response().location(null).end();"),
    ("cookie-of-nothing", "export const requestHandler = (ctx) => ctx.response().cookie('a', ctx.query().get('gone')).end();"),
    ("cookie-none", "export const requestHandler = (ctx) => ctx.response().end(ctx.response().getCookie(undefined));"),
    ("parameter-none", "export const requestHandler = (ctx) => ctx.response().end(ctx.pathParam(null));"),
    ("redirect-bad", "export const requestHandler = (ctx) => ctx.response().redirect('/x', 600);"),
    ("redirect-for-good", "export const requestHandler = (ctx) => ctx.response().redirectPermanent('/y');"),
    ("location", "export const requestHandler = (ctx) => ctx.response().location('/z').status(201).end();"),
    (
        "cookie",
        "export const requestHandler = (ctx) => ctx.response()
           .cookie('a', 'b c;ü', { maxAge: 5, httpOnly: true, secure: ctx.query().get('none'), path: '/', domain: undefined, sameSite: 'Lax', expires: 'never' })
           .cookie('n', 1).end();",
    ),
    ("cookie-name", "export const requestHandler = (ctx) => ctx.response().cookie('a b', 'c').end();"),
    ("cookie-option", "export const requestHandler = (ctx) => ctx.response().cookie('a', 'c', { path: 'a;b' }).end();"),
    ("modifier-answers", "export function requestModifier(ctx) { ctx.response().status(418).end('tea'); }"),
    ("modifier-status", "export function requestModifier(ctx) { ctx.response().status(418); ctx.response().headers.set('x-y', 'z'); }"),
    (
        "response",
        "export function responseModifier(ctx) {
           const up = ctx.upstream();
           up.headers.set('x-status', `${up.statusCode} ${up.statusText} ${up.protocol} ${up.contentLength > 0}`);
           up.headers.set('x-was', ctx.request().method + ' ' + ctx.request().path + ' ' + ctx.request().headers.get('x-in'));
           up.headers.delete('content-type');
           up.statusCode = 206;
           up?.headers.append('x-was', 'twice');
           up.cookie('a', 'b');
         }",
    ),
    ("response-body", "export function responseModifier(ctx) { ctx.upstream().status(201).writeJson({ a: ctx.upstream().statusCode }); }"),
    ("response-text", "export function responseModifier(ctx) { ctx.upstream().writeBody(`text ${1}`); }"),
    ("response-away", "export function responseModifier(ctx) { ctx.upstream().redirect('/there'); }"),
    ("response-late", "export function responseModifier(ctx) {\n  ctx.request().headers.set('a', 'b');\n}"),
    ("request-body", "export function requestModifier(ctx) { ctx.request().writeJson({ a: 1 }).method = 'POST'; }"),
    ("request-text", "export function requestModifier(ctx) { ctx.request().method = 'PUT'; ctx.request().writeBody('body'); }"),
    (
        "chooses",
        "export function fetchUpstream(ctx) { return ctx.query().get('n') === '7' ? undefined : 'http://nowhere.example'; }
         export function responseModifier(ctx) { ctx.upstream().headers.set('x-seen', '1'); }",
    ),
    ("grows", "export function requestHandler(ctx) {\n  let s = ctx.request().headers.get('x-long');\n  s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s;\n  ctx.response().send(s);\n}"),
    ("ignored", "export function requestModifier(ctx) { return 'nobody looks'; }"),
    ("no-service-length", "export function requestHandler(ctx) { ctx.response().send(`${ctx.service()?.name.length} ${ctx.service()?.name.toUpperCase()}`); }"),
    (
        "chain-in-brackets",
        "export function requestHandler(ctx) {\n  const a = ctx.pathParam('none');\n  ctx.response().send((a?.trim() as string).concat('x')?.length);\n}",
    ),
    ("chain-awaited", "export async function requestHandler(ctx) {\n  const a = ctx.pathParam('none');\n  const x = (await a?.trim()).concat('x')?.length;\n  ctx.response().send(x);\n}"),
    ("chain-non-null", "export function requestHandler(ctx) { ctx.response().send(`${ctx.pathParam('none')?.trim()!.length} ${ctx.service()?.name!.length}`); }"),
    ("chain-cast", "export function requestHandler(ctx) { ctx.response().send((ctx.pathParam('id')?.trim() as string).length + ctx.pathParam('id')!.length); }"),
    ("two-names", "export { handle as requestHandler }; function handle(ctx) { 'use strict'; ctx.response().send('named'); }"),
];

/// Chains of two modules, the second of which says what was; each with what is given to the first besides its source.
const CHAINS: &[(&str, &str, &str, &str)] = &[
    (
        "open-answered",
        "open",
        "export function requestHandler(ctx) { ctx.response().status(403).end('no'); throw new Error('x' + 1); }",
        "export function requestHandler(ctx) { ctx.response().send('two'); }",
    ),
    (
        "open-status",
        "open",
        "export function requestHandler(ctx) { ctx.response().status(403); throw new Error(`x`); }",
        "export function requestHandler(ctx) { ctx.response().send('two'); }",
    ),
    (
        "open-nothing",
        "open",
        "export function requestHandler(ctx) { throw new Error(`x`); }",
        "export function requestHandler(ctx) { ctx.response().send('two'); }",
    ),
    (
        "open-modifier",
        "open",
        "export function requestModifier(ctx) { ctx.response().end('no'); throw new Error(`x`); }",
        "export function requestModifier(ctx) { ctx.request().headers.set('x-second', 'y'); } export function requestHandler(ctx) { ctx.response().end('late'); }",
    ),
    (
        "first-answers",
        "closed",
        "export function requestHandler(ctx) { ctx.response().send('one'); }",
        "export function requestHandler(ctx) { ctx.response().send('two'); }",
    ),
    (
        "query-of-path",
        "closed",
        "export function fetchUpstream(ctx) { ctx.request().headers.set('x-n', ctx.query().get('n')); }",
        "export function requestModifier(ctx) { ctx.request().path = '/x?y=1'; } export function responseModifier(ctx) { ctx.upstream().headers.set('x-y', `${ctx.query().get('y')} ${ctx.query().get('n')}`); }",
    ),
    (
        "query-of-path-engine",
        "closed",
        "export function fetchUpstream(ctx) { for (;;) { ctx.query().set('n', '8'); break; } }",
        "export function requestModifier(ctx) { ctx.request().headers.set('x-n', ctx.query().get('n')); } export function responseModifier(ctx) { ctx.upstream().headers.set('x-n', ctx.query().get('n')); }",
    ),
    (
        "mixed",
        "closed",
        "export function requestModifier(ctx) { for (const name of ['x-a', 'x-b']) ctx.request().headers.set(name, '1'); ctx.set('k', 'v'); }",
        "export function requestModifier(ctx) { ctx.request().headers.set('x-c', ctx.request().headers.get('x-a')); } export function responseModifier(ctx) { ctx.upstream().headers.set('x-d', ctx.request().headers.get('x-c')); }",
    ),
    (
        "error-page",
        "closed",
        "export function requestModifier(ctx) { throw new TypeError(`no`); }",
        "export function errorHandler(ctx, error) { ctx.response().status(418).send(`${error.name} ${error.code} ${error.status} ${error.message.length > 0} ${ctx.request().path} ${ctx.request().headers.get('x-in')}`); }",
    ),
    (
        "error-page-silent",
        "closed",
        "export function requestModifier(ctx) { throw new TypeError(`no`); }",
        "export function errorHandler(ctx, error) { if (error.status === 404) ctx.response().send('?'); }",
    ),
    // What a module exports may be known only when it has run: no hook is passed over.
    (
        "default-by-name",
        "closed",
        "const d = { requestHandler(ctx) { ctx.response().status(401).send('auth'); } }; export { d as default };",
        "export function requestHandler(ctx) { ctx.response().send('b'); }",
    ),
    (
        "default-inherits",
        "closed",
        "export default { __proto__: { requestHandler(ctx) { ctx.response().status(401).send('auth'); } } };",
        "export function requestHandler(ctx) { ctx.response().send('b'); }",
    ),
    (
        "default-first",
        "closed",
        "const d = { fetchUpstream() { return 'http://127.0.0.1:1/'; } }; export { d as default }; export function fetchUpstreamUrl() { return undefined; }",
        "export function responseModifier(ctx) { ctx.upstream().headers.set('x-y', 'z'); }",
    ),
    (
        "namespace",
        "closed",
        "namespace A { export const b = (ctx) => { ctx.response().status(401).send('auth'); }; } export import requestHandler = A.b;",
        "export function requestHandler(ctx) { ctx.response().send('b'); }",
    ),
    (
        "class",
        "closed",
        "export class requestHandler {}",
        "export function requestHandler(ctx) { ctx.response().send('b'); }",
    ),
];

/// An error handler that needs the engine.
const REVEAL: &str = "export function errorHandler(ctx, error) { for (const it of [error]) ctx.response().status(500).send(it.message); }";

fn resource(kind: Kind, value: Value) -> AnyResource {
    dgate_core::with_kind!(kind, R => dgate_core::decode::<R>(value).unwrap().into())
}

/// A gateway with a route for each module.
async fn gateway(cases: &[(String, String)], upstream: &str, direct_hooks: bool) -> TestGateway {
    let settings = ModuleSettings::default().with(|settings| settings.direct_hooks = direct_hooks);
    let runner = Arc::new(ModuleRunner::new(settings));
    let mut resources = vec![
        resource(Kind::Service, json!({ "name": "s", "urls": [upstream], "retries": 0 })),
        resource(Kind::Module, json!({ "name": "reveal", "payload_raw": REVEAL })),
    ];
    for (name, source) in cases {
        let module = json!({
            "name": name, "payload_raw": source, "env": { "A": "from env" }, "limits": { "cpu": "10s" },
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
    let with = gateway(cases, &upstream.url(), false).await;
    let without = gateway(cases, &upstream.url(), true).await;
    let mut differences = Vec::new();
    for (name, source) in cases {
        let (engine, direct) = (outcome(&with, name).await, outcome(&without, name).await);
        // Of these the engine tells the place of the call before.
        let is_vague = name.starts_with("random")
            || ["chain-in-brackets", "chain-awaited", "null-method", "null-length", "bad-path", "bad-method"]
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
        let settings = ModuleSettings::default().with(|settings| settings.direct_hooks = direct_hooks);
        let mut resources =
            vec![resource(Kind::Service, json!({ "name": "s", "urls": [upstream.url()], "retries": 0 }))];
        for (name, policy, first, second) in CHAINS {
            let (a, b) = (format!("{name}-a"), format!("{name}-b"));
            let module = |name: &str, source: &str, policy: &str| {
                resource(Kind::Module, json!({ "name": name, "payload_raw": source, "on_failure": policy }))
            };
            resources.extend([module(&a, first, policy), module(&b, second, "closed")]);
            let mut route = json!({ "name": name, "paths": [format!("/{name}/{{id}}")], "modules": [a, b] });
            if !format!("{first}{second}").contains("requestHandler") {
                route["service"] = "s".into();
            }
            resources.push(resource(Kind::Route, route));
        }
        let runner = Arc::new(ModuleRunner::new(settings));
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
    let large = "let s = ctx.request().headers.get('x-long'); s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s; const t = s + 'x'; s = s + 'y';";
    let times = |line: &str| line.repeat(300);
    let bodies = [
        ("compared", times("s < t;")),
        ("same", times("s === t;")),
        ("numbers", times("+s;")),
        ("as-json", format!("JSON.stringify([{}]);", "s,".repeat(300))),
        ("kept", (0..300).fold(String::new(), |all, n| all + "const a" + &n.to_string() + " = s;")),
        ("found", times("s.includes(t);")),
        ("listed", times("['a', 'b'].includes(s);")),
        ("handed-on", times("f(s);")),
    ];
    let cases: Vec<_> = bodies
        .iter()
        .map(|(name, body)| {
            let source = format!("export function requestHandler(ctx) {{ {large} {body} ctx.response().send('done'); }} function f(x) {{ return 1; }}");
            ((*name).to_owned(), source)
        })
        .collect();
    let upstream = TestUpstream::echo().await;
    let gateway = gateway(&cases, &upstream.url(), true).await;
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
    for (name, source) in CASES {
        let compiled = crate::typescript::compile(source, true).unwrap();
        let hooks = compiled.translated.hooks.expect("what it exports is known");
        let direct = hooks.iter().filter(|hook| matches!(hook, Translation::Direct(_))).count();
        let engine: Vec<_> = hooks.iter().filter(|hook| matches!(hook, Translation::Engine(_))).collect();
        assert!(direct > 0 && engine.is_empty(), "{name}: {engine:?}");
    }
}

#[tokio::test]
async fn a_hook_does_the_same_with_the_engine_and_without() {
    compare(&owned(CASES)).await;
}

/// Writes programs at random.
struct Writer {
    random: fastrand::Rng,
    variables: usize,
}

impl Writer {
    fn one<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.random.usize(..all.len())]
    }

    fn value(&mut self, depth: usize) -> String {
        const LITERALS: [&str; 14] = [
            "'a'",
            "'Ab c'",
            "'ä😀'",
            "'10'",
            "''",
            "' 7 '",
            "0",
            "-1",
            "2.5",
            "1e300",
            "null",
            "undefined",
            "true",
            "false",
        ];
        const READS: [&str; 6] = [
            "ctx.query().get('n')",
            "ctx.query().get('q')",
            "ctx.request().headers.get('x-in')",
            "ctx.request().headers.get('none')",
            "ctx.pathParam('id')",
            "ctx.env.A",
        ];
        if depth == 0 {
            return match self.random.u8(..3) {
                0 => self.one(&LITERALS).to_owned(),
                1 => self.one(&READS).to_owned(),
                _ if self.variables > 0 => format!("v{}", self.random.usize(..self.variables)),
                _ => "ctx.route().name".to_owned(),
            };
        }
        let depth = depth - 1;
        let (a, b) = (self.value(depth), self.value(depth));
        match self.random.u8(..13) {
            0..3 => {
                let operator = self.one(&["+", "+", "-", "*", "/", "%", "<", "<=", ">", ">=", "===", "!=="]);
                format!("({a} {operator} {b})")
            }
            3 => format!("({a} {} {b})", self.one(&["&&", "||"])),
            4 => format!("(({a}) ?? ({b}))"),
            5 => format!("({a} ? {b} : {})", self.value(depth)),
            6 => format!("`<${{{a}}}|${{{b}}}>`"),
            7 => format!("({}({a}))", self.one(&["!", "-", "+", "typeof ", "void "])),
            8 => format!("{}({a})", self.one(&["String", "Number", "Boolean", "encodeURIComponent"])),
            9 => {
                let method = self.one(&["startsWith", "endsWith", "includes", "indexOf", "concat"]);
                format!("String({a}).{method}({b})")
            }
            10 => {
                let method = self.one(&["trim", "toLowerCase", "toUpperCase"]);
                format!("(typeof ({a}) === 'string' ? ({a}).{method}().length : {b})")
            }
            11 => format!("JSON.stringify({{ a: {a}, b: [{b}] }})"),
            _ => format!("({a} {} null)", self.one(&["==", "!="])),
        }
    }

    fn statements(&mut self, depth: usize) -> String {
        let mut text = String::new();
        for _ in 0..self.random.usize(1..4) {
            let value = self.value(3);
            let statement = match self.random.u8(..6) {
                0 | 1 if depth > 0 => {
                    let (then, otherwise) = (self.statements(depth - 1), self.statements(depth - 1));
                    format!("if ({value}) {{ {then} }} else {{ {otherwise} }}\n")
                }
                2 => format!("ctx.response().headers.append('x-r', encodeURIComponent({value}));\n"),
                3 => format!("v{} += {value};\n", self.random.usize(..self.variables)),
                4 => format!("{value};\n"),
                _ => format!("v{} = {value};\n", self.random.usize(..self.variables)),
            };
            text.push_str(&statement);
        }
        text
    }

    /// A hook with three variables, whose values it answers with. Now and then something in it throws.
    fn module(&mut self) -> String {
        let mut text = String::from("export function requestHandler(ctx) {\n");
        self.variables = 0;
        for variable in 0..3 {
            let _ = writeln!(text, "let v{variable} = {};", self.value(2));
            self.variables += 1;
        }
        text += &self.statements(2);
        let careless = format!("v0 = {}.trim();\n", self.value(1));
        text += if self.random.u8(..8) == 0 { &careless } else { "" };
        text + "ctx.response().json({ v0, v1, v2 });\n}"
    }
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

#[test]
fn nothing_is_too_deep_or_too_long() {
    let hook =
        |value: &str| format!("export function requestHandler(ctx) {{ ctx.response().send({value}); }}");
    let many = |begin: &str, middle: &str, end: &str, times: usize| {
        hook(&format!("{}{middle}{}", begin.repeat(times), end.repeat(times)))
    };
    for (source, what) in [
        (many("!", "1", "", 1_000), "what is nested this deeply"),
        (many("", "ctx.id", " + ctx.id", 1_000), "what is nested this deeply"),
        (many("ctx.id ? 1 : ", "2", "", 1_000), "what is nested this deeply"),
        (many("[", "1", "]", 1_000), "what is nested this deeply"),
        (hook(&format!("[{}]", "ctx.id,".repeat(3_000))), "a hook that is this long"),
        (
            (1..40).fold("function f0(x) { return x; }".to_owned(), |all, n| {
                format!("{all} function f{n}(x) {{ return f{}(x) + f{}(x); }}", n - 1, n - 1)
            }) + &hook("f39('a')"),
            "a function that calls itself, or many within one another",
        ),
        (
            (1..12).fold("function f0(x) { return x; }".to_owned(), |all, n| {
                format!("{all} function f{n}(x) {{ return f{}(x) + f{}(x); }}", n - 1, n - 1)
            }) + &hook("f11('a')"),
            "a hook that is this long",
        ),
    ] {
        let hooks = crate::typescript::compile(&source, true).unwrap().translated.hooks.unwrap();
        match &hooks[Hook::RequestHandler as usize] {
            Translation::Engine(obstacle) => assert_eq!(obstacle.what, what, "{source:.90}"),
            other => panic!("{other:?}: {source:.90}"),
        }
    }
    let deep = many("!", "1", "", 150);
    let hooks = crate::typescript::compile(&deep, true).unwrap().translated.hooks.unwrap();
    assert!(matches!(hooks[Hook::RequestHandler as usize], Translation::Direct(_)));
}

#[test]
fn what_needs_the_engine_is_told() {
    let cases = [
        ("export function requestHandler(ctx) {\n  for (;;) {}\n}", "2:3", "a loop"),
        ("export function requestHandler(ctx) { fetch('x'); }", "1:39", "`fetch`"),
        ("export function requestHandler(ctx) { ctx.set('a', 1); }", "1:43", "`ctx.set`"),
        ("let n = 0; export function requestHandler(ctx) { n = n + 1; }", "1:50", "an assignment to `n`"),
        (
            "let n = 0; export function requestHandler(ctx) { ctx.response().send(n); } function f() { n = 1; }",
            "1:70",
            "`n`, which the hook does not make itself",
        ),
        (
            "import { a } from './b'; export function requestHandler(ctx) { a(ctx); }",
            "1:64",
            "`a`, which is no function of the module",
        ),
        (
            "function f(ctx) { f(ctx); } export function requestHandler(ctx) { f(ctx); }",
            "1:1",
            "a function that calls itself, or many within one another",
        ),
        (
            "export async function requestHandler(ctx) { g(ctx); } async function g(ctx) {}",
            "1:45",
            "`g`, which is not waited for",
        ),
        ("export function requestHandler(ctx) { try {} catch {} }", "1:39", "`try`"),
        (
            "export function requestHandler(ctx) { if (ctx.id) { var x = 1 } else { var x = 2 } }",
            "1:53",
            "`var`",
        ),
        ("export function requestHandler(ctx) { const x = 1; x = 2; }", "1:52", "an assignment to `x`"),
        (
            "export function requestHandler(ctx) { const { name } = ctx.service(); }",
            "1:45",
            "a value that is taken apart",
        ),
        ("export default { fetch() {} }", "1:18", "what is not exported as a function of the module"),
        (
            "export function requestHandler(ctx) { ctx.query().get('a'); ctx.request().path = '/'; }",
            "1:61",
            "the query of a request whose path is changed",
        ),
        (
            "export function requestHandler(ctx) { ctx.response().send('\\ud800'); }",
            "1:59",
            "an expression of this kind",
        ),
        (
            "export function requestModifier(ctx) { ctx.upstream(); } export function requestHandler() {}",
            "1:44",
            "`ctx.upstream`",
        ),
    ];
    for (source, place, what) in cases {
        let compiled = crate::typescript::compile(source, true).unwrap();
        let hooks = compiled.translated.hooks.expect("what it exports is known");
        let found = hooks.iter().find_map(|hook| match hook {
            Translation::Engine(obstacle) => Some(obstacle.clone()),
            _ => None,
        });
        let found = found.unwrap_or_else(|| panic!("{source} needs no engine"));
        assert_eq!((found.place.to_string().as_str(), found.what.as_str()), (place, what), "{source}");
    }
    for unknown in [
        "export * from './a'; export function requestHandler() {}",
        "export default make(); function make() { return {}; }",
        "const d = { requestHandler() {} }; export { d as default };",
        "export { default } from './lib';",
        "export default { __proto__: { requestHandler() {} } };",
        "export class requestHandler {}",
        "exports.requestHandler = () => {};",
    ] {
        assert!(crate::typescript::compile(unknown, false).unwrap().translated.hooks.is_none(), "{unknown}");
    }
    // A hook by its own name comes before those of the default export.
    let source = "export default { fetch() {}, requestHandler() {} }; export const requestHandler = (ctx) => ctx.response().end(); export function fetchUpstreamUrl() { return loop(); } export function fetchUpstream() { return 'http://a'; }";
    let hooks = crate::typescript::compile(source, true).unwrap().translated.hooks.unwrap();
    assert!(matches!(hooks[Hook::RequestHandler as usize], Translation::Direct(_)));
    assert!(matches!(hooks[Hook::FetchUpstream as usize], Translation::Direct(_)));
    // What a hook is may change while the module runs.
    let source = "export function requestHandler(ctx) {} requestHandler = null;";
    let hooks = crate::typescript::compile(source, true).unwrap().translated.hooks.unwrap();
    assert!(matches!(hooks[Hook::RequestHandler as usize], Translation::Engine(_)));
}
