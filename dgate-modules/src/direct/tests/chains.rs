//! Chains of modules.

/// Chains of two modules, the second of which says what was; each with what is given to the first besides its source.
pub(super) const CHAINS: &[(&str, &str, &str, &str)] = &[
    (
        "open-answered",
        "open",
        "export function requestHandler(ctx) { ctx.response().status(403).end('no'); throw new Error('x' + 1); }",
        "export function requestHandler(ctx) { ctx.response().send('two'); }",
    ),
    (
        "open-status",
        "open",
        "export function requestHandler(ctx) { ctx.response().status(403); throw new Error(`x`); }",
        "export function requestHandler(ctx) { ctx.response().send('two'); }",
    ),
    (
        "open-nothing",
        "open",
        "export function requestHandler(ctx) { throw new Error(`x`); }",
        "export function requestHandler(ctx) { ctx.response().send('two'); }",
    ),
    (
        "open-modifier",
        "open",
        "export function requestModifier(ctx) { ctx.response().end('no'); throw new Error(`x`); }",
        "export function requestModifier(ctx) { ctx.request().headers.set('x-second', 'y'); } export function requestHandler(ctx) { ctx.response().end('late'); }",
    ),
    (
        "first-answers",
        "closed",
        "export function requestHandler(ctx) { ctx.response().send('one'); }",
        "export function requestHandler(ctx) { ctx.response().send('two'); }",
    ),
    (
        "query-of-path",
        "closed",
        "export function fetchUpstream(ctx) { ctx.request().headers.set('x-n', ctx.query().get('n')); }",
        "export function requestModifier(ctx) { ctx.request().path = '/x?y=1'; } export function responseModifier(ctx) { ctx.upstream().headers.set('x-y', `${ctx.query().get('y')} ${ctx.query().get('n')}`); }",
    ),
    (
        "query-of-path-engine",
        "closed",
        "export function fetchUpstream(ctx) { for (;;) { ctx.query().set('n', '8'); break; } }",
        "export function requestModifier(ctx) { ctx.request().headers.set('x-n', ctx.query().get('n')); } export function responseModifier(ctx) { ctx.upstream().headers.set('x-n', ctx.query().get('n')); }",
    ),
    (
        "mixed",
        "closed",
        "export function requestModifier(ctx) { for (const name of ['x-a', 'x-b']) ctx.request().headers.set(name, '1'); ctx.set('k', 'v'); }",
        "export function requestModifier(ctx) { ctx.request().headers.set('x-c', ctx.request().headers.get('x-a')); } export function responseModifier(ctx) { ctx.upstream().headers.set('x-d', ctx.request().headers.get('x-c')); }",
    ),
    (
        "error-page",
        "closed",
        "export function requestModifier(ctx) { throw new TypeError(`no`); }",
        "export function errorHandler(ctx, error) { ctx.response().status(418).send(`${error.name} ${error.code} ${error.status} ${error.message.length > 0} ${ctx.request().path} ${ctx.request().headers.get('x-in')}`); }",
    ),
    (
        "error-page-silent",
        "closed",
        "export function requestModifier(ctx) { throw new TypeError(`no`); }",
        "export function errorHandler(ctx, error) { if (error.status === 404) ctx.response().send('?'); }",
    ),
    // What a module exports may be known only when it has run: no hook is passed over.
    (
        "default-by-name",
        "closed",
        "const d = { requestHandler(ctx) { ctx.response().status(401).send('auth'); } }; export { d as default };",
        "export function requestHandler(ctx) { ctx.response().send('b'); }",
    ),
    (
        "default-inherits",
        "closed",
        "export default { __proto__: { requestHandler(ctx) { ctx.response().status(401).send('auth'); } } };",
        "export function requestHandler(ctx) { ctx.response().send('b'); }",
    ),
    (
        "default-first",
        "closed",
        "const d = { fetchUpstream() { return 'http://127.0.0.1:1/'; } }; export { d as default }; export function fetchUpstreamUrl() { return undefined; }",
        "export function responseModifier(ctx) { ctx.upstream().headers.set('x-y', 'z'); }",
    ),
    (
        "namespace",
        "closed",
        "namespace A { export const b = (ctx) => { ctx.response().status(401).send('auth'); }; } export import requestHandler = A.b;",
        "export function requestHandler(ctx) { ctx.response().send('b'); }",
    ),
    (
        "class",
        "closed",
        "export class requestHandler {}",
        "export function requestHandler(ctx) { ctx.response().send('b'); }",
    ),
    // What hooks share.
    (
        "shared",
        "closed",
        "export function requestModifier(ctx) { ctx.set('t', `a${1}`).set('n', -0).set('b', true).set('u', undefined).set('z', null).set(1, 2); ctx.set('t', 'again'); }",
        "export function requestModifier(ctx) { ctx.request().headers.set('x-t', ctx.get('t')); ctx.set('t', ctx.get('t') + '!'); } export function responseModifier(ctx) { ctx.upstream().headers.set('x-all', `${ctx.get('t')} ${1 / ctx.get('n')} ${ctx.get('b')} ${ctx.get('u')} ${ctx.get('z')} ${ctx.get('1')} ${ctx.get('none')}`); }",
    ),
    (
        "shared-by-engine",
        "closed",
        "export function requestModifier(ctx) { for (const k of ['a']) ctx.set(k, { o: 1 }); ctx.set('a', 'text ü😀').set('n', 1.5).set('i', 7).set('b', false).set('z', null).set('u', undefined); }",
        "export function responseModifier(ctx) { const a = ctx.get('a'); ctx.upstream().writeJson([a, a.length, ctx.get('n'), ctx.get('i'), ctx.get('b'), ctx.get('z'), ctx.get('u') === undefined, ctx.get('x') == null]); }",
    ),
    (
        "shared-objects",
        "closed",
        "export function requestModifier(ctx) { for (const k of ['a']) ctx.set(k, { o: 1 }); ctx.set('s', '\\ud83d').set('big', Symbol('x')); }",
        "export function responseModifier(ctx) { const a = ctx.get('a'), s = ctx.get('s'), big = ctx.get('big'); ctx.upstream().writeJson({ a, s: s.length, t: typeof a, bt: typeof big }); ctx.upstream().statusCode = 201; }",
    ),
    (
        "shared-objects-late",
        "closed",
        "export function requestModifier(ctx) { for (const k of ['a']) ctx.set(k, { o: 1 }); }",
        "export function responseModifier(ctx) { ctx.upstream().headers.append('x-n', 'once'); ctx.upstream().headers.set('x-a', JSON.stringify(ctx.get('a'))); }",
    ),
    (
        "shared-objects-second",
        "closed",
        "export function requestModifier(ctx) { for (const k of ['a']) ctx.set(k, [1]); } export function responseModifier(ctx) { ctx.upstream().headers.append('x-n', 'first'); }",
        "export function responseModifier(ctx) { ctx.upstream().headers.append('x-n', JSON.stringify(ctx.get('a'))); }",
    ),
    (
        "shared-with-engine",
        "closed",
        "export function requestModifier(ctx) { ctx.set('t', 'ü😀').set('n', 0.5).set('o', 'x').set('b', true).set('z', null); } export function responseModifier(ctx) { ctx.upstream().headers.set('x-last', ctx.get('l')); }",
        "export function requestModifier(ctx) { for (const k of ['l']) ctx.set(k, [ctx.get('t').length, typeof ctx.get('n'), ctx.get('o'), ctx.get('b') === true, ctx.get('z') === null, ctx.get('none') === undefined].join()); }",
    ),
    (
        "shared-and-failed",
        "closed",
        "export function requestModifier(ctx) { ctx.set('why', 'no reason').set('n', 1); throw new Error(`x`); }",
        "export function errorHandler(ctx, error) { ctx.response().send(`${ctx.get('why')} ${ctx.get('n')}`); }",
    ),
    (
        "shared-without-key",
        "open",
        "export function requestModifier(ctx) { ctx.set(ctx.pathParam('none'), 1); }",
        "export function requestHandler(ctx) {\n  ctx.response().send(ctx.get(null));\n} export function errorHandler(ctx, error) { ctx.response().send(error.message); }",
    ),
    (
        "shared-long",
        "closed",
        "export function requestModifier(ctx) { const x = ctx.request().headers.get('x-long'); ctx.set('a', x + 'ü').set('b', 'b'); } export function responseModifier(ctx) { const a = ctx.get('a'); ctx.upstream().headers.set('x-a', `${a.length} ${ctx.get('a') === a} ${ctx.get('b').length}`); }",
        "export function requestModifier(ctx) { for (const k of ['a', 'a']) ctx.set('n', ctx.get(k).length).set('b', ctx.get(k)); }",
    ),
    (
        "shared-long-once",
        "closed",
        "export function requestModifier(ctx) { for (const k of ['a', 'a']) ctx.set('a', ctx.request().headers.get('x-long') + 'ü'); ctx.set('a', 'short'); }",
        "export function responseModifier(ctx) { ctx.upstream().headers.set('x-a', ctx.get('a')); }",
    ),
    // What imports a default export can change it.
    (
        "default-changed",
        "closed",
        "export default { fetch() { return new Response('one'); } }; // requestHandler",
        "import d from './default-changed-a'; d.fetch = () => new Response('two'); export function requestHandler() { return new Response('three'); }",
    ),
    (
        "fetch-second",
        "closed",
        "export function requestHandler(ctx) { ctx.set('k', 'v'); }",
        "export default { fetch(request, env, ctx) { return new Response(ctx.get('k') + new URL(request.url).pathname); } } // requestHandler",
    ),
    (
        "fetch-open",
        "open",
        "export default { fetch(request) { throw new Error(`x`); } } // requestHandler",
        "export default { fetch(request) { return new Response('b'); } } // requestHandler",
    ),
    (
        "error-response",
        "closed",
        "export function requestModifier(ctx) { throw new TypeError(`no`); }",
        "export function errorHandler(ctx, error) { return Response.json({ error: error.message.length > 0 }, { status: 503 }); } export function requestHandler() { return; }",
    ),
    // Nobody granted it.
    (
        "denied",
        "closed",
        "import { increment } from 'dgate/storage'; export function requestHandler(ctx) {\n  increment('a');\n}",
        "export function errorHandler(ctx, error) { ctx.response().send(error.message); }",
    ),
    (
        "cached-objects",
        "closed",
        "import { setCache } from 'dgate/storage'; export function requestModifier(ctx) { for (const k of ['list']) setCache(k, [1, { a: 'b' }]); setCache('text', '\\ud83d'); }",
        "import { getCache } from 'dgate/storage'; export function responseModifier(ctx) { const list = getCache('list'), text = getCache('text'); ctx.upstream().writeJson({ list, text }); }",
    ),
];
