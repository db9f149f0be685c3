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
fn files_that_are_no_modules_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, said) in [("a.py", "neither TypeScript"), (".ts", "no name for a module")] {
        let file = folder.path().join(name);
        std::fs::write(&file, "").unwrap();
        let ended = run(&["module", "deploy", file.to_str().unwrap()]);
        assert_eq!(ended.status, 2, "{name}");
        assert!(ended.stderr.contains(said), "{name}: {}", ended.stderr);
    }
    assert_eq!(run(&["module", "deploy", "missing.ts"]).status, 1);
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
    assert_eq!(local(&folder, &["module", "test", "--filter", "no such"]).status, 6);
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

#[test]
fn tests_are_run_again_when_a_file_changes() {
    use std::io::{BufRead as _, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.test.ts");
    let expecting = |value: u32| {
        format!(
            "import {{ expect, test }} from 'dgate/test';\ntest('counts', () => expect(1 + 1).toBe({value}));\n"
        )
    };
    std::fs::write(&file, expecting(2)).unwrap();
    let mut command =
        crate::program::program(&["module", "test", folder.path().to_str().unwrap(), "--watch"]);
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("1 passed, 0 failed")));
    std::fs::write(&file, expecting(3)).unwrap();
    assert!(lines.any(|line| line.contains("0 passed, 1 failed")));
    std::fs::write(&file, expecting(2)).unwrap();
    assert!(lines.any(|line| line.contains("1 passed, 0 failed")));
    child.kill().unwrap();
    child.wait().unwrap();
}
