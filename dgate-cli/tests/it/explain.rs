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
