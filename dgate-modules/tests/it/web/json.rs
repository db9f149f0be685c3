//! `JSON.parse`, which is the gateway's own.

use serde_json::{Value, json};

use super::{facts, throws};

/// What is not JSON.
const REFUSED: [&str; 40] = [
    "",
    " ",
    "{",
    "}",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{'a':1}",
    "'a'",
    "\"",
    "\"a",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\t\"",
    "\"\n\"",
    "01",
    "-",
    "-01",
    "+1",
    ".5",
    "1.",
    "1.e1",
    "1e",
    "1e+",
    "0x1",
    "NaN",
    "Infinity",
    "nul",
    "true false",
    "\u{a0}1",
    "undefined",
];

#[tokio::test]
async fn what_it_is_and_is_not() {
    let facts_of: Vec<String> = REFUSED.iter().map(|text| format!("JSON.parse({})", json!(text))).collect();
    let mut all: Vec<(&str, Value)> =
        facts_of.iter().map(|fact| (fact.as_str(), throws("SyntaxError"))).collect();
    all.extend([
        (r#"JSON.parse(' \t\n\r{"a" : [1 , -2.5e3, true,false , null, "x"] } ')"#, json!({ "a": [1, -2500, true, false, null, "x"] })),
        ("JSON.parse('{}')", json!({})),
        ("JSON.parse('[]').length", json!(0)),
        (r#"JSON.parse('"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC"')"#, json!("\"\\/\u{8}\u{c}\n\r\té€")),
        (r#"JSON.parse('"\\ud83d\\ude00"')"#, json!("😀")),
        (r#"(() => { const s = JSON.parse('"a\\ud800"'); return [s.length, s.charCodeAt(1)]; })()"#, json!([2, 0xd800])),
        (r#"JSON.parse('"日本é"')"#, json!("日本é")),
        (r#"JSON.parse('"\u007f\u2028"').length"#, json!(2)),
        ("JSON.parse('1e400') === Infinity", json!(true)),
        ("JSON.parse('1e-400') === 0", json!(true)),
        ("Object.is(JSON.parse('-0'), -0)", json!(true)),
        ("Object.is(JSON.parse('0'), 0)", json!(true)),
        ("JSON.parse('2147483648') + JSON.parse('-2147483649')", json!(-1)),
        ("JSON.parse('9007199254740993') === 9007199254740992", json!(true)),
        ("JSON.parse('0.1') === 0.1", json!(true)),
        (r#"JSON.parse('{"a":1,"a":2}').a"#, json!(2)),
        (r#"Object.keys(JSON.parse('{"b":1,"2":1,"1":1,"a":1}'))"#, json!(["1", "2", "b", "a"])),
        (r#"(() => { const o = JSON.parse('{"__proto__":{"x":1}}'); return [Object.keys(o), Object.getPrototypeOf(o) === Object.prototype, o.x === undefined]; })()"#, json!([["__proto__"], true, true])),
        ("Array.isArray(JSON.parse('[[1]]')[0])", json!(true)),
        (r#"JSON.parse('[1,2,{"a":3}]', (k, v) => typeof v === 'number' ? v * 2 : v)"#, json!([2, 4, { "a": 6 }])),
        ("JSON.parse(null)", Value::Null),
        ("JSON.parse(5)", json!(5)),
        ("JSON.parse()", throws("SyntaxError")),
        ("JSON.parse('['.repeat(900) + ']'.repeat(900)).length", json!(1)),
        ("JSON.parse('['.repeat(5000))", throws("SyntaxError")),
        (r#"(() => { try { JSON.parse('{\n  "a": x}'); } catch (e) { return e.message; } })()"#, json!("this is not JSON: unexpected `x` at line 2, column 8")),
        ("[JSON.parse.name, JSON.parse.length]", json!(["parse", 2])),
    ]);
    facts(&all).await;
}
