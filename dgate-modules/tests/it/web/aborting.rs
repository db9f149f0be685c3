//! `AbortController`, `AbortSignal` and `DOMException` beyond the plain cases.

use serde_json::json;

use super::{facts, throws};

#[tokio::test]
async fn signals() {
    facts(&[
        ("(() => { const c = new AbortController(); try { 'use strict'; c.signal.aborted = true; } catch {} return c.signal.aborted; })()", json!(false)),
        ("(() => { const c = new AbortController(); const s = c.signal; try { c.signal = 1; } catch {} return c.signal === s; })()", json!(true)),
        ("(() => { const c = new AbortController(); c.abort(undefined); return c.signal.reason.code; })()", json!(20)),
        ("(() => { const c = new AbortController(); c.abort(null); return [c.signal.aborted, c.signal.reason]; })()", json!([true, null])),
        ("(() => { const c = new AbortController(); c.abort(); let n = 0; c.signal.addEventListener('abort', () => n++); return n; })()", json!(0)),
        ("(() => { const c = new AbortController(); let n = 0; const f = () => n++; c.signal.addEventListener('abort', f); c.signal.addEventListener('abort', f); c.abort(); return n; })()", json!(1)),
        ("(() => { const c = new AbortController(); let n = 0; c.signal.addEventListener('other', () => n++); c.signal.addEventListener('abort', null); c.abort(); return n; })()", json!(0)),
        ("new AbortController().signal.addEventListener('abort', 5)", throws("TypeError")),
        ("(() => { const c = new AbortController(); let t; c.signal.addEventListener('abort', { handleEvent(e) { t = [this.x, e.isTrusted, e.currentTarget === c.signal]; }, x: 1 }); c.abort(); return t; })()", json!([1, true, true])),
        ("(() => { const c = new AbortController(); let t; c.signal.onabort = function () { t = this === c.signal; }; c.abort(); return t; })()", json!(true)),
        ("(() => { const c = new AbortController(); c.signal.onabort = 5; return c.signal.onabort; })()", json!(null)),
        ("(() => { const c = new AbortController(); const seen = []; c.signal.addEventListener('abort', () => { throw new Error('no'); }); c.signal.addEventListener('abort', () => seen.push(1)); c.abort(); return seen; })()", json!([1])),
        ("(() => { const c = new AbortController(), own = new AbortController(); let n = 0; c.signal.addEventListener('abort', () => n++, { signal: own.signal }); own.abort(); c.abort(); return n; })()", json!(0)),
        ("(() => { const c = new AbortController(); let inside; c.signal.addEventListener('abort', () => { inside = c.signal.aborted; }); c.abort(); return inside; })()", json!(true)),
        ("(() => { try { AbortSignal.abort(7).throwIfAborted(); } catch (e) { return e; } })()", json!(7)),
        ("new AbortController().signal.throwIfAborted()", json!("undefined")),
        ("AbortSignal.timeout(-1)", throws("TypeError")),
        ("AbortSignal.timeout()", throws("TypeError")),
        ("AbortSignal.timeout('x')", throws("TypeError")),
        ("await new Promise((r) => { const s = AbortSignal.timeout(0); s.addEventListener('abort', () => r([s.reason.name, s.reason.code, s.reason instanceof DOMException])); })", json!(["TimeoutError", 23, true])),
        ("Object.prototype.toString.call(new AbortController()) + Object.prototype.toString.call(AbortSignal.abort())", json!("[object AbortController][object AbortSignal]")),
    ])
    .await;
}

#[tokio::test]
async fn any_of_several() {
    facts(&[
        ("AbortSignal.any([]).aborted", json!(false)),
        ("AbortSignal.any([1])", throws("TypeError")),
        ("AbortSignal.any()", throws("TypeError")),
        ("(() => { const a = new AbortController(), b = new AbortController(); const any = AbortSignal.any([a.signal, b.signal]); b.abort('b'); a.abort('a'); return [any.aborted, any.reason]; })()", json!([true, "b"])),
        ("(() => { const c = new AbortController(); const one = AbortSignal.any([c.signal]), two = AbortSignal.any([one, c.signal]); let n = 0; two.onabort = () => n++; c.abort('x'); return [two.reason, n]; })()", json!(["x", 1])),
        ("(() => { const c = new AbortController(); const any = AbortSignal.any([c.signal]); let seen; c.signal.addEventListener('abort', () => { seen = any.aborted; }); c.abort(); return seen; })()", json!(true)),
        ("(() => { const c = new AbortController(); const any = AbortSignal.any([c.signal, c.signal]); let n = 0; any.addEventListener('abort', () => n++); c.abort(); return n; })()", json!(1)),
        ("(() => { const c = new AbortController(); const any = AbortSignal.any(new Set([c.signal])); c.abort(3); return any.reason; })()", json!(3)),
    ])
    .await;
}

#[tokio::test]
async fn exceptions() {
    facts(&[
        ("(() => { const e = new DOMException(); return [e.name, e.message, e.code, e instanceof Error]; })()", json!(["Error", "", 0, true])),
        ("(() => { const e = new DOMException('m', 'NotFoundError'); return [e.name, e.message, e.code, String(e)]; })()", json!(["NotFoundError", "m", 8, "NotFoundError: m"])),
        ("new DOMException('m', 'toString').code", json!(0)),
        ("Object.prototype.toString.call(new DOMException())", json!("[object DOMException]")),
        ("DOMException()", throws("TypeError")),
    ])
    .await;
}
