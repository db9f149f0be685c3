//! Canaries: what is asked of the server at each step.

use serde_json::{Value, json};

use crate::fake::Fake;
use crate::program::run;

const NAMESPACE: &str = r##"{"data":{"name":"shop","tags":["#region:eu"],"server_tags":["own:x"],"revision":3,"created_at":"x","updated_at":"x"},"revision":9}"##;
const WITH_TAG: &str = r##"{"data":{"name":"shop","tags":["#region:eu"],"server_tags":["own:x","canary@1%:api","canary@1%:other"],"revision":3},"revision":9}"##;
const ROUTE: &str = r#"{"data":{"name":"api","namespace":"shop","paths":["/api/**"],"service":"old","modules":["auth","log"],"tags":["team:web"],"revision":4,"owner":"files"},"revision":9}"#;
const BESIDE: &str = r##"{"data":{"name":"api-canary","namespace":"shop","paths":["/api/**"],"service":"new","modules":["auth-2","log"],"tags":["team:web","#canary:api"],"revision":5},"revision":9}"##;
const MISSING: (u16, &str, &str) =
    (404, "content-type: application/problem+json\r\n", r#"{"status":404,"detail":"it is not there"}"#);
const DONE: (u16, &str, &str) = (
    200,
    "",
    r#"{"data":{"changes":[{"resource":"route/shop/api-canary","outcome":"created"}],"created":1,"updated":0,"deleted":0,"unchanged":0},"revision":10}"#,
);

/// Runs a step against these answers, and returns the change that it asked for.
fn applied<const N: usize>(words: &[&str], answers: [(u16, &str, &str); N]) -> Value {
    let server = Fake::answering(answers);
    let ended = run(&[&["--admin", &server.url, "canary"], words].concat());
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let mut asked = server.asked();
    let last = asked.pop().unwrap();
    let lines: Vec<_> = asked.iter().map(|asked| asked.line.as_str()).collect();
    assert_eq!(
        lines,
        ["GET /api/v1/namespace/shop", "GET /api/v1/route/shop/api", "GET /api/v1/route/shop/api-canary"]
    );
    assert_eq!(last.line, "POST /api/v1/apply");
    let body = last.json();
    assert_eq!(body["expect_revision"], 9, "nothing may have changed meanwhile");
    body
}

#[allow(clippy::needless_pass_by_value, reason = "reads well at the call")]
fn namespace(tags: Value) -> Value {
    json!({ "kind": "namespace", "name": "shop", "tags": ["#region:eu"], "server_tags": tags })
}

#[test]
fn a_canary_of_a_service_begins_beside_its_route() {
    let body = applied(
        &["start", "shop/api", "--service", "new", "--percent", "0.5%"],
        [(200, "", NAMESPACE), (200, "", ROUTE), MISSING, DONE],
    );
    assert_eq!(
        body["resources"],
        json!([
            { "kind": "route", "name": "api-canary", "namespace": "shop", "paths": ["/api/**"], "service": "new",
              "modules": ["auth", "log"], "tags": ["team:web", "#canary:api"] },
            namespace(json!(["own:x", "canary@0.5%:api"])),
        ])
    );
    assert_eq!(body["message"], "canary of route shop/api begins at 0.5%");
    assert_eq!(body.get("delete"), None);
}

#[test]
fn a_canary_of_a_module_takes_its_place_and_may_grow() {
    let body = applied(
        &["start", "shop/api", "--module", "auth=auth-2", "--module", "extra", "--to", "50%", "--over", "2h"],
        [(200, "", NAMESPACE), (200, "", ROUTE), MISSING, DONE],
    );
    assert_eq!(body["resources"][0]["modules"], json!(["auth-2", "log", "extra"]));
    assert_eq!(body["resources"][0]["service"], "old");
    let tag = body["resources"][1]["server_tags"][1].as_str().unwrap();
    assert!(tag.starts_with("@(20") && tag.ends_with(")#canary@1%..50%:api"), "{tag}");
}

#[test]
fn a_canary_is_widened_by_its_tag_alone() {
    let body = applied(
        &["-n", "shop", "widen", "api", "--percent", "25%"],
        [(200, "", WITH_TAG), (200, "", ROUTE), (200, "", BESIDE), DONE],
    );
    assert_eq!(body["resources"], json!([namespace(json!(["own:x", "canary@1%:other", "canary@25%:api"]))]));
}

#[test]
fn a_promoted_canary_becomes_its_route() {
    let body =
        applied(&["promote", "shop/api"], [(200, "", WITH_TAG), (200, "", ROUTE), (200, "", BESIDE), DONE]);
    assert_eq!(
        body["resources"],
        json!([
            { "kind": "route", "name": "api", "namespace": "shop", "paths": ["/api/**"], "service": "new",
              "modules": ["auth-2", "log"], "tags": ["team:web"] },
            namespace(json!(["own:x", "canary@1%:other"])),
        ])
    );
    assert_eq!(body["delete"], json!(["route/shop/api-canary"]));
}

#[test]
fn an_aborted_canary_leaves_what_was_before() {
    let body =
        applied(&["abort", "shop/api"], [(200, "", WITH_TAG), (200, "", ROUTE), (200, "", BESIDE), DONE]);
    assert_eq!(body["resources"], json!([namespace(json!(["own:x", "canary@1%:other"]))]));
    assert_eq!(body["delete"], json!(["route/shop/api-canary"]));
}

#[test]
fn mistakes_are_told_and_nothing_is_asked_for() {
    for (words, answers, status, said) in [
        (
            &["start", "shop/api", "--service", "new"][..],
            [(200, "", WITH_TAG), (200, "", ROUTE), (200, "", BESIDE)],
            5,
            "route shop/api has a canary already",
        ),
        (
            &["start", "shop/api", "--module", "aut=x"],
            [(200, "", NAMESPACE), (200, "", ROUTE), MISSING],
            2,
            "the route has no module `aut`\nhelp: did you mean `auth`?",
        ),
        (
            &["promote", "shop/api"],
            [(200, "", NAMESPACE), (200, "", ROUTE), MISSING],
            6,
            "route shop/api has no canary",
        ),
        (
            &["abort", "shop/api"],
            [(200, "", NAMESPACE), (200, "", ROUTE), MISSING],
            6,
            "route shop/api has no canary",
        ),
    ] {
        let server = Fake::answering(answers);
        let ended = run(&[&["--admin", &server.url, "canary"], words].concat());
        assert_eq!(ended.status, status, "{words:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{words:?}: {}", ended.stderr);
        assert_eq!(server.asked().len(), 3);
    }
    let ended = run(&["canary", "start", "api"]);
    assert_eq!(ended.status, 2, "neither a service nor a module: {}", ended.stderr);
}

#[test]
fn both_variants_are_shown_side_by_side() {
    let metrics = |stable: u32, canary: u32| {
        format!(
            "dgate_proxy_requests_total{{namespace=\"shop\",route=\"api\",code=\"200\"}} {stable}\n\
             dgate_proxy_requests_total{{namespace=\"shop\",route=\"api-canary\",code=\"503\"}} {canary}\n"
        )
    };
    let (before, after) = (metrics(100, 0), metrics(160, 20));
    let answers = [
        (200, "", WITH_TAG),
        (200, "", ROUTE),
        (200, "", BESIDE),
        (200, "", before.as_str()),
        (200, "", after.as_str()),
    ];
    let server = Fake::answering(answers);
    let ended =
        run(&["--admin", &server.url, "-o", "json", "canary", "status", "shop/api", "--interval", "10ms"]);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let rows: Value = serde_json::from_str(&ended.stdout).unwrap();
    let told = |row: &Value| {
        json!([row["variant"], row["route"], row["requests"], row["error_share"], row["share"]])
    };
    assert_eq!(told(&rows[0]), json!(["stable", "api", 60.0, 0.0, null]));
    assert_eq!(told(&rows[1]), json!(["canary", "api-canary", 20.0, 1.0, "1%"]));
}

#[test]
fn a_watched_canary_that_is_worse_is_aborted() {
    let metrics = |stable: u32, canary: u32| {
        format!(
            "dgate_proxy_requests_total{{namespace=\"shop\",route=\"api\",code=\"200\"}} {stable}\n\
             dgate_proxy_requests_total{{namespace=\"shop\",route=\"api-canary\",code=\"503\"}} {canary}\n"
        )
    };
    let all = [metrics(0, 0), metrics(50, 5), metrics(100, 10)];
    let found = [(200, "", WITH_TAG), (200, "", ROUTE), (200, "", BESIDE)];
    let metrics = |index: usize| (200, "", all[index].as_str());
    let answers = [
        found[0],
        found[1],
        found[2],
        metrics(0), // the beginning
        found[0],
        found[1],
        found[2],
        metrics(1), // too few to judge
        found[0],
        found[1],
        found[2],
        metrics(2), // bad
        DONE,
    ];
    let server = Fake::answering(answers);
    let ended = run(&[
        "--admin",
        &server.url,
        "canary",
        "watch",
        "shop/api",
        "--interval",
        "10ms",
        "--max-errors",
        "5%",
        "--min-requests",
        "10",
    ]);
    assert_eq!(ended.status, 1, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("the canary was aborted: 100.00% of its answers are errors"),
        "{}",
        ended.stderr
    );
    let asked = server.asked();
    assert_eq!(asked.last().unwrap().json()["delete"], json!(["route/shop/api-canary"]));
}
