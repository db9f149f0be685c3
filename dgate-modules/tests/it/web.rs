//! What the web platform's tests say of the globals that modules have; and what is not there, so that nobody has to guess.

mod aborting;
mod clones;
mod encodings;
mod headers;
mod json;
mod messages;
mod patterns;
mod urls;

use serde_json::{Value, json};

use crate::kit::{get, handler};

/// How many expressions one call evaluates: its computing time is bounded.
const AT_ONCE: usize = 10;

/// Evaluates expressions in a handler. What throws is `{ "throws": NAME }`.
pub(super) async fn facts(expected: &[(&str, Value)]) {
    let thunks: Vec<String> =
        expected.iter().map(|(expression, _)| format!("async () => ({expression})")).collect();
    let thunks = thunks.join(",\n");
    let source = format!(
        "const thunks = [{thunks}];
         export async function requestHandler(ctx) {{
           const found = [];
           const from = Number(ctx.pathParam('id'));
           for (const thunk of thunks.slice(from, from + {AT_ONCE})) {{
             try {{ const value = await thunk(); found.push(value === undefined ? 'undefined' : value); }}
             catch (error) {{ found.push({{ throws: error.name }}); }}
           }}
           ctx.response().json(found);
         }}"
    );
    let gateway = handler(&source).await;
    let mut wrong = Vec::new();
    for (number, part) in expected.chunks(AT_ONCE).enumerate() {
        let answer = get(&gateway, &format!("/m/{}", number * AT_ONCE)).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        let found = answer.json();
        let found = found.as_array().unwrap();
        assert_eq!(found.len(), part.len());
        for ((expression, expected), found) in
            part.iter().zip(found).filter(|((_, expected), found)| expected != *found)
        {
            wrong.push(format!("{expression}: {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

pub(super) fn throws(name: &str) -> Value {
    json!({ "throws": name })
}

#[tokio::test]
async fn urls() {
    let type_error = || throws("TypeError");
    facts(&[
        ("new URL('http://example\\t.\\norg').href", json!("http://example.org/")),
        ("new URL('http://user:pass@foo:21/bar;par?b#c').port", json!("21")),
        ("new URL('https://test:@test').href", json!("https://test@test/")),
        ("new URL('http:foo.com', 'http://example.org/foo/bar').href", json!("http://example.org/foo/foo.com")),
        ("new URL('http://f:80/c').port", json!("")),
        ("new URL('http://f:999999/c')", type_error()),
        ("new URL('http://f: 21 / b ? d # e ')", type_error()),
        ("new URL('  \\t  :foo.com  ', 'http://example.org/foo/bar').pathname", json!("/foo/:foo.com")),
        ("new URL('http://[2001::1]:80').host", json!("[2001::1]")),
        ("new URL('http://[::127.0.0.1]').hostname", json!("[::7f00:1]")),
        ("new URL('/a/./b/../c/%2e%2e/d', 'http://a').pathname", json!("/a/d")),
        ("new URL('\\\\\\\\x\\\\hello', 'http://example.org/').href", json!("http://x/hello")),
        ("new URL('http://GOO \u{200b}goo.com')", type_error()),
        ("new URL('http://你好你好').hostname", json!("xn--6qqa088eba")),
        ("new URL('http://0300.168.0.0xF0').hostname", json!("192.168.0.240")),
        ("new URL('http://256.256.256.256')", type_error()),
        ("new URL('data:text/plain,x').origin", json!("null")),
        ("new URL('http://a/?q=a b\\'').search", json!("?q=a%20b%27")),
        ("new URL('http://a/#f g').hash", json!("#f%20g")),
        ("(() => { const u = new URL('http://a/b?c#d'); u.protocol = 'https'; u.host = 'x:81'; return u.href; })()", json!("https://x:81/b?c#d")),
        ("(() => { const u = new URL('http://a:8080/'); u.port = '80'; return u.href; })()", json!("http://a/")),
        ("(() => { const u = new URL('http://a/'); u.pathname = 'x y'; u.search = 'q'; u.hash = ''; return u.href; })()", json!("http://a/x%20y?q")),
        ("(() => { const u = new URL('http://a/'); u.protocol = 'foo'; return u.href; })()", json!("http://a/")),
        ("(() => { const u = new URL('http://a/'); u.href = 'no'; })()", type_error()),
        ("(() => { const u = new URL('http://a/?a=1&b=2'); u.searchParams.delete('a'); u.searchParams.delete('b'); return u.href; })()", json!("http://a/")),
        ("URL.parse('x', 'http://a/b').href", json!("http://a/x")),
        ("URL.parse('x')", Value::Null),
        ("URL.canParse('x', 'http://a')", json!(true)),
        ("URL('http://a')", type_error()),
        ("JSON.stringify({ u: new URL('http://a/b') })", json!("{\"u\":\"http://a/b\"}")),
        ("Object.prototype.toString.call(new URL('http://a'))", json!("[object URL]")),
    ])
    .await;
}

#[tokio::test]
async fn search_parameters() {
    facts(&[
        ("new URLSearchParams().toString()", json!("")),
        ("new URLSearchParams('?a=b&c').toString()", json!("a=b&c=")),
        ("new URLSearchParams('a=b+c&d=%2B').get('a')", json!("b c")),
        ("new URLSearchParams('a=%zz&b=%').get('a')", json!("%zz")),
        ("new URLSearchParams('a=%e2%8e%a8').get('a')", json!("\u{23a8}")),
        ("new URLSearchParams('&a&&& &&a+b=& c&m%c3%b8%c3%b8').toString()", json!("a=&+=&a+b=&+c=&m%C3%B8%C3%B8=")),
        ("new URLSearchParams(null).toString()", json!("null=")),
        ("new URLSearchParams([['a', '1'], ['a', '2']]).getAll('a')", json!(["1", "2"])),
        ("new URLSearchParams([['a']])", throws("TypeError")),
        ("new URLSearchParams({ b: 1, a: true }).toString()", json!("b=1&a=true")),
        ("new URLSearchParams(new URLSearchParams('a=1')).toString()", json!("a=1")),
        ("new URLSearchParams('a=1&a=2').get('b')", Value::Null),
        ("(() => { const p = new URLSearchParams('a=1&b=2&a=3'); p.set('a', 'x'); return String(p); })()", json!("a=x&b=2")),
        ("(() => { const p = new URLSearchParams('a=1&a=2'); p.delete('a', '1'); return String(p); })()", json!("a=2")),
        ("[new URLSearchParams('a=1').has('a', '1'), new URLSearchParams('a=1').has('a', '2')]", json!([true, false])),
        ("(() => { const p = new URLSearchParams('z=b&a=b&z=a&a=a'); p.sort(); return String(p); })()", json!("a=b&a=a&z=b&z=a")),
        ("(() => { const p = new URLSearchParams('\u{fb03}&\u{1f308}'); p.sort(); return [...p.keys()]; })()", json!(["\u{1f308}", "\u{fb03}"])),
        ("String(new URLSearchParams({ a: '~!@#$%^&*()_+-= \\u0000' }))", json!("a=%7E%21%40%23%24%25%5E%26*%28%29_%2B-%3D+%00")),
        ("new URLSearchParams('a=1&b=2').size", json!(2)),
        ("(() => { const all = []; new URLSearchParams('a=1&b=2').forEach((v, k) => all.push(k + v)); return all; })()", json!(["a1", "b2"])),
    ])
    .await;
}

#[tokio::test]
async fn headers() {
    facts(&[
        ("[...new Headers([['b', '1'], ['A', '2'], ['b', '3']])]", json!([["a", "2"], ["b", "1, 3"]])),
        ("new Headers({ a: ' \\t x \\t ' }).get('A')", json!("x")),
        ("new Headers().get('none')", Value::Null),
        ("new Headers().get('bad name')", throws("TypeError")),
        ("new Headers({ a: 'x\\u0000' })", throws("TypeError")),
        ("new Headers({ a: '\\u0100' })", throws("TypeError")),
        ("new Headers({ a: '\u{e9}' }).get('a')", json!("\u{e9}")),
        ("new Headers([['a']])", throws("TypeError")),
        ("new Headers('x')", throws("TypeError")),
        ("new Headers(null)", throws("TypeError")),
        ("(() => { const h = new Headers(); h.append('Set-Cookie', 'a=1'); h.append('set-cookie', 'b=2'); return [h.getSetCookie(), [...h]]; })()",
            json!([["a=1", "b=2"], [["set-cookie", "a=1"], ["set-cookie", "b=2"]]])),
        ("(() => { const h = new Headers({ a: '1' }); h.set('a', '2'); h.delete('b'); return [...h.values()]; })()", json!(["2"])),
        ("(() => { const h = new Headers(); h.append('x', ''); h.append('x', ''); return h.get('x'); })()", json!(", ")),
        ("[...new Headers(new Headers({ a: '1' })).keys()]", json!(["a"])),
        ("Headers()", throws("TypeError")),
        ("Object.prototype.toString.call(new Headers())", json!("[object Headers]")),
    ])
    .await;
}

#[tokio::test]
async fn texts_and_bytes() {
    let invalid = || throws("InvalidCharacterError");
    facts(&[
        (
            "[...new TextEncoder().encode('h\u{e9}\u{20ac}\u{1f308}')]",
            json!([104, 195, 169, 226, 130, 172, 240, 159, 140, 136]),
        ),
        ("[...new TextEncoder().encode('\\ud800')]", json!([239, 191, 189])),
        ("new TextEncoder().encode().length", json!(0)),
        ("new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x61]))", json!("a")),
        (
            "new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf])).length",
            json!(1),
        ),
        ("new TextDecoder().decode(new Uint8Array([0xf0, 0x9f, 0x92]))", json!("\u{fffd}")),
        ("new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([0xff]))", throws("TypeError")),
        ("new TextDecoder('latin-of-nobody')", throws("RangeError")),
        ("new TextDecoder('UTF8').encoding", json!("utf-8")),
        ("new TextDecoder().decode(new Uint16Array([0x6261]).buffer)", json!("ab")),
        ("new TextDecoder().decode(new DataView(new Uint8Array([97, 98, 99]).buffer, 1, 1))", json!("b")),
        ("atob('')", json!("")),
        ("atob('abcd')", json!("i\u{b7}\u{1d}")),
        ("atob(' a\\nb\\tc\\rd\\f')", json!("i\u{b7}\u{1d}")),
        ("atob('ab')", json!("i")),
        ("atob('ab==')", json!("i")),
        ("atob('abc=')", json!("i\u{b7}")),
        ("atob('a')", invalid()),
        ("atob('ab=')", invalid()),
        ("atob('ab===')", invalid()),
        ("atob('abcd=')", invalid()),
        ("atob('=')", invalid()),
        ("atob('ab-_')", invalid()),
        ("atob(null)", json!("\u{9e}\u{e9}e")),
        ("btoa('\u{ff}\u{0}a')", json!("/wBh")),
        ("btoa('\u{100}')", invalid()),
        ("btoa(undefined)", json!("dW5kZWZpbmVk")),
    ])
    .await;
}

#[tokio::test]
async fn clones() {
    let refused = || throws("DataCloneError");
    facts(&[
        ("structuredClone([undefined, null, true, 0.5, 'x'])", json!([null, null, true, 0.5, "x"])),
        ("Object.is(structuredClone(-0), -0)", json!(true)),
        ("structuredClone(new Date(1e12)).getTime()", json!(1_000_000_000_000_i64)),
        ("(() => { const r = structuredClone(/a/gi); return [r.source, r.flags, r.lastIndex]; })()", json!(["a", "gi", 0])),
        ("[...structuredClone(new Map([[{ a: 1 }, new Set([2])]]))][0][0]", json!({ "a": 1 })),
        ("(() => { const a = {}; a.self = a; const b = structuredClone(a); return b.self === b && b !== a; })()", json!(true)),
        ("(() => { const s = {}; const b = structuredClone([s, s]); return b[0] === b[1]; })()", json!(true)),
        ("[...new Uint8Array(structuredClone(new Uint8Array([1, 2, 3]).buffer))]", json!([1, 2, 3])),
        ("(() => { const e = structuredClone(new RangeError('x')); return [e instanceof RangeError, e.message]; })()", json!([true, "x"])),
        ("structuredClone(Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true }, hidden: { value: 3 } }))", json!({ "own": 2 })),
        ("(() => { class A { x = 1 } return structuredClone(new A()) instanceof A; })()", json!(false)),
        ("structuredClone({ get x() { return 5; } })", json!({ "x": 5 })),
        ("structuredClone([, 1]).hasOwnProperty(0)", json!(false)),
        ("structuredClone(() => 1)", refused()),
        ("structuredClone({ f: Symbol('x') })", refused()),
        ("structuredClone(Promise.resolve())", refused()),
        ("structuredClone(new WeakMap())", refused()),
    ])
    .await;
}

#[tokio::test]
async fn aborting() {
    facts(&[
        ("(() => { const c = new AbortController(); return [c.signal instanceof AbortSignal, c.signal.aborted]; })()", json!([true, false])),
        ("(() => { const c = new AbortController(); c.abort(); return [c.signal.aborted, c.signal.reason.name, c.signal.reason instanceof DOMException]; })()", json!([true, "AbortError", true])),
        ("(() => { const c = new AbortController(); c.abort('a'); c.abort('b'); return c.signal.reason; })()", json!("a")),
        ("(() => { const c = new AbortController(); let n = 0; c.signal.onabort = () => n++; c.signal.addEventListener('abort', () => n++); c.abort(); c.abort(); return n; })()", json!(2)),
        ("(() => { const c = new AbortController(); let n = 0; const f = () => n++; c.signal.addEventListener('abort', f); c.signal.removeEventListener('abort', f); c.abort(); return n; })()", json!(0)),
        ("(() => { const c = new AbortController(); let t; c.signal.addEventListener('abort', (e) => { t = [e.type, e.target === c.signal]; }); c.abort(); return t; })()", json!(["abort", true])),
        ("AbortSignal.abort().throwIfAborted()", throws("AbortError")),
        ("AbortSignal.abort(5).reason", json!(5)),
        ("await new Promise((r) => { AbortSignal.timeout(1).onabort = (e) => r(e.target.reason.name); })", json!("TimeoutError")),
        ("(() => { const c = new AbortController(); const any = AbortSignal.any([c.signal, AbortSignal.timeout(1e6)]); c.abort('x'); return any.reason; })()", json!("x")),
        ("AbortSignal.any([AbortSignal.abort(1), AbortSignal.abort(2)]).reason", json!(1)),
        ("new AbortSignal()", throws("TypeError")),
    ])
    .await;
}

#[tokio::test]
async fn requests_and_responses() {
    facts(&[
        ("new Response().status", json!(200)),
        ("[new Response('x').headers.get('content-type'), await new Response('x').text()]", json!(["text/plain;charset=UTF-8", "x"])),
        ("new Response(new URLSearchParams('a=1')).headers.get('content-type')", json!("application/x-www-form-urlencoded;charset=UTF-8")),
        ("new Response(new Uint8Array([1])).headers.get('content-type')", Value::Null),
        ("new Response('', { status: 199 })", throws("RangeError")),
        ("new Response('', { status: 600 })", throws("RangeError")),
        ("new Response('x', { status: 204 })", throws("TypeError")),
        ("new Response(null, { status: 304 }).ok", json!(false)),
        ("(async () => { const r = new Response('x'); await r.text(); return r.bodyUsed; })()", json!(true)),
        ("(async () => { const r = new Response('x'); await r.text(); await r.text(); })()", throws("TypeError")),
        ("(async () => { const r = new Response('x'); const c = r.clone(); return [await r.text(), await c.text()]; })()", json!(["x", "x"])),
        ("await new Response('{\"a\":1}').json()", json!({ "a": 1 })),
        ("await new Response('no').json()", throws("SyntaxError")),
        ("(async () => { const r = Response.json([1], { status: 201, headers: { x: 'y' } }); return [r.status, r.headers.get('content-type'), r.headers.get('x')]; })()", json!([201, "application/json", "y"])),
        ("[Response.redirect('http://a/b').status, Response.redirect('http://a/b', 308).headers.get('location')]", json!([302, "http://a/b"])),
        ("Response.redirect('http://a', 200)", throws("RangeError")),
        ("Response()", throws("TypeError")),
        ("Object.prototype.toString.call(new Response())", json!("[object Response]")),
        ("(() => { const r = new Response('', { status: 404, statusText: 'gone', headers: { a: '1' } }); return [r.status, r.ok, r.statusText, r.url, r.redirected, r.type, r.bodyUsed, r.headers.get('a'), r.headers === r.headers]; })()",
            json!([404, false, "gone", "", false, "default", false, "1", true])),
        ("(async () => { class Mine extends Response { twice() { return this.status * 2; } } const m = new Mine('x', { status: 201 }); return [m instanceof Mine, m instanceof Response, m.twice(), await m.text()]; })()",
            json!([true, true, 402, "x"])),
        ("(() => { const r = new Response('x', { headers: { a: '1' } }); const c = r.clone(); c.headers.set('a', '2'); return [r.headers.get('a'), c.headers.get('a')]; })()", json!(["1", "2"])),
        ("(async () => { const r = new Response('x'); await r.text(); r.clone(); })()", throws("TypeError")),
        ("[...await new Response('h\u{e9}').bytes()]", json!([104, 195, 169])),
        ("[...new Uint8Array(await new Response(new Uint8Array([1, 2, 3]).subarray(1)).arrayBuffer())]", json!([2, 3])),
        ("(await new Response().arrayBuffer()).byteLength", json!(0)),
        ("(async () => { const r = new Response(); await r.text(); return [r.bodyUsed, await r.text()]; })()", json!([false, ""])),
        ("await Response.json(0.1).json()", json!(0.1)),
        ("Response.json(undefined)", throws("TypeError")),
        ("Response.json(1, { status: 204 })", throws("TypeError")),
        ("Response.redirect('no')", throws("TypeError")),
        ("Response.prototype.text.call({}).catch((error) => error.name)", json!("TypeError")),
        ("(() => { Response.prototype.text = 1; })()", throws("TypeError")),
        ("(async () => { const r = new Request('http://a', { method: 'POST', body: 'x' }); const c = r.clone(); return [await r.text(), r.bodyUsed, c.bodyUsed, await c.text()]; })()", json!(["x", true, false, "x"])),
        ("new Request('http://a').method", json!("GET")),
        ("new Request('http://a', { method: 'post' }).method", json!("POST")),
        ("new Request('http://a', { method: 'patch' }).method", json!("patch")),
        ("new Request('http://a', { method: 'a b' })", throws("TypeError")),
        ("new Request('http://a', { method: 'TRACE' })", throws("TypeError")),
        ("new Request('http://a', { method: 'GET', body: 'x' })", throws("TypeError")),
        ("new Request('http://u:p@a')", throws("TypeError")),
        ("new Request('/x')", throws("TypeError")),
        ("new Request('http://a/#f').url", json!("http://a/#f")),
        ("(async () => { const r = new Request('http://a', { method: 'POST', body: 'x' }); const c = new Request(r); return [await c.text(), r.bodyUsed]; })()", json!(["x", true])),
        ("new Request(new Request('http://a', { headers: { x: '1' } }), { headers: { y: '2' } }).headers.get('x')", Value::Null),
        ("await fetch('ftp://a/')", throws("TypeError")),
        ("await fetch('http://a/', { signal: AbortSignal.abort() })", throws("AbortError")),
    ])
    .await;
}

#[tokio::test]
async fn what_is_not_there() {
    let names = [
        "Blob",
        "File",
        "FormData",
        "ReadableStream",
        "WritableStream",
        "TransformStream",
        "CompressionStream",
        "EventTarget",
        "Event",
        "WebSocket",
        "XMLHttpRequest",
        "MessageChannel",
        "Worker",
        "WebAssembly",
        "localStorage",
        "navigator",
        "setImmediate",
        "require",
        "BigInt",
        "SharedWorker",
        "URLPattern",
        "TextDecoderStream",
    ];
    let facts_of: Vec<(String, Value)> =
        names.iter().map(|name| (format!("typeof globalThis.{name}"), json!("undefined"))).collect();
    let mut all: Vec<(&str, Value)> =
        facts_of.iter().map(|(fact, value)| (fact.as_str(), value.clone())).collect();
    all.push(("typeof new Response('x').body", json!("undefined")));
    all.push(("typeof crypto.subtle.sign", json!("undefined")));
    all.push(("eval('1')", throws("EvalError")));
    all.push(("new Function('return 1')()", throws("EvalError")));
    facts(&all).await;
}
