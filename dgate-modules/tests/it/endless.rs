//! Built-ins end with the call, whatever a module makes of them.

use std::time::Duration;

use dgate_modules::ModuleSettings;

use crate::kit;

async fn run(body: &str) -> Result<String, String> {
    kit::run(body, ModuleSettings::default()).await
}

/// With little time to compute.
async fn run_shortly(body: &str) -> Result<String, String> {
    let settings =
        ModuleSettings::default().with(|settings| settings.limits.cpu = Duration::from_millis(300));
    kit::run_as(body, settings).await
}

const TIME: &str = "computed for longer than";
const LARGE: &str = "larger than modules may have it";

/// Lists that never end, walked through by built-ins.
#[tokio::test]
async fn what_has_no_end_ends_with_the_time() {
    for body in [
        "new Set(Array.prototype.values.call({ length: 2 ** 52 }));",
        "const a = [], i = a.values(); a.length = 2 ** 32 - 1; new Set(i);",
        "const i = Array.prototype.values.call({ length: 2 ** 52 }); for (const x of Iterator.from({ next: i.next.bind(i) }).drop(2 ** 50)) x;",
        "Array.from(Array.prototype.keys.call({ length: 2 ** 52 }));",
        "Array.from.call(function () { return {}; }, { get length() { return 2 ** 52; } });",
        "Array.prototype.includes.call({ get length() { return 2 ** 52; } }, 1);",
        "Array.prototype.indexOf.call(new Proxy({}, { get: (o, k) => k === 'length' ? 2 ** 52 : o[k] }), 1);",
        "Array.prototype.reduce.call(Object.create({ length: 2 ** 52 }), () => 0, 0);",
        "const a = []; a.length = 2 ** 32 - 1; JSON.stringify({}, a);",
        "JSON.stringify(new Proxy([], { get: (o, k) => k === 'length' ? 2 ** 52 : undefined }));",
        "const h = {}, q = new Proxy(() => 1, h); h.apply = q; q();",
        "Reflect.ownKeys(new Proxy({}, { ownKeys: () => new Proxy([], { get: (o, k) => k === 'length' ? 1e6 : 'a' }) }));",
        "new Uint8Array(Array.prototype.values.call({ length: 2 ** 52 }));",
        "Promise.all(Array.prototype.values.call({ length: 2 ** 52 }));",
        "new Map(Array.prototype.values.call({ length: 2 ** 52, get 0() { return 1; } }).map((x) => [x, x]));",
        "Map.groupBy(Array.prototype.values.call({ length: 2 ** 52 }), Math.floor.bind(null, 1));",
    ] {
        let failure = run_shortly(body).await.expect_err(body);
        let is_ended = [TIME, LARGE, "promises"].iter().any(|part| failure.contains(part));
        assert!(is_ended, "{body}: {failure}");
    }
}

/// What says one thing of its size when it is asked first, and another then.
#[tokio::test]
async fn what_is_measured_is_what_is_used() {
    for body in [
        "let n = 0; 'x'.repeat({ valueOf: () => n++ ? 2 ** 28 : 1 }).length;",
        "let n = 0; 'x'.padEnd({ valueOf: () => n++ ? 2 ** 28 : 1 }).length;",
    ] {
        let sent = format!(
            "ctx.response().send(String({}));",
            body.replace("let n = 0; ", "").trim_end_matches(';')
        );
        assert_eq!(run(&format!("let n = 0; {sent}")).await.as_deref(), Ok("1"), "{body}");
    }
    for body in [
        "String.prototype.repeat.call({ toString: () => 'x'.repeat(2 ** 23) }, 1000);",
        "String.prototype.concat.call('', ...Array(100).fill({ toString: () => 'x'.repeat(2 ** 23) }));",
        "const t = 'x'.repeat(2 ** 23); Array(1000).fill({ toString: () => t }).join();",
        "const t = 'x'.repeat(2 ** 23); Array(1000).fill({ toLocaleString: () => t }).toLocaleString();",
        "const t = 'x'.repeat(2 ** 23); JSON.stringify(Array(1000).fill({ toJSON: () => t }));",
        "const t = 'x'.repeat(2 ** 23); JSON.stringify(Array(1000).fill(1), (k, v) => v === 1 ? t : v);",
        "const t = 'x'.repeat(2 ** 23); 'a'.repeat(1000).replaceAll('a', () => t);",
        "const t = 'x'.repeat(2 ** 23); 'a'.repeat(1000).replaceAll('a', { toString: () => t });",
        "const t = 'x'.repeat(2 ** 23); 'a'.repeat(1000).replace(/a/g, t);",
        "'a'.repeat(2 ** 16).replace(/(?=(a*))/g, '$1');",
        "'a'.repeat(2 ** 16).replace(/(?=(?<all>a*))/g, '$<all>');",
        "'a'.repeat(2 ** 14).replaceAll('a', \"$'$'\");",
        "String.raw({ raw: { length: 2 ** 31 } });",
        "const t = 'x'.repeat(2 ** 23); String.raw({ raw: Array(1000).fill(t) });",
        "let d = 1; for (let i = 0; i < 900; i++) d = [d]; let all = []; for (let i = 0; i < 9000; i++) all.push(d); JSON.stringify(all, null, 10);",
        "[].concat({ length: 2 ** 52, [Symbol.isConcatSpreadable]: true });",
        "const a = Array(900000); [].concat(...Array(100).fill(a));",
        "JSON.parse('[1]', function (k, v) { this[k] = []; this[k].length = 2 ** 32 - 1; return v; }); const a = [1]; JSON.parse('[0,1]', function (k, v) { if (k === '0') { this[1] = []; this[1].length = 2 ** 32 - 1; } return v; });",
        "[1].flatMap(() => { const a = []; a.length = 2 ** 32 - 1; return a; });",
        "const b = []; const a = [0, b]; Object.defineProperty(a, 0, { get() { b.length = 2 ** 32 - 1; } }); a.flat();",
        "let n = 0; Math.max.apply(null, { get length() { return n++ ? 2 ** 40 : 1; }, 0: 5 }) === 5 && Reflect.ownKeys(new Proxy({}, { ownKeys: () => ({ length: 2 ** 40 }) }));",
        "const a = []; a.length = 2 ** 32 - 1; a.copyWithin(0, 1);",
        "const a = []; a.length = 2 ** 32 - 1; a.toLocaleString();",
        "const a = []; a.length = 2 ** 32 - 1; a.toSpliced(0, 0);",
        "const a = []; a.length = 2 ** 32 - 1; JSON.stringify(a);",
    ] {
        let failure = run_shortly(body).await.expect_err(body);
        assert!(failure.contains(LARGE) || failure.contains(TIME), "{body}: {failure}");
    }
}

/// Whatever walks through lists still does what it did.
#[tokio::test]
async fn lists_are_walked_through_as_before() {
    let body = r"
        class Own extends Array {}
        const own = Own.from([3, 1, 2]);
        class Bag { #all = [1, 2, 3]; get length() { return this.#all.length; } get 0() { return this.#all[0]; } get 1() { return this.#all[1]; } get 2() { return this.#all[2]; } }
        const bag = new Bag();
        const seen = [];
        Array.prototype.forEach.call(bag, function (value, index, list) { seen.push(value, index, list === bag, this.me); }, { me: 'me' });
        const like = { length: 2, 0: 'a', 1: 'b' };
        const filled = Array.prototype.fill.call(like, 'z');
        const holes = [1, , 3];
        const proxy = new Proxy([1, [2, [3]]], {});
        ctx.response().json([
            own instanceof Own, own.map((x) => x * 2) instanceof Own, own.concat([9], 8, [[7]]) instanceof Own, own.concat([9], 8, [[7]]),
            [].concat({ length: 2, 0: 'x', [Symbol.isConcatSpreadable]: true }), 1 in [].concat(holes), [].concat(holes).length,
            seen, filled === like, like,
            Array.from(bag), Array.from({ length: 2 }, (_, i) => i), Array.from(new Set([1, 2])), Array.from('añ'), Array.from(new Map([[1, 2]])),
            proxy.flat(), proxy.flat(Infinity), [1, 2].flatMap((x) => [x, [x]]), holes.flat(), own.flat() instanceof Own,
            [1, [2, [3]], null, undefined].join('-'), [1234.5, null].toLocaleString(), new Uint8Array([1, 2]).join('+'), String([1, [2, 3]]),
            Math.max.apply(null, bag), Reflect.construct(Own, [1, 2]).length, Reflect.ownKeys(new Proxy({ a: 1 }, { ownKeys: () => ['a', 'b'] })),
            Array.prototype.slice.call('abc', 1), Array.prototype.sort.call(bag2()), [3, 1].sort(), [1, 2].at(-1), [1, 2].with(0, 5),
        ]);
        function bag2() { return { length: 2, 0: 'b', 1: 'a' }; }";
    let expected = r#"[true,true,true,[3,1,2,9,8,[7]],["x",null],false,3,[1,0,true,"me",2,1,true,"me",3,2,true,"me"],true,{"0":"z","1":"z","length":2},[1,2,3],[0,1],[1,2],["a","ñ"],[[1,2]],[1,2,[3]],[1,2,3],[1,[1],2,[2]],[1,3],true,"1-2,3--","1234.5,","1+2","1,2,3",3,2,["a","b"],["b","c"],{"0":"a","1":"b","length":2},[1,3],2,[5,2]]"#;
    assert_eq!(run(body).await.as_deref(), Ok(expected));
}

/// ECMA-262, 25.5.2, and what engines agree upon.
#[tokio::test]
async fn json_is_written_as_the_language_says() {
    for (expression, expected) in [
        (
            r"JSON.stringify({ a: [1, 'x', null, undefined, () => 1, Symbol()], b: undefined, c: NaN, d: -0, e: 1e21, f: .1 })",
            r#"{"a":[1,"x",null,null,null,null],"c":null,"d":0,"e":1e+21,"f":0.1}"#,
        ),
        (
            r"JSON.stringify([new Number(1), new String('a'), new Boolean(false), Object(Symbol())])",
            r#"[1,"a",false,{}]"#,
        ),
        (r"JSON.stringify(new Date(0))", r#""1970-01-01T00:00:00.000Z""#),
        (
            r"JSON.stringify({ b: 1, a: { b: 2, c: 3 }, 1: 4 }, ['a', 'b', 1, 'a', {}])",
            r#"{"a":{"b":2},"b":1,"1":4}"#,
        ),
        (
            r"JSON.stringify({ a: 1, b: [2, 3] }, (k, v) => typeof v === 'number' ? v + 1 : v)",
            r#"{"a":2,"b":[3,4]}"#,
        ),
        (
            r"JSON.stringify({ a: 1 }, function (k, v) { return k === '' ? { ...this[''], z: 1 } : v; })",
            r#"{"a":1,"z":1}"#,
        ),
        (
            r"JSON.stringify({ a: [1, { b: 2 }], c: [], d: {} }, null, 2)",
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": [],\n  \"d\": {}\n}",
        ),
        (r"JSON.stringify([1], null, 'abcdefghijklm')", "[\nabcdefghij1\n]"),
        (r"JSON.stringify([1], null, 99)", "[\n          1\n]"),
        (r"JSON.stringify({ k: { toJSON(key) { return key + '!'; } } })", r#"{"k":"k!"}"#),
        (
            r#"JSON.stringify('\u{2028}\ud83d\ude00\ud83d"\\\n\x01')"#,
            "\"\u{2028}😀\\ud83d\\\"\\\\\\n\\u0001\"",
        ),
        (
            r"String(JSON.stringify(undefined)) + JSON.stringify(null) + String(JSON.stringify(() => 1))",
            "undefinednullundefined",
        ),
        (r"JSON.stringify(new Proxy({ a: 1 }, {})) + JSON.stringify(new Proxy([1], {}))", r#"{"a":1}[1]"#),
        (
            r"JSON.stringify(new Map([[1, 2]])) + JSON.stringify(new Uint8Array([1, 2])) + JSON.stringify(Object.create({ a: 1 }))",
            r#"{}{"0":1,"1":2}{}"#,
        ),
        (
            r"JSON.stringify(Object.defineProperty({ get a() { return 1; } }, 'b', { value: 2 }))",
            r#"{"a":1}"#,
        ),
        (r"JSON.stringify([,1])", "[null,1]"),
    ] {
        let body = format!("ctx.response().send({expression});");
        assert_eq!(run(&body).await.as_deref(), Ok(expected), "{expression}");
    }
}

/// Templates of long texts are filled in by the gateway: with the same result.
#[tokio::test]
async fn templates_are_filled_in_as_before() {
    let body = r#"
        const long = 'x'.repeat(70000);
        const templates = ['[$&]', '$$1', '$1-$2-$3-$01-$10-$0', '$<a>|$<b>|$<', "$`", "$'", '$', '$x', '$<a'];
        const patterns = [/b(?<a>c)(d)?/, /b(c)(d)?/, 'bc'];
        const differs = [];
        for (const t of templates) for (const p of patterns) {
            const short = 'abce'.replace(p, t);
            const found = (long + 'abce').replace(p, t);
            const expected = t === "$`" ? long + 'a' + long + 'a' + 'e' : long + short;
            if (found !== expected) differs.push([t, String(p), found.slice(70000), short]);
        }
        ctx.response().json(differs);"#;
    let settings = ModuleSettings::default().with(|settings| settings.limits.cpu = Duration::from_secs(5));
    assert_eq!(kit::run(body, settings).await.as_deref(), Ok("[]"));
}

/// Each function that can be reached, bound to an object of which all that anybody may ask for is that function.
#[tokio::test]
async fn no_built_in_is_safe_from_itself() {
    let source = r"
        const all = [];
        const seen = new Set();
        const walk = (value) => {
            if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value)) return;
            seen.add(value);
            if (typeof value === 'function') all.push(value);
            for (const key of Reflect.ownKeys(value)) {
                const property = Object.getOwnPropertyDescriptor(value, key);
                walk(property.value); walk(property.get); walk(property.set);
            }
            walk(Object.getPrototypeOf(value));
        };
        walk(globalThis);
        [[].values(), new Set().values(), new Map().values(), ''[Symbol.iterator](), ''.matchAll(/a/g), [].values().map(String),
            (function* () {})(), (async function* () {})(), async () => {}, Iterator.from({ next() {} })].forEach(walk);
        const KEYS = ['valueOf', 'toString', 'then', 'next', 'return', 'length', 'constructor', 'join', 'exec', 'flags', 'toJSON', 'get', 'set', 'add',
            'has', 'keys', 'size', 'name', 'message', 'value', 'done', 'raw', 'resolve', 'source', 'lastIndex', 'index', 'groups', '0', 'toISOString',
            Symbol.toPrimitive, Symbol.iterator, Symbol.asyncIterator, Symbol.species, Symbol.toStringTag, Symbol.match, Symbol.replace, Symbol.split,
            Symbol.search, Symbol.matchAll, Symbol.isConcatSpreadable, Symbol.hasInstance];
        const WAYS = [
            (f, o) => f.bind(o, o, o, o),
            (f, o) => f.bind(o),
            (f) => f,
            (f, o) => new Proxy(f.bind(o), { apply: f, get: f }),
        ];
        const ASKS = [(o) => `${o}`, (o) => +o, (o) => [...o], (o) => JSON.stringify(o), (o) => Promise.resolve(o), (o) => [].concat(o),
            (o) => 'a'.replace(o, o), (o) => new Map(o), (o) => 1 instanceof o, (o) => Object.keys(o), (o, f) => f.call(o, o, o, o)];
        export function requestHandler(ctx) {
            const [number, way] = ctx.pathParam('id').split('-').map(Number);
            if (number >= all.length) { ctx.response().send('end'); return; }
            const f = all[number];
            for (const getters of [false, true]) {
                const o = way === 3 ? function () {} : {};
                const made = WAYS[way](f, o);
                for (const key of KEYS) {
                    try { Object.defineProperty(o, key, getters ? { get: made, configurable: true } : { value: made, configurable: true }); } catch {}
                }
                for (const ask of ASKS) { try { const r = ask(o, f); if (r instanceof Promise) r.catch(() => {}); } catch {} }
            }
            ctx.response().send('went on');
        }";
    let gateway = kit::handler(source).await;
    let (mut number, mut ended) = (0, 0);
    'all: loop {
        for way in [0, 1 + number % 3] {
            let answer = kit::get(&gateway, &format!("/m/{number}-{way}")).await;
            match &*String::from_utf8_lossy(&answer.body) {
                "end" => break 'all,
                "went on" => {}
                _ => ended += 1,
            }
        }
        number += 1;
    }
    assert!(number > 600, "{number}");
    assert!(ended > 100, "{ended} of {number}");
}
