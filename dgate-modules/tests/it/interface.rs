//! What modules see: globals, native modules, permissions.

use std::sync::Arc;

use dgate_core::Kind;
use dgate_modules::{ModuleRunner, ModuleSettings};
use dgate_proxy::Gateway;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use serde_json::{Value, json};

use crate::kit::{get, handler, resource};

/// The JSON that an expression comes to, in an async handler.
async fn value(expression: &str) -> Value {
    let source = format!(
        "import * as crypto_ from 'dgate/crypto'; import * as util from 'dgate/util'; import * as jwt from 'dgate/jwt';
         const tools: any = {{ crypto: crypto_, util, jwt }};
         export async function requestHandler(ctx: any) {{
           const {{ util, jwt }} = tools;
           const value = await (async () => ({expression}))();
           ctx.response().json({{ value: value === undefined ? 'undefined' : value }});
         }}"
    );
    let gateway = handler(&source).await;
    let answer = get(&gateway, "/m/x?a=1&b=2").await;
    assert_eq!(answer.status(), 200, "{expression}: {}", answer.text());
    answer.json()["value"].clone()
}

#[tokio::test]
async fn web_globals_behave_as_on_the_web() {
    let expected = [
        ("btoa('hi\u{ff}')", json!("aGn/")),
        ("atob(' aGk ')", json!("hi")),
        ("(() => { try { atob('a'); } catch (e) { return e.name; } })()", json!("InvalidCharacterError")),
        ("new TextDecoder().decode(new TextEncoder().encode('hé€'))", json!("hé€")),
        (
            "new URL('../c?x=1#h', 'https://u:p@ex.com:8080/a/b/').href",
            json!("https://u:p@ex.com:8080/a/c?x=1#h"),
        ),
        ("new URL('http://0x7f.1/').hostname", json!("127.0.0.1")),
        (
            "(() => { const u = new URL('http://a/?q=1'); u.searchParams.append('r', 'a b'); return u.search; })()",
            json!("?q=1&r=a+b"),
        ),
        (
            "(() => { const u = new URL('http://a/?q=1'); const p = u.searchParams; u.search = '?z=2'; return p.get('z'); })()",
            json!("2"),
        ),
        ("URL.canParse('no')", json!(false)),
        ("[...new URLSearchParams('a=1&a=2&b=%20')]", json!([["a", "1"], ["a", "2"], ["b", " "]])),
        ("new URLSearchParams({ x: '1', y: 'é' }).toString()", json!("x=1&y=%C3%A9")),
        ("[...new Headers({ B: '2', a: '1' })]", json!([["a", "1"], ["b", "2"]])),
        (
            "(() => { const h = new Headers([['x', '1']]); h.append('X', '2'); return h.get('x'); })()",
            json!("1, 2"),
        ),
        (
            "(() => { try { new Headers().set('a b', '1'); } catch (e) { return e.name; } })()",
            json!("TypeError"),
        ),
        (
            "(() => { try { new Headers().set('a', 'x\\r\\ny'); } catch (e) { return e.name; } })()",
            json!("TypeError"),
        ),
        ("structuredClone({ d: new Date(5), m: new Map([[1, [2]]]) }).m.get(1)", json!([2])),
        (
            "(() => { try { structuredClone(() => 1); } catch (e) { return e.name; } })()",
            json!("DataCloneError"),
        ),
        (
            "(() => { const c = new AbortController(); let n = 0; c.signal.addEventListener('abort', () => n++); c.abort(); c.abort(); return [n, c.signal.aborted, c.signal.reason.name]; })()",
            json!([1, true, "AbortError"]),
        ),
        ("Response.json({ a: 1 }, { status: 201 }).status", json!(201)),
        ("await new Request('http://a/', { method: 'post', body: 'x' }).text()", json!("x")),
        (
            "new Request('http://a/', { method: 'post', body: 'x' }).headers.get('content-type')",
            json!("text/plain;charset=UTF-8"),
        ),
        ("Buffer.from('68c3a9', 'hex').toString()", json!("hé")),
        ("Buffer.from('hé').toString('base64')", json!("aMOp")),
        ("crypto.randomUUID().length", json!(36)),
        (
            "util.hexEncode(await crypto.subtle.digest('SHA-256', new TextEncoder().encode('abc')))",
            json!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ),
        ("crypto.getRandomValues(new Uint8Array(4)).length", json!(4)),
        ("await new Promise((r) => setTimeout(r, 1, 'late'))", json!("late")),
        (
            "await new Promise((r) => { let n = 0; const id = setInterval(() => { if (++n == 3) { clearInterval(id); r(n); } }, 1); })",
            json!(3),
        ),
        ("performance.now() > 0", json!(true)),
        ("typeof globalThis.fetch", json!("undefined")),
        ("ctx.query().get('b')", json!("2")),
        ("JSON.parse(JSON.stringify(ctx)).route.name", json!("r")),
        ("ctx.service()", Value::Null),
        ("ctx.upstream()", Value::Null),
        ("ctx.namespace().name", json!("default")),
        ("(ctx.set('k', 5), ctx.get('k'))", json!(5)),
        ("ctx.node().version.length > 0", json!(true)),
        ("tools.crypto.sha1('abc', 'hex')", json!("a9993e364706816aba3e25717850c26c9cd0d89d")),
        (
            "tools.crypto.createHmac('sha256', 'key').update('a').update('b').digest('hex') === tools.crypto.hmac('sha256', 'key', 'ab', 'hex')",
            json!(true),
        ),
        ("tools.crypto.createHash('SHA-512').update('').digest('base64').length", json!(88)),
        ("tools.crypto.timingSafeEqual('a', 'b')", json!(false)),
        ("tools.crypto.randomInt(3, 4)", json!(3)),
        ("util.ipInRange('10.1.2.3', '10.0.0.0/8')", json!(true)),
        ("util.parseCookies('a=1; b=2').b", json!("2")),
        (
            "jwt.verify(jwt.sign({ sub: 'ann', exp: 4102444800 }, 'k', { alg: 'HS256' }), 'k', { alg: 'HS256' }).sub",
            json!("ann"),
        ),
        (
            "(() => { try { jwt.verify(jwt.sign({ exp: 1 }, 'k'), 'k', { alg: 'HS256' }); } catch (e) { return e.name; } })()",
            json!("JwtError"),
        ),
        (
            "(() => { try { jwt.verify(jwt.sign({}, 'k'), 'k', { alg: 'HS512' }); } catch (e) { return e.name; } })()",
            json!("JwtError"),
        ),
    ];
    let mut wrong = Vec::new();
    for (expression, expected) in expected {
        let found = value(expression).await;
        if found != expected {
            wrong.push(format!("{expression}: {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A gateway whose modules have a client and documents, with one handler.
async fn connected(source: &str, permissions: &[&str]) -> TestGateway {
    let runner = ModuleRunner::new(ModuleSettings::default());
    let module = json!({ "name": "m", "payload_raw": source, "permissions": permissions });
    let builder = Gateway::builder().hook_runner(Arc::new(runner.clone())).spec([
        resource(Kind::Module, module),
        resource(Kind::Collection, json!({ "name": "links" })),
        resource(Kind::Secret, json!({ "name": "key", "data": "s3cret" })),
        resource(Kind::Route, json!({ "name": "r", "paths": ["/m/**"], "modules": ["m"] })),
    ]);
    let gateway = TestGateway::build(builder).await;
    runner.connect_fetch(gateway.gateway().fetch_client());
    runner.connect_documents(gateway.gateway().documents());
    gateway
}

#[tokio::test]
async fn fetch_asks_other_servers() {
    let upstream = TestUpstream::echo().await;
    let source = format!(
        "export async function requestHandler(ctx) {{
           const answers = await Promise.allSettled([1, 2].map((n) => fetch('{url}/n/' + n, {{
             method: 'POST', headers: {{ 'x-n': String(n) }}, body: JSON.stringify({{ n }}),
           }}).then((r) => r.json())));
           ctx.response().json(answers.map((a) => [a.value.path, a.value.body, a.value.headers['x-n']]));
         }}",
        url = upstream.url()
    );
    let gateway = connected(&source, &["os:net:http=127.0.0.1"]).await;
    let answer = get(&gateway, "/m/x").await;
    assert_eq!(
        answer.json(),
        json!([["/n/1", "{\"n\":1}", "1"], ["/n/2", "{\"n\":2}", "2"]]),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn what_is_fetched_can_be_passed_on() {
    let upstream = TestUpstream::echo().await;
    let source = format!("export const requestHandler = () => fetch('{}/x');", upstream.url());
    let gateway = connected(&source, &["os:net:http=127.0.0.1"]).await;
    assert_eq!(get(&gateway, "/m/x").await.json()["path"], "/x");
}

#[tokio::test]
async fn nothing_is_done_without_permission() {
    let upstream = TestUpstream::echo().await;
    let attempts = format!(
        "import {{ getDocument, addDocument }} from 'dgate/state';
         import {{ getSecret }} from 'dgate/secrets';
         import {{ getCache }} from 'dgate/storage';
         const url = '{url}';
         const attempts = {{
           fetch: () => fetch(url), state: () => getDocument('a', 'links'), write: () => addDocument({{ id: 'a', collection: 'links', data: 1 }}),
           secret: () => getSecret('key'), cache: () => getCache('k'), env: () => process.env.HOME,
           other: () => fetch('http://localhost:' + new URL(url).port), constructor: () => (fetch.constructor)('return 1')(),
           proto: () => Reflect.apply(fetch, null, [url]), file: () => fetch('file:///etc/passwd'),
         }};
         export async function requestHandler(ctx) {{
           const outcome = {{}};
           for (const [name, attempt] of Object.entries(attempts)) {{
             try {{ await attempt(); outcome[name] = 'done'; }} catch (e) {{ outcome[name] = e.name; }}
           }}
           ctx.response().json(outcome);
         }}",
        url = upstream.url()
    );
    let gateway = connected(&attempts, &[]).await;
    let denied = "PermissionDenied";
    let expected = json!({
        "fetch": denied, "state": denied, "write": denied, "secret": denied, "cache": denied, "env": denied,
        "other": denied, "constructor": "EvalError", "proto": denied, "file": "TypeError",
    });
    assert_eq!(get(&gateway, "/m/x").await.json(), expected);
    // Any host may be asked, but that does not mean those inside.
    let gateway = connected(&attempts, &["os:net:http"]).await;
    let outcome = get(&gateway, "/m/x").await.json();
    assert_eq!((&outcome["fetch"], &outcome["other"]), (&json!(denied), &json!(denied)));
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn documents_secrets_and_the_cache_are_there() {
    let source = "import { getDocument, getDocuments, addDocument, deleteDocument, getCollection } from 'dgate/state';
         import { getSecret } from 'dgate/secrets';
         import { getCache, setCache, increment } from 'dgate/storage';
         export async function requestHandler(ctx) {
           const { revision } = await addDocument({ id: 'a', collection: 'links', data: { to: 'x' } });
           await addDocument({ id: 'b', collection: 'links', data: 2 });
           const a = await getDocument('a', 'links');
           let conflict = null;
           try { await addDocument({ id: 'a', collection: 'links', data: 3, revision: a.revision + 1000 }); } catch (e) { conflict = e.name; }
           await addDocument({ id: 'a', collection: 'links', data: 4, revision: a.revision });
           await deleteDocument({ id: 'b', collection: 'links' });
           setCache('k', { v: 1 }, { ttl: '1m' });
           increment('n'); 
           ctx.response().json({
             to: a.data.to, same: a.revision === revision, conflict, none: await getDocument('b', 'links'),
             all: (await getDocuments({ collection: 'links' })).map((d) => d.data), secret: await getSecret('key'), cached: getCache('k').v,
             n: increment('n', 2), collection: (await getCollection('links')).name,
           });
         }";
    let permissions =
        ["resource:document:*", "resource:secret:read=key", "cache", "resource:collection:read"];
    let gateway = connected(source, &permissions).await;
    let answer = get(&gateway, "/m/x").await;
    let expected = json!({
        "to": "x", "same": true, "conflict": "ConflictError", "none": null, "all": [4], "secret": "s3cret",
        "cached": 1, "n": 3, "collection": "links",
    });
    assert_eq!(answer.json(), expected, "{}", answer.text());
}

#[tokio::test]
async fn files_are_read_where_that_is_granted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    std::fs::create_dir(path.join("open")).unwrap();
    for (name, content) in [("open/a", "inside"), ("secret", "outside")] {
        std::fs::write(path.join(name), content).unwrap();
    }
    std::os::unix::fs::symlink(path.join("secret"), path.join("open/link")).unwrap();
    let source = format!(
        "import {{ readFile }} from 'dgate/fs';
         const attempts = ['{0}/open/a', '{0}/open/../open/./a', '{0}/secret', '{0}/open/../secret', '{0}/open/link', 'open/a', '{0}/open/none'];
         export async function requestHandler(ctx) {{
           const found = await Promise.allSettled(attempts.map(async (path) => readFile(path)));
           ctx.response().json(found.map((one) => one.value ?? one.reason.name));
         }}",
        path.display()
    );
    let gateway = connected(&source, &[&format!("os:file:read={}/open/*", path.display())]).await;
    let denied = "PermissionDenied";
    assert_eq!(
        get(&gateway, "/m/x").await.json(),
        json!(["inside", "inside", denied, denied, denied, "TypeError", "Error"])
    );
    let gateway = connected(&source, &[&format!("os:file:read={}/open/link", path.display())]).await;
    assert_eq!(get(&gateway, "/m/x").await.json()[4], "outside", "a link that is named is meant");
}

#[tokio::test]
async fn denials_reach_the_client_as_their_own_error() {
    let gateway = connected("export const requestHandler = () => fetch('http://a.example/');", &[]).await;
    let request =
        http::Request::get("/m/1").header("host", "a").header("accept", "application/json").body("").unwrap();
    let answer = gateway.client().await.send(request).await;
    assert_eq!(answer.json()["code"], "module_denied");
}
