//! Hooks that need no engine.

/// Modules; each has hooks that need no engine. The first line of some says which.
pub(super) const CASES: &[(&str, &str)] = &[
    ("set", "export function requestModifier(ctx) { ctx.request().headers.set('x-a', '1'); }"),
    (
        "headers",
        "export async function requestModifier(ctx) {
           const { headers } = ctx.request();
           headers.append('x-two', `three ${headers.get('X-In')}`);
           headers.delete('accept');
           headers.set('connection', 'close'); headers.set('x-ä'.length === 3 ? 'x-n' : 'x-m', 1.5);
           headers.set('x-latin', headers.get('x-latin') + 'ö');
           headers.set('x-none', headers.get('x-none'));
           headers.set('x-has', headers.has('x-in') && !headers.has('x-out'));
           headers.add('x-both', '  spaced\\t'); headers.del('x-both2');
         }",
    ),
    ("bad-name", "export function requestModifier(ctx) {\n  ctx.request().headers.set('a b', 'x');\n}"),
    ("bad-value", "export function requestModifier(ctx) {\n  const v = 'a' + '\\n' + 'b';\n  ctx.request().headers.set('a', v);\n}"),
    ("bad-wide", "export const requestModifier = (ctx) => { ctx.request().headers.append('a', '😀€'); }"),
    ("bad-both", "export const requestModifier = (ctx) => ctx.request().headers.append(`${' '}`, `€${1}`);"),
    (
        "path",
        "export function requestModifier(ctx) {
           const r = ctx.request();
           r.path = `/new/${ctx.pathParam('id')}/ü#`;
           r.method = r.method === 'GET' ? 'delete' : 'PUT';
         }",
    ),
    ("bad-path", "export function requestModifier(ctx) { ctx.request().path = 'x' + 1; }"),
    ("bad-method", "export function requestModifier(ctx) { ctx.request().method = 'CONN' + 'ECT'; }"),
    ("query-in-path", "export function requestModifier(ctx) { ctx.request().path = '/x?y=1'; }"),
    (
        "what-there-is",
        "export function requestHandler(ctx) {
           const r = ctx.request(), q = ctx.query();
           ctx.response().json({
             method: r.method, path: r.path, url: r.url, host: r.host, proto: r.proto, length: r.contentLength,
             namespace: ctx.namespace().name, route: ctx.route().name, service: ctx.service()?.name,
             id: ctx.pathParam('id'), none: ctx.pathParam('none'), domain: ctx.domainParam('x'), q: q.get('q'),
             n: q.get('none'), has: r.query.has('n'), env: ctx.env.A, noenv: ctx.env['B'], node: ctx.node().id,
             version: ctx.node().version, sent: ctx.response().headersSent, idIs: typeof ctx.id,
             cookie: ctx.response().getCookie('b'), nocookie: ctx.response().getCookie('x'),
             nested: { list: [1, 'two', null, undefined, true, [], {}], 'quoted \"key\"\\n': 'a\\u0001\\\\' },
           });
         }",
    ),
    (
        "no-service",
        "export function requestHandler(ctx) {\n  ctx.response().send(ctx.service().name);\n}",
    ),
    (
        "operators",
        "export function requestHandler(ctx) {
           const x = ctx.request().headers.get('x-in'), n = ctx.query().get('n'), u = ctx.pathParam('none');
           ctx.response().json([
             x + n, n + 1, +n + 1, n - 1, n * '2', n / 0, -n % 4, '0x10' * 1, null + 1, true + true, u + 1, 'a' + null,
             n === '7', n === 7, n == null, u == null, null !== u, n < 10, 'b' > 'a', 'a' >= u, '10' < '9', x ?? 'y', u ?? 'y',
             u || 'or', x && 'and', !x, !u, typeof u, typeof n, typeof 1, typeof null, typeof !u, x ? 1 : 2, void 0, -0, 0 / -1,
             NaN, Infinity, undefined, 1e21, 1e-7, 0.1 + 0.2, 123456789012345680000, Number(' 12 '), Number('1x'), String(u),
             Boolean(''), Boolean('0'), encodeURIComponent('a b/ü?😀'), JSON.stringify({ a: [x] }), JSON.stringify(u),
             JSON.stringify('\"'), Number(null), Number(undefined), Number(''), String(-0), `${-0}`, `${null} ${1.50}`,
           ]);
         }",
    ),
    (
        "texts",
        "export function requestHandler(ctx) {
           const u = ctx.pathParam('none'), x = ctx.request().headers.get('x-in'), l = ctx.request().headers.get('x-latin'), e = '😀\\u00a0';
           ctx.response().json([
             x.length, l.length, e.length, x.toLowerCase(), l.toUpperCase(), 'ß'.toUpperCase(), 'ΑΣ'.toLowerCase(), e.trim(),
             '\\ufeff\\u0085 a \\n'.trim().length, x.startsWith('In'), x.endsWith('t'), x.includes('z'), x.includes(' '),
             e.indexOf('\\u00a0'), x.indexOf('q'), x.concat('!', 1, null), x.toString(), 'undefined'.includes(ctx.pathParam('none')),
             'a'.concat(), x.trim()?.length, ctx.request().headers.get('none')?.trim().length, ctx.query().get('n')?.length,
             ctx.request().headers.get('none')?.length ?? 'nothing', ['In put', 7].includes(x), [7, null].includes(null), [1, 0].includes(-0), ['x'].includes(u),
           ]);
         }",
    ),
    ("null-method", "export function requestHandler(ctx) {\n  const x = ctx.request().headers.get('none');\n  ctx.response().send(x.trim());\n}"),
    ("null-length", "export function requestHandler(ctx) {\n  ctx.response().send(ctx.pathParam('none').length);\n}"),
    ("no-function", "export function requestHandler(ctx) {\n  const x = 1 + 1;\n  ctx.response().send(x.trim());\n}"),
    ("number-text", "export function requestHandler(ctx) { const x = 1 / 3; ctx.response().send(x.toString() + (1).length); }"),
    (
        "flow",
        "const LIMIT = 3, NAMES = ['In put', 'x'];
         function label(text: string, n?: number): string {
           if (n === undefined) return 'none';
           if (text.length > LIMIT) { return `long:${n}`; } else if (!text) return 'empty';
           return 'short';
         }
         const twice = (x) => x + x;
         export function requestHandler(ctx: Context): void {
           let out = '';
           const r = ctx.request();
           const x = r.headers.get('x-in')!;
           out += label(x, 1) + ',' + label('', 2) + ',' + label('ab', 3) + ',' + label('abc');
           out = twice(out);
           switch (r.method) {
             case 'POST': out = 'post'; break;
             case 'GET':
             case 'HEAD': { const y = 1; out += y; break; }
             default: out = 'other';
           }
           if (NAMES.includes(x)) out += '!'; else { out = ''; }
           if (r.method !== 'GET') return;
           answer(ctx, out);
         }
         function answer(ctx, text) { ctx.response().status(203).send(text); }",
    ),
    (
        "throws",
        "function check(x) {\n  if (x) throw new TypeError(`no ${x}`);\n}\nexport function requestHandler(ctx) {\n  check('');\n  check(ctx.query().get('n'));\n}",
    ),
    ("throws-async", "export async function requestHandler(ctx) {\n  await null;\n  throw new Error('late');\n}"),
    ("throws-range", "export const requestHandler = async (ctx) => { throw new RangeError('a' + 1); }"),
    (
        "awaits",
        "async function name(ctx) { return ctx.request().headers.get('x-in'); }
         export async function requestHandler(ctx) { const n = await name(ctx); ctx.response().send(await n); }",
    ),
    ("status", "export function requestHandler(ctx) { ctx.response().status('404').end(); }"),
    ("no-status", "export function requestHandler(ctx) {\n  ctx.response().status(99).end();\n}"),
    ("no-status-text", "export function requestHandler(ctx) { ctx.response().status('x').end(); }"),
    ("status-alone", "export const requestHandler = (ctx) => ctx.response().status(204.9);"),
    ("send-object", "export const requestHandler = (ctx) => ctx.response().send({ a: ctx.query().get('q') });"),
    ("send-number", "export const requestHandler = (ctx) => ctx.response().send(1.5);"),
    ("send-nothing", "export const requestHandler = (ctx) => ctx.response().send();"),
    ("send-null", "export const requestHandler = (ctx) => ctx.response().send(null);"),
    ("end-text", "export const requestHandler = (ctx) => ctx.response().end('x');"),
    ("end-object", "export const requestHandler = (ctx) => ctx.response().end([1, 2]);"),
    ("end-typed", "export function requestHandler(ctx) { ctx.response().headers.set('Content-Type', 'a/b'); ctx.response().end('x'); }"),
    ("json-nothing", "export function requestHandler(ctx) {\n  ctx.response().json(ctx.pathParam('none'));\n}"),
    ("json-text", "export const requestHandler = (ctx) => ctx.response().json(`a\"${'b'}`);"),
    ("json-stored", "export function requestHandler(ctx) { const body = { p: ctx.request().path, u: undefined }; ctx.request().path = '/y'; ctx.response().json({ body, list: [body] }); }"),
    ("write", "export function requestHandler(ctx) { ctx.response().write('a'); ctx.response().write({ b: 1 }).write(2).end('c'); }"),
    ("write-alone", "export function requestHandler(ctx) { ctx.response().write('a' + 1); }"),
    ("twice", "export function requestHandler(ctx) {\n  ctx.response().send('a');\n  ctx.response().send('b');\n}"),
    ("redirect", "export const requestHandler = (ctx) => ctx.response().redirect('/x?' + ctx.query().get('n'));"),
    ("redirect-code", "export const requestHandler = (ctx) => ctx.response().redirect('/x', 308);"),
    ("redirect-none", "export const requestHandler = (ctx) => ctx.response().redirect('/x', undefined);"),
    ("redirect-nowhere", "export const requestHandler = (ctx) => ctx.response().redirect(ctx.query().get('gone'));"),
    ("redirect-for-good-nowhere", "export const requestHandler = (ctx) => ctx.response().redirectPermanent(undefined);"),
    ("location-nowhere", "export const requestHandler = (ctx) => ctx.response().location(null).end();"),
    ("cookie-of-nothing", "export const requestHandler = (ctx) => ctx.response().cookie('a', ctx.query().get('gone')).end();"),
    ("cookie-none", "export const requestHandler = (ctx) => ctx.response().end(ctx.response().getCookie(undefined));"),
    ("parameter-none", "export const requestHandler = (ctx) => ctx.response().end(ctx.pathParam(null));"),
    ("redirect-bad", "export const requestHandler = (ctx) => ctx.response().redirect('/x', 600);"),
    ("redirect-for-good", "export const requestHandler = (ctx) => ctx.response().redirectPermanent('/y');"),
    ("location", "export const requestHandler = (ctx) => ctx.response().location('/z').status(201).end();"),
    (
        "cookie",
        "export const requestHandler = (ctx) => ctx.response()
           .cookie('a', 'b c;ü', { maxAge: 5, httpOnly: true, secure: ctx.query().get('none'), path: '/', domain: undefined, sameSite: 'Lax', expires: 'never' })
           .cookie('n', 1).end();",
    ),
    ("cookie-name", "export const requestHandler = (ctx) => ctx.response().cookie('a b', 'c').end();"),
    ("cookie-option", "export const requestHandler = (ctx) => ctx.response().cookie('a', 'c', { path: 'a;b' }).end();"),
    ("modifier-answers", "export function requestModifier(ctx) { ctx.response().status(418).end('tea'); }"),
    ("modifier-status", "export function requestModifier(ctx) { ctx.response().status(418); ctx.response().headers.set('x-y', 'z'); }"),
    (
        "response",
        "export function responseModifier(ctx) {
           const up = ctx.upstream();
           up.headers.set('x-status', `${up.statusCode} ${up.statusText} ${up.protocol} ${up.contentLength > 0}`);
           up.headers.set('x-was', ctx.request().method + ' ' + ctx.request().path + ' ' + ctx.request().headers.get('x-in'));
           up.headers.delete('content-type');
           up.statusCode = 206;
           up?.headers.append('x-was', 'twice');
           up.cookie('a', 'b');
         }",
    ),
    ("response-body", "export function responseModifier(ctx) { ctx.upstream().status(201).writeJson({ a: ctx.upstream().statusCode }); }"),
    ("response-text", "export function responseModifier(ctx) { ctx.upstream().writeBody(`text ${1}`); }"),
    ("response-away", "export function responseModifier(ctx) { ctx.upstream().redirect('/there'); }"),
    ("response-late", "export function responseModifier(ctx) {\n  ctx.request().headers.set('a', 'b');\n}"),
    ("request-body", "export function requestModifier(ctx) { ctx.request().writeJson({ a: 1 }).method = 'POST'; }"),
    ("request-text", "export function requestModifier(ctx) { ctx.request().method = 'PUT'; ctx.request().writeBody('body'); }"),
    (
        "chooses",
        "export function fetchUpstream(ctx) { return ctx.query().get('n') === '7' ? undefined : 'http://nowhere.example'; }
         export function responseModifier(ctx) { ctx.upstream().headers.set('x-seen', '1'); }",
    ),
    ("grows", "export function requestHandler(ctx) {\n  let s = ctx.request().headers.get('x-long');\n  s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s;\n  ctx.response().send(s);\n}"),
    ("ignored", "export function requestModifier(ctx) { return 'nobody looks'; }"),
    ("no-service-length", "export function requestHandler(ctx) { ctx.response().send(`${ctx.service()?.name.length} ${ctx.service()?.name.toUpperCase()}`); }"),
    (
        "chain-in-brackets",
        "export function requestHandler(ctx) {\n  const a = ctx.pathParam('none');\n  ctx.response().send((a?.trim() as string).concat('x')?.length);\n}",
    ),
    ("chain-awaited", "export async function requestHandler(ctx) {\n  const a = ctx.pathParam('none');\n  const x = (await a?.trim()).concat('x')?.length;\n  ctx.response().send(x);\n}"),
    ("chain-non-null", "export function requestHandler(ctx) { ctx.response().send(`${ctx.pathParam('none')?.trim()!.length} ${ctx.service()?.name!.length}`); }"),
    ("chain-cast", "export function requestHandler(ctx) { ctx.response().send((ctx.pathParam('id')?.trim() as string).length + ctx.pathParam('id')!.length); }"),
    ("two-names", "export { handle as requestHandler }; function handle(ctx) { 'use strict'; ctx.response().send('named'); }"),
    (
        "shares",
        "export function requestHandler(ctx) {
           ctx.set('a', ctx.query().get('n')).set('b', 'x'.length); ctx.set('a', ctx.get('a') + ctx.get('b'));
           ctx.response().json([ctx.get('a'), ctx.get('c') ?? 'none', ctx.get('b') + 1]);
         }",
    ),
    ("shares-without-key", "export function requestHandler(ctx) {\n  ctx.response().send(ctx.get(undefined));\n}"),
    (
        "math",
        "export function requestHandler(ctx) {
           const n = ctx.query().get('n'), u = ctx.pathParam('none');
           ctx.response().json([
             Math.floor(-0.5), Math.ceil(-0.5), 1 / Math.ceil(-0.5), Math.trunc(-1.7), Math.abs(-3), Math.abs(null), Math.round(2.5), Math.round(-2.5), 1 / Math.round(-0.2), 1 / Math.round(-0.5),
             Math.round(0.49999999999999994), Math.round(9007199254740991), Math.round(1e300), Math.max(), Math.min(), Math.max(1, n, '9'), Math.min(1, n), `${Math.max(1, u)}`,
             1 / Math.max(-0, 0), 1 / Math.min(0, -0), Math.max(NaN, 1), Math.round(n / 2), Math.floor(n / 2), `${Math.round(u)}`, 1 / Math.round(-0),
             typeof Date.now(), Date.now() > 1700000000000, Math.floor(Date.now()) === Date.now(), Math.random() < 1, Math.random() >= 0, Math.random() === Math.random(),
           ]);
         }",
    ),
    (
        "combined-assignments",
        "export function requestHandler(ctx) {
           let a = 7, b = null, c = '', d = 'd', n = ctx.query().get('n');
           a -= 2; a *= n; a /= 2; a %= 5; b ??= 'b'; c ||= 'c'; d &&= d + 'd'; b ??= (a = 99); c += 1; n -= '1';
           ctx.response().json([a, b, c, d, n, void ctx.response(), (d ||= 'x'), (b &&= null), (b ??= 3)]);
         }",
    ),
    (
        "index-page",
        "export function requestModifier(ctx) {
           const request = ctx.request();
           if (request.path.endsWith('/')) request.path += 'index.html';
           else if (!request.path.includes('.')) request.path += '/index.html';
           request.method += '';
         }",
    ),
    ("status-more", "export function responseModifier(ctx) { ctx.upstream().statusCode += 1; return void ctx.upstream().headers.set('x-y', 'z'); }"),
    (
        "effects",
        "export function requestHandler(ctx) {
           const x = ctx.query().get('n'), r = ctx.response();
           x && r.headers.set('x-a', '1'); x === '8' ? r.status(201) : r.status(202).headers.set('x-b', 'c'); x || r.status(500);
           ctx.pathParam('none') ?? r.headers.set('x-c', 'd'); ctx.pathParam('none') && r.status(500); x && ctx.set('a', 1); r.send(ctx.get('a'));
         }",
    ),
];
