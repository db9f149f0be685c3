//! What needs the engine, and that this is told.

use crate::direct::Translation;
use crate::hook::Hook;

#[test]
fn nothing_is_too_deep_or_too_long() {
    let hook =
        |value: &str| format!("export function requestHandler(ctx) {{ ctx.response().send({value}); }}");
    let many = |begin: &str, middle: &str, end: &str, times: usize| {
        hook(&format!("{}{middle}{}", begin.repeat(times), end.repeat(times)))
    };
    for (source, what) in [
        (many("!", "1", "", 900), "what is nested this deeply"),
        (many("", "ctx.id", " + ctx.id", 900), "what is nested this deeply"),
        (many("ctx.id ? 1 : ", "2", "", 900), "what is nested this deeply"),
        (many("[", "1", "]", 900), "what is nested this deeply"),
        (hook(&format!("[{}]", "ctx.id,".repeat(3_000))), "a hook that is this long"),
        (
            (1..40).fold("function f0(x) { return x; }".to_owned(), |all, n| {
                format!("{all} function f{n}(x) {{ return f{}(x) + f{}(x); }}", n - 1, n - 1)
            }) + &hook("f39('a')"),
            "a function that calls itself, or many within one another",
        ),
        (
            (1..12).fold("function f0(x) { return x; }".to_owned(), |all, n| {
                format!("{all} function f{n}(x) {{ return f{}(x) + f{}(x); }}", n - 1, n - 1)
            }) + &hook("f11('a')"),
            "a hook that is this long",
        ),
    ] {
        let hooks = crate::typescript::compile(&source, true).unwrap().translated.hooks.unwrap();
        match &hooks[Hook::RequestHandler as usize] {
            Translation::Engine(obstacle) => assert_eq!(obstacle.what, what, "{source:.90}"),
            other => panic!("{other:?}: {source:.90}"),
        }
    }
    let deep = many("!", "1", "", 150);
    let hooks = crate::typescript::compile(&deep, true).unwrap().translated.hooks.unwrap();
    assert!(matches!(hooks[Hook::RequestHandler as usize], Translation::Direct(_)));
}

#[test]
fn what_needs_the_engine_is_told() {
    let cases = [
        ("export function requestHandler(ctx) {\n  for (;;) {}\n}", "2:3", "a loop"),
        ("export function requestHandler(ctx) { for (const c of ['a']) {} }", "1:39", "a loop"),
        ("export function requestHandler(ctx) { ['a'].map((a) => a); }", "1:45", "`map` of a list"),
        (
            "export function requestHandler(ctx) { ctx.id?.at(9).length; }",
            "1:53",
            "`?.` before what may be nothing by itself",
        ),
        (
            "export function requestHandler(ctx) { ctx.response().status(201); ctx.env.A.slice(1); }",
            "1:77",
            "a text that is taken apart after something was changed",
        ),
        (
            "const A = ['a']; export function requestHandler(ctx) { A.includes('a'); } function f() { A.push('b'); }",
            "1:56",
            "`A`, which the hook does not make itself",
        ),
        (
            "const A = ['a']; export function requestHandler(ctx) { A.includes('a'); } function f() { A.map((a, i, all) => all.pop()); }",
            "1:56",
            "`A`, which the hook does not make itself",
        ),
        (
            "export function requestHandler(ctx) { atob('x' + ctx.response().headers.append('a', 'b')); }",
            "1:39",
            "`atob` after something was changed",
        ),
        (
            "import { getCache } from 'dgate/storage'; export function requestHandler(ctx) { getCache(ctx.id + ctx.response().headers.append('a', 'b')); }",
            "1:81",
            "the cache after something was changed",
        ),
        (
            "export function requestHandler(ctx) { ctx.id.split(''); }",
            "1:46",
            "`split` of a text that is not known beforehand",
        ),
        (
            "export function requestHandler(ctx) { ctx.pathParam('x')?.trim().split(','); }",
            "1:39",
            "`?.` of what may be a list",
        ),
        ("export function requestHandler(ctx) { const a = [1]; a.push(2); }", "1:56", "`push` of a list"),
        (
            "export function requestHandler(ctx) { switch (ctx.id) { case 'a': if (ctx.id) break; } }",
            "1:79",
            "`break` within a case",
        ),
        ("export function requestHandler(ctx) { fetch('x'); }", "1:39", "`fetch`"),
        ("export function requestHandler(ctx) { ctx.set('a', {}); }", "1:52", "an object used as a value"),
        ("let n = 0; export function requestHandler(ctx) { n = n + 1; }", "1:50", "an assignment to `n`"),
        (
            "let n = 0; export function requestHandler(ctx) { ctx.response().send(n); } function f() { n = 1; }",
            "1:70",
            "`n`, which the hook does not make itself",
        ),
        (
            "import { a } from './b'; export function requestHandler(ctx) { a(ctx); }",
            "1:64",
            "`a`, which is no function of the module",
        ),
        (
            "function f(ctx) { f(ctx); } export function requestHandler(ctx) { f(ctx); }",
            "1:1",
            "a function that calls itself, or many within one another",
        ),
        (
            "export async function requestHandler(ctx) { g(ctx); } async function g(ctx) {}",
            "1:45",
            "`g`, which is not waited for",
        ),
        ("export function requestHandler(ctx) { try {} catch {} }", "1:39", "`try`"),
        (
            "export function requestHandler(ctx) { if (ctx.id) { var x = 1 } else { var x = 2 } }",
            "1:53",
            "`var`",
        ),
        ("export function requestHandler(ctx) { const x = 1; x = 2; }", "1:52", "an assignment to `x`"),
        (
            "export function requestHandler(ctx) { const { name } = ctx.service(); }",
            "1:45",
            "a value that is taken apart",
        ),
        (
            "export default { fetch: make() }; function make() {}",
            "1:18",
            "what is not exported as a function of the module",
        ),
        ("export default { fetch(r, e, ctx) { ctx.request(); } }", "1:41", "`ctx.request`"),
        (
            "export default { fetch(r) { return f(r); } }; function f(r) {}",
            "1:38",
            "an object that is handed on",
        ),
        ("export default { fetch(r) { r.headers.set('a', 'b'); } }", "1:39", "`set` of this"),
        ("export function requestModifier() { return new Response('x'); }", "1:44", "`new`"),
        (
            "export function requestHandler() { return new Response('x', { statusText: 'y' }); }",
            "1:63",
            "the option `statusText`",
        ),
        (
            "export function requestHandler(ctx) { ctx.query().get('a'); ctx.request().path = '/'; }",
            "1:61",
            "the query of a request whose path is changed",
        ),
        (
            "export function requestHandler(ctx) { ctx.response().send('\\ud800'); }",
            "1:59",
            "an expression of this kind",
        ),
        (
            "export function requestModifier(ctx) { ctx.upstream(); } export function requestHandler() {}",
            "1:44",
            "`ctx.upstream`",
        ),
    ];
    for (source, place, what) in cases {
        let compiled = crate::typescript::compile(source, true).unwrap();
        let hooks = compiled.translated.hooks.expect("what it exports is known");
        let found = hooks.iter().find_map(|hook| match hook {
            Translation::Engine(obstacle) => Some(obstacle.clone()),
            _ => None,
        });
        let found = found.unwrap_or_else(|| panic!("{source} needs no engine"));
        assert_eq!((found.place.to_string().as_str(), found.what.as_str()), (place, what), "{source}");
    }
    for unknown in [
        "export * from './a'; export function requestHandler() {}",
        "export default make(); function make() { return {}; }",
        "const d = { requestHandler() {} }; export { d as default };",
        "export { default } from './lib';",
        "export default { __proto__: { requestHandler() {} } };",
        "export class requestHandler {}",
        "exports.requestHandler = () => {};",
    ] {
        assert!(crate::typescript::compile(unknown, false).unwrap().translated.hooks.is_none(), "{unknown}");
    }
    // A hook by its own name comes before those of the default export.
    let source = "export default { fetch() {}, requestHandler() {} }; export const requestHandler = (ctx) => ctx.response().end(); export function fetchUpstreamUrl() { return loop(); } export function fetchUpstream() { return 'http://a'; }";
    let hooks = crate::typescript::compile(source, true).unwrap().translated.hooks.unwrap();
    assert!(matches!(hooks[Hook::RequestHandler as usize], Translation::Direct(_)));
    assert!(matches!(hooks[Hook::FetchUpstream as usize], Translation::Direct(_)));
    // What a hook is may change while the module runs.
    let source = "export function requestHandler(ctx) {} requestHandler = null;";
    let hooks = crate::typescript::compile(source, true).unwrap().translated.hooks.unwrap();
    assert!(matches!(hooks[Hook::RequestHandler as usize], Translation::Engine(_)));
}

/// Whether the engine may have to take over, before something was changed or later.
#[test]
fn it_is_known_when_the_engine_may_be_needed_after_all() {
    let cases = [
        ("ctx.set('a', 1);", (false, false)),
        ("ctx.get('a');", (true, false)),
        ("ctx.upstream().headers.set('a', ctx.get('a'));", (true, false)),
        ("ctx.upstream().headers.set('a', ctx.get('a')); ctx.get('b');", (true, true)),
        ("if (ctx.id) { ctx.upstream().status(404); return; } ctx.get('b');", (true, false)),
        ("if (ctx.id) ctx.upstream().status(404); ctx.get('b');", (true, true)),
        ("if (ctx.id) ctx.upstream().status(404); else ctx.get('b');", (true, false)),
        ("if (ctx.id) return; else ctx.upstream().status(404); ctx.get('b');", (true, true)),
        (
            "if (ctx.id) {} else { ctx.upstream().status(404); throw new Error('x'); } ctx.get('b');",
            (true, false),
        ),
        ("f(ctx); ctx.get('b');", (true, true)),
        ("g(ctx); ctx.get('b');", (true, false)),
        ("ctx.id && ctx.set('a', 1); ctx.get('b');", (true, true)),
        ("switch (ctx.id) { case 'a': ctx.set('a', 1); return; case 'b': ctx.get('b'); }", (true, false)),
        ("switch (ctx.id) { case 'a': ctx.set('a', 1); break; case 'b': } ctx.get('b');", (true, true)),
        ("switch (ctx.id) { case 'a': break; default: ctx.set('a', 1); } ctx.get('b');", (true, true)),
    ];
    for (body, expected) in cases {
        let source = format!(
            "export function responseModifier(ctx) {{ {body} }} function f(ctx) {{ if (ctx.id) {{ ctx.upstream().status(404); return; }} }} function g(ctx) {{ return ctx.upstream().headers.get('x'); }}"
        );
        let hooks = crate::typescript::compile(&source, true).unwrap().translated.hooks.unwrap();
        match &hooks[Hook::ResponseModifier as usize] {
            Translation::Direct(function) => {
                assert_eq!((function.doubt.shares, function.doubt.shares_late), expected, "{body}");
            }
            other => panic!("{other:?}: {body}"),
        }
    }
}
