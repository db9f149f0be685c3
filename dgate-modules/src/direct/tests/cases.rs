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
    (
        "parts",
        "export function requestHandler(ctx) {
           const x = ctx.request().headers.get('x-in'), l = ctx.request().headers.get('x-latin'), n = ctx.query().get('n'), u = ctx.pathParam('none');
           ctx.response().json([
             x.slice(1), x.slice(-3), x.slice(1, 3), x.slice(3, 1), x.slice(), x.slice(u, n), x.slice('1', null), x.slice(1.9, -1.2), x.slice(-100, 100), l.slice(1), l.slice(0, -1), x.slice(1e300), x.slice(NaN),
             x.substring(3, 1), x.substring(-1, 2), x.substring(2), x.substring(u), x.substring(1, u), x.substring(n), l.substring(1), x.at(0), x.at(-1), x.at(99), x.at(u), x.at(-99), l.at(0),
             x.charAt(1), x.charAt(-1), x.charAt(6), x.charAt(), x[0], x[n - 6], x[5 + 1], x[-1], x[0.5], x[0 * -1], l[0], x.charCodeAt(0), `${x.charCodeAt(99)}`, `${x.charCodeAt(-1)}`, '😀'.charCodeAt(1), l.charCodeAt(0),
             x.lastIndexOf('u'), x.lastIndexOf('q'), 'a😀b😀'.lastIndexOf('😀'), x.lastIndexOf(''), x.indexOf('n', 1), x.indexOf('n', 2), x.indexOf('', 3), x.indexOf('', 99), x.indexOf('I', -5), x.indexOf('I', u), 'a😀b😀'.indexOf('😀', 2), 'a😀b'.indexOf('b', 2),
             '  a '.trimStart(), '  a '.trimEnd() + '|', x.padStart(9), x.padStart(9, '-='), x.padEnd(9, l), x.padEnd(2), x.padStart(n, ''), x.padEnd(-1), x.padStart('8', 0), x.padEnd(8, null),
             x.replace('n', 'N'), x.replace('q', 'N'), x.replace('', '>'), x.replace('p', '[$&$$$`|$\\'$1$]'), x.replace('u', u), x.replace(u, 'a'), 'a😀a'.replaceAll('a', '$\\'b'), x.replaceAll(' ', ''), 'aaa'.replaceAll('aa', 'b'),
             'undefined'.replace(u, n), 'a.b.c'.replace('.', '$0'), '$'.replace('$', '$$$'), x.replaceAll('zz', '$&'),
           ]);
         }",
    ),
    (
        "parts-of-wide",
        "export function requestHandler(ctx) {
           const q = ctx.env.WIDE, n = ctx.query().get('n');
           ctx.response().json([q, q.slice(1), q.slice(0, 1), q.slice(1, 3), q.slice(3), q.at(0), q.charAt(3), q[0], q.substring(4), q.slice(2, 2), q.indexOf('b', 2)]);
         }",
    ),
    (
        "halves",
        "export function requestHandler(ctx) {
           const q = ctx.env.WIDE; const half = q.slice(2, 3);
           ctx.response().json([half, half.length, q.at(1), q.at(2).length, q.charAt(1) + q.charAt(2) === '😀', q[2], q.substring(0, 2)]);
         }",
    ),
    ("halves-of-latin", "export function requestHandler(ctx) { ctx.response().headers.set('x-y', 'z'); const l = ctx.request().headers.get('x-latin') + 'ö'; ctx.response().send(l.slice(1) + `${l}€`.slice(0, -1)); }"),
    (
        "lists",
        "const NAMES = ['In put', 'b', 3, null];
         export function requestHandler(ctx) {
           const x = ctx.request().headers.get('x-in'), n = ctx.query().get('n'), u = ctx.pathParam('none');
           const parts = x.split(' '), [first, second, third] = parts, [, tail = 'no tail', more = n + second] = parts, [head, ...rest] = [x, n, u, 'z'];
           const list = [x, n, 1, null, u, true, -0, NaN], empty = rest.slice(9);
           ctx.response().json([
             parts, first, second, third, tail, more, head, rest, list, list.length, parts.length, parts[0], parts[1], parts[2], parts[-1], parts[0.5], list.at(-4), list.at(99), list.at(u), rest.length,
             list.includes(NaN), list.includes(0), list.includes('1'), list.indexOf(NaN), list.indexOf(1), list.indexOf(0), list.join(), list.join('-'), list.join(''), list.join(u), list.join(null), empty, empty.join(), list.slice(1, 3), list.slice(-2), list.slice(),
             'a,b,,c'.split(','), ''.split(','), 'abc'.split('abc'), 'aXXbXXXc'.split('XX'), 'ä😀,b'.split(','), x.split('t'), x.split(' ').length, NAMES.includes(x), NAMES.length > 3, NAMES.join('+'), NAMES.at(1),
             [1, [2]], [{ a: parts }, parts], ['a', 'b'].includes('b'), [x, 'y'].includes(x),
           ]);
         }",
    ),
    (
        "guards",
        "export function requestModifier(ctx) {
           const { headers } = ctx.request();
           const offered = (headers.get('x-in') ?? '').split(' ');
           if (!offered.includes(ctx.env.PUT)) ctx.response().status(400).end(`it is ${offered[1]}`); else headers.set('x-spoken', offered[0]);
         }",
    ),
    (
        "copies-of-variables",
        "function tag(ctx, value = 'x') { const before = value; value += '!'; ctx.response().headers.append('x-tag', before + value); }
         function first([a, b], c = 'c') { const kept = c; c = a + b; return kept + c; }
         export function requestHandler(ctx) {
           let name = ctx.query().get('n'), list = first(['p', 'q']); tag(ctx);
           const original = name, made = list; name = name + '?'; list = first(['r', 's'], name);
           let other = original; other += '!'; tag(ctx, other); const last = other; other = 'gone';
           ctx.response().json([original, name, made, list, last, other]);
         }",
    ),
    (
        "taken-apart",
        "function one({ method, path: where, headers: { } , host = 'none' }, [a, b = 'b'], c = a + 1, d = c) { return `${method} ${where} ${host} ${a} ${b} ${c} ${d}`; }
         export function requestHandler(ctx) {
           let { method, path } = ctx.request(); method += '!';
           const { a = 'no a', A } = ctx.env;
           ctx.response().json([method, path, a, A, one(ctx.request(), ['x']), one(ctx.request(), ['x', undefined], undefined), one(ctx.request(), ['x', null], null, 7)]);
         }",
    ),
    (
        "bits",
        "export function requestHandler(ctx) {
           const n = ctx.query().get('n'); let a = 5; a |= n; a <<= 2; a ^= 1; a >>>= 1; a &= 255; let h = 0, i = 0; ++i; i++; i--; const j = ++i; let t = '5'; t++; let u; u++;
           h = (h * 31 + ctx.request().headers.get('x-in').length) >>> 0;
           ctx.response().json([n & 3, n | 8, n ^ 1, n << 30, n << 33, -n >> 1, -n >>> 28, 4294967296.5 | 0, -4294967297 | 0, 2147483648 | 0, 1e21 | 0, NaN | 0, Infinity >>> 0, 'x' >>> 0, -1 >>> 0, a, h, i, j, t, `${u}`, 1 << -1]);
         }",
    ),
    ("split-of-null", "export function requestHandler(ctx) {\n  const p = ctx.pathParam('none').split(',');\n  ctx.response().json(p);\n}"),
    ("index-of-null", "export function requestHandler(ctx) {\n  ctx.response().send(ctx.pathParam('none')[0]);\n}"),
    ("slice-of-number", "export function requestHandler(ctx) {\n  const x = 1 + 1;\n  ctx.response().send(x.slice(1));\n}"),
    ("grows-in-list", "export function requestHandler(ctx) {\n  let s = ctx.request().headers.get('x-long');\n  s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s; ctx.response().send([s, s, s, s].join(s));\n}"),
    ("too-many-parts", "export function requestHandler(ctx) {\n  let s = ctx.request().headers.get('x-long');\n  s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s; s = s+s+s+s+s+s+s+s; s = s+s+s;\n  ctx.response().send(s.split('x').length);\n}"),
    ("pad-too-long", "export function requestHandler(ctx) {\n  ctx.response().send('x'.padStart(1e9));\n}"),
    ("fetch", "export default { async fetch(request) { return new Response(`<h1>${request.method}</h1>`, { headers: { 'content-type': 'text/html;charset=UTF-8', 'X-A': 1, 'x-a': request.headers.get('x-in'), connection: 'close' } }); } } // requestHandler"),
    ("fetch-json", "export default { fetch(request, env, ctx) { const data = { hello: env.A, id: ctx.pathParam('id'), has: request.headers.has('x-in') }; return Response.json(data, { status: 201, headers: { 'x-b': undefined } }); } } // requestHandler"),
    ("fetch-json-list", "export default { fetch: (request, { A }) => Response.json([A, null, [1]]) } // requestHandler"),
    ("fetch-json-nothing", "export default { fetch() {\n  return Response.json(undefined);\n} } // requestHandler"),
    ("fetch-json-bare", "export default { fetch() {\n  return Response.json({}, { status: 204 });\n} } // requestHandler"),
    ("fetch-empty", "const fetch = () => { return new Response(); }; export default { fetch } // requestHandler"),
    ("fetch-null", "export default { fetch() { return new Response(null, { status: 204 }); } } // requestHandler"),
    ("fetch-bare", "export default { fetch() {\n  return new Response('x', { status: 304 });\n} } // requestHandler"),
    ("fetch-number", "export default { fetch() { return new Response(1.50, { status: '202' }); } } // requestHandler"),
    ("fetch-no-status", "export default { fetch() {\n  return new Response('x', { status: 'many' });\n} } // requestHandler"),
    ("fetch-low-status", "export default { fetch() {\n  return new Response('x', { status: 101 });\n} } // requestHandler"),
    ("fetch-status-part", "export default { fetch(r) { return new Response('x', { status: 200.9 }); } } // requestHandler"),
    ("fetch-bad-header", "export default { fetch(request) {\n  return new Response('x', { headers: { 'a b': 'c' } });\n} } // requestHandler"),
    ("fetch-bad-value", "export default { fetch(request) {\n  return new Response('x', { headers: { a: 'c\\n' + 'd' } });\n} } // requestHandler"),
    ("fetch-nothing", "export default { fetch(request) { if (request.method === 'POST') return new Response('x'); } } // requestHandler"),
    ("fetch-throws", "export default { fetch(request) {\n  throw new Error('no ' + request.method);\n} } // requestHandler"),
    ("fetch-and-headers", "export default { fetch(request, env, ctx) { ctx.response().headers.set('x-a', 'first'); ctx.set('k', 'v'); return new Response(ctx.get('k'), { headers: { 'x-a': 'second' } }); } } // requestHandler"),
    ("fetch-redirect", "export default { async fetch(request) { const to = 'https://example.com', code = 301; return Response.redirect(to, code); } } // requestHandler"),
    ("fetch-redirect-found", "export default { fetch(request) { return Response.redirect(new URL('/b?c', request.url).href); } } // requestHandler"),
    ("fetch-redirect-nowhere", "export default { fetch(request) {\n  return Response.redirect('/x');\n} } // requestHandler"),
    ("fetch-redirect-bad", "export default { fetch(request) {\n  return Response.redirect('http://a', 200);\n} } // requestHandler"),
    (
        "fetch-routes",
        "export default { async fetch(request, env) {
           const url = new URL(request.url), { pathname, search } = url; const q = url.searchParams;
           switch (request.method + pathname.slice(0, 7)) {
             case 'GET/none': return new Response('no');
             default: return Response.json([url.href, url.toString(), url.host, url.hostname, url.port, url.protocol, url.origin, url.hash, pathname, search, q.get('q'), q.get('none'), q.has('n'), url.searchParams.get('n'), request.url, typeof request.url, env.A]);
           }
         } } // requestHandler",
    ),
    ("hooks-of-default", "export default { requestModifier(ctx) { ctx.request().headers.set('x-d', 'e'); }, responseModifier: (ctx) => { ctx.upstream().headers.set('x-f', 'g'); } }"),
    (
        "urls",
        "export function requestHandler(ctx) {
           const referer = ctx.request().headers.get('x-url') ?? 'HTTP://User:Pw@EXAMPLE.com:80/a/../b c?d=ä#f', u = new URL(referer), { hostname: name } = u;
           const rel = new URL('../x?y', 'http://a.example/b/c/d'), own = new URL(ctx.request().url);
           return Response.json([u.href, name, u.host, u.port, u.origin, u.search, u.hash, rel.href, own.pathname, own.hostname, new URL('blob:http://a/b').origin, new URL('//x/y', own.href).host]);
         }",
    ),
    ("url-bad", "export function requestHandler(ctx) {\n  const u = new URL(ctx.request().headers.get('x-in'));\n  ctx.response().send(u.href);\n}"),
    ("url-bad-base", "export function requestHandler(ctx) {\n  ctx.response().send(new URL('/x', 'y').href);\n}"),
    ("handler-returns", "export async function requestHandler(ctx) { if (ctx.query().get('n') === '7') return new Response('seven', { status: 207 }); return Response.json({}); }"),
    ("hotlink", "export function requestModifier(ctx) { const r = ctx.request(); if (new URL('http://b.example/x').hostname !== new URL(r.url).hostname) ctx.response().redirect('https://c.example/', 302); }"),
    (
        "natives",
        "import { sha256, md5, hmac, createHash, createHmac as keyed, timingSafeEqual, randomUUID, hexEncode } from 'dgate/crypto'; import { base64Encode, ipInRange, uuid, hexEncode as hex } from 'dgate/util';
         export function requestHandler(ctx) {
           const x = ctx.request().headers.get('x-in'), l = ctx.request().headers.get('x-latin'), ip = ctx.request().remoteAddress, w = ctx.env.WIDE;
           ctx.response().json([
             sha256(x, 'hex'), md5(w, 'base64rawurl'), hmac('sha-256', 'key', w, 'hex'), hmac('SHA512', x, l, 'b64url'), createHash('md5').update(x).update(l).update(1).digest('base64'), createHash('sha1').digest('hex'), keyed('sha384', x).update(w).digest('base64raw'),
             timingSafeEqual(x, 'In put'), timingSafeEqual(x, w), timingSafeEqual('1', 1), randomUUID().length, uuid() === uuid(), crypto.randomUUID().length, hexEncode(w), hex(1.5), base64Encode(w), base64Encode(l), ipInRange(ip, '127.0.0.0/8'), ipInRange('10.0.0.1', '10.0.0.1'), ipInRange('::1', 'fe80::/10'), ipInRange('::ffff:10.1.2.3', '10.0.0.0/8'),
             ipInRange(ip, '192.168.0.0/16'), ipInRange(ip, '127.0.0.1'), btoa(x), btoa(l), atob('SW4gcHV0'), atob(' SW 4g\\ncHV0Cg= = '), atob(btoa(l)), atob(''), btoa('')
           ]);
         }",
    ),
    ("native-needs", "import { sha256 } from 'dgate/crypto'; export function requestHandler(ctx) {\n  ctx.response().send(sha256(ctx.pathParam('none'), 'hex'));\n}"),
    ("native-needs-null", "import { timingSafeEqual } from 'dgate/crypto'; export function requestHandler(ctx) {\n  ctx.response().json(timingSafeEqual('a', ctx.query().get('gone')));\n}"),
    ("native-no-data", "import { createHash } from 'dgate/crypto'; export function requestHandler(ctx) {\n  ctx.response().json(createHash('md5').update('a').update(ctx.query().get('gone')).digest('hex'));\n}"),
    ("native-no-key", "import { createHmac } from 'dgate/crypto'; export function requestHandler(ctx) {\n  ctx.response().json(createHmac('md5', ctx.query().get('gone')).update('a').digest('hex'));\n}"),
    ("native-no-range", "import { ipInRange } from 'dgate/util'; export function requestHandler(ctx) {\n  ctx.response().json(ipInRange('1.2.3.4', ctx.query().get('n')));\n}"),
    ("native-no-ip", "import { ipInRange } from 'dgate/util'; export function requestHandler(ctx) {\n  ctx.response().json(ipInRange(ctx.query().get('n'), 'x'));\n}"),
    ("atob-bad", "export function requestHandler(ctx) {\n  ctx.response().send(atob(ctx.request().headers.get('x-in') + '!'));\n}"),
    ("btoa-wide", "export function requestHandler(ctx) {\n  ctx.response().send(btoa(ctx.env.WIDE));\n}"),
    (
        "basic-auth",
        "import { timingSafeEqual } from 'dgate/crypto';
         export function requestModifier(ctx) {
           const response = ctx.response(), authorization = ctx.request().headers.get('x-basic') ?? `Basic ${btoa('ann:secret:x')}`;
           const [scheme, encoded] = authorization.split(' ');
           if (!encoded || scheme !== 'Basic') { response.status(400).send('malformed'); return; }
           const credentials = atob(encoded), index = credentials.indexOf(':'), user = credentials.substring(0, index), pass = credentials.substring(index + 1);
           if (user !== 'ann' || !timingSafeEqual(pass, ctx.env.PASS ?? 'secret:x')) response.status(401).send('who?'); else ctx.request().headers.set('x-user', user);
         }",
    ),
    (
        "cache",
        "import { getCache, setCache, deleteCache, increment } from 'dgate/storage';
         export function requestHandler(ctx) {
           const none = getCache('none'), again = getCache('kept') ?? 'nothing';
           setCache('a', 'texts ü😀'); setCache('n', 7.5, { ttl: '1m' }); setCache('b', true, { ttl: 60 }); setCache('z', null); setCache(1, 2);
           ctx.response().json([none, again, increment('hits'), increment('hits', 2.5), increment('hits', -1, { ttl: '10s' }), deleteCache('a'), deleteCache('a'), increment('hits', undefined)]); deleteCache('hits');
         }",
    ),
    (
        "cached",
        "import { getCache } from 'dgate/storage';
         export function requestHandler(ctx) { const a = [getCache('n'), getCache('b'), getCache('z'), getCache('1'), getCache('a'), getCache('list')]; ctx.response().json(a); }",
    ),
    ("cache-no-number", "import { increment, setCache } from 'dgate/storage'; export function requestHandler(ctx) {\n  setCache('text', 'a');\n  increment('text');\n}"),
    ("cache-by-text", "import { increment } from 'dgate/storage'; export function requestHandler(ctx) {\n  increment('number', '1');\n}"),
    ("cache-no-key", "import { setCache } from 'dgate/storage'; export function requestHandler(ctx) {\n  setCache(ctx.pathParam('none'), 1);\n}"),
    ("cache-no-value", "import { setCache } from 'dgate/storage'; export function requestHandler(ctx) {\n  setCache('a', ctx.pathParam('none'));\n}"),
    (
        "rate-limit",
        "import { increment } from 'dgate/storage';
         export function requestModifier(ctx) {
           const count = increment(`hits:${ctx.request().remoteAddress}`, 1, { ttl: '1m' });
           if (count > 0) { ctx.response().headers.set('retry-after', '60'); ctx.response().status(429).json({ error: 'too many', count }); }
         }",
    ),
];
