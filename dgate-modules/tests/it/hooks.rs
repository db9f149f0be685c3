//! Every hook, sync and async, alone and in company.

use dgate_proxy::testing::TestUpstream;
use http::Request;

use crate::kit::{Setup, get, handler, module, with_upstream};

/// Whatever a hook waits for, and whoever brings it: the hook goes on.
#[tokio::test]
async fn calls_go_on_whoever_settles_what_they_wait_for() {
    for hook in [
        "async function requestHandler(ctx) { ctx.response().send(await waiting()); }",
        "async function requestHandler(ctx) { return waiting().then((told) => new Response(told)); }",
        "async function requestHandler(ctx) { return { then: (go) => waiting().then((told) => go(new Response(told))) }; }",
        "async function requestHandler(ctx) { try { await waiting().then(() => { throw 'told'; }); } catch (error) { ctx.response().send(error); } }",
        "function requestHandler(ctx) { return waiting().then((told) => { ctx.response().send(told); }); }",
        "function requestHandler(ctx) { return waiting((told) => new Response(told)); }",
    ] {
        let source = format!(
            "let tell: any = null;
             const waiting = (make = (told) => told) => new Promise((resolve) => {{
               // Something is still to come.
               setTimeout(() => {{}}, 25000);
               tell = (told) => resolve(make(told));
             }});
             export {hook}
             export function requestModifier(ctx) {{
               if (ctx.request().path !== '/m/tell') return;
               ctx.response().send(tell === null ? 'nobody' : 'told');
               if (tell !== null) tell('it is told');
             }}"
        );
        let mut setup = Setup::new().module(&source).route(&["m"], None);
        // Both are in one runtime.
        setup.settings.pool.max_threads = 1;
        let gateway = setup.start().await;
        let tell = async {
            while get(&gateway, "/m/tell").await.text() != "told" {
                tokio::task::yield_now().await;
            }
        };
        let (answer, ()) = tokio::join!(get(&gateway, "/m/wait"), tell);
        let expected = if hook.contains("throw") { "told" } else { "it is told" };
        assert_eq!((answer.status().as_u16(), answer.text().as_str()), (200, expected), "{hook}");
    }
}

#[tokio::test]
async fn a_modifier_changes_the_request() {
    let upstream = TestUpstream::echo().await;
    let gateway = with_upstream(
        "export function requestModifier(ctx: any): void {
           const request = ctx.request();
           request.headers.set('x-id', ctx.pathParam('id'));
           request.headers.add('x-id', 'two');
           request.headers.del('accept');
           request.query.set('q', 'a b');
           request.path = '/changed';
         }",
        &upstream.url(),
    )
    .await;
    let request = Request::get("/m/ann?x=1").header("host", "a").header("accept", "x/y").body("").unwrap();
    let answer = gateway.client().await.send(request).await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    let seen = answer.json();
    assert_eq!(seen["path"], "/changed?x=1&q=a+b");
    assert_eq!(seen["headers"]["accept"], serde_json::Value::Null);
    assert_eq!(upstream.seen()[0].uri, "/changed?x=1&q=a+b");
    let ids: Vec<_> = upstream.seen()[0].headers.get_all("x-id").iter().cloned().collect();
    assert_eq!(ids, ["ann", "two"]);
}

#[tokio::test]
async fn async_hooks_await() {
    let upstream = TestUpstream::echo().await;
    let gateway = with_upstream(
        "import { sleep } from 'dgate';
         export async function requestModifier(ctx: any) {
           await null;
           await sleep(5);
           const text: string = await ctx.request().text();
           ctx.request().writeBody(`<${text}>`);
         }
         export async function responseModifier(ctx: any) {
           await sleep('1ms');
           const body = await ctx.upstream().json();
           ctx.upstream().writeJson({ wrapped: body.body, status: ctx.upstream().statusCode }).status(201);
           ctx.upstream().headers.set('x-method', ctx.request().method);
         }",
        &upstream.url(),
    )
    .await;
    let request = Request::post("/m/ann").header("host", "a").body("hello").unwrap();
    let answer = gateway.client().await.send(request).await;
    assert_eq!(answer.status(), 201, "{}", answer.text());
    assert_eq!(answer.json(), serde_json::json!({ "wrapped": "<hello>", "status": 200 }));
    assert_eq!(answer.header("x-method"), "POST");
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn handlers_answer() {
    let gateway = handler(
        "export function requestHandler(ctx: any) {
           ctx.response().status(202).cookie('a', 'b c', { httpOnly: true, maxAge: 5 }).json({
             id: ctx.pathParam('id'), route: ctx.route().name, params: ctx.pathParams(), query: ctx.query().get('q'),
           });
         }",
    )
    .await;
    let answer = get(&gateway, "/m/a%20n?q=7").await;
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("set-cookie"), "a=b%20c; Max-Age=5; HttpOnly");
    assert_eq!(
        answer.json(),
        serde_json::json!({ "id": "a n", "route": "r", "params": { "id": "a n" }, "query": "7" })
    );
}

#[tokio::test]
async fn fetch_style_modules_answer() {
    let gateway = Setup::new()
        .with(crate::kit::resource(
            dgate_core::Kind::Module,
            serde_json::json!({ "name": "m", "env": { "GREETING": "hi" }, "payload_raw":
                "export default {
                   async fetch(request: Request, env: any, ctx: any) {
                     const url = new URL(request.url);
                     return new Response(`${env.GREETING} ${url.pathname} ${await request.text()} ${ctx.id.length}`, {
                       status: 203, headers: { 'x-a': '1' },
                     });
                   },
                 };" }),
        ))
        .route(&["m"], None)
        .start()
        .await;
    let request = Request::post("/m/ann").header("host", "a").body("body").unwrap();
    let answer = gateway.client().await.send(request).await;
    assert_eq!(answer.text(), "hi /m/ann body 36");
    assert_eq!((answer.status().as_u16(), answer.header("x-a")), (203, "1"));
}

#[tokio::test]
async fn modules_run_in_order_and_responses_backwards() {
    let upstream = TestUpstream::echo().await;
    let source = |name: &str| {
        format!(
            "export function requestModifier(ctx) {{ ctx.request().headers.append('x-way', '{name}'); ctx.set('{name}', 1); }}
             export function responseModifier(ctx) {{
               ctx.upstream().headers.append('x-way', '{name}' + ctx.get('a') + ctx.get('b'));
             }}"
        )
    };
    let gateway = Setup::new()
        .with(module("a", &source("a")))
        .with(module("b", &source("b")))
        .route(&["b", "a"], Some(&upstream.url()))
        .start()
        .await;
    let answer = get(&gateway, "/m/1").await;
    let down: Vec<_> = upstream.seen()[0].headers.get_all("x-way").iter().cloned().collect();
    let up: Vec<_> = answer.headers().get_all("x-way").iter().cloned().collect();
    assert_eq!(down, ["b", "a"]);
    assert_eq!(up, ["a11", "b11"]);
}

#[tokio::test]
async fn error_handlers_answer_failures() {
    let source =
        "export function requestHandler(ctx) { if (ctx.query().has('fail')) throw new TypeError('no'); }
         export function errorHandler(ctx, error) {
           ctx.response().json({ code: error.code, status: error.status, path: ctx.request()?.path });
         }";
    let gateway = with_upstream(source, "http://127.0.0.1:1").await;
    let answer = get(&gateway, "/m/ann").await;
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.json()["code"], "upstream_refused");
    let answer = get(&gateway, "/m/ann?fail").await;
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.json()["code"], "module_error");
    assert_eq!(answer.json()["path"], "/m/ann");
}

#[tokio::test]
async fn a_module_chooses_the_upstream() {
    let (usual, other) = (TestUpstream::echo().await, TestUpstream::echo().await);
    let source = format!(
        "export async function fetchUpstream(ctx) {{
           if (ctx.query().has('other')) return new URL('{}/base');
         }}",
        other.url()
    );
    let gateway = with_upstream(&source, &usual.url()).await;
    assert_eq!(get(&gateway, "/m/x").await.status(), 200);
    assert_eq!(get(&gateway, "/m/x?other").await.status(), 200);
    assert_eq!(usual.seen().len(), 1);
    assert_eq!(other.seen()[0].uri, "/base/m/x?other");
}

#[tokio::test]
async fn a_modifier_may_refuse() {
    let upstream = TestUpstream::echo().await;
    let gateway = with_upstream(
        "export function requestModifier(ctx) {
           if (!ctx.request().headers.has('authorization')) ctx.response().status(401).end('who are you?');
         }",
        &upstream.url(),
    )
    .await;
    let answer = get(&gateway, "/m/ann").await;
    assert_eq!((answer.status().as_u16(), answer.text().as_str()), (401, "who are you?"));
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn modules_import_each_other_and_commonjs() {
    let gateway = Setup::new()
        .with(module("greet", "export const greet = (name: string): string => `hello ${name}`;"))
        .with(crate::kit::resource(
            dgate_core::Kind::Module,
            serde_json::json!({ "name": "old", "type": "javascript",
                "payload_raw": "const { greet } = require('./greet'); exports.twice = (n) => greet(n) + greet(n);" }),
        ))
        .module("import { greet } from './greet';\nimport { twice } from 'old';\nexport function requestHandler(ctx: any) { ctx.response().send(greet('a') + twice('b')); }")
        .route(&["m"], None)
        .start()
        .await;
    assert_eq!(get(&gateway, "/m/x").await.text(), "hello ahello bhello b");
}

#[tokio::test]
async fn errors_name_file_line_and_column() {
    let error = Setup::new()
        .module("type A = 1;\n\nconst x: A = undefined!;\nexport function requestModifier() {}\n(x as any).y.z;\n")
        .route(&["m"], None)
        .refused()
        .await;
    assert!(error.contains("module/default/m /payload_raw: TypeError"), "{error}");
    assert!(error.contains("(m.ts:5:"), "{error}");
}

#[tokio::test]
async fn what_is_wrong_is_said_before_it_is_live() {
    let error = Setup::new()
        .with(module("a", "import { x } from './b';\nexport { x };"))
        .with(module("b", "export { y as x } from './a';\nexport const y = 1;"))
        .module("import { nope } from './a';\nimport { fecth } from 'dgate/http';\nimport 'gone';\nlet = 1;")
        .route(&["m", "a"], None)
        .refused()
        .await;
    assert!(error.contains("m.ts:4:1"), "{error}");
    let error = Setup::new()
        .with(module("a", "import { x } from './b';\nexport { x };"))
        .with(module("b", "import { x as y } from './a';\nexport const x = 1; y;"))
        .module(
            "import { nope } from './a';\nimport { fecth } from 'dgate/http';\nimport './ab';\nnope(fecth);",
        )
        .route(&["m", "a"], None)
        .refused()
        .await;
    assert!(error.contains("m.ts:1:1: `./a` does not export `nope`"), "{error}");
    assert!(error.contains("`dgate/http` does not export `fecth` (did you mean `fetch`?)"), "{error}");
    assert!(error.contains("m.ts:3:1: there is no module `./ab`"), "{error}");
    assert!(error.contains("a → b → a"), "{error}");
}
