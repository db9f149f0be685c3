//! Modules and what routes do with them.

use serde_json::json;

use crate::fake::Fake;
use crate::program::{ended, program, run};

#[test]
fn a_module_and_its_routes_change_in_one_step() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("greet.ts"), "export {}\n").unwrap();
    let module = r#"{"data":{"name":"greet","namespace":"default","payload":"eA==","permissions":["os:env:read"],
        "revision":3,"created_at":"x"},"revision":8}"#;
    let route =
        r#"{"data":{"name":"hello","namespace":"default","paths":["/a"],"modules":["first"]},"revision":9}"#;
    let done = r#"{"data":{"updated":2,"changes":[{"resource":"module/default/greet","outcome":"updated"},
        {"resource":"route/default/hello","outcome":"updated"}]},"revision":10}"#;
    let server = Fake::answering([(200, "", module), (200, "", route), (200, "", done)]);
    let arguments = ["--admin", &server.url, "module", "deploy", "greet.ts", "--route", "hello"];
    let ended = ended(&program(&arguments).current_dir(folder.path()).output().unwrap());
    assert_eq!(
        ended.stderr,
        "module/default/greet updated\nroute/default/hello updated\n2 updated (revision 10)\n"
    );
    let asked = server.asked();
    assert_eq!(
        (asked[0].line.as_str(), asked[1].line.as_str()),
        ("GET /api/v1/module/default/greet", "GET /api/v1/route/default/hello")
    );
    let expected = json!({
        "resources": [
            { "name": "greet", "namespace": "default", "permissions": ["os:env:read"], "payload_raw": "export {}\n",
              "type": "typescript", "kind": "module" },
            { "name": "hello", "namespace": "default", "paths": ["/a"], "modules": ["first", "greet"], "kind": "route" },
        ],
        "dry_run": false, "message": null, "expect_revision": 8,
    });
    assert_eq!(asked[2].json(), expected);
}

#[test]
fn a_new_module_needs_nothing_but_its_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("greet.mjs"), "export {}\n").unwrap();
    let missing = r#"{"detail":"module/shop/greet does not exist"}"#;
    let done = r#"{"data":{"created":1,"changes":[]},"revision":4}"#;
    let server =
        Fake::answering([(404, "", missing), (200, "", r#"{"data":{},"revision":3}"#), (200, "", done)]);
    let file = folder.path().join("greet.mjs");
    let ended = run(&[
        "--admin",
        &server.url,
        "-n",
        "shop",
        "mod",
        "deploy",
        file.to_str().unwrap(),
        "--permission",
        "os:env:read",
    ]);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let sent = server.asked()[2].json();
    let expected = json!({ "name": "greet", "namespace": "shop", "payload_raw": "export {}\n", "type": "javascript",
        "permissions": ["os:env:read"], "kind": "module" });
    assert_eq!((&sent["resources"][0], &sent["expect_revision"]), (&expected, &json!(3)));
}

#[test]
fn several_modules_change_in_one_step() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.ts"), "import './b';\n").unwrap();
    std::fs::write(folder.path().join("b.js"), "export {}\n").unwrap();
    let there =
        r#"{"data":{"name":"b","namespace":"default","payload":"eA==","env":{"A":"1"}},"revision":4}"#;
    let missing = r#"{"detail":"module/default/a does not exist"}"#;
    let route = r#"{"data":{"name":"r","namespace":"default","paths":["/a"]},"revision":5}"#;
    let done = r#"{"data":{"created":1,"updated":2,"changes":[]},"revision":6}"#;
    let server = Fake::answering([
        (404, "", missing),
        (200, "", r#"{"data":{},"revision":3}"#),
        (200, "", there),
        (200, "", route),
        (200, "", done),
    ]);
    let arguments = ["--admin", &server.url, "module", "deploy", "a.ts", "b.js", "--route", "r"];
    let deployed = ended(&program(&arguments).current_dir(folder.path()).output().unwrap());
    assert_eq!(deployed.status, 0, "{}", deployed.stderr);
    let sent = server.asked()[4].json();
    let expected = json!([
        { "name": "a", "namespace": "default", "payload_raw": "import './b';\n", "type": "typescript", "kind": "module" },
        { "name": "b", "namespace": "default", "env": { "A": "1" }, "payload_raw": "export {}\n", "type": "javascript",
          "kind": "module" },
        { "name": "r", "namespace": "default", "paths": ["/a"], "modules": ["a", "b"], "kind": "route" },
    ]);
    assert_eq!((&sent["resources"], &sent["expect_revision"]), (&expected, &json!(3)));

    for (arguments, said) in [
        (["a.ts", "b.js", "--name", "c"].as_slice(), "is for one file"),
        (&["b.js", "./b.js"], "more than one file"),
    ] {
        let arguments = [&["module", "deploy"], arguments].concat();
        let refused = local(&folder, &arguments);
        assert_eq!(refused.status, 2);
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
}

#[test]
fn files_that_are_no_modules_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, said) in [("a.py", "neither TypeScript"), (".ts", "no name for a module")] {
        let file = folder.path().join(name);
        std::fs::write(&file, "").unwrap();
        let ended = run(&["module", "deploy", file.to_str().unwrap()]);
        assert_eq!(ended.status, 2, "{name}");
        assert!(ended.stderr.contains(said), "{name}: {}", ended.stderr);
    }
    for (name, said) in [("a.test.ts", "dgate-cli module test"), ("a.d.ts", "has types only")] {
        let file = folder.path().join(name);
        std::fs::write(&file, "").unwrap();
        let ended = run(&["module", "deploy", file.to_str().unwrap()]);
        assert_eq!(ended.status, 2, "{name}");
        assert!(ended.stderr.contains(said), "{name}: {}", ended.stderr);
    }
    assert_eq!(run(&["module", "deploy", "missing.ts"]).status, 6);
    let ended = run(&["module", "deploy", folder.path().to_str().unwrap()]);
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains("name the files of its modules"), "{}", ended.stderr);
}

/// A folder with a module, begun by the program itself.
fn begun() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let begun = local(&folder, &["module", "init", "hello", "--directory", "."]);
    assert_eq!(begun.status, 0, "{}", begun.stderr);
    assert_eq!(begun.stdout, "./hello.ts\n./hello.test.ts\n./hello.yaml\n./dgate.d.ts\n./tsconfig.json\n");
    folder
}

fn local(folder: &tempfile::TempDir, arguments: &[&str]) -> crate::program::Ended {
    ended(&program(arguments).current_dir(folder.path()).output().unwrap())
}

#[test]
fn a_module_is_begun_checked_tested_and_run() {
    let folder = begun();
    let checked = local(&folder, &["module", "check"]);
    assert_eq!(
        (checked.status, checked.stdout.as_str()),
        (0, "hello: requestHandler\n  requestHandler: runs without the engine\n"),
        "{}",
        checked.stderr
    );

    let tested = local(&folder, &["module", "test"]);
    assert_eq!(tested.status, 0, "{}{}", tested.stdout, tested.stderr);
    assert!(tested.stdout.contains("✓ greets by name"), "{}", tested.stdout);
    assert!(tested.stdout.contains("1 passed, 0 failed, 0 skipped"), "{}", tested.stdout);

    let ran = local(&folder, &["module", "run", "hello.ts", "--request", "GET /hello/Ann"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(
        ran.stdout,
        "HTTP/1.1 200 OK\ncontent-type: application/json\n\n{\"greeting\":\"Hello, Ann!\"}\n"
    );
    assert!(ran.stderr.contains("requestHandler: "), "{}", ran.stderr);

    let types = local(&folder, &["module", "types"]);
    assert!(types.stdout.contains("declare module \"dgate/test\""));
    std::fs::remove_file(folder.path().join("dgate.d.ts")).unwrap();
    assert_eq!(local(&folder, &["module", "types", "."]).stderr, "./dgate.d.ts written\n");
    assert_eq!(std::fs::read_to_string(folder.path().join("dgate.d.ts")).unwrap(), types.stdout);
}

#[test]
fn a_module_may_be_called_like_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("greet");
    std::fs::create_dir(&place).unwrap();
    let begin = |name: &str| ended(&program(&["module", "init", name]).current_dir(&place).output().unwrap());
    let begun = begin(".");
    assert_eq!(begun.status, 0, "{}", begun.stderr);
    assert_eq!(begun.stdout, "./greet.ts\n./greet.test.ts\n./greet.yaml\n./dgate.d.ts\n./tsconfig.json\n");
    assert_eq!(
        begun.stderr,
        "try `dgate-cli module test .`\nand `dgate-cli module run greet.ts --request 'GET /greet/Ann'`\n"
    );
    assert_eq!(begin("sub/other").stdout.lines().next(), Some("sub/other/other.ts"));
    assert_eq!(begin("third/").stdout.lines().next(), Some("third/third.ts"));

    // What is there is left alone, and nothing is written beside it.
    std::fs::remove_file(place.join("greet.test.ts")).unwrap();
    std::fs::write(place.join("greet.ts"), "mine").unwrap();
    let again = begin(".");
    assert_eq!((again.status, again.stdout.as_str()), (1, ""));
    assert_eq!(again.stderr, "error: ./greet.ts is there already; nothing was written\n");
    assert!(!place.join("greet.test.ts").exists());
    assert_eq!(std::fs::read_to_string(place.join("greet.ts")).unwrap(), "mine");

    let spaced = folder.path().join("my module");
    std::fs::create_dir(&spaced).unwrap();
    let refused = ended(&program(&["module", "init", "."]).current_dir(&spaced).output().unwrap());
    assert_eq!(refused.status, 2);
    assert!(
        refused.stderr.contains("the folder's name `my module` is no name for a module"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("help: give one: `dgate-cli module init NAME --directory .`"));
}

#[test]
fn modules_begun_in_one_folder_get_along() {
    let folder = begun();
    assert_eq!(local(&folder, &["module", "init", "other", "--directory", "."]).status, 0);
    assert_eq!(local(&folder, &["module", "test"]).status, 0);
    for name in ["hello", "other"] {
        let ran = local(&folder, &["module", "run", ".", "-r", &format!("GET /{name}/Ann")]);
        assert!(ran.stdout.contains("Hello, Ann!"), "{}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn two_files_with_the_same_text_are_two_modules() {
    let folder = begun();
    std::fs::copy(folder.path().join("hello.ts"), folder.path().join("copy.ts")).unwrap();
    let checked = local(&folder, &["module", "check", "-o", "name"]);
    assert_eq!((checked.status, checked.stdout.as_str()), (0, "hello\ncopy\n"), "{}", checked.stderr);
    std::fs::write(folder.path().join("copy.js"), "").unwrap();
    let twice = local(&folder, &["module", "check"]);
    assert_eq!(twice.status, 7);
    assert!(twice.stderr.contains("./copy.ts: there is a module `copy` already"), "{}", twice.stderr);
}

#[test]
fn slips_of_the_pen_are_told() {
    let folder = begun();
    for (arguments, status, said) in [
        (["run", "hello"].as_slice(), 6, "help: did you mean `hello.ts`?"),
        (&["check", "hello"], 6, "help: did you mean `hello.ts`?"),
        (&["run", "hello.test.ts"], 2, "help: `dgate-cli module test hello.test.ts` runs them"),
        (&["check", "hello.test.ts"], 2, "hello.test.ts has tests, and is no module"),
        (&["check", "dgate.d.ts"], 2, "has types only"),
        (&["test", "hello.ts"], 6, "help: its tests: `dgate-cli module test hello.test.ts`"),
        (&["test", "hello.yaml"], 6, "there is no module here"),
        (&["test", "nothing"], 6, "No such file"),
        (&["test", "nothing", "--watch"], 6, "No such file"),
        (&["test", "-o", "yaml"], 2, "help: use `--reporter pretty|json|junit`"),
        (&["test", "--report-file", "r.xml"], 2, "--reporter <REPORTER>"),
        (&["run", "hello.ts", "-r", "GET hello"], 2, "`hello` is no path: it begins with `/`"),
        (&["run", "hello.ts", "--bench", "0"], 2, "0 is not in 1.."),
        (&["run", "hello.ts"], 0, "no route takes `GET /`; there are: hello (/hello/{name}, /hello)"),
    ] {
        let ended = local(&folder, &[&["module"], arguments].concat());
        assert_eq!(ended.status, status, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{arguments:?}: {}", ended.stderr);
    }
    let empty = tempfile::tempdir().unwrap();
    for (arguments, said) in [
        (["check"].as_slice(), "no module in ."),
        (&["test"], "help: tests stand in `NAME.test.ts`"),
        (&["run", "."], "has no routes, and is no module"),
    ] {
        let ended = local(&empty, &[&["module"], arguments].concat());
        assert_eq!(ended.status, 6, "{arguments:?}");
        assert!(ended.stderr.contains(said), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn failures_of_tests_have_a_status_of_their_own() {
    let folder = begun();
    let tests =
        "import { expect, test } from 'dgate/test';\ntest('adds', () => {\n  expect(1 + 1).toBe(3);\n});\n";
    std::fs::write(folder.path().join("hello.test.ts"), tests).unwrap();
    let tested = local(&folder, &["module", "test"]);
    assert_eq!(tested.status, 8);
    let expected = "AssertionError: expected 2 to be 3 (hello.test.ts:3:";
    assert!(tested.stdout.contains(expected), "{}", tested.stdout);
    let junit = local(&folder, &["module", "test", "hello.test.ts", "--reporter", "junit"]);
    assert!(junit.stdout.starts_with("<?xml"), "{}", junit.stdout);
    let json = local(&folder, &["module", "test", "--reporter", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["failed"], 1);
    let alike = local(&folder, &["module", "test", "-o", "json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&alike.stdout).unwrap()["failed"], 1);
    let filtered = local(&folder, &["module", "test", "--filter", "no such"]);
    assert_eq!(filtered.status, 6);
    assert!(filtered.stderr.contains("no test has a name with `no such` in it"), "{}", filtered.stderr);

    let both = local(&folder, &["module", "test", "--reporter", "junit", "--report-file", "report.xml"]);
    assert_eq!(both.status, 8);
    assert!(both.stdout.contains("0 passed, 1 failed"), "{}", both.stdout);
    let written = std::fs::read_to_string(folder.path().join("report.xml")).unwrap();
    assert!(written.contains("tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\""), "{written}");
    let nowhere =
        local(&folder, &["module", "test", "--reporter", "junit", "--report-file", "no/report.xml"]);
    assert_eq!(nowhere.status, 1);
    assert!(nowhere.stderr.contains("no/report.xml cannot be written"), "{}", nowhere.stderr);

    std::fs::write(folder.path().join("hello.test.ts"), "").unwrap();
    let none = local(&folder, &["module", "test"]);
    assert_eq!(none.status, 6);
    assert!(none.stderr.contains("help: a test is made by `test(name, body)`"), "{}", none.stderr);
}

#[test]
fn what_is_wrong_with_a_module_is_told() {
    let folder = begun();
    let source = "export async function requestHandlr(ctx: any) {\n  await fetch('http://a.example/');\n}\n";
    std::fs::write(folder.path().join("hello.ts"), source).unwrap();
    let checked = local(&folder, &["module", "check", "hello.ts"]);
    assert_eq!(checked.status, 7);
    assert!(
        checked.stdout.contains("os:net:http=a.example:80 (hello.ts:2:9): not granted"),
        "{}",
        checked.stdout
    );
    assert!(checked.stdout.contains("help: did you mean `requestHandler`?"), "{}", checked.stdout);
    let allowed =
        local(&folder, &["module", "check", "hello.ts", "--allow", "os:net:http=a.example", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&allowed.stdout).unwrap();
    assert_eq!((allowed.status, &json[0]["fine"]), (0, &true.into()));

    std::fs::write(folder.path().join("hello.ts"), "export const x: = 1;\n").unwrap();
    let ran = local(&folder, &["module", "run", "hello.ts"]);
    assert_eq!(ran.status, 7, "{}", ran.stdout);
    assert!(ran.stderr.contains("hello.ts:1:17"), "{}", ran.stderr);
    assert_eq!(local(&folder, &["module", "run", "none.ts"]).status, 6);
}

#[test]
fn a_module_that_runs_reaches_what_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let server = Fake::answering([(200, "", "from afar")]);
    let source = format!(
        "export async function requestHandler(ctx) {{
           console.warn('asks');
           ctx.response().send(await (await fetch('{}/x', {{ method: ctx.request().method, body: await ctx.request().text() }})).text());
         }}",
        server.url
    );
    std::fs::write(folder.path().join("m.js"), source).unwrap();
    let denied = local(&folder, &["module", "run", "m.js", "--request", "POST /", "--body", "b"]);
    assert_eq!(denied.status, 1);
    assert!(denied.stdout.starts_with("HTTP/1.1 500"), "{}", denied.stdout);
    assert!(
        denied.stderr.contains("failed: PermissionDenied: permission `os:net:http=127.0.0.1:"),
        "{}",
        denied.stderr
    );
    let arguments =
        ["module", "run", "m.js", "-r", "POST /", "--body", "b", "--allow", "os:net:http=127.0.0.1"];
    let ran = local(&folder, &arguments);
    assert!(ran.stdout.ends_with("\n\nfrom afar\n"), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("[m warn] asks"), "{}", ran.stderr);
    assert_eq!(server.asked()[0].line, "POST /x");
}

#[test]
fn the_examples_pass_their_tests() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/modules");
    let tested = crate::program::run(&["module", "test", examples]);
    assert_eq!(tested.status, 0, "{}{}", tested.stdout, tested.stderr);
    assert!(tested.stdout.contains("12 passed, 0 failed, 0 skipped"), "{}", tested.stdout);
    let checked = crate::program::run(&["module", "check", examples]);
    assert_eq!(checked.status, 0, "{}{}", checked.stdout, checked.stderr);
}
