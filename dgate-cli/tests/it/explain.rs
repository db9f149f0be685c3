//! Why a request goes where it goes.

use crate::fake::Fake;
use crate::program::run;

#[test]
fn the_way_of_a_request_is_told() {
    let answer = r#"{"data":{"path":"/hello/a","domain":{"host":"x.com","namespace":"default","parameters":{},
        "reason":"no domain claims the host"},"route":{"name":"hello","pattern":"/hello/{n}","parameters":{"n":"a"},
        "modules":["greet","log"],"service":"echo","endpoints":[{"url":"http://a:1","weight":1,"priority":0}],
        "upstream_path":"/a"},"candidates":[
        {"route":"post","pattern":"/hello/{n}","priority":0,"wins":false,"reason":"it takes POST, not GET"},
        {"route":"hello","pattern":"/hello/{n}","priority":0,"wins":true,"reason":"it fits"}]},"revision":1}"#;
    let server = Fake::answering([(200, "", answer)]);
    let ended = run(&["--admin", &server.url, "explain", "http://x.com/hello/a", "-H", "x-a: b"]);
    assert_eq!(
        ended.stdout,
        "host      x.com → namespace default: no domain claims the host\n\
         route     ✗ post  /hello/{n}: it takes POST, not GET\n\
         route     ✓ hello  /hello/{n}: it fits\n\
         captured  n=a\n\
         modules   greet, log\n\
         service   echo\n\
         endpoint  http://a:1/a\n"
    );
    let server = Fake::answering([(200, "", answer)]);
    let said: serde_json::Value =
        serde_json::from_str(&run(&["--admin", &server.url, "explain", "/hello/a", "-o", "json"]).stdout)
            .unwrap();
    assert_eq!(said["route"]["name"], "hello");
    assert_eq!(server.asked()[0].json()["path"], "/hello/a");
    let ended = run(&["explain", "hello"]);
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.contains("neither a path nor a URL"), "{}", ended.stderr);
}

#[test]
fn canary_tags_are_part_of_the_way() {
    let answer = r##"{"data":{"domain":{"host":"localhost","reason":"x"},"variant":"canary:v2","candidates":[
        {"route":"new","pattern":"/a","wins":true,"reason":"it fits","conditions":[
            {"condition":"#canary:v2","holds":true,"why":"forced"},{"condition":"!edge","holds":true,"why":"the server lacks it"}]},
        {"route":"old","pattern":"/a","wins":false,"reason":"another one was first","conditions":[]}]}}"##;
    let server = Fake::answering([(200, "", answer)]);
    let arguments =
        ["explain", "/a", "--key", "user-7", "--force", "canary:v2", "--at", "2030-01-01T00:00:00Z"];
    let ended = run(&[&["--admin", &server.url], &arguments[..]].concat());
    assert_eq!(
        ended.stdout,
        "host      localhost: x\nroute     ✓ new  /a: it fits\n            ✓ #canary:v2: forced\n            \
         ✓ !edge: the server lacks it\nroute     ✗ old  /a: another one was first\nvariant   canary:v2\n"
    );
    let expected = serde_json::json!({
        "method": "GET", "path": "/a", "key": "user-7", "forced": ["canary:v2"], "at": "2030-01-01T00:00:00Z",
    });
    assert_eq!(server.asked()[0].json(), expected);
    assert_eq!(run(&["explain", "/a", "--at", "2030-01-01T00:00:00Z", "--send"]).status, 2, "only for now");
}

#[test]
fn a_request_can_really_be_sent() {
    let answer = r#"{"data":{"domain":{"host":"localhost","reason":"x"},"answer":{"status":418,"headers":{"x-a":"b"},
        "body":"short and stout","truncated":true,"took_ms":1.25}}}"#;
    let server = Fake::answering([(200, "", answer)]);
    let ended = run(&["--admin", &server.url, "explain", "POST", "/a", "--send", "-d", "tea"]);
    assert!(
        ended.stdout.ends_with("\n418 after 1.2 ms\nx-a: b\n\nshort and stout\n… (there is more)\n"),
        "{}",
        ended.stdout
    );
    let expected = serde_json::json!({ "method": "POST", "path": "/a", "send": true, "body": "tea" });
    assert_eq!(server.asked()[0].json(), expected);
}
