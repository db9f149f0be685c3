//! What is nested deeply ends the call, never the process.

use std::time::Duration;

use dgate_modules::ModuleSettings;

use crate::kit;

async fn run(body: &str) -> Result<String, String> {
    kit::run(body, ModuleSettings::default()).await
}

/// Something four thousand levels deep: `grow` makes a level around `a`.
fn deep(first: &str, grow: &str) -> String {
    format!("let a = {first}; for (let i = 0; i < 4000; i++) {{ {grow} }}")
}

const TOO_DEEP: &str = "nested more deeply than modules may have it (1000)";
const CALLS: &str = "recursion: the module's calls are nested too deeply";

#[tokio::test]
async fn values_within_values_are_refused_by_built_ins() {
    for (first, grow) in [
        ("[]", "a = [a];"),
        ("{}", "a = { a };"),
        ("new Error('x')", "const e = new Error('y'); e.a = a; a = e;"),
        ("{}", "class B {}; const b = new B(); b.a = a; a = b;"),
        // What is no function converts nothing.
        ("{}", "a = { a, toJSON: 1 };"),
    ] {
        for act in [
            "JSON.stringify(a)",
            "JSON.stringify({ in: [1, a] })",
            "ctx.response().json(a)",
            "ctx.response().write(a)",
            "Response.json(a)",
        ] {
            let body = format!("{} {act};", deep(first, grow));
            let failure = run(&body).await.expect_err(act);
            assert!(failure.contains(TOO_DEEP) || failure.contains(CALLS), "{grow} {act}: {failure}");
        }
    }
    let failure = run(&format!("{} a.flat(Infinity);", deep("[1]", "a = [a];"))).await.unwrap_err();
    assert!(failure.contains(TOO_DEEP), "{failure}");
}

#[tokio::test]
async fn what_is_no_deeper_is_written() {
    let thousand = "let a = 1; for (let i = 0; i < 1000; i++) a = [a];";
    let body =
        format!("{thousand} ctx.response().send(String(JSON.stringify(a).length + a.flat(Infinity)[0]));");
    assert_eq!(run(&body).await.as_deref(), Ok("2002"));
    let failure = run(&format!("{thousand} JSON.stringify([a]);")).await.unwrap_err();
    assert!(failure.contains(TOO_DEEP), "{failure}");
}

/// Whoever reads it again must be able to.
#[tokio::test]
async fn what_is_kept_is_not_as_deep() {
    let settings = ModuleSettings::default().with(|settings| {
        settings.default_permissions = vec!["cache".to_owned(), "resource:document:write".to_owned()];
    });
    for act in ["setCache('k', a)", "await addDocument({ id: 'd', collection: 'c', data: a })"] {
        let body = |levels: usize| {
            format!(
                "let a = 1; for (let i = 0; i < {levels}; i++) a = [a]; {act}; ctx.response().send('kept');"
            )
        };
        // There is no such collection, which is found after that.
        let result = kit::run(&body(100), settings.clone()).await;
        let is_kept = result.as_deref() == Ok("kept");
        assert!(
            is_kept || result.as_ref().is_err_and(|e| e.contains("`c` does not exist")),
            "{act}: {result:?}"
        );
        let failure = kit::run(&body(101), settings.clone()).await.unwrap_err();
        assert!(failure.contains("nested more deeply than modules may have it (100)"), "{act}: {failure}");
    }
}

/// Only what is written counts.
#[tokio::test]
async fn what_json_leaves_out_may_be_deep() {
    let body = "let deep = []; for (let i = 0; i < 2000; i++) deep = [deep];
        const f = () => 1; f.meta = deep;
        const hidden = Object.defineProperty({ a: 1 }, 'up', { value: deep });
        const all = [{ a: 1, [Symbol('p')]: deep }, { f }, hidden, { deep, toJSON() { return 1; } }];
        let error = new Error('x'); for (let i = 0; i < 1100; i++) error = new Error('y', { cause: error });
        ctx.response().send(all.map((x) => JSON.stringify(x)).join() + JSON.stringify(error) + JSON.stringify({ deep, b: 2 }, (k, v) => k === 'deep' ? 0 : v));";
    let expected = r#"{"a":1},{},{"a":1},1{}{"deep":0,"b":2}"#;
    assert_eq!(run(body).await.as_deref(), Ok(expected));
}

/// `apply` makes a list of what says that it is one.
#[tokio::test]
async fn lists_for_apply_are_not_longer_than_others() {
    for body in [
        "Math.max.apply(null, { length: 2 ** 40 });",
        "Reflect.apply(Math.max, null, { length: 2 ** 31 });",
        "Reflect.construct(Array, { length: 2 ** 31 });",
        "Function.prototype.call.apply(Math.max, { length: 2 ** 31 });",
    ] {
        let failure = run(body).await.expect_err(body);
        assert!(failure.contains("larger than modules may have it (1000000)"), "{body}: {failure}");
    }
    let fine = "ctx.response().send(String(Math.max.apply(null, [1, 3, 2]) + Reflect.construct(Array, [2]).length));";
    assert_eq!(run(fine).await.as_deref(), Ok("5"));
}

#[tokio::test]
async fn messages_have_an_end() {
    let body = "for (let i = 0; i < 10001; i++) ctx.response().headers.set(`x-${i}`, 'y');";
    let failure = run(body).await.unwrap_err();
    assert!(failure.contains("more header fields than a message may have (10000)"), "{failure}");
}

#[tokio::test]
async fn what_lies_in_itself_is_said_to() {
    for wide in ["1", "new Array(5000).fill({})"] {
        let body = format!("const a = [{wide}, {{ x: 1 }}]; a[1].a = a; JSON.stringify(a);");
        let failure = run(&body).await.unwrap_err();
        assert!(failure.contains("TypeError") && failure.contains("cycl"), "{failure}");
    }
}

#[tokio::test]
async fn what_lies_in_two_places_is_counted_twice() {
    let twice = "let a = [1]; for (let i = 0; i < 60; i++) a = [a, a];";
    let failure = run(&format!("{twice} a.flat(Infinity);")).await.unwrap_err();
    assert!(failure.contains("larger than modules may have it"), "{failure}");
    let failure = run(&format!("{twice} throw a;")).await.unwrap_err();
    assert!(failure.contains("threw a large list"), "{failure}");
    let failure = run(&format!("{twice} ctx.response().status({{ a, toString: () => 'x' }});")).await;
    assert!(failure.unwrap_err().contains("a large object"));
}

/// Values that are asked for a text, a number or a key.
#[tokio::test]
async fn texts_of_lists_within_lists() {
    let lists = deep("[]", "a = [a];");
    for act in
        ["String(a)", "`${a}`", "+a", "({})[a]", "a == 'x'", "[a, 1].sort()", "console.log(a)", "throw a"]
    {
        let result = run(&format!("{lists} {act}; ctx.response().send('went on');")).await;
        let went_on = result.as_deref() == Ok("went on");
        assert!(
            went_on || result.as_ref().is_err_and(|e| e.contains(CALLS) || e.contains("threw")),
            "{act}: {result:?}"
        );
    }
}

/// Functions of the module's own that return, so that nobody counts them as calls within calls.
#[tokio::test]
async fn functions_that_are_asked_on_the_way() {
    for body in [
        "class A { toJSON() { return { x: new A() }; } } JSON.stringify(new A());",
        "const make = () => ({ get a() { return make(); } }); JSON.stringify(make());",
        "JSON.stringify({ a: 1 }, (key, value) => ({ a: 1 }));",
    ] {
        let failure = run(body).await.expect_err(body);
        assert!(failure.contains(TOO_DEEP), "{body}: {failure}");
    }
}

/// Built-ins of which one calls the next, round and round, with no function of the module between.
#[tokio::test]
async fn built_ins_that_call_one_another() {
    for body in [
        "Array.prototype.toString.call({ join: Array.prototype.toString });",
        "({ toString: Object.prototype.toLocaleString }).toLocaleString();",
        "Promise.prototype.catch.call({ then: Promise.prototype.catch });",
        "RegExp.prototype.test.call({ exec: RegExp.prototype.test }, 'a');",
        "const o = { [Symbol.replace]: String.prototype.replace }; String.prototype.replace.call(o, o);",
        "const o = { [Symbol.match]: String.prototype.match }; String.prototype.match.call(o, o);",
        "const m = new Map(); m.set(1, Map.prototype.forEach.bind(m)); m.forEach(m.get(1));",
        "const a = []; a.push(Array.prototype.forEach.bind(a)); a.forEach(a[0]);",
        "const f = Date.prototype.toJSON; JSON.stringify({ toISOString: f, toJSON: f, valueOf() { return 1; } });",
        "const get = Object.getOwnPropertyDescriptor(RegExp.prototype, 'flags').get, o = {};
         Object.defineProperty(o, 'hasIndices', { get }); get.call(o);",
        "const a = []; a.push(a); function C(f) { f(() => {}, () => {}); } C.resolve = Promise.all; Promise.all.call(C, a);",
        "const o = {}; o[Symbol.toPrimitive] = btoa.bind(null, o); btoa(o);",
        "const r = ctx.response(), o = {}; o[Symbol.toPrimitive] = r.status.bind(r, o); r.status(o);",
        "const o = {}; o[Symbol.toPrimitive] = Math.floor.bind(null, o); +o;",
        "const o = {}; o[Symbol.toPrimitive] = Number.bind(null, o); +o;",
        "const f = () => 1, p = new Proxy(f, { apply: String }); f[Symbol.toPrimitive] = p; `${f}`;",
        "const o = {}; Object.defineProperty(o, Symbol.toStringTag, { get: Object.prototype.toString }); `${o}`;",
        "const a = []; Object.defineProperty(a, 'x', { get: Array.prototype.pop }); const o = { get length() { return 1; } };
         Object.defineProperty(o, 0, { get: Array.prototype.at }); Array.prototype.at.call(o, 0);",
        "const own = (o, k, v) => Object.defineProperty(o, k, { value: v }); const cap = (on) => { let r; Promise.prototype.finally.call({ then(a) { r = a; } }, on); return r; };
         let thunk; const y = Promise.resolve(); own(y, 'then', (t) => { thunk = t; }); const x = Promise.resolve(); cap(() => y)(x); const g = cap(thunk); own(x, 'then', g); g(1);",
        "let i = [1].values(); for (let n = 0; n < 100000; n++) i = i.map((x) => x); i.next();",
    ] {
        let failure = run(body).await.expect_err(body);
        assert!(failure.contains(CALLS), "{body}: {failure}");
    }
}

/// The engine drops what it says itself in what goes on after an `await`.
#[tokio::test]
async fn after_waiting() {
    for body in [
        "const o = {}; o[Symbol.toPrimitive] = Math.floor.bind(null, o); +o;",
        "Array.prototype.toString.call({ join: Array.prototype.toString });",
    ] {
        let failure = run(&format!("await null; {body}")).await.expect_err(body);
        assert!(failure.contains(CALLS), "{body}: {failure}");
    }
}

#[tokio::test]
async fn chains_of_prototypes_are_short() {
    let too_many = "more prototypes than an object may have (1000)";
    for grow in [
        "a = Object.create(a);",
        "const o = {}; Object.setPrototypeOf(o, a); a = o;",
        "const o = {}; Reflect.setPrototypeOf(o, a); a = o;",
        "const o = {}; o.__proto__ = a; a = o;",
    ] {
        let failure = run(&deep("{}", grow)).await.expect_err(grow);
        assert!(failure.contains(too_many), "{grow}: {failure}");
    }
    // Nobody looks when these are made; there is room for them.
    for (first, grow) in [
        ("{}", "a = { __proto__: a };"),
        ("class {}", "a = class extends a {};"),
        ("{}", "function F() {} F.prototype = a; a = new F();"),
    ] {
        let body = format!("{} ctx.response().send(String(a.nothing));", deep(first, grow));
        assert_eq!(run(&body).await.as_deref(), Ok("undefined"), "{grow}");
    }
}

#[tokio::test]
async fn chains_of_proxies_are_bounded() {
    let proxies = "let a = new Proxy({}, {}); for (let i = 0; i < 10000; i++) a = new Proxy(a, {});";
    for act in
        ["a.x", "a.x = 1", "'x' in a", "Object.keys(a)", "Object.getPrototypeOf(a)", "JSON.stringify(a)"]
    {
        let body = format!("{proxies} {act}; ctx.response().send('fine');");
        assert_eq!(run(&body).await.as_deref(), Ok("fine"), "{act}");
    }
    for one_more in ["new Proxy(a, {})", "Proxy.revocable(a, {})"] {
        let failure = run(&format!("{proxies} {one_more};")).await.expect_err(one_more);
        assert!(failure.contains("more proxies of proxies than a runtime may make (10000)"), "{failure}");
    }
    let apart =
        "for (let i = 0; i < 20000; i++) Object.create(new Proxy({}, {})); ctx.response().send('fine');";
    assert_eq!(run(apart).await.as_deref(), Ok("fine"));
}

#[tokio::test]
async fn proxies_are_what_they_were() {
    let body = "
        const p = new Proxy({ a: 1 }, { get: (o, k) => k === 'b' ? 2 : o[k] });
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        const errors = [() => Proxy({}, {}), () => proxy.x, () => new Proxy(1, {})].map((f) => { try { f(); } catch (e) { return e.name; } });
        ctx.response().json([p.a, p.b, typeof Proxy, Proxy.name, Proxy.length, 'prototype' in Proxy, ...errors,
            Object.create(p).b, Object.getOwnPropertyDescriptor(Object.getPrototypeOf({}), '__proto__').set.name]);";
    let expected =
        r#"[1,2,"function","Proxy",2,false,"TypeError","TypeError","TypeError",2,"set __proto__"]"#;
    assert_eq!(run(body).await.as_deref(), Ok(expected));
}

/// Through a proxy an object may inherit from itself.
#[tokio::test]
async fn what_inherits_from_itself_ends_the_call() {
    for body in [
        "const h = {}, p = new Proxy({}, h); Object.setPrototypeOf(h, p); p.x;",
        "const h = {}, p = new Proxy({}, h); h.__proto__ = p; p.x;",
        "const t = {}, p = new Proxy(t, {}); Reflect.setPrototypeOf(t, Object.create(p)); t.x;",
        "const t = {}, p = new Proxy(t, {}); Object.setPrototypeOf(p, Object.create(p)); t.x;",
    ] {
        let failure = run(body).await.expect_err(body);
        assert!(failure.contains(CALLS), "{body}: {failure}");
    }
    for act in ["t instanceof Map", "Map.prototype.isPrototypeOf(t)"] {
        let body = format!("const t = {{}}, p = new Proxy(t, {{}}); Object.setPrototypeOf(t, p); {act};");
        let settings =
            ModuleSettings::default().with(|settings| settings.limits.cpu = Duration::from_millis(300));
        let failure = kit::run_as(&body, settings).await.expect_err(act);
        assert!(failure.contains("computed for longer than"), "{act}: {failure}");
    }
    let fine = "const p = new Proxy({ a: 1 }, {}), o = {}; Object.setPrototypeOf(o, p); ctx.response().send(String(o.a));";
    assert_eq!(run(fine).await.as_deref(), Ok("1"));
}

#[tokio::test]
async fn calls_within_calls() {
    let sum = "const f = (n) => n && 1 + f(n - 1);";
    let body = format!("{sum} ctx.response().send(String(f(900)));");
    assert_eq!(run(&body).await.as_deref(), Ok("900"));
    for body in [
        "const f = () => 1 + f(); f();",
        "const f = (n) => [n].map(f); f(1);",
        "const o = { get a() { return Reflect.get(o, 'a'); } }; o.a;",
        "const f = () => 'a'.replace(/a/, f); f();",
        "class A { constructor() { Reflect.construct(A, []); } } new A();",
        "const p = new Proxy({}, { get: (t, k) => p[k] }); p.x;",
        "const f = (s) => f`a`; f`b`;",
        "function* g() { yield* g(); } [...g()];",
    ] {
        let most = ModuleSettings::default().with(|settings| settings.limits.recursion = 4_000);
        let failure = kit::run(body, most).await.expect_err(body);
        assert!(failure.contains(CALLS), "{body}: {failure}");
    }
}

/// What makes a level of a source, before and after what lies in it.
const LEVELS: [(&str, &str); 12] = [
    ("[", "]"),
    ("(", ")"),
    ("f(", ")"),
    ("!", ""),
    ("{a:", "}"),
    ("x=>", ""),
    ("x?1:", ""),
    ("`${", "}`"),
    ("class{a=", "}"),
    ("function(){return ", "}"),
    ("f`${", "}`"),
    ("async()=>", ""),
];

/// A module whose handler makes something that is so deep, at the end of the third line, and does not look at it.
fn nested((open, close): (&str, &str), levels: usize) -> String {
    let value = format!("{}1{}", open.repeat(levels), close.repeat(levels));
    let value = if open.starts_with('{') || open.starts_with("class") || open.starts_with("function") {
        format!("({value})")
    } else {
        value
    };
    format!(
        "const f = (x) => x, x = 0;\nconst use = () => {{\n  return {value}; }};\nuse(); ctx.response().send('fine');"
    )
}

#[tokio::test]
async fn sources_that_are_nested_deeply_run() {
    for level in LEVELS {
        assert_eq!(run(&nested(level, 150)).await.as_deref(), Ok("fine"), "{level:?}");
    }
    for level in [("[", "]"), ("!", "")] {
        assert_eq!(run(&nested(level, 900)).await.as_deref(), Ok("fine"), "{level:?}");
    }
    let sum = format!("ctx.response().send(String({}1));", "1+".repeat(5_000));
    assert_eq!(run(&sum).await.as_deref(), Ok("5001"));
}

#[tokio::test]
async fn sources_that_are_nested_too_deeply_are_refused_with_their_place() {
    for level in LEVELS {
        for levels in [1_001, 100_000] {
            let refused = run(&nested(level, levels)).await.expect_err(level.0);
            let says = refused.contains("m.ts:4:") && refused.contains("nested too deeply");
            assert!(says, "{level:?} {levels}: {}", refused.chars().take(300).collect::<String>());
        }
    }
    for (open, close) in
        [("if(x)", "0;"), ("{", "}"), ("x=", "0;"), ("l:", ";"), ("for(;;)", ";"), ("do ", ";")]
    {
        let body =
            format!("let x;\n{}{}", open.repeat(50_000), close.repeat(if open == "{" { 50_000 } else { 1 }));
        let refused = run(&body).await.expect_err(open);
        assert!(refused.contains("m.ts:"), "{open}: {}", refused.chars().take(300).collect::<String>());
    }
}
