//! Modules that use too much are ended, and nothing else is.

use http::Request;
use serde_json::json;

use crate::kit::{Setup, get, module, resource};

/// Runs a handler `/m/1` while another route `/ok` is asked all the time, and says what became of it.
async fn runaway(body: &str) -> (u16, String) {
    let source = format!("export {body}");
    let gateway = Setup::new()
        .with(resource(
            dgate_core::Kind::Module,
            json!({
                "name": "m", "payload_raw": source, "limits": { "cpu": "50ms", "timeout": "500ms" },
            }),
        ))
        .with(module("ok", "export function requestHandler(ctx) { ctx.response().send('ok'); }"))
        .with(resource(dgate_core::Kind::Route, json!({ "name": "ok", "paths": ["/ok"], "modules": ["ok"] })))
        .route(&["m"], None)
        .start()
        .await;
    let others = async {
        // Never ends by itself: whoever is asked meanwhile has to answer.
        loop {
            assert_eq!(get(&gateway, "/ok").await.text(), "ok", "others go on");
        }
    };
    let answer = tokio::select! { answer = get(&gateway, "/m/1") => answer, () = others => unreachable!() };
    assert_eq!(get(&gateway, "/ok").await.text(), "ok", "others go on");
    let again = get(&gateway, "/m/1").await;
    assert_eq!(again.status(), answer.status(), "and the next call is like the first");
    let request =
        Request::get("/m/1").header("host", "a").header("accept", "application/json").body("").unwrap();
    let code = gateway.client().await.send(request).await.json()["code"].as_str().unwrap_or("-").to_owned();
    let most = most_memory();
    assert!(most < 2 << 30, "it took {most} bytes of memory");
    (answer.status().as_u16(), code)
}

/// The most memory that this process had so far, where the system tells; each test has a process of its own.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kilobytes.map_or(0, |kilobytes| kilobytes * 1024)
}

/// Name, code of the error, and handler. What is too large is refused, unless the time to make it is over first.
macro_rules! runaways {
    ($($name:ident: $code:literal, $body:literal;)*) => {
        $(#[tokio::test]
        async fn $name() {
            let (status, code) = runaway($body).await;
            assert!(status == 500 && $code.split('|').any(|expected| expected == code), "{status} {code}");
        })*
    };
}

runaways! {
    a_loop: "module_limit", "function requestHandler() { while (true); }";
    a_loop_that_catches: "module_limit",
        "function requestHandler(ctx) { for (;;) { try { for (;;); } catch { } finally { } } }";
    loops_across_functions: "module_limit",
        "function requestHandler() { for (let i = 0; i < 1e6; i++) work(); }
         function work() { let x = 0; for (let i = 0; i < 1e6; i++) x += i; return x; }";
    a_loop_after_await: "module_limit", "async function requestHandler() { await null; while (true); }";
    a_loop_in_a_callback: "module_limit", "function requestHandler() { [1].map(() => { while (true); }); }";
    a_loop_in_a_getter: "module_limit",
        "function requestHandler() { return ({ get x() { for (;;); } }).x; }";
    a_loop_in_a_sort: "module_limit",
        "function requestHandler() { [2, 1].sort(() => { do { } while (true); }); }";
    a_generator: "module_limit",
        "function requestHandler() { const g = function* () { while (true) yield 1; }; for (const x of g()) { } }";
    a_promise_storm: "module_limit",
        "async function requestHandler() { const f = () => Promise.resolve().then(f); await f(); }";
    await_for_ever: "module_limit", "async function requestHandler() { for (;;) await null; }";
    an_executor: "module_limit", "async function requestHandler() { await new Promise(() => { for (;;); }); }";
    to_json: "module_limit",
        "function requestHandler(ctx) { ctx.response().json({ toJSON() { for (;;); } }); }";
    a_proxy: "module_limit",
        "function requestHandler() { return new Proxy({}, { get() { for (;;); } }).x; }";
    exponential_calls: "module_limit",
        "function requestHandler() { const fib = (n) => n < 2 ? n : fib(n - 1) + fib(n - 2); return fib(60); }";
    an_endless_iterator: "module_limit",
        "function requestHandler() { return [...{ [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) }]; }";
    deep_recursion: "module_limit", "function requestHandler() { const f = () => 1 + f(); f(); }";
    deep_recursion_through_builtins: "module_limit",
        "function requestHandler() { const f = () => [1].map(f); f(); }";
    deep_recursion_through_json: "module_limit",
        "function requestHandler() { const f = () => JSON.stringify({ toJSON: f }); f(); }";
    it_never_resolves: "module_limit", "function requestHandler() { return new Promise(() => { }); }";
    a_huge_string: "module_error|module_limit", "function requestHandler() { return 'x'.repeat(2 ** 30).length; }";
    a_huge_padding: "module_error|module_limit", "function requestHandler() { return 'x'.padEnd(2 ** 29).length; }";
    a_huge_array: "module_error|module_limit", "function requestHandler() { return new Array(2 ** 32 - 1).fill(0); }";
    a_huge_join: "module_error|module_limit", "function requestHandler() { return new Array(2 ** 31).join('x'); }";
    a_huge_buffer: "module_error", "function requestHandler() { return new ArrayBuffer(2 ** 33); }";
    array_from_nothing: "module_error|module_limit", "function requestHandler() { return Array.from({ length: 2 ** 31 }); }";
    a_text_that_doubles: "module_error|module_limit",
        "function requestHandler() { let s = 'x'; for (let i = 0; i < 64; i++) s += s; return s.length; }";
    a_text_that_doubles_without_a_loop: "module_error|module_limit",
        "function requestHandler() { const d = (s) => s + s, e = (s) => `${s}${s}`, f = (s) => d(e(d(e(d(e(s))))));
           return f(f(f(f(f(f('xyz')))))).length; }";
    texts_that_pile_up: "module_limit",
        "function requestHandler() { const all = []; for (;;) all.push('x'.repeat(1 << 22)); }";
    buffers_that_pile_up: "module_limit",
        "function requestHandler() { const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1)); }";
    a_list_that_is_spread: "module_error|module_limit",
        "function requestHandler() { return [...new Array(15e5)].length; }";
    a_list_that_is_joined_to_another: "module_error|module_limit",
        "function requestHandler() { return new Array(15e5).concat([1]).length; }";
    a_replacement_that_explodes: "module_error|module_limit",
        "function requestHandler() { return 'a'.repeat(1e6).replace(/a/g, \"$'\").length; }";
    a_replacement_that_explodes_everywhere: "module_error|module_limit",
        "function requestHandler() { return 'a'.repeat(1e4).replaceAll('a', 'b'.repeat(1e4)).length; }";
    a_join_of_long_texts: "module_error|module_limit",
        "function requestHandler() { return new Array(1e4).fill('x'.repeat(1e6)).join('').length; }";
    a_split_into_everything: "module_error|module_limit", "function requestHandler() { return 'x'.repeat(1024).repeat(1024).split('').length; }";
    nested_lists_as_text: "module_limit",
        "function requestHandler() { let a = []; for (let i = 0; i < 60; i++) a = [a, a]; return String(a); }";
    nested_lists_as_json: "module_limit",
        "function requestHandler(ctx) { let a = [1]; for (let i = 0; i < 60; i++) a = [a, a]; ctx.response().json(a); }";
    endless_encoding: "module_limit",
        "function requestHandler() { let s = '%'.repeat(1e5); for (;;) s = encodeURIComponent(s); }";
    no_big_integers: "module_error", "function requestHandler() { return BigInt(2); }";
    a_regular_expression: "module_limit",
        "function requestHandler() { return /(a+)+$/.test('a'.repeat(40) + '!'); }";
    a_regular_expression_made_from_text: "module_limit",
        "function requestHandler() { return new RegExp('^(' + 'a?'.repeat(40) + ')(' + 'a'.repeat(40) + ')$').exec('a'.repeat(40) + 'b'); }";
    a_regular_expression_that_matches: "module_limit",
        "function requestHandler() { return ('a'.repeat(40) + '!').match('(a|a)*$'); }";
    a_regular_expression_that_replaces: "module_limit",
        "function requestHandler() { return ('a'.repeat(40) + '!').replace(/(a|aa)+$/u, ''); }";
    a_regular_expression_that_splits: "module_limit",
        "function requestHandler() { return ('a'.repeat(40) + '!').split(/(?:a+)+b/); }";
    a_regular_expression_that_looks_around: "module_limit",
        "function requestHandler() { return ('a'.repeat(40) + '!').search(/(?=(a+)+$)/i); }";
    a_regular_expression_for_all: "module_limit",
        "function requestHandler() { return [...('a'.repeat(40) + '!').matchAll(/(.+)*x/g)]; }";
    a_regular_expression_that_is_slow_everywhere: "module_limit",
        "function requestHandler() { return /\\s+$/.test(' '.repeat(1e6) + '!'); }";
    a_regular_expression_with_an_index_that_changes: "module_limit",
        "function requestHandler() {
           let asked = 0;
           const r = /b|(a+)+$/g, text = 'b' + 'a'.repeat(40) + '!';
           r.lastIndex = { valueOf: () => asked++ };
           return r.exec(text) && r.exec(text);
         }";
    a_search_for_a_long_text: "module_error|module_limit",
        "function requestHandler() { return 'a'.repeat(1 << 24).indexOf('a'.repeat(1 << 20) + 'b'); }";
    a_search_by_replacing: "module_error|module_limit",
        "function requestHandler() { return 'ab'.repeat(1e6).replaceAll('a', '').length; }";
    throws_undefined: "module_error", "function requestHandler() { throw undefined; }";
    throws_an_object: "module_error", "function requestHandler() { throw { toString() { throw 1; } }; }";
    rejects_with_null: "module_error", "async function requestHandler() { await Promise.reject(null); }";
    code_from_text: "module_error", "function requestHandler() { return new Function('return 1')(); }";
    eval_of_text: "module_error", "function requestHandler() { return (0, eval)('1'); }";
}

#[tokio::test]
async fn a_call_that_waits_goes_on_when_another_is_ended() {
    let gateway = Setup::new()
        .module(
            "import { sleep } from 'dgate';
             export async function requestHandler(ctx) {
               if (ctx.query().has('loop')) for (;;);
               await sleep(150);
               ctx.response().send('woke up');
             }",
        )
        .route(&["m"], None)
        .start()
        .await;
    let (sleeper, runaway) = tokio::join!(get(&gateway, "/m/1"), get(&gateway, "/m/1?loop"));
    assert_eq!((sleeper.status().as_u16(), sleeper.text().as_str()), (200, "woke up"));
    assert_eq!(runaway.status(), 500);
}

#[tokio::test]
async fn what_can_never_come_ends_a_call_that_waited_for_something_else() {
    let gateway = Setup::new()
        .module(
            "import { sleep } from 'dgate';
             export async function requestHandler() { await sleep(1); await new Promise(() => {}); }",
        )
        .route(&["m"], None)
        .start()
        .await;
    assert_eq!(get(&gateway, "/m/1").await.status(), 500);
}

#[tokio::test]
async fn what_is_bounded_is_still_right() {
    let source = r#"
        const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
        const checks = {
          split: () => same(["a,b,,c".split(","), "abc".split(""), "a".split("b"), "a,b,c".split(",", 2), ",".split(",")],
            [["a", "b", "", "c"], ["a", "b", "c"], ["a"], ["a", "b"], ["", ""]]),
          splitOdd: () => same(["abc".split(), "anullb".split(null), "a1b1c".split(1), "".split(","), "ab".split("b", 0)],
            [["abc"], ["a", "b"], ["a", "b", "c"], [""], []]),
          splitWide: () => same("\u20aca\u20acb".split("\u20ac"), ["", "a", "b"]),
          splitMany: () => "x,".repeat(2e5).split(",").length === 200001,
          splitPattern: () => same("a1b22c".split(/(\d)+/), ["a", "1", "b", "2", "c"]),
          own: () => "ab".split({ [Symbol.split]: (text, limit) => text + limit }, 3) === "ab3",
          replace: () => "a-b-c".replace("-", "+") === "a+b-c" && "a-b".replace(/-/, (m) => m + m) === "a--b",
          replaceAll: () => "a-b-c".replaceAll("-", "+") === "a+b+c" && "aa".replaceAll(/a/g, "b") === "bb",
          find: () => "hello".indexOf("l", 3) === 3 && "hello".lastIndexOf("l") === 3 && "x1".includes(1) && "a".indexOf() === -1,
          exec: () => same(/(\d+)-(?<b>\d+)/.exec("a 12-34").slice(), ["12-34", "12", "34"]),
          groups: () => /(?<y>\d{4})-(?<m>\d\d)/.exec("2026-11").groups.m === "11",
          nested: () => same([.../(?:(a)|(?<x>b))+/d.exec("-abb")], ["abb", null, "b"]) && /(?<x>b+)+/d.exec("abb").indices.groups.x.join() === "1,3"
            && /(?:(a)|b)+/.exec("xab").index === 1 && same(/(?<p>a)(?<q>b)?|c+c/.exec("a").groups, { p: "a" }),
          nestedGlobal: () => same("aabxab".match(/(?:a|b)+/g), ["aab", "ab"]) && "aab-ab".replace(/(?:a|b)+/g, "<$&>") === "<aab>-<ab>"
            && same("1, 2 ,3".split(/(?:\s*,\s*)+/), ["1", "2", "3"]),
          nestedSticky: () => { const r = /(?:a|b)+/y; r.lastIndex = 1; return r.test("xab") && r.lastIndex === 3 && !r.test("xab") && r.lastIndex === 0; },
          sticky: () => { const r = /a+/y; r.lastIndex = 1; return r.exec("baab")[0] === "aa" && r.lastIndex === 3; },
          global: () => same("a1b2".match(/\d/g), ["1", "2"]) && [..."x1y2".matchAll(/[a-z](\d)/g)].map((m) => m[1]).join() === "1,2",
          long: () => ("word ".repeat(2e3) + "end").replace(/(\w+\s+)*end/, "") === "",
          emoji: () => /^\p{Emoji}$/u.test("\u{1f600}") && "\u{1f600}".split(/(?:)/u).length === 1,
          emojis: () => /^\p{RGI_Emoji}$/v.test("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f466}") && !/^\p{RGI_Emoji}$/v.test("1")
            && same("1\u{fe0f}\u{20e3} \u{1f1e9}\u{1f1ea}".match(/\p{RGI_Emoji}/gv), ["1\u{fe0f}\u{20e3}", "\u{1f1e9}\u{1f1ea}"]),
          texts: () => /[\q{a|abc|ab}]/v.exec("abcd")[0] === "abc" && /^[\q{a|ab|abc}]bc$/v.test("abc")
            && "x-KM-y".replace(/[\q{km|}]/giv, "_") === "_x_-__-_y_" && /^[[a-z\q{ab}]--[a-f]]$/v.test("ab"),
          names: () => /(?<\u0061>x)\k<a>/.exec("xx").groups.a === "x" && "b1".replace(/(?<\u{62}>\d)/u, "<$<b>>") === "b<1>",
          name: () => RegExp.prototype.exec.name === "exec" && RegExp.prototype.exec.length === 1,
          other: () => { try { RegExp.prototype.exec.call({}); } catch (e) { return e instanceof TypeError; } },
        };
        export function requestHandler(ctx) {
          const wrong = Object.keys(checks).filter((name) => !checks[name]());
          ctx.response().json(wrong);
        }"#;
    let gateway = Setup::new()
        .with(resource(
            dgate_core::Kind::Module,
            json!({ "name": "m", "payload_raw": source, "limits": { "cpu": "10s" } }),
        ))
        .route(&["m"], None)
        .start()
        .await;
    assert_eq!(get(&gateway, "/m/1").await.text(), "[]");
}

/// What a hook runs into within something that swallows it is told of that hook, and of no later one in the same runtime.
#[tokio::test]
async fn limits_within_the_console_end_their_own_call() {
    let source = "export function requestHandler(ctx) {
        ctx.response().send('answered');
        if (ctx.pathParam('id') === 'bad') console.log({ toJSON() { for (;;); } });
    }";
    let gateway = crate::kit::handler(source).await;
    for (id, status) in
        [("good", 200), ("bad", 500), ("good", 200), ("good", 200), ("bad", 500), ("good", 200)]
    {
        let answer = crate::kit::get(&gateway, &format!("/m/{id}")).await;
        assert_eq!(answer.status().as_u16(), status, "{id}");
    }
}
