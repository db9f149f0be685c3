//! `Request` and `Response` beyond the plain cases; `fetch` itself is in `fetching.rs`.

use serde_json::{Value, json};

use super::{facts, throws};

#[tokio::test]
async fn responses() {
    facts(&[
        ("(() => { const r = new Response(); return [r.type, r.url, r.redirected, r.ok, r.statusText, r.bodyUsed]; })()", json!(["default", "", false, true, "", false])),
        ("(() => { const r = Response.error(); return [r.type, r.status, r.ok, r.statusText]; })()", json!(["error", 0, false, ""])),
        ("Response.error().clone().type", json!("error")),
        ("[200, 299, 300, 599].map((status) => new Response('', { status }).ok)", json!([true, true, false, false])),
        ("[0, 100, 199, 600, 1000, 'x', NaN].map((status) => { try { new Response('', { status }); } catch (e) { return e.name; } })",
            json!(["RangeError", "RangeError", "RangeError", "RangeError", "RangeError", "RangeError", "RangeError"])),
        ("[204, 205, 304].map((status) => { try { new Response('', { status }); } catch (e) { return e.name; } })", json!(["TypeError", "TypeError", "TypeError"])),
        ("[204, 205, 304].map((status) => new Response(null, { status }).status)", json!([204, 205, 304])),
        ("new Response('', { statusText: 'a\\nb' })", throws("TypeError")),
        ("new Response('', { statusText: '\u{100}' })", throws("TypeError")),
        ("new Response('', { statusText: 'It is \u{e9}' }).statusText", json!("It is \u{e9}")),
        ("new Response('x', null).status", json!(200)),
        ("new Response('x', 5)", throws("TypeError")),
        ("new Response('x', { headers: null }).headers.get('content-type')", json!("text/plain;charset=UTF-8")),
        ("new Response('x', { headers: { 'Content-Type': 'a/b' } }).headers.get('content-type')", json!("a/b")),
        ("new Response('x', { headers: 5 })", throws("TypeError")),
        ("await new Response(undefined).text() + await new Response(null).text()", json!("")),
        ("await new Response(5).text() + await new Response(true).text() + await new Response({}).text()", json!("5true[object Object]")),
        ("await new Response(new Uint8Array([104, 105]).subarray(1)).text()", json!("i")),
        ("await new Response(new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 0xff])).text()", json!("a\u{fffd}")),
        ("await new Response('\\ufeffa\\ud800').text()", json!("a\u{fffd}")),
        ("await new Response('\\ufeff1').json()", json!(1)),
        ("[...await new Response('\u{e9}').bytes()]", json!([195, 169])),
        ("(async () => { const b = new Uint8Array([1]); const r = new Response(b); b[0] = 2; return [...await r.bytes()]; })()", json!([1])),
        ("(async () => { const r = new Response(null); await r.text(); return [r.bodyUsed, await r.text()]; })()", json!([false, ""])),
        ("(async () => { const r = new Response(''); await r.text(); return r.bodyUsed; })()", json!(true)),
        ("(async () => { const r = new Response('x'); await r.text(); r.clone(); })()", throws("TypeError")),
        ("(async () => { const r = new Response('x'); const all = [r.text(), r.json().catch((e) => e.name)]; return Promise.all(all); })()", json!(["x", "TypeError"])),
        ("(() => { const r = new Response('x', { status: 201, statusText: 'Made', headers: { a: 'b' } }); const c = r.clone(); c.headers.set('a', 'c'); return [c.status, c.statusText, r.headers.get('a'), c.headers.get('a')]; })()", json!([201, "Made", "b", "c"])),
        ("Response.json()", throws("TypeError")),
        ("Response.json(undefined)", throws("TypeError")),
        ("Response.json(Symbol('x'))", throws("TypeError")),
        ("Response.json(() => 1)", throws("TypeError")),
        ("Response.json(1, { status: 204 })", throws("TypeError")),
        ("Response.json({}, { headers: { 'Content-Type': 'a/b' } }).headers.get('content-type')", json!("a/b")),
        ("await Response.json(null).text()", json!("null")),
        ("Response.json(1, null).status", json!(200)),
        ("Response.redirect('/relative')", throws("TypeError")),
        ("Response.redirect('http://a', 304)", throws("RangeError")),
        ("[301, 302, 303, 307, 308].map((s) => Response.redirect('http://a/?b c', s)).map((r) => [r.status, r.headers.get('location')])[4]", json!([308, "http://a/?b%20c"])),
        ("Response()", throws("TypeError")),
        ("Object.prototype.toString.call(new Response())", json!("[object Response]")),
    ])
    .await;
}

#[tokio::test]
async fn requests() {
    facts(&[
        ("new Request()", throws("TypeError")),
        ("new Request('http://a', null).method", json!("GET")),
        ("new Request('http://a', 5)", throws("TypeError")),
        ("new Request(new URL('http://a/b')).url", json!("http://a/b")),
        ("['get', 'head', 'delete', 'options', 'put', 'Post'].map((method) => new Request('http://a', { method }).method)", json!(["GET", "HEAD", "DELETE", "OPTIONS", "PUT", "POST"])),
        ("['connect', 'TRACK', 'trace', '', 'a b', 'GET\\n'].map((method) => { try { new Request('http://a', { method }); } catch (e) { return e.name; } })",
            json!(["TypeError", "TypeError", "TypeError", "TypeError", "TypeError", "TypeError"])),
        ("['GET', 'HEAD'].map((method) => { try { new Request('http://a', { method, body: '' }); } catch (e) { return e.name; } })", json!(["TypeError", "TypeError"])),
        ("new Request('http://a', { method: 'GET', body: null }).method", json!("GET")),
        ("new Request('http://a').redirect", json!("follow")),
        ("['follow', 'error', 'manual'].map((redirect) => new Request('http://a', { redirect }).redirect)", json!(["follow", "error", "manual"])),
        ("new Request('http://a', { redirect: 'sometimes' })", throws("TypeError")),
        ("new Request('http://a', { signal: 5 })", throws("TypeError")),
        ("new Request('http://a', { signal: null }).signal.aborted", json!(false)),
        ("(() => { const c = new AbortController(); const r = new Request('http://a', { signal: c.signal }); c.abort('x'); return [r.signal.aborted, r.signal.reason, new Request(r).signal.aborted]; })()", json!([true, "x", true])),
        ("new Request('http://a', { method: 'PUT', body: new URLSearchParams({ a: '1 2' }) }).headers.get('content-type')", json!("application/x-www-form-urlencoded;charset=UTF-8")),
        ("await new Request('http://a', { method: 'PUT', body: new URLSearchParams({ a: '1 2' }) }).text()", json!("a=1+2")),
        ("new Request('http://a', { method: 'PUT', body: new ArrayBuffer(1) }).headers.get('content-type')", Value::Null),
        ("(() => { const from = new Request('http://a/b', { method: 'PUT', headers: { x: '1' }, body: 'y' }); const to = new Request(from, { method: 'PATCH' }); return [to.url, to.method, to.headers.get('x'), from.bodyUsed, to.bodyUsed]; })()", json!(["http://a/b", "PATCH", "1", true, false])),
        ("(() => { const from = new Request('http://a', { method: 'PUT', body: 'y' }); new Request(from); new Request(from); })()", throws("TypeError")),
        ("(async () => { const from = new Request('http://a', { method: 'PUT', body: 'y' }); const to = new Request(from, { body: 'z' }); return [await to.text(), from.bodyUsed]; })()", json!(["z", false])),
        ("(async () => { const r = new Request('http://a', { method: 'PUT', body: '[1]' }); return [await r.clone().json(), await r.json()]; })()", json!([[1], [1]])),
        ("(() => { const a = new Request('http://a', { headers: { x: '1' } }); const b = a.clone(); b.headers.set('x', '2'); return a.headers.get('x'); })()", json!("1")),
        ("Object.prototype.toString.call(new Request('http://a'))", json!("[object Request]")),
        ("fetch()", throws("TypeError")),
        ("await fetch('/relative')", throws("TypeError")),
        ("await fetch('data:,x')", throws("TypeError")),
        ("await fetch('http://u:p@a/')", throws("TypeError")),
        ("await fetch('http://a/', null)", throws("PermissionDenied")),
        ("await fetch('http://a/', { redirect: 'x' })", throws("TypeError")),
        ("(async () => { try { await fetch('http://a/', { signal: AbortSignal.abort('why') }); } catch (e) { return e; } })()", json!("why")),
    ])
    .await;
}
