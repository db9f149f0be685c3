//! Verbs of resources: what is asked of the server, and what is said of its answers.

use serde_json::json;

use crate::fake::Fake;
use crate::program::{ended, program, run};

const OK: (u16, &str, &str) = (201, "", r#"{"success":true,"data":{"name":"hello"},"revision":7}"#);

#[test]
fn create_reads_values_by_their_type() {
    let server = Fake::answering([OK]);
    let arguments = [
        "--admin",
        &server.url,
        "rt",
        "mk",
        "hello",
        "paths=/hello/**,/hi",
        "methods=get",
        "stripPath=true",
        "priority=5",
        "service=007",
        "match.headers.x-a=1",
        "tags:=[\"#canary\"]",
    ];
    let ended = run(&arguments);
    assert_eq!((ended.status, ended.stdout.as_str()), (0, ""), "{}", ended.stderr);
    assert_eq!(ended.stderr, "route default/hello created (revision 7)\n");
    let asked = server.asked();
    assert_eq!(asked[0].line, "PUT /api/v1/route/default/hello");
    let expected = json!({
        "name": "hello", "namespace": "default", "paths": ["/hello/**", "/hi"], "methods": ["get"], "strip_path": true,
        "priority": 5, "service": "007", "match": { "headers": { "x-a": "1" } }, "tags": ["#canary"],
    });
    assert_eq!(asked[0].json(), expected);
}

#[test]
fn names_are_given_in_several_ways() {
    for words in [
        vec!["create", "name=hello", "namespace=shop", "paths=/a"],
        vec!["create", "shop/hello", "paths=/a"],
        vec!["-n", "shop", "create", "hello", "paths=/a"],
        vec!["create", "--name", "hello", "--namespace", "shop", "--paths", "/a"],
    ] {
        let server = Fake::answering([OK]);
        let ended = run(&[&["--admin", &server.url, "route"], words.as_slice()].concat());
        assert_eq!(ended.status, 0, "{words:?}: {}", ended.stderr);
        let asked = server.asked();
        assert_eq!(asked[0].line, "PUT /api/v1/route/shop/hello", "{words:?}");
        assert_eq!(asked[0].json(), json!({ "name": "hello", "namespace": "shop", "paths": ["/a"] }));
    }
    for words in [
        &["get", "users/7", "-n", "shop"] as &[_],
        &["get", "shop/users/7"],
        &["get", "7", "-c", "users", "-n", "shop"],
        &["get", "id=7", "collection=users", "namespace=shop"],
        &["get", "--id", "7", "--collection=users", "--namespace", "shop"],
    ] {
        let server = Fake::answering([(200, "", r#"{"data":{"id":"7"}}"#)]);
        let ended = run(&[&["--admin", &server.url, "doc"], words].concat());
        assert_eq!((ended.status, ended.stdout.as_str()), (0, "id: \"7\"\n"), "{words:?}: {}", ended.stderr);
        assert_eq!(server.asked()[0].line, "GET /api/v1/document/shop/users/7", "{words:?}");
    }
}

#[test]
fn what_is_wrong_with_fields_is_said_without_a_server() {
    let ended = run(&["route", "create", "x", "path=/x", "strip_path=maybe"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (7, ""));
    for line in [
        "error: this is no valid route\n",
        "  path: unknown field `path`\n    help: did you mean `paths`?\n",
        "missing field `paths`",
        "  strip_path: expected `true` or `false`, found the string \"maybe\"\n",
    ] {
        assert!(ended.stderr.contains(line), "{line}: {}", ended.stderr);
    }
    for (words, said) in [
        (&["create", "x", "name=y", "paths=/"] as &[_], "the name is given twice, as `x` and as `y`"),
        (&["create", "x", "paths=/", "paths=/a"], "`paths` is given twice"),
        (&["create", "x", "paths:=nonsense"], "paths: expected"),
        (&["create", "x", "paths@=/does/not/exist"], "cannot be read"),
        (&["create", "paths=/"], "the name is missing"),
        (&["get", "name:=1"], "a name is given as `key=value`"),
        (&["get", "a/b/c"], "too many parts"),
        (&["list", "colour=red"], "no filter `colour`"),
    ] {
        let ended = run(&[&["route"], words].concat());
        assert_eq!(ended.status, 2, "{words:?}");
        assert!(ended.stderr.contains(said), "{words:?}: {}", ended.stderr);
    }
}

#[test]
fn files_are_read_here() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("greet.ts"), "export {}\n").unwrap();
    for word in ["payload@=greet.ts", "payload_file=greet.ts", "payloadFile=greet.ts"] {
        let server = Fake::answering([OK]);
        let mut command = program(&["--admin", &server.url, "mod", "mk", "greet", word]);
        let ended = ended(&command.current_dir(directory.path()).output().unwrap());
        assert_eq!(ended.status, 0, "{word}: {}", ended.stderr);
        let (field, content) =
            if word.contains('@') { ("payload", "ZXhwb3J0IHt9Cg==") } else { ("payload_raw", "export {}\n") };
        let expected = json!({ "name": "greet", "namespace": "default", field: content });
        assert_eq!(server.asked()[0].json(), expected, "{word}");
    }
}

#[test]
fn set_sends_only_what_shall_be_different() {
    let server = Fake::answering([(200, "", r#"{"data":{},"revision":8}"#)]);
    let ended = run(&[
        "--admin",
        &server.url,
        "rt",
        "set",
        "hello",
        "service=",
        "modules=greet",
        "--if-revision",
        "7",
    ]);
    assert_eq!(ended.stderr, "route default/hello updated (revision 8)\n");
    let asked = &server.asked()[0];
    assert_eq!(asked.line, "PATCH /api/v1/route/default/hello");
    assert!(asked.head.contains("content-type: application/merge-patch+json\r\n"), "{}", asked.head);
    assert!(asked.head.contains("if-match: \"7\"\r\n"), "{}", asked.head);
    let expected = json!({ "name": "hello", "namespace": "default", "service": null, "modules": ["greet"] });
    assert_eq!(asked.json(), expected);
}

#[test]
fn lists_are_read_page_by_page() {
    let pages = [
        (200, "", r#"{"data":[{"namespace":"default","name":"a","urls":["http://a"]}],"next_cursor":"x y"}"#),
        (200, "", r#"{"data":[{"namespace":"shop","name":"b","urls":["http://b"]}]}"#),
    ];
    let server = Fake::answering(pages);
    let ended = run(&["--admin", &server.url, "svc", "ls", "--tag", "a:b"]);
    assert_eq!(
        ended.stdout,
        "NAMESPACE   NAME   URLS       BALANCE\ndefault     a      http://a   round_robin\nshop        b      http://b   round_robin\n"
    );
    let asked = server.asked();
    assert_eq!(asked[0].line, "GET /api/v1/service?tag=a%3Ab&limit=1000");
    assert_eq!(asked[1].line, "GET /api/v1/service?tag=a%3Ab&limit=1000&cursor=x%20y");
    let server = Fake::answering(pages);
    let ended = run(&["--admin", &server.url, "svc", "ls", "-o", "name"]);
    assert_eq!(ended.stdout, "service/default/a\nservice/shop/b\n");
    let server = Fake::answering([(200, "", r#"{"data":[],"count":0}"#)]);
    let ended = run(&["--admin", &server.url, "svc", "ls"]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", "no services\n"));
    let server = Fake::answering([(200, "", r#"{"data":[],"count":0}"#)]);
    assert_eq!(run(&["--admin", &server.url, "svc", "ls", "-o", "json"]).stdout, "[]\n");
}

#[test]
fn failures_have_their_status_their_places_and_advice() {
    let invalid = r#"{"type":"urn:dgate:error:invalid","title":"Unprocessable Content","status":422,"detail":"1 problem",
        "errors":[{"resource":"route/default/x","pointer":"/service","detail":"service `ecko` does not exist in namespace `default`",
        "help":"did you mean `echo`?"}],"success":false,"error":"1 problem"}"#;
    let server = Fake::answering([(422, "", invalid)]);
    let ended = run(&["--admin", &server.url, "rt", "mk", "x", "paths=/x", "service=ecko"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (7, ""));
    assert_eq!(
        ended.stderr,
        "error: this is not valid\n  route/default/x /service: service `ecko` does not exist in namespace `default`\n    \
         help: did you mean `echo`?\n"
    );
    for (status, body, exit, said) in [
        (401, r#"{"detail":"who are you?"}"#, 4, "help: log in with"),
        (403, r#"{"error":"not you"}"#, 4, "error: not you"),
        (404, r#"{"detail":"route/default/x does not exist"}"#, 6, "does not exist"),
        (
            409,
            r#"{"type":"urn:dgate:error:in_use","detail":"x","errors":[{"resource":"route/default/r","detail":"refers to it"}]}"#,
            5,
            "error: something refers to it\n  route/default/r: refers to it\nhelp: `--cascade` deletes that, too",
        ),
        (412, "{}", 5, "it was changed meanwhile"),
        (500, "<html>", 1, "500 Internal Server Error"),
        (502, "the proxy says no", 1, ": the proxy says no"),
    ] {
        let server = Fake::answering([(status, "", body)]);
        let ended = run(&["--admin", &server.url, "rt", "get", "x"]);
        assert_eq!((ended.status, ended.stdout.as_str()), (exit, ""), "{status}");
        assert!(ended.stderr.contains(said), "{status}: {}", ended.stderr);
    }
    let ended = run(&["--admin", "127.0.0.1:1", "rt", "get", "x"]);
    assert_eq!(ended.status, 9);
    assert!(ended.stderr.contains("is the gateway running?"), "{}", ended.stderr);
}

#[test]
fn what_else_would_go_is_shown_and_asked_for() {
    let plan = r#"{"data":{"changes":[{"resource":"namespace/shop","outcome":"deleted"},
        {"resource":"route/shop/a","outcome":"deleted"}]}}"#;
    let server = Fake::answering([(200, "", plan)]);
    let ended = run(&["--admin", &server.url, "ns", "rm", "shop", "--cascade"]);
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.starts_with("route/shop/a would be deleted, too\n"), "{}", ended.stderr);
    assert!(ended.stderr.contains("say `--yes`"), "{}", ended.stderr);
    assert_eq!(server.asked()[0].line, "DELETE /api/v1/namespace/shop?cascade=true&dry_run=true");
    let server = Fake::answering([(200, "", plan), (200, "", r#"{"revision":9}"#)]);
    let ended = run(&["--admin", &server.url, "-y", "ns", "rm", "shop", "--cascade"]);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(ended.stderr.ends_with("namespace shop deleted (revision 9)\n"), "{}", ended.stderr);
    assert_eq!(server.asked()[1].line, "DELETE /api/v1/namespace/shop?cascade=true");
}

#[test]
fn all_documents_of_a_collection_are_deleted_in_few_changes() {
    let documents: Vec<_> = (0..1_500)
        .map(|id| json!({ "id": id.to_string(), "collection": "users", "namespace": "shop" }))
        .collect();
    let (first, second) = documents.split_at(1_000);
    let pages =
        [json!({ "data": first, "next_cursor": "c" }).to_string(), json!({ "data": second }).to_string()];
    let collection = (200, "", r#"{"data":{"name":"users"}}"#);
    let answers = [collection, (200, "", pages[0].as_str()), (200, "", &pages[1])];
    let server = Fake::answering(answers);
    let ended = run(&["--admin", &server.url, "doc", "rm", "collection=users", "namespace=shop", "--all"]);
    assert_eq!(ended.status, 2, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("Delete 1500 documents of collection shop/users? Nobody can be asked"),
        "{}",
        ended.stderr
    );
    server.asked();

    let done = (200, "", r#"{"data":{},"revision":9}"#);
    let server = Fake::answering([answers[0], answers[1], answers[2], done, done]);
    let ended = run(&[
        "--admin",
        &server.url,
        "-y",
        "-n",
        "shop",
        "document",
        "delete",
        "-c",
        "users",
        "--all",
        "-m",
        "why",
    ]);
    assert_eq!(
        (ended.status, ended.stderr.as_str()),
        (0, "1500 documents of collection shop/users deleted (revision 9)\n")
    );
    let asked = server.asked();
    let deleted = |at: usize| asked[at].json()["delete"].as_array().unwrap().len();
    assert_eq!((deleted(3), deleted(4)), (1_000, 500));
    assert_eq!(asked[3].json()["delete"][0], "document/shop/users/0");
    assert_eq!(asked[3].json()["message"], "why");
    for (words, said) in [
        (&["doc", "rm", "--all"] as &[_], "the collection is missing"),
        (&["doc", "rm", "users/7", "--all"], "either `users/7` or `--all`"),
        (&["svc", "rm", "--all"], "`--all` deletes the documents of a collection"),
    ] {
        let ended = run(words);
        assert_eq!(ended.status, 2, "{words:?}");
        assert!(ended.stderr.contains(said), "{words:?}: {}", ended.stderr);
    }
}

#[test]
fn an_option_that_could_be_a_field_is_told() {
    let server = Fake::answering([OK]);
    let ended = run(&["--admin", &server.url, "rt", "mk", "hello", "--paths", "/a", "--timeout", "5s"]);
    assert_eq!(ended.status, 0);
    let warning = "warning: `--timeout` is an option of this program; the field is set by `timeout=…`\n";
    assert!(ended.stderr.starts_with(warning), "{}", ended.stderr);
    assert_eq!(server.asked()[0].json().get("timeout"), None);
}

#[test]
fn jobs_are_paused_and_resumed_by_a_field() {
    for (verb, paused, said) in [("pause", true, "is paused"), ("resume", false, "is no longer paused")] {
        let done = (200, "", r#"{"data":{"name":"j"},"revision":8}"#);
        let server = Fake::answering([done, done]);
        let ended = run(&["--admin", &server.url, "job", verb, "j", "shop/k", "-m", "why"]);
        assert_eq!(
            (ended.status, ended.stderr),
            (0, format!("job default/j {said} (revision 8)\njob shop/k {said} (revision 8)\n"))
        );
        let asked = server.asked();
        assert_eq!(asked[1].line, "PATCH /api/v1/job/shop/k?message=why");
        assert_eq!(asked[0].json(), json!({ "paused": paused }));
    }
}

#[test]
fn edit_offers_what_is_there_and_writes_what_is_left() {
    let route = r#"{"data":{"name":"a","namespace":"default","paths":["/a"],"revision":3,"created_at":"x"}}"#;
    let refused = r#"{"detail":"no such service"}"#;
    let server = Fake::answering([
        (200, "etag: \"3\"\r\n", route),
        (422, "", refused),
        (200, "", r#"{"data":{},"revision":4}"#),
    ]);
    // The first time it breaks something, the second time it mends what it is told.
    let editor = r#"sh -c 'if grep -q "no such service" "$1"; then sed -i s,/b,/c, "$1"; else sed -i s,/a,/b, "$1"; fi' --"#;
    let output = program(&["--admin", &server.url, "rt", "edit", "a"])
        .env("EDITOR", editor)
        .env_remove("VISUAL")
        .output();
    let ended = ended(&output.unwrap());
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let asked = server.asked();
    assert!(asked[1].head.contains("if-match: \"3\"\r\n"), "{}", asked[1].head);
    assert_eq!(asked[1].json(), json!({ "name": "a", "namespace": "default", "paths": ["/b"] }));
    assert_eq!(asked[2].json()["paths"], json!(["/c"]));

    let server = Fake::answering([(200, "", route)]);
    let output = program(&["--admin", &server.url, "rt", "edit", "a"])
        .env("EDITOR", "true")
        .env_remove("VISUAL")
        .output();
    let unchanged = crate::program::ended(&output.unwrap());
    assert_eq!((unchanged.status, unchanged.stderr.as_str()), (0, "nothing was changed\n"));
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn help_lists_the_fields_of_a_kind() {
    let help = run(&["job", "create", "--help"]).stdout;
    for line in ["Required:\n", "  module ", "Optional:\n", "  schedule ", "duration", "skip|queue|allow"] {
        assert!(help.contains(line), "{line}: {help}");
    }
}
