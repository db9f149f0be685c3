//! Modules without a server: checks, requests, tests of modules.

use std::path::Path;

use bytes::Bytes;
use dgate_modules::local::{self, LocalGateway, Network, Project, Reporter, TestOptions, TestReport};
use http::Request;

/// A project of some files.
fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, Project) {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    let project = Project::read(directory.path()).unwrap();
    (directory, project)
}

async fn run(files: &[(&str, &str)]) -> TestReport {
    let (_directory, project) = project(files);
    local::test(&project, &TestOptions::default()).await
}

const RESOURCES: &str = "
modules:
  - {name: links, payload_file: links.ts, env: {PREFIX: go}, permissions: ['resource:document:*=links', 'os:net:http=a.example']}
collections:
  - name: links
documents:
  - {id: first, collection: links, data: {url: 'http://first'}}
";

const LINKS: &str = "
import { addDocument, getDocument } from 'dgate/state';
import { getSecret } from 'dgate/secrets';
import { sleep } from 'dgate';
export async function requestHandler(ctx: any) {
  console.log('asked for', ctx.pathParam('id'));
  const link = await getDocument(ctx.pathParam('id'), 'links');
  if (link === null) ctx.response().status(404).json({ error: ctx.env.PREFIX });
  else ctx.response().redirect(link.data.url);
}
export async function slow() { await sleep('1h'); return Date.now(); }
export const remote = async () => (await fetch('http://a.example/x')).json();
export const elsewhere = () => fetch('http://b.example/x');
export const secret = () => getSecret('x');
export const keep = (id: string) => addDocument({ id, collection: 'links', data: { url: 'x' } });
";

#[tokio::test]
async fn tests_of_modules_pass() {
    let tests = "
import { ctx, documents, expect, fakeTime, mockFetch, test } from 'dgate/test';
import { requestHandler, slow, remote, elsewhere, secret, keep } from './links';

test('follows links', async () => {
  const request = ctx({ path: '/first', params: { id: 'first' } });
  await requestHandler(request);
  expect(request.result.status).toBe(307);
  expect(request.result.headers.get('location')).toBe('http://first');
  const other = ctx({ params: { id: 'second' } });
  await requestHandler(other);
  expect(other.result).toMatchObject({ status: 404, answered: true });
  expect(JSON.parse(other.result.body)).toEqual({ error: 'go' });
});
test('documents come', async () => { await keep('kept'); expect((await documents.getDocument('kept', 'links')).data.url).toBe('x'); });
test('and go', async () => { expect(await documents.getDocument('kept', 'links')).toBeNull(); });
test('time passes when it is told to', async () => {
  const time = fakeTime(1000);
  const waits = slow();
  await time.advance('59m');
  await time.advance('1m');
  expect(await waits).toBe(3_601_000);
  time.restore();
  expect(Date.now()).toBeGreaterThan(1e12);
});
test('the network is what it is told to be', async () => {
  const { calls } = mockFetch({ 'http://a.example/x': { ok: true } });
  expect(await remote()).toEqual({ ok: true });
  expect(calls).toHaveLength(1);
  await expect(elsewhere()).rejects.toThrow('os:net:http=b.example:80');
  await expect(remote()).resolves.toHaveProperty('ok');
});
test('and else there is none', async () => { await expect(remote()).rejects.toThrow('tests have no network'); });
test('permissions are those of the module', () => {
  expect(() => secret()).toThrow(/resource:secret:read=x/);
});
test('matchers match', () => {
  expect({ a: [1, { b: undefined }] }).toEqual({ a: [1, {}] });
  expect({ a: 1, b: 2 }).not.toEqual({ a: 1 });
  expect([1, 2]).toContain(2);
  expect(0.1 + 0.2).toBeCloseTo(0.3);
  expect({ at: new Date(5), n: 1 }).toEqual({ at: new Date(5), n: expect.any(Number) });
  expect(() => expect(1).toBe(2)).toThrow('expected 1 to be 2');
  expect(() => expect('a').not.toMatch(/a/)).toThrow('not to match');
});
";
    let report = run(&[("links.ts", LINKS), ("links.yaml", RESOURCES), ("links.test.ts", tests)]).await;
    assert_eq!(report.counts(), (8, 0, 0), "{}", Reporter::Pretty.write(&report));
    assert_eq!(report.files[0].tests[0].console[0].text, "asked for first");
}

#[tokio::test]
async fn what_fails_is_told_with_its_place() {
    let tests = "
import { expect, test } from 'dgate/test';
import { remote } from './links';
test('compares', () => {
  expect(1 + 1).toBe(3);
});
test('awaits', async () => { await null; throw new TypeError('later'); });
test('runs for ever', async () => { await null; for (;;); });
test('waits for ever', () => new Promise(() => {}));
test.skip('is not run', () => { throw 1; });
test('goes on', () => {});
";
    let report = run(&[("links.ts", LINKS), ("links.yaml", RESOURCES), ("a.test.ts", tests)]).await;
    let shown = Reporter::Pretty.write(&report);
    assert_eq!(report.counts(), (1, 4, 1), "{shown}");
    let failure = |index: usize| report.files[0].tests[index].failure.clone().unwrap_or_default();
    assert!(failure(0).starts_with("AssertionError: expected 2 to be 3 (a.test.ts:5:"), "{shown}");
    assert!(failure(1).starts_with("TypeError: later (a.test.ts:7:"), "{shown}");
    assert!(failure(2).contains("computed for longer than 5s"), "{shown}");
    assert!(failure(3).contains("waits for something that never comes"), "{shown}");
    let junit = Reporter::Junit.write(&report);
    assert!(junit.contains("<testsuites tests=\"6\" failures=\"4\" skipped=\"1\">"), "{junit}");
    assert!(junit.contains("<failure message=\"AssertionError: expected 2 to be 3"), "{junit}");
    let json: serde_json::Value = serde_json::from_str(&Reporter::Json.write(&report)).unwrap();
    assert_eq!((&json["failed"], &json["files"][0]["tests"][4]["skipped"]), (&4.into(), &true.into()));
}

#[tokio::test]
async fn some_tests_alone() {
    let tests = "import { test } from 'dgate/test';
        test('one', () => { throw 1; }); test.only('two', () => {}); test('three', () => { throw 1; });";
    let report = run(&[("a.test.ts", tests)]).await;
    assert_eq!(report.counts(), (1, 0, 2));
    let (_directory, project) = project(&[("a.test.ts", &tests.replace(".only", ""))]);
    let mut options = TestOptions::default();
    options.filter = Some("two".to_owned());
    assert_eq!(local::test(&project, &options).await.counts(), (1, 0, 0));
}

#[tokio::test]
async fn a_file_that_cannot_be_run_is_told() {
    let report = run(&[("a.test.ts", "import { tset } from 'dgate/test';\ntset();")]).await;
    assert!(!report.is_fine());
    let error = report.files[0].error.clone().unwrap();
    assert!(error.contains("a.test.ts:1:1: `dgate/test` does not export `tset`"), "{error}");
    assert!(error.contains("did you mean `test`?"), "{error}");
}

#[tokio::test]
async fn tests_are_for_tests_only() {
    let (_directory, project) =
        project(&[("m.ts", "import { test } from 'dgate/test'; test('x', () => {});")]);
    let checked = local::check(&project).await.unwrap();
    let problems = checked[0].problems.to_string();
    assert!(problems.contains("m.ts:1:1: `dgate/test` is there for tests only"), "{problems}");
    assert_eq!(
        problems.matches("for tests only").count(),
        1,
        "told once, however much is imported: {problems}"
    );
    assert!(problems.contains("`*.test.ts`") && !problems.contains("did you mean"), "{problems}");
}

#[tokio::test]
async fn a_check_compares_what_is_asked_with_what_is_there() {
    let source = "
import { getSecret } from 'dgate/secrets';
export async function requestModifer(ctx: any) { await getSecret('key'); await fetch('http://a.example/'); }
export function errorHandler() {}
";
    let yaml = "modules: [{name: m, payload_file: m.ts, permissions: ['resource:secret:read=key', cache]}]";
    let (_directory, project) =
        project(&[("m.ts", source), ("m.yaml", yaml), ("bad.ts", "let = 1;\nexport const x: = 1;")]);
    let checked = local::check(&project).await.unwrap();
    let (m, bad) = (&checked[0], &checked[1]);
    assert_eq!(m.hooks, ["errorHandler"]);
    let asks: Vec<_> = m.asks.iter().map(|ask| (ask.permission.as_str(), ask.granted)).collect();
    assert_eq!(asks, [("os:net:http=a.example:80", false), ("resource:secret:read=key", true)]);
    assert_eq!(m.asks[0].place, "m.ts:3:80");
    assert_eq!(m.unused, ["cache"]);
    assert!(m.problems.to_string().contains("did you mean `requestModifier`?"), "{}", m.problems);
    assert!(!m.is_fine() && !m.problems.has_errors());
    assert!(bad.problems.to_string().contains("bad.ts:"), "{}", bad.problems);
}

#[tokio::test]
async fn requests_go_through_all_hooks() {
    let source = "
export function requestModifier(ctx: any) { console.info('modifies'); ctx.request().headers.set('x-a', '1'); }
export async function responseModifier(ctx: any) {
  const seen = await ctx.upstream().json();
  ctx.upstream().writeJson({ a: seen.headers['x-a'], id: ctx.pathParam('id'), body: seen.body });
}
";
    let yaml = "
modules: [{name: m, payload_file: m.ts}]
services: [{name: s, urls: ['http://upstream.example']}]
routes: [{name: r, paths: ['/m/{id}'], service: s, modules: [m]}]
";
    let (_directory, project) = project(&[("m.ts", source), ("m.yaml", yaml)]);
    let gateway = LocalGateway::start(&project, Network::default()).await.unwrap();
    let reply = gateway.send(Request::post("/m/7").body(Bytes::from_static(b"hi")).unwrap()).await;
    let json: serde_json::Value = serde_json::from_slice(reply.response.body()).unwrap();
    assert_eq!(json, serde_json::json!({ "a": "1", "id": "7", "body": "hi" }));
    assert_eq!((reply.console[0].level, reply.console[0].text.as_str()), ("info", "modifies"));
    let hooks: Vec<_> = reply.hooks.iter().map(|time| time.hook).collect();
    assert_eq!(hooks, ["requestModifier", "responseModifier"]);
    let lost = gateway.send(Request::get("/none").body(Bytes::new()).unwrap()).await;
    assert_eq!((lost.response.status().as_u16(), lost.route), (404, None));
    assert_eq!(&lost.response.body()[..], b"No such route\n");
}

#[tokio::test]
async fn a_new_project_is_a_good_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hello");
    let files = local::scaffold(&path, "hello").unwrap();
    assert_eq!(files.len(), 5);
    let error = local::scaffold(&path, "hello").unwrap_err();
    assert!(error.to_string().contains("hello.ts is there already; nothing was written"), "{error}");
    let project = Project::read(&path).unwrap();
    let report = local::test(&project, &TestOptions::default()).await;
    assert_eq!(report.counts(), (1, 0, 0), "{}", Reporter::Pretty.write(&report));
    assert!(local::check(&project).await.unwrap().iter().all(local::Checked::is_fine));
    let gateway = LocalGateway::start(&project, Network::default()).await.unwrap();
    let reply = gateway.send(Request::get("/hello/Ann").body(Bytes::new()).unwrap()).await;
    assert_eq!(&reply.response.body()[..], b"{\"greeting\":\"Hello, Ann!\"}");
}

#[test]
fn what_is_no_project_is_told() {
    let error = Project::read(Path::new("/nowhere/at/all")).unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/at/all: "), "{error}");
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("m.yaml"), "modules: [{name: m, payload_fil: m.ts}]").unwrap();
    let error = Project::read(directory.path()).unwrap_err();
    assert!(error.to_string().contains("payload_file"), "{error}");
}

#[tokio::test]
async fn modules_that_emit_can_be_tested() {
    let shop = "import { emit } from 'dgate/events';
        export const paid = (total: number) => emit('order.paid', { total });
        export const gone = () => emit('user.gone');
        export const odd = () => emit('order. odd');";
    let resources = "modules: [{name: shop, payload_file: shop.ts, permissions: ['event:emit=order.*']}]";
    let tests = "import { expect, test } from 'dgate/test';
        import { gone, odd, paid } from './shop';
        test('emits', () => expect(paid(7)).toBeUndefined());
        test('is denied', () => expect(gone).toThrow('event:emit=user.gone'));
        test('has bad names', () => expect(odd).toThrow('is no name of an event'));";
    let report = run(&[("shop.ts", shop), ("shop.yaml", resources), ("a.test.ts", tests)]).await;
    assert_eq!(report.counts(), (3, 0, 0), "{}", Reporter::Pretty.write(&report));
}
