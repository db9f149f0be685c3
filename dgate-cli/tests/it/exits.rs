//! Every exit status has its causes.

use serde_json::json;

use crate::gateway::Gateway;
use crate::program::program;

/// A token as whoever knows the secret signs one (RFC 7519, HS256).
fn token(secret: &str, claims: &serde_json::Value) -> String {
    let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&header, claims, &key).unwrap()
}

#[test]
fn each_status_says_what_it_is_said_to() {
    let gateway = Gateway::start();
    gateway.write("same.yaml", "services: [{name: api, urls: ['http://127.0.0.1:1']}]\n");
    gateway.write("other.yaml", "services: [{name: api, urls: ['http://127.0.0.1:2']}]\n");
    gateway.write("bad.yaml", "routes: [{name: r, paths: [x]}]\n");
    gateway.write("variable.yaml", "services: [{name: api, urls: ['${DGATE_TEST_NOBODY_SETS_THIS}']}]\n");
    gateway.write(
        "mod/m.test.ts",
        "import { test, expect } from \"dgate/test\";\ntest(\"no\", () => expect(1).toBe(2));\n",
    );
    gateway.write("mod/m.ts", "export function requestHandler(ctx) { ctx.status(204); }\n");
    gateway.write("mod/throws.ts", "export function requestHandler() { throw new Error(\"no\"); }\n");
    gateway.done("svc mk api urls=http://127.0.0.1:1");
    gateway.done("rt mk r paths=/r service=api");
    for (status, line) in [
        (0, "svc get api"),
        (0, "diff -f same.yaml --exit-code"),
        (0, "diff -f other.yaml"),
        (0, "--help"),
        (0, "version --client"),
        // It did not work.
        (1, "apply -f missing.yaml"),
        (1, "module run mod/throws.ts --request /"),
        // The command line makes no sense.
        (2, "nonsense"),
        (2, "svc mk urls=http://a"),
        (2, "svc get"),
        (2, "svc get a/b/c"),
        (2, "svc mk x --dry-run=maybe"),
        (2, "svc rm api --cascade"),
        (2, "doc rm --all"),
        (2, "--admin ftp://x svc ls"),
        (2, "completion bash -o json"),
        // Differences, where they are asked for.
        (3, "diff -f other.yaml --exit-code"),
        (3, "apply -f other.yaml --dry-run --exit-code"),
        // Somebody else was faster, or something refers to it.
        (5, "svc rm api"),
        (5, "svc mk api urls=http://127.0.0.1:1 --new"),
        (5, "svc set api retries=1 --if-revision 99"),
        (5, "apply -f other.yaml --expect-revision 99"),
        (5, "rollback 1 --expect-revision 99"),
        // It is not there.
        (6, "svc get nobody"),
        (6, "svc rm nobody"),
        (6, "rollback 99"),
        (6, "log 99"),
        (6, "canary promote r"),
        (6, "doc rm collection=nobody --all"),
        // It is not valid.
        (7, "rt mk x path=/x"),
        (7, "rt mk x paths=/x service=nobody"),
        (7, "apply -f bad.yaml"),
        (7, "validate -f bad.yaml"),
        (7, "validate -f variable.yaml"),
        (7, "rt set r paths=x"),
        // Tests failed.
        (8, "module test mod/m.test.ts"),
        // Nobody is there.
        (9, "--admin http://127.0.0.1:1 svc ls"),
    ] {
        let ended = gateway.run(line);
        assert_eq!(ended.status, status, "{line}: {}{}", ended.stdout, ended.stderr);
    }
}

#[test]
fn who_may_not_is_told_so_with_a_status_of_its_own() {
    let secret = "0123456789abcdef0123456789abcdef";
    let gateway =
        Gateway::start_with_admin(&format!(", auth_method: jwt, jwt_auth: {{secret: {secret}, issuer: us}}"));
    let expires = jiff::Timestamp::now().as_second() + 3_600;
    let of = |claims: serde_json::Value, secret: &str| token(secret, &claims);
    let ann = of(json!({ "sub": "ann", "iss": "us", "exp": expires, "role": "editor" }), secret);
    let eve = of(json!({ "sub": "eve", "iss": "us", "exp": expires, "role": "viewer" }), secret);
    let late = of(json!({ "sub": "ann", "iss": "us", "exp": 1, "role": "admin" }), secret);
    let forged =
        of(json!({ "sub": "ann", "iss": "us", "exp": expires, "role": "admin" }), &secret.replace('0', "1"));
    let made = gateway.run(&format!("-V --token {ann} svc mk api urls=http://127.0.0.1:1"));
    assert_eq!(made.status, 0, "{}", made.stderr);
    assert!(!made.stderr.contains(&ann), "{}", made.stderr);
    gateway.done(&format!("--token {eve} svc ls"));
    gateway.fails("svc ls", 4, "--token TOKEN");
    for token in [&late, &forged, &"nonsense".to_owned()] {
        gateway.fails(&format!("--token {token} svc ls"), 4, "error: ");
    }
    gateway.fails(&format!("--token {eve} svc rm api"), 4, "error: ");
    let mut command = program(&["log", "-o", "json"]);
    command.env("DGATE_ADMIN_API", gateway.ports.admin_url()).env("DGATE_ADMIN_TOKEN", &ann);
    let log: serde_json::Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    assert_eq!(log[0]["who"], "ann");
}

#[test]
fn a_rollback_does_what_was_shown_or_nothing() {
    let answers = |second: (u16, &'static str)| {
        let plan = r#"{"data":{"updated":1,"changes":[{"resource":"route/default/r","outcome":"updated"}]},"revision":41}"#;
        [(200, "", plan), (second.0, "", second.1)]
    };
    let changed =
        r#"{"type":"urn:dgate:error:conflict","detail":"the configuration is at revision 42, not at 41"}"#;
    let server = crate::fake::Fake::answering(answers((409, changed)));
    let ended = crate::program::run(&["--admin", &server.url, "rollback", "4", "--yes"]);
    assert_eq!(ended.status, 5, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("at revision 42, not at 41\nhelp: it was changed meanwhile"),
        "{}",
        ended.stderr
    );
    assert_eq!(server.asked()[1].json()["expect_revision"], 41);
}
