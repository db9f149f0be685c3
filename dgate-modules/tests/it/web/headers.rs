//! `Headers` beyond the plain cases.

use serde_json::{Value, json};

use super::{facts, throws};

#[tokio::test]
async fn of_all_kinds() {
    facts(&[
        ("[...new Headers(new Map([['b', 1], ['a', 2]]))]", json!([["a", "2"], ["b", "1"]])),
        ("[...new Headers([new Set(['a', 'b'])])]", json!([["a", "b"]])),
        ("new Headers(['ab'])", throws("TypeError")),
        ("new Headers([['a', 'b', 'c']])", throws("TypeError")),
        ("new Headers([1])", throws("TypeError")),
        ("new Headers(1)", throws("TypeError")),
        ("new Headers(undefined).get('a')", Value::Null),
        (
            "[...new Headers({ a: null, b: undefined, c: 1, d: true, e: [1, 2] })]",
            json!([["a", "null"], ["b", "undefined"], ["c", "1"], ["d", "true"], ["e", "1,2"]]),
        ),
        ("new Headers({ [Symbol('a')]: 1 })", throws("TypeError")),
        ("[...new Headers(Object.defineProperty({ a: 1 }, 'b', { value: 2 }))]", json!([["a", "1"]])),
        ("[...new Headers(Object.create({ inherited: 1 }))]", json!([])),
        ("new Headers({ a: { toString() { throw new RangeError(); } } })", throws("RangeError")),
        ("[...new Headers({ A: 1, a: 2 })]", json!([["a", "1, 2"]])),
        ("new Headers({ get a() { return 1; } }).get('a')", json!("1")),
    ])
    .await;
}

#[tokio::test]
async fn names_and_values() {
    let refused = [
        "", " a", "a ", "a\\tb", "a:b", "a(b", "a\u{7f}", "é", "a\\nb", "\u{100}", "a/b", "{a}", "a,b", "a@b",
    ];
    let facts_of: Vec<String> = refused.iter().map(|name| format!("new Headers().has('{name}')")).collect();
    let mut all: Vec<(&str, Value)> =
        facts_of.iter().map(|fact| (fact.as_str(), throws("TypeError"))).collect();
    all.extend([
        ("new Headers([[\"!#$%&'*+-.^_`|~09az\", 'x']]).has(\"!#$%&'*+-.^_`|~09AZ\")", json!(true)),
        ("new Headers([['a', '\\t \\r\\n x y \\n']]).get('a')", json!("x y")),
        ("new Headers([['a', '\\u000bx']])", throws("TypeError")),
        ("new Headers([['a', 'x\\ny']])", throws("TypeError")),
        ("new Headers([['a', 'x\\ry']])", throws("TypeError")),
        ("new Headers([['a', 'x\\0']])", throws("TypeError")),
        ("new Headers([['a', '\u{20ac}']])", throws("TypeError")),
        ("new Headers([['a', 'x\\ty']]).get('a')", json!("x\ty")),
        ("new Headers([['a', '\u{ff}']]).get('a')", json!("\u{ff}")),
        ("new Headers([['a', '']]).get('a')", json!("")),
        ("new Headers().get(Symbol('a'))", throws("TypeError")),
    ]);
    facts(&all).await;
}

#[tokio::test]
async fn methods() {
    let missing = [
        "get()",
        "has()",
        "delete()",
        "set('a')",
        "set()",
        "append('a')",
        "append()",
        "forEach()",
        "forEach(1)",
    ];
    let facts_of: Vec<String> = missing.iter().map(|call| format!("new Headers().{call}")).collect();
    let mut all: Vec<(&str, Value)> =
        facts_of.iter().map(|fact| (fact.as_str(), throws("TypeError"))).collect();
    all.extend([
        ("(() => { const h = new Headers([['a', '1'], ['a', '2']]); h.set('A', '3'); return h.get('a'); })()", json!("3")),
        ("(() => { const h = new Headers(); h.append('a', ''); h.append('a', 'b'); h.append('a', ''); return h.get('a'); })()", json!(", b, ")),
        ("(() => { const h = new Headers({ a: 1 }); return [h.delete('b'), h.delete('a'), h.has('a')].map(String); })()", json!(["undefined", "undefined", "false"])),
        ("(() => { const h = new Headers({ b: 2, a: 1 }); const seen = []; h.forEach(function (v, k, all) { seen.push([k, v, all === h, this.x]); }, { x: 5 }); return seen; })()",
            json!([["a", "1", true, 5], ["b", "2", true, 5]])),
        ("[[...new Headers({ b: 2, a: 1 }).keys()], [...new Headers({ b: 2, a: 1 }).values()]]", json!([["a", "b"], ["1", "2"]])),
        ("Headers.prototype[Symbol.iterator] === Headers.prototype.entries", json!(true)),
        ("(() => { const i = new Headers({ a: 1 }).entries(); return [i[Symbol.iterator]() === i, i.next(), i.next().done]; })()", json!([true, { "value": ["a", "1"], "done": false }, true])),
        ("Headers.prototype.get.call({}, 'a')", throws("TypeError")),
    ]);
    facts(&all).await;
}

#[tokio::test]
async fn cookies_that_are_set_stay_apart() {
    facts(&[
        ("new Headers().getSetCookie()", json!([])),
        ("new Headers([['Set-Cookie', 'a=b']]).getSetCookie()", json!(["a=b"])),
        ("new Headers({ 'Set-Cookie': 'a=b' }).get('set-cookie')", json!("a=b")),
        ("(() => { const h = new Headers([['set-cookie', 'x=x'], ['SET-COOKIE', 'y=y'], ['a', '1'], ['z', '2']]); return [h.get('Set-Cookie'), [...h]]; })()",
            json!(["x=x, y=y", [["a", "1"], ["set-cookie", "x=x"], ["set-cookie", "y=y"], ["z", "2"]]])),
        ("(() => { const h = new Headers([['set-cookie', 'a=1'], ['set-cookie', 'a=1']]); return h.getSetCookie(); })()", json!(["a=1", "a=1"])),
        ("(() => { const h = new Headers([['set-cookie', 'a=1'], ['set-cookie', 'b=2']]); h.set('set-cookie', 'c=3'); return h.getSetCookie(); })()", json!(["c=3"])),
        ("(() => { const h = new Headers([['set-cookie', 'a=1'], ['set-cookie', 'b=2']]); h.delete('set-cookie'); return [h.has('set-cookie'), h.getSetCookie()]; })()", json!([false, []])),
        ("new Headers(new Headers([['set-cookie', 'a=1'], ['set-cookie', 'b=2']])).getSetCookie()", json!(["a=1", "b=2"])),
        ("new Headers([['set-cookie', ' a=1 '], ['set-cookie', '']]).getSetCookie()", json!(["a=1", ""])),
        ("new Headers([['set-cookie2', 'a'], ['set-cookie2', 'b']]).get('set-cookie2')", json!("a, b")),
    ])
    .await;
}
