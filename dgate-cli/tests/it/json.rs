//! What programs get: JSON on standard output, and JSON on standard error.

use serde_json::Value;

use crate::gateway::Gateway;
use crate::program::{Ended, ended, program};

/// The values on standard output, and those on standard error, a line each.
fn values(line: &str, ended: &Ended) -> (Vec<Value>, Vec<Value>) {
    let stdout: Result<Vec<Value>, _> =
        serde_json::Deserializer::from_str(&ended.stdout).into_iter().collect();
    let stderr: Result<Vec<Value>, _> = ended.stderr.lines().map(serde_json::from_str).collect();
    (
        stdout.unwrap_or_else(|error| panic!("{line}: {error}: {}", ended.stdout)),
        stderr.unwrap_or_else(|error| panic!("{line}: {error}: {}", ended.stderr)),
    )
}

#[test]
fn every_command_that_works_writes_one_value() {
    let gateway = Gateway::start();
    gateway.write("f.yaml", "owner: edge\nservices: [{name: api, urls: ['http://127.0.0.1:2']}]\n");
    gateway.write(
        "mod/m.ts",
        "export function requestHandler(ctx) { ctx.response().status(204); }\nexport function job() {}\n",
    );
    gateway.write("mod/t.test.ts", "import { test } from \"dgate/test\";\ntest(\"yes\", () => {});\n");
    gateway.write("openapi.yaml", "openapi: 3.1.0\ninfo: {title: Pets, version: '1'}\nservers: [{url: http://pets.example}]\npaths: {/pets: {get: {}}}\n");
    gateway.write("kong.yaml", "_format_version: '3.0'\nservices: [{name: a, url: http://a.example, routes: [{name: r, paths: [/a]}]}]\n");
    for line in [
        "ns mk shop",
        "svc mk api urls=http://127.0.0.1:1",
        "svc mk b urls=http://127.0.0.1:1 --dry-run",
        "svc mk b urls=http://127.0.0.1:1",
        "svc set api retries=1",
        "svc get api",
        "svc ls",
        "rt ls",
        "rt mk r paths=/r service=api",
        "module deploy mod/m.ts --route r",
        "module deploy mod/m.ts --dry-run",
        "col mk users",
        "doc mk users/1 data:=1",
        "doc mk users/2 data:=2",
        "doc ls -c users",
        "doc rm -c users --all --dry-run",
        "doc rm -c users --all --yes",
        "doc rm -c users --all --yes",
        "job mk j module=m schedule=@hourly",
        "job pause j",
        "job resume j",
        "apply -f f.yaml",
        "apply -f f.yaml --dry-run",
        "sync -f f.yaml",
        "diff -f f.yaml",
        "validate -f f.yaml",
        "validate -f f.yaml --online",
        "explain /r",
        "tags explain --path /r",
        "tags plan",
        "export",
        "log",
        "log 1",
        "rollback 1 --dry-run",
        "canary start r --service b",
        "canary status r --interval 10ms",
        "canary widen r --percent 2%",
        "canary abort r",
        "canary start r --service b",
        "canary promote r",
        "top --interval 10ms",
        "module check mod/m.ts",
        "module test mod/t.test.ts --reporter json",
        "module run mod/m.ts --request /",
        "module init greet",
        "import openapi openapi.yaml",
        "import kong kong.yaml",
        "rt rm r",
        "svc rm b --dry-run",
        "svc rm b",
        "rollback 3 --yes",
        "rollback 3 --yes",
        "cluster",
        "apply -f f.yaml --wait",
        "version",
        "version --client",
    ] {
        let ended = gateway.run(&format!("-V {line} -o json"));
        assert_eq!(ended.status, 0, "{line}: {}", ended.stderr);
        let (stdout, stderr) = values(line, &ended);
        assert_eq!(stdout.len(), 1, "{line}: {}", ended.stdout);
        for note in stderr {
            let is_note = ["message", "warning"].iter().any(|name| note[name].is_string());
            assert!(is_note, "{line}: {note}");
        }
    }
    let watched = gateway.run("top --interval 10ms --count 3 -o json");
    assert_eq!(watched.stdout.lines().count(), 3, "a line each: {}", watched.stdout);
    let edited = program(&["svc", "edit", "api", "-o", "json"])
        .env("DGATE_ADMIN_API", gateway.ports.admin_url())
        .env("EDITOR", "true")
        .env_remove("VISUAL")
        .output()
        .unwrap();
    let (stdout, _) = values("edit", &ended(&edited));
    assert_eq!(stdout[0]["name"], "api", "also if nothing was changed");
}

#[test]
fn what_fails_says_why_in_one_value() {
    let gateway = Gateway::start();
    gateway.write("bad.yaml", "services:\n- {name: a, urls: ['ftp://x']}\n");
    gateway.done("svc mk api urls=http://127.0.0.1:1");
    gateway.done("rt mk r paths=/r service=api");
    for (line, status) in [
        ("svc get nobody", 6),
        ("svc rm api", 5),
        ("rt mk x path=/x", 7),
        ("rt mk x paths=/x service=apo", 7),
        ("apply -f bad.yaml", 7),
        ("validate -f bad.yaml", 7),
        ("apply -f missing.yaml", 1),
        ("svc get", 2),
        ("nonsense", 2),
        ("svc ls --nonsense", 2),
        ("svc get a/b/c", 2),
        ("sync -f bad.yaml", 2),
        ("--admin http://127.0.0.1:1 svc ls", 9),
    ] {
        for json in ["-o json", "--output=json"] {
            let ended = gateway.run(&format!("{line} {json}"));
            assert_eq!((ended.status, ended.stdout.as_str()), (status, ""), "{line}: {}", ended.stderr);
            let (_, stderr) = values(line, &ended);
            let error = &stderr.last().unwrap()["error"];
            assert_eq!(error["status"], status, "{line}: {}", ended.stderr);
            assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{line}: {error}");
        }
    }
    let refused = gateway.run("apply -f bad.yaml -o json");
    let detail = &values("apply", &refused).1[0]["error"]["details"][0];
    assert_eq!(
        (&detail["file"], &detail["resource"], &detail["pointer"]),
        (&"bad.yaml:2".into(), &"service/default/a".into(), &"/urls/0".into()),
        "{detail}"
    );
}
