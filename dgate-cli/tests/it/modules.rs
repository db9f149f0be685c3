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
