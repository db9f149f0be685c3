//! Files that say what shall be there.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;

use crate::fake::Fake;
use crate::program::{Ended, ended, program, run};

const FILE: &str = "owner: edge\nservices:\n- {name: api, urls: [http://a]}\nroutes:\n- name: api\n  paths: [/api]\n  service: api\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn run_in(folder: &Path, arguments: &[&str]) -> Ended {
    ended(&program(arguments).current_dir(folder).output().unwrap())
}

const PLAN: &str = r#"{"data":{"dry_run":true,"created":1,"updated":1,"unchanged":1,"deleted":1,"changes":[
    {"resource":"service/default/api","outcome":"created"},
    {"resource":"route/default/api","outcome":"updated","diff":[{"pointer":"/paths","before":["/a"],"after":["/api"]}]},
    {"resource":"route/default/same","outcome":"unchanged"},
    {"resource":"route/default/old","outcome":"deleted"}]},"revision":41}"#;

#[test]
fn apply_sends_everything_at_once_and_says_what_was_done() {
    let folder = folder(&[("gateway.yaml", FILE)]);
    let server = Fake::answering([(200, "", PLAN)]);
    let ended = run_in(
        folder.path(),
        &["--admin", &server.url, "apply", "-f", "gateway.yaml", "-m", "why", "-n", "shop"],
    );
    assert_eq!((ended.status, ended.stdout.as_str()), (0, ""), "{}", ended.stderr);
    assert_eq!(
        ended.stderr,
        "service/default/api created\nroute/default/api updated\nroute/default/old deleted\n\
         1 created, 1 updated, 1 deleted, 1 unchanged (revision 41)\n"
    );
    let asked = &server.asked()[0];
    assert_eq!(asked.line, "POST /api/v1/apply");
    let expected = json!({
        "resources": [
            { "name": "api", "urls": ["http://a"], "namespace": "shop", "kind": "service" },
            { "name": "api", "paths": ["/api"], "service": "api", "namespace": "shop", "kind": "route" },
        ],
        "mode": "apply", "dry_run": false, "owner": "edge", "message": "why",
    });
    assert_eq!(asked.json(), expected);
}

#[test]
fn a_change_is_waited_for_on_all_nodes() {
    let folder = folder(&[("gateway.yaml", FILE)]);
    let cluster = |revisions: [u64; 2]| {
        let [a, b] = revisions;
        format!(r#"{{"data":[{{"id":"a","revision":{a},"this":true}},{{"id":"b","revision":{b}}}]}}"#)
    };
    let (early, late) = (cluster([41, 40]), cluster([41, 42]));
    let server = Fake::answering([(200, "", PLAN), (200, "", &early), (200, "", &early), (200, "", &late)]);
    let ended = run_in(folder.path(), &["--admin", &server.url, "apply", "-f", "gateway.yaml", "--wait"]);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(ended.stderr.ends_with("(revision 41)\nall 2 nodes run revision 41\n"), "{}", ended.stderr);
    assert_eq!(server.asked()[3].line, "GET /api/v1/cluster");

    let mut answers = [(200, "", early.as_str()); 20];
    answers[0].2 = PLAN;
    let server = Fake::answering(answers);
    let arguments = ["--admin", &server.url, "apply", "-f", "gateway.yaml", "--wait", "--timeout", "1s"];
    let ended = run_in(folder.path(), &arguments);
    assert_eq!(ended.status, 9, "{}", ended.stderr);
    let said =
        "the change is made, but after 1s revision 41 is not live on b (revision 40)\nhelp: `--timeout` says";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
}

#[test]
fn nodes_are_shown() {
    let nodes = r#"{"data":[{"id":"a","version":"0.1.0","address":"127.0.0.1:9080","proxy_address":"0.0.0.0:8080","this":true,
        "ready":true,"tags":["edge","region:eu"],"revision":7,"started_at":"2026-01-01T00:00:00.5Z",
        "load":{"connections":3,"in_flight":1}}],"revision":7}"#;
    let server = Fake::answering([(200, "", nodes)]);
    let ended = run(&["--admin", &server.url, "cluster", "-o", "wide"]);
    assert_eq!(
        ended.stdout,
        "ID   VERSION   ADMIN            PROXY          READY   REVISION   CONNECTIONS   IN FLIGHT   TAGS             SINCE\n\
         a*   0.1.0     127.0.0.1:9080   0.0.0.0:8080   true    7          3             1           edge region:eu   2026-01-01T00:00:00Z\n"
    );
    let server = Fake::answering([(200, "", nodes)]);
    assert_eq!(run(&["--admin", &server.url, "cluster", "-o", "name"]).stdout, "a\n");
}

#[test]
fn standard_input_is_a_file() {
    let server = Fake::answering([(200, "", r#"{"data":{"unchanged":2,"changes":[]},"revision":3}"#)]);
    let mut command = program(&["--admin", &server.url, "apply", "-f", "-"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(FILE.as_bytes()).unwrap();
    let ended = ended(&child.wait_with_output().unwrap());
    assert_eq!(ended.stderr, "nothing had to be changed (revision 3)\n");
    assert_eq!(server.asked()[0].json()["resources"].as_array().unwrap().len(), 2);
}

#[test]
fn variables_and_files_take_the_place_of_references() {
    let text = "services:\n- name: api\n  urls: ['http://${HOST}:${PORT:-80}']\n  retries: ${RETRIES}\n  \
                hide_dgate_headers: ${HIDE:-true}\n  tags: ['$${HOST}']\nmodules:\n- {name: m, payload_raw: '`${HOST}`'}\n\
                secrets:\n- {name: s, data: '${file:secret.txt}'}\n";
    let folder = folder(&[("gateway.yaml", text), ("secret.txt", "hunter2\n")]);
    let server = Fake::answering([(200, "", PLAN)]);
    let mut command = program(&["--admin", &server.url, "apply", "-f", "gateway.yaml"]);
    command
        .current_dir(folder.path())
        .env("HOST", "a")
        .env("RETRIES", "3")
        .env_remove("PORT")
        .env_remove("HIDE");
    let applied = ended(&command.output().unwrap());
    assert_eq!(applied.status, 0, "{}", applied.stderr);
    let expected = json!([
        { "name": "api", "urls": ["http://a:80"], "retries": 3, "hide_dgate_headers": true, "tags": ["${HOST}"], "kind": "service" },
        { "name": "m", "payload_raw": "`${HOST}`", "kind": "module" },
        { "name": "s", "data": "hunter2", "kind": "secret" },
    ]);
    assert_eq!(server.asked()[0].json()["resources"], expected);

    let mut command = program(&["apply", "-f", "gateway.yaml"]);
    let refused =
        ended(&command.current_dir(folder.path()).env_remove("HOST").env_remove("RETRIES").output().unwrap());
    assert_eq!(
        refused.stderr,
        "error: the files cannot be used\n  gateway.yaml:3 /services/0/urls/0: variable `HOST` is not set\n    \
         help: set it, or give a default: `${HOST:-…}`\n  gateway.yaml:4 /services/0/retries: variable `RETRIES` is not set\n    \
         help: set it, or give a default: `${RETRIES:-…}`\n"
    );
    assert_eq!(refused.status, 7);
}

#[test]
fn diff_shows_and_counts_and_has_a_status() {
    let folder = folder(&[("gateway.yaml", FILE)]);
    let server = Fake::answering([(200, "", PLAN)]);
    let ended = run_in(folder.path(), &["--admin", &server.url, "diff", "-f", "gateway.yaml", "--exit-code"]);
    assert_eq!(
        ended.stdout,
        "+ service/default/api\n~ route/default/api\n    paths: [\"/a\"] → [\"/api\"]\n- route/default/old\n"
    );
    assert_eq!((ended.status, ended.stderr.as_str()), (3, "1 created, 1 updated, 1 deleted, 1 unchanged\n"));
    let asked = &server.asked()[0].json();
    assert_eq!(
        (&asked["mode"], &asked["dry_run"]),
        (&json!("sync"), &json!(true)),
        "an owner's files are compared whole"
    );

    let same = r#"{"data":{"unchanged":2,"changes":[]},"revision":3}"#;
    for (format, stdout) in
        [("table", ""), ("json", "{\n  \"unchanged\": 2,\n  \"changes\": []\n}\n"), ("name", "")]
    {
        let server = Fake::answering([(200, "", same)]);
        let ended =
            run_in(folder.path(), &["--admin", &server.url, "diff", "-f", ".", "--exit-code", "-o", format]);
        assert_eq!((ended.status, ended.stdout.as_str()), (0, stdout), "{format}");
    }
}

#[test]
fn sync_shows_what_it_deletes_and_does_that_or_nothing() {
    let folder = folder(&[("gateway.yaml", FILE)]);
    let server = Fake::answering([(200, "", PLAN)]);
    let ended = run_in(folder.path(), &["--admin", &server.url, "sync", "-f", "gateway.yaml"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (2, ""));
    assert!(ended.stderr.contains("- route/default/old\n"), "{}", ended.stderr);
    assert!(ended.stderr.contains("Delete 1 resource? Nobody can be asked"), "{}", ended.stderr);
    assert_eq!(server.asked()[0].json()["dry_run"], json!(true));

    let server = Fake::answering([(200, "", PLAN), (200, "", PLAN)]);
    let ended = run_in(folder.path(), &["--admin", &server.url, "--yes", "sync", "-f", "gateway.yaml"]);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let done = server.asked()[1].json();
    assert_eq!((&done["dry_run"], &done["expect_revision"]), (&json!(false), &json!(41)));

    for (arguments, said) in [
        (&["--owner", "other"] as &[_], "the files say that the owner is `edge`"),
        (&[], "it has to know the owner"),
    ] {
        let file = if arguments.is_empty() { FILE.replace("owner: edge\n", "") } else { FILE.to_owned() };
        std::fs::write(folder.path().join("gateway.yaml"), file).unwrap();
        let ended = run_in(folder.path(), &[&["sync", "-f", "gateway.yaml"], arguments].concat());
        assert_eq!(ended.status, 2);
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
}

#[test]
fn what_the_server_finds_is_said_with_file_and_line() {
    let folder = folder(&[("gateway.yaml", FILE)]);
    let refused = r#"{"type":"urn:dgate:error:invalid","detail":"2 problems","errors":[
        {"pointer":"/resources/0/urls","detail":"these are bad"},
        {"resource":"route/default/api","pointer":"/service","detail":"no such service","help":"did you mean `b`?"}]}"#;
    let server = Fake::answering([(422, "", refused)]);
    let ended = run_in(folder.path(), &["--admin", &server.url, "apply", "-f", "gateway.yaml"]);
    assert_eq!(ended.status, 7);
    assert_eq!(
        ended.stderr,
        "error: this is not valid\n  gateway.yaml:3 service/default/api /urls: these are bad\n  \
         gateway.yaml:7 route/default/api /service: no such service\n    help: did you mean `b`?\n"
    );
}

#[test]
fn validate_needs_no_server() {
    let directory = folder(&[("gateway.yaml", FILE)]);
    let ended = run_in(directory.path(), &["validate", "-f", "gateway.yaml"]);
    assert_eq!((ended.status, ended.stderr.as_str()), (0, "2 resources are valid\n"));
    std::fs::write(directory.path().join("gateway.yaml"), FILE.replace("service: api", "service: apo"))
        .unwrap();
    let ended = run_in(directory.path(), &["validate", "-f", "gateway.yaml"]);
    assert_eq!(ended.status, 7);
    let line = "  gateway.yaml:7 route/default/api /service: service `apo` does not exist in namespace `default`\n    \
                help: did you mean `api`?\n";
    assert!(ended.stderr.contains(line), "{}", ended.stderr);
    std::fs::write(directory.path().join("gateway.yaml"), FILE.replace("paths: [/api]", "path: /api"))
        .unwrap();
    let ended = run_in(directory.path(), &["validate", "-f", "gateway.yaml"]);
    assert!(
        ended.stderr.contains("gateway.yaml:6 route/default/api /path: unknown field `path`"),
        "{}",
        ended.stderr
    );
    assert_eq!(run_in(directory.path(), &["validate", "-f", "missing.yaml"]).status, 1);
    assert_eq!(run(&["validate"]).status, 2);
}

#[test]
fn an_export_is_yaml_or_json() {
    let all = r#"{"data":{"version":"v1","services":[{"name":"api","urls":["http://a"]}]},"revision":3}"#;
    let server = Fake::answering([(200, "", all)]);
    let ended = run(&["--admin", &server.url, "export", "-n", "shop", "--documents"]);
    assert_eq!(ended.stdout, "version: v1\nservices:\n- name: api\n  urls:\n  - http://a\n");
    assert_eq!(server.asked()[0].line, "GET /api/v1/export?namespace=shop&documents=true");
    let server = Fake::answering([(200, "", all)]);
    let said = run(&["--admin", &server.url, "export", "-o", "json"]).stdout;
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["services"][0]["name"], "api");
}

#[test]
fn the_log_tells_who_changed_what() {
    let entries = r#"{"data":[{"revision":1,"at":"2026-11-25T22:00:00.123456Z","who":"root","changes":[
        {"resource":"route/default/a","outcome":"created"},{"resource":"route/default/b","outcome":"deleted"},
        {"resource":"route/default/c","outcome":"updated"}],"message":"why"}],"revision":1}"#;
    let server = Fake::answering([(200, "", entries)]);
    let ended = run(&["--admin", &server.url, "log", "--since", "0", "--limit", "5"]);
    assert_eq!(
        ended.stdout,
        "REVISION   WHEN                   WHO    CHANGES                                        MESSAGE\n\
         1          2026-11-25T22:00:00Z   root   +route/default/a -route/default/b and 1 more   why\n"
    );
    assert_eq!(server.asked()[0].line, "GET /api/v1/changelog?since=0&limit=5");

    let events = ": hello\n\nid: 2\nevent: change\ndata: {\"revision\":2}\n\n";
    let server = Fake::answering([(200, "", entries), (200, "content-type: text/event-stream\r\n", events)]);
    let ended = run(&["--admin", &server.url, "log", "-f", "-o", "name"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (0, "1\n2\n"));
    assert_eq!(server.asked()[1].line, "GET /api/v1/watch?since=1");
}

#[test]
fn a_rollback_is_shown_before_it_is_done() {
    let server = Fake::answering([(200, "", PLAN)]);
    let ended = run(&["--admin", &server.url, "rollback", "4"]);
    assert_eq!(ended.status, 2);
    assert!(
        ended.stderr.contains("~ route/default/api\n") && ended.stderr.contains("`--yes`"),
        "{}",
        ended.stderr
    );
    assert_eq!(server.asked()[0].line, "POST /api/v1/changelog/4/rollback?dry_run=true");
    let server = Fake::answering([(200, "", PLAN), (200, "", PLAN)]);
    let ended = run(&["--admin", &server.url, "rollback", "4", "-y", "-m", "why"]);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let asked = server.asked();
    assert_eq!(asked[1].line, "POST /api/v1/changelog/4/rollback");
    assert_eq!(asked[1].json(), json!({ "documents": false, "message": "why", "expect_revision": 41 }));
}
