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
        "[...{ [Symbol.iterator]: () => ({ next: Object }) }];",
        "const [...x] = { [Symbol.iterator]: () => ({ next: Array }) };",
        "(([...x]) => 1)({ [Symbol.iterator]: () => ({ next: Error }) });",
        "Iterator.prototype.toArray.call({ next: TypeError });",
        "Iterator.prototype.some.call({ next: RegExp }, Boolean);",
        "Object.groupBy({ [Symbol.iterator]: () => ({ next: Object }) }, Boolean);",
        "class M extends Set {} Object.defineProperty(M.prototype, 'add', { value: Object }); new M({ [Symbol.iterator]: () => ({ next: Object }) });",
        "new URLSearchParams({ [Symbol.iterator]: () => ({ next: Object }) });",
        "AbortSignal.any({ [Symbol.iterator]: () => ({ next: Object }) });",
        "new Uint8Array({ [Symbol.iterator]: () => ({ next: Object }) });",
        "Array.from.call(Object, { [Symbol.iterator]: () => ({ next: Object }) });",
        "RegExp.prototype[Symbol.match].call({ exec: Object, flags: 'g' }, 'a');",
        "RegExp.prototype[Symbol.replace].call({ exec: Object, flags: 'g' }, 'a', 'b');",
        "RegExp.prototype[Symbol.replace].call({ flags: '', exec: () => ({ index: 0, 0: 'a', length: 2 ** 31 }) }, 'abc', '$1');",
        "const own = (o, k, v) => Object.defineProperty(o, k, { value: v }); const cap = (on) => { let r; Promise.prototype.finally.call({ then(a) { r = a; } }, on); return r; };
         let thunk; const y = Promise.resolve(); own(y, 'then', (t) => { thunk = t; }); const x = Promise.resolve(); cap(() => y)(x);
         [...{ [Symbol.iterator]: () => ({ next: (cap(() => y)({ done: false }), thunk) }) }];",
        "class A0 {} class A1 { a = new A0; b = new A0; } class A2 { a = new A1; b = new A1; } class A3 { a = new A2; b = new A2; } class A4 { a = new A3; b = new A3; } class A5 { a = new A4; b = new A4; }
         class A6 { a = new A5; b = new A5; } class A7 { a = new A6; b = new A6; } class A8 { a = new A7; b = new A7; } class A9 { a = new A8; b = new A8; } class B0 { a = new A9; b = new A9; c = new A9; d = new A9; }
         class B1 { a = new B0; b = new B0; c = new B0; d = new B0; } class B2 { a = new B1; b = new B1; c = new B1; d = new B1; } class B3 { a = new B2; b = new B2; c = new B2; d = new B2; } new B3;",
        "const t = 'a'.repeat(1 << 20); let b = new ArrayBuffer(1 << 24); for (const all = [];;) all.push(b.slice(0));",
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
        "new RegExp('a|'.repeat(1e5));",
        "const s = 'a'.repeat(1 << 23); `${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}${s}`;",
        "let t = 'a'.repeat(1 << 23); for (let i = 0; i < 10; i++) t = btoa(t);",
        "for (const k in new String('a'.repeat(1 << 24))) k;",
        "({ ...new String('a'.repeat(1 << 24)) });",
        "[1].flatMap(() => { const a = []; a.length = 2 ** 32 - 1; return a; });",
        "const b = []; const a = [0, b]; Object.defineProperty(a, 0, { get() { b.length = 2 ** 32 - 1; } }); a.flat();",
        "let n = 0; Math.max.apply(null, { get length() { return n++ ? 2 ** 40 : 1; }, 0: 5 }) === 5 && Reflect.ownKeys(new Proxy({}, { ownKeys: () => ({ length: 2 ** 40 }) }));",
        "const a = []; a.length = 2 ** 32 - 1; a.copyWithin(0, 1);",
        "const a = []; a.length = 2 ** 32 - 1; a.toLocaleString();",
        "const a = []; a.length = 2 ** 32 - 1; a.toSpliced(0, 0);",
        "const a = []; a.length = 2 ** 32 - 1; JSON.stringify(a);",
    ] {
        let failure = run_shortly(body).await.expect_err(body);
        let is_refused =
            [LARGE, TIME, "a regular expression has at most"].iter().any(|part| failure.contains(part));
        assert!(is_refused, "{body}: {failure}");
    }
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
    let mut setup = kit::Setup::new().module(source).route(&["m"], None);
    setup.settings = setup.settings.with(|settings| settings.limits.cpu = Duration::from_millis(20));
    let gateway = setup.start().await;
    let (mut number, mut ended) = (0, 0);
    'all: loop {
        for way in [0].into_iter().chain((number % 3 == 0).then_some(1 + number / 3 % 3)) {
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
