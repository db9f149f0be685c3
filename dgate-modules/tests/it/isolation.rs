//! What one request or one module does is not seen by another.

use dgate_core::Kind;
use dgate_proxy::testing::TestUpstream;
use serde_json::json;

use crate::kit::{Setup, get, handler, module, resource};

#[tokio::test]
async fn what_all_share_cannot_be_changed() {
    let source = r"
        const attempts = {
          prototype: () => { Object.prototype.leak = 1; },
          method: () => { Array.prototype.map = () => 'mine'; },
          define: () => { Object.defineProperty(Promise.prototype, 'then', { value: 1 }); },
          global: () => { globalThis.leak = 1; },
          undeclared: () => { leaked = 1; },
          builtin: () => { JSON.stringify = () => 'mine'; },
          property: () => { Math.max.leak = 1; },
          iterator: () => { Object.getPrototypeOf([][Symbol.iterator]()).next = 1; },
          generator: () => { Object.getPrototypeOf(function* () {}).prototype.leak = 1; },
          symbol: () => { String.prototype[Symbol.iterator] = 1; },
          own: () => { Headers.prototype.get = () => 'mine'; },
          lazy: () => { Response.prototype.text = () => 'mine'; },
          static: () => { Response.json = () => 'mine'; },
          context: (ctx) => { Object.getPrototypeOf(ctx).request = () => 'mine'; },
          through: (ctx) => { ctx.request().headers.constructor.prototype.set = 1; },
          proto: () => { [].__proto__.leak = 1; },
          delete: () => { delete Array.prototype.map; },
          setPrototype: () => { Object.setPrototypeOf(Array.prototype, null); },
          tick: () => { globalThis.__dgate_tick = () => 1e9; },
        };
        export function requestHandler(ctx) {
          const outcome = {};
          for (const [name, attempt] of Object.entries(attempts)) {
            try { attempt(ctx); outcome[name] = 'done'; } catch (e) { outcome[name] = e.name; }
          }
          outcome.clean = [{}.leak, globalThis.leak, Math.max.leak, [1].map((x) => x)[0], JSON.stringify({ a: 1 })].join();
          ctx.response().json(outcome);
        }";
    let gateway = handler(source).await;
    let outcome = get(&gateway, "/m/1").await.json();
    for (name, what) in outcome.as_object().unwrap() {
        let expected = match name.as_str() {
            "clean" => ",,,1,{\"a\":1}",
            "undeclared" => "ReferenceError",
            _ => "TypeError",
        };
        assert_eq!(what, expected, "{name}");
    }
}

#[tokio::test]
async fn what_belongs_to_a_module_can_be_named_as_usual() {
    let source = r"
        class NotThere extends Error {
          constructor(what) { super(what); this.name = 'NotThere'; this.message = what + '!'; }
        }
        function Old() {}
        Old.prototype.toString = function () { return 'old'; };
        Old.prototype.constructor = Old;
        export function requestHandler(ctx) {
          const map = {}; map.constructor = 1; map.toString = 2; map['hasOwnProperty'] = 3; map.valueOf = () => 4;
          const error = new TypeError('x'); error.name = 'Mine'; error.message = 'y';
          ctx.response().json([String(new NotThere('a')), String(new Old()), Object.keys(map), String(error), map.valueOf()]);
        }";
    let gateway = handler(source).await;
    let keys = ["constructor", "toString", "hasOwnProperty", "valueOf"];
    let expected = json!(["NotThere: a!", "old", keys, "Mine: y", 4]);
    assert_eq!(get(&gateway, "/m/1").await.json(), expected);
}

#[tokio::test]
async fn nothing_of_a_request_is_there_in_the_next() {
    let source = r"
        let count = 0;
        export function requestHandler(ctx) {
          const before = [ctx.get('k'), ctx.response().locals.k, ctx.mark, ctx.request().headers.mark, ctx.request().mark];
          ctx.set('k', 1); ctx.response().locals.k = 1; ctx.mark = 1; ctx.request().headers.mark = 1; ctx.request().mark = 1;
          ctx.response().json({ before: before.filter((value) => value !== undefined), count: ++count });
        }";
    let gateway = handler(source).await;
    for count in 1..4 {
        // What a module keeps in variables of its own stays: that is said in the documentation.
        assert_eq!(get(&gateway, "/m/1").await.json(), json!({ "before": [], "count": count }));
    }
}

#[tokio::test]
async fn modules_of_a_route_do_not_see_each_others_env() {
    let upstream = TestUpstream::echo().await;
    let curious = "export function requestModifier(ctx) {
          setTimeout(() => ctx.set('seen', JSON.stringify([ctx.env, Object.keys(ctx.env)])), 1);
        }";
    let holder = "import { sleep } from 'dgate';
        export async function requestModifier(ctx) {
          await sleep(20);
          ctx.request().headers.set('x-mine', ctx.env.KEY).valueOf;
          ctx.request().headers.set('x-seen', ctx.get('seen'));
        }";
    let gateway = Setup::new()
        .with(module("curious", curious))
        .with(resource(
            Kind::Module,
            json!({ "name": "holder", "payload_raw": holder.replace(".valueOf", ""), "env": { "KEY": "k" } }),
        ))
        .route(&["curious", "holder"], Some(&upstream.url()))
        .start()
        .await;
    let seen = get(&gateway, "/m/1").await.json();
    assert_eq!((&seen["headers"]["x-mine"], &seen["headers"]["x-seen"]), (&json!("k"), &json!("[{},[]]")));
}
