//! Errors speak of the module's own source: file, line, column, in every hook, at once or after an `await`.

use bytes::Bytes;
use dgate_modules::local::{self, LocalGateway, Network, Project, Reply, Reporter, TestOptions};
use http::Request;

/// A module whose faults stand behind their names, `/* so */`; the query says which one happens.
const SOURCE: &str = r#"
import { sleep } from "dgate";
interface Shape { a: { b: number } }
const empty: any = undefined;

export async function fetchUpstream(ctx: ServiceContext): Promise<undefined> {
  if (ctx.query().get("w") === "choice") /* choice */ throw new Error("choice");
  await sleep(1);
  if (ctx.query().get("w") === "choice-late") /* choice-late */ empty.boom();
}
export function requestModifier(ctx: Context): void {
  const w = ctx.query().get("w");
  if (w === "modifier") { type Local = number; const n: Local = 1; /* modifier */ throw new RangeError("n" + n); }
  if (w === "in-map") [1].map((n: number): number => { /* in-map */ throw new TypeError("in map " + n); });
  if (w === "getter") new (class A { private x = 1; get y(): number { /* getter */ throw new RangeError("x" + this.x); } })().y;
  if (w === "denied") /* denied */ ctx.set("home", process.env.HOME);
  if (w === "loop") for (;;) /* loop */ empty;
  const inner = (value: any) => {
    if (w === "inner") return /* inner */ value.boom();
    return w;
  };
  if (w === "inner") inner(empty);
}
export async function requestHandler(ctx: Context): Promise<void> {
  const w = ctx.query().get("w");
  enum Kind { One = 1 }
  if (w === "handler") /* handler */ empty.boom(Kind.One);
  await null;
  if (w === "handler-late") { const shape: Shape = JSON.parse("{}"); /* handler-late */ shape.a.b; }
  if (w === "denied-late") /* denied-late */ await fetch("http://elsewhere.example/");
  if (w === "loop-late") for (;;) /* loop-late */ empty;
  if (w === "json") /* json */ JSON.parse("{nope");
  if (w === "value") { const found = /* value */ empty.find(w); ctx.set("found", found); }
  if (w === "return") return /* return */ empty.find(w);
  if (w === "awaited") { /* awaited */ await empty.find(w); }
}
export async function responseModifier(ctx: ResponseContext): Promise<void> {
  await ctx.upstream().text();
  if (ctx.query().get("w") === "response") /* response */ throw new Error("response");
}
"#;

const RESOURCES: &str = "
modules: [{name: m, payload_file: m.ts}]
services: [{name: s, urls: ['http://upstream.example']}]
routes: [{name: r, paths: ['/m'], service: s, modules: [m]}]
";

fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, Project) {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    let project = Project::read(directory.path()).unwrap();
    (directory, project)
}

async fn send(gateway: &LocalGateway, target: &str) -> Reply {
    gateway.send(Request::get(target).body(Bytes::new()).unwrap()).await
}

/// `file:line:` of where a name stands.
fn line_of(name: &str) -> String {
    let marker = format!("/* {name} */");
    let line = SOURCE.lines().position(|line| line.contains(&marker)).expect("the name stands somewhere");
    format!("m.ts:{}:", line + 1)
}

#[tokio::test]
async fn each_hook_tells_the_place() {
    let (_directory, project) = project(&[("m.ts", SOURCE), ("m.yaml", RESOURCES)]);
    let names = [
        "choice",
        "choice-late",
        "modifier",
        "in-map",
        "getter",
        "inner",
        "denied",
        "loop",
        "handler",
        "handler-late",
        "denied-late",
        "loop-late",
        "json",
        "value",
        "return",
        "awaited",
        "response",
    ];
    let mut wrong = Vec::new();
    for name in names {
        // A loop costs its runtime.
        let gateway = LocalGateway::start(&project, Network::default()).await.unwrap();
        let reply = send(&gateway, &format!("/m?w={name}")).await;
        let told = reply.failures.first().map(ToString::to_string).unwrap_or_default();
        if !told.contains(&format!("({}", line_of(name))) {
            wrong.push(format!("{name} ({}): {told}", line_of(name)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_nobody_catches_is_told_on_the_console() {
    let source = r#"
import { sleep } from "dgate";
export async function requestHandler(ctx: Context): Promise<void> {
  setTimeout(() => { throw new Error("in a timer"); }, 1);
  (async () => { await null; throw new TypeError("in a promise"); })();
  const later = Promise.reject(new Error("looked at in time"));
  try { await later; } catch {}
  const thrown = new Error("shown");
  console.error(thrown, String(thrown.stack));
  await sleep(20);
  ctx.response().json("fine");
}
"#;
    let (_directory, project) = project(&[
        ("m.ts", source),
        (
            "m.yaml",
            "modules: [{name: m, payload_file: m.ts}]\nroutes: [{name: r, paths: [/m], modules: [m]}]",
        ),
    ]);
    let gateway = LocalGateway::start(&project, Network::default()).await.unwrap();
    let reply = send(&gateway, "/m").await;
    assert_eq!(&reply.response.body()[..], b"\"fine\"");
    let console: Vec<&str> = reply.console.iter().map(|line| line.text.as_str()).collect();
    let expected = [
        "Error: shown (m.ts:8:18) Error: shown\n    at requestHandler (m.ts:8:18)",
        "a rejected promise that nobody handled: TypeError: in a promise (m.ts:5:36)",
        "a timer's callback failed: in a timer (m.ts:4:28)",
    ];
    assert_eq!(console, expected);
    assert!(
        reply
            .console
            .iter()
            .all(|line| line.level == "error" && line.module == "m" && line.hook == "requestHandler")
    );
}

#[tokio::test]
async fn what_is_wrong_with_imports_is_told_with_the_way_there() {
    let (_directory, project) = project(&[
        ("a.ts", "import { b } from './b';\nexport const requestHandler = b;"),
        ("b.ts", "\nimport { c } from './c';\nexport const b = c;"),
        (
            "c.ts",
            "export { nothing as c } from './d';\nimport './lost';\nimport { sha } from 'dgate/crypto';\nsha();",
        ),
        ("d.ts", "export const something = 1;"),
        ("one.ts", "import { two } from './two';\nexport const one = two;"),
        ("two.ts", "\nexport * from './three';"),
        ("three.ts", "import { one } from './one';\nexport const two = one;"),
        ("typo.ts", "import './broken';"),
        ("broken.ts", "export const x = ;"),
        ("top.ts", "const x: any = undefined;\n\nx.boom();"),
        ("later.ts", "export async function requestHandler() { await import('./d'); }"),
    ]);
    let checked = local::check(&project).await.unwrap();
    let problems =
        |name: &str| checked.iter().find(|module| module.module == name).unwrap().problems.to_string();
    let way = "(imported through a.ts:1:1 → b.ts:2:1)";
    for expected in [
        format!("c.ts:1:1: `./d` does not export `nothing` {way}"),
        format!("c.ts:2:1: there is no module `./lost` {way}"),
        format!("c.ts:3:1: `dgate/crypto` does not export `sha` {way}"),
    ] {
        assert!(problems("a").contains(&expected), "{expected}\n{}", problems("a"));
    }
    assert!(!problems("c").contains("imported through"), "{}", problems("c"));
    let circle = "modules import each other in a circle: one → two → three → one (one.ts:1:1, two.ts:2:1, three.ts:1:1)";
    assert!(problems("one").contains(circle), "{}", problems("one"));
    let broken = problems("typo");
    assert!(
        broken.contains("broken.ts:1:18: ") && broken.contains("(imported through typo.ts:1:1)"),
        "{broken}"
    );
    assert!(problems("top").contains("(top.ts:3:"), "{}", problems("top"));
    assert!(problems("later").is_empty(), "{}", problems("later"));
    let gateway = LocalGateway::start(&project, Network::default()).await;
    assert!(gateway.is_ok(), "modules that are on no route do not keep a local gateway from starting");
}

#[tokio::test]
async fn what_runs_tests_is_not_in_their_way() {
    let tests = "import { expect, test } from 'dgate/test';\ntest('fails', () => { console.log('first'); expect(1).toBe(2); });";
    let (_directory, project) = project(&[("a.test.js", tests)]);
    let report = local::test(&project, &TestOptions::default()).await;
    assert_eq!(report.counts(), (0, 1, 0));
    let failure = report.files[0].tests[0].failure.clone().unwrap();
    assert!(failure.ends_with("(a.test.js:2:55)") && !failure.contains("dgate.tests"), "{failure}");
    let junit = Reporter::Junit.write(&report);
    assert!(junit.contains("<system-out>[a.test info] first\n</system-out>"), "{junit}");
    let one = Project::read(&project.tests()[0]).unwrap();
    assert_eq!(one.tests().len(), 1);
}

/// What the engine panics of in a turn that goes on after an `await` is told at once.
#[tokio::test]
async fn calls_that_wait_end_when_the_engine_panics() {
    let body = "await sleep(1); async function* g(n) { yield* g(n + 1); } for await (const x of g(0)) x;";
    let settings = dgate_modules::ModuleSettings::default();
    let failure = crate::kit::run(body, settings).await.unwrap_err();
    assert!(failure.contains("the engine failed in the runtime that this call waited in"), "{failure}");
}
