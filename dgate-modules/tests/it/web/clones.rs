//! `structuredClone` beyond the plain cases.

use serde_json::json;

use super::{facts, throws};

#[tokio::test]
async fn of_all_kinds() {
    let refused = || throws("DataCloneError");
    facts(&[
        ("structuredClone()", throws("TypeError")),
        ("[new Boolean(false), new Number(5), new String('x')].map((v) => { const c = structuredClone(v); return [typeof c, c.valueOf(), c !== v]; })",
            json!([["object", false, true], ["object", 5, true], ["object", "x", true]])),
        ("Number.isNaN(structuredClone(new Date(NaN)).getTime())", json!(true)),
        ("(() => { const r = /a/gimsuy; r.lastIndex = 3; const c = structuredClone(r); return [c.source, c.flags, c.lastIndex, c instanceof RegExp]; })()", json!(["a", "gimsuy", 0, true])),
        ("structuredClone(/(?<n>a)\\/b/).exec('a/b').groups.n", json!("a")),
        ("(() => { const m = new Map(); m.set('self', m); const c = structuredClone(m); return [c !== m, c.get('self') === c, c.size]; })()", json!([true, true, 1])),
        ("(() => { const s = new Set([NaN, -0, 'x']); return [...structuredClone(s)].map(String); })()", json!(["NaN", "0", "x"])),
        ("[...structuredClone(Object.assign(new Map([[1, 2]]), { own: 1 })).entries()]", json!([[1, 2]])),
        ("(() => { const a = [1, , 3]; a.extra = 'e'; const c = structuredClone(a); return [c.length, 1 in c, c.extra]; })()", json!([3, false, "e"])),
        ("structuredClone(Object.assign([], { length: 5 })).length", json!(5)),
        ("(() => { const o = JSON.parse('{\"__proto__\": {\"x\": 1}}'); const c = structuredClone(o); return [Object.keys(c), Object.getPrototypeOf(c) === Object.prototype]; })()", json!([["__proto__"], true])),
        ("Object.keys(structuredClone({ [Symbol('s')]: 1, b: 1, 2: 1, a: 1 }))", json!(["2", "b", "a"])),
        ("(() => { const o = structuredClone(Object.freeze({ a: 1 })); o.a = 2; return o.a; })()", json!(2)),
        ("(() => { class A extends Map {} const c = structuredClone(new A([[1, 2]])); return [c instanceof A, c.get(1)]; })()", json!([false, 2])),
        ("structuredClone({ __proto__: null, a: 1 }).toString === Object.prototype.toString", json!(true)),
        ("(() => { try { structuredClone({ get x() { throw new RangeError('r'); } }); } catch (e) { return e.name; } })()", json!("RangeError")),
        // Buffers.
        ("(() => { const b = new ArrayBuffer(4); const c = structuredClone([new Uint8Array(b, 1, 2), new DataView(b)]); return [c[0].buffer === c[1].buffer, c[0].byteOffset, c[0].length, c[1].byteLength]; })()", json!([true, 1, 2, 4])),
        ("['Int8', 'Uint8', 'Uint8Clamped', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64'].map((n) => structuredClone(new globalThis[n + 'Array']([1, 2])).constructor.name)",
            json!(["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "Float32Array", "Float64Array"])),
        ("structuredClone(Buffer.from('a')).constructor.name", json!("Uint8Array")),
        ("(() => { const b = new ArrayBuffer(4); const c = structuredClone({ b }, { transfer: [b] }); return [b.byteLength, c.b.byteLength]; })()", json!([0, 4])),
        ("structuredClone(1, { transfer: [{}] })", refused()),
        ("(() => { const b = new ArrayBuffer(1); structuredClone(1, { transfer: [b, b] }); })()", refused()),
        ("(() => { const b = new ArrayBuffer(1); structuredClone(b, { transfer: [b] }); structuredClone(1, { transfer: [b] }); })()", refused()),
        // Errors.
        ("['Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError'].map((n) => { const c = structuredClone(new globalThis[n]('m')); return c.constructor.name + c.message; })",
            json!(["Errorm", "EvalErrorm", "RangeErrorm", "ReferenceErrorm", "SyntaxErrorm", "TypeErrorm", "URIErrorm"])),
        ("(() => { class Mine extends TypeError {} const c = structuredClone(Object.assign(new Mine('m'), { extra: 1 })); return [c.constructor.name, c.extra === undefined]; })()", json!(["TypeError", true])),
        ("(() => { const e = new Error('m'); e.name = 'Odd'; return structuredClone(e).name; })()", json!("Error")),
        ("(() => { const c = structuredClone(new Error('m', { cause: { a: 1 } })); return [c.cause.a, Object.keys(c)]; })()", json!([1, []])),
        ("(() => { const c = structuredClone(new DOMException('m', 'AbortError')); return [c instanceof DOMException, c.name, c.message, c.code]; })()", json!([true, "AbortError", "m", 20])),
        // What cannot be.
        ("structuredClone(new Proxy({}, {}))", refused()),
        ("structuredClone((function* () {})())", refused()),
        ("structuredClone(new WeakSet())", refused()),
        ("structuredClone(new WeakRef({}))", refused()),
        ("structuredClone([new URL('http://a')])", refused()),
        ("structuredClone(new Headers())", refused()),
        ("structuredClone(new Map([[() => 1, 1]]))", refused()),
        ("structuredClone(class {})", refused()),
        ("(() => { try { structuredClone(Symbol()); } catch (e) { return [e instanceof DOMException, e.code]; } })()", json!([true, 25])),
    ])
    .await;
}
