//! Regular expressions whose text is not what it seems.

use serde_json::json;

use super::facts;

#[tokio::test]
async fn slashes() {
    facts(&[
        // These may go back and forth, so the gateway's own matcher takes them.
        ("/^(\\w+\\/)+$/.test('a/b/')", json!(true)),
        ("/^(?:[\\w-]+\\/)*x$/.exec('a/b/x')[0]", json!("a/b/x")),
        ("'https://x/y'.replace(/^(?:https?:)\\/\\/(.*)+$/, '$1')", json!("x/y")),
        ("/^(a*[/\\\\]?)*$/.test('a/a\\\\')", json!(true)),
        ("/^(?:a\\\\\\/)+$/.test('a\\\\/a\\\\/')", json!(true)),
        ("new RegExp('^(a/)+$').test('a/a/')", json!(true)),
        // And these are left to the engine.
        ("/a\\/b/.source", json!("a\\/b")),
        ("new RegExp('a/b').source", json!("a\\/b")),
        ("new RegExp('a\\\\/b').source", json!("a\\/b")),
        ("new RegExp('[/]').source", json!("[/]")),
        ("/[\\]/]\\//.source", json!("[\\]/]\\/")),
        ("new RegExp('\\n').source", json!("\\n")),
        ("new RegExp('').source", json!("(?:)")),
        ("String(/a\\/b/g)", json!("/a\\/b/g")),
        ("new RegExp(/(?<n>a)\\/b/.source).exec('a/b').groups.n", json!("a")),
        ("'a/b/c'.split(/(?:\\/)+/)", json!(["a", "b", "c"])),
    ])
    .await;
}
