//! Arguments that are missing or wrong are errors that say so, rather than texts that read `undefined`.

use serde_json::Value;

use crate::kit::{Setup, get, resource};

/// Calls, and what they throw begins with.
const CALLS: [(&str, &str); 62] = [
    ("getDocument()", "TypeError: `getDocument` needs `id`, which is not given"),
    ("getDocument('a')", "TypeError: `getDocument` needs `collection`, which is not given"),
    ("getDocument(undefined, 'c')", "TypeError: `getDocument` needs `id`, which is undefined"),
    ("getDocument(null, 'c')", "TypeError: `getDocument` needs `id`, which is null"),
    ("getDocuments()", "TypeError: `getDocuments` needs `query`"),
    ("getDocuments({})", "TypeError: `getDocuments` needs `collection`"),
    (
        "getDocuments({ collection: 'c', limit: 'x' })",
        "TypeError: `limit` must be a whole number from 0, not \"x\"",
    ),
    (
        "getDocuments({ collection: 'c', offset: -1 })",
        "TypeError: `offset` must be a whole number from 0, not -1",
    ),
    ("addDocument()", "TypeError: `addDocument` needs `document`"),
    ("addDocument({ id: 'a', data: 1 })", "TypeError: `addDocument` needs `collection`"),
    ("addDocument({ collection: 'c', data: 1 })", "TypeError: `addDocument` needs `id`"),
    ("addDocument({ collection: 'c', id: 'a' })", "TypeError: `addDocument` needs `data`"),
    (
        "addDocument({ collection: 'c', id: 'a', data: 1, revision: 1.5 })",
        "TypeError: `revision` must be a whole number",
    ),
    ("addDocument({ collection: 'c', id: 'a', data: 1, ttl: NaN })", "TypeError: `NaN` is no time"),
    ("deleteDocument({ collection: 'c' })", "TypeError: `deleteDocument` needs `id`"),
    ("getCollection()", "TypeError: `getCollection` needs `name`"),
    ("addCollection()", "TypeError: `addCollection` needs `collection`"),
    ("deleteCollection()", "TypeError: `deleteCollection` needs `name`"),
    ("getCache()", "TypeError: `getCache` needs `key`"),
    ("setCache('k')", "TypeError: `setCache` needs `value`"),
    ("setCache('k', 1, { ttl: 'soon' })", "TypeError: `soon` is no time; write 250 or \"1s\""),
    ("setCache('k', 1, { ttl: NaN })", "TypeError: `NaN` is no time"),
    ("deleteCache()", "TypeError: `deleteCache` needs `key`"),
    ("increment('k', 'x')", "TypeError: `increment` needs a number to add"),
    ("increment('k', NaN)", "TypeError: `increment` needs a number to add"),
    ("getSecret()", "TypeError: `getSecret` needs `name`"),
    ("emit()", "TypeError: `emit` needs `name`"),
    ("endpoints()", "TypeError: `endpoints` needs `service`"),
    ("setHealth('s', 'http://a')", "TypeError: `setHealth` needs `healthy`"),
    ("setWeight('s', 'http://a', 'x')", "TypeError: `weight` must be a whole number from 0"),
    ("readFile()", "TypeError: `readFile` needs `path`"),
    ("readFile('relative')", "TypeError: `relative` is no absolute path"),
    ("createHash()", "TypeError: `createHash` needs `algorithm`"),
    ("createHash('sha3')", "TypeError: there is no hash `sha3`"),
    ("createHmac('sha256')", "TypeError: `createHmac` needs `key`"),
    ("createHash('md5').update()", "TypeError: text or a buffer is needed, not undefined"),
    ("hmac('sha256', 'k')", "TypeError: `hmac` needs `data`"),
    ("sha256()", "TypeError: `sha256` needs `data`"),
    ("sha256({})", "TypeError: text or a buffer is needed, not object"),
    ("sha256('a', 'hexx')", "TypeError: there is no encoding `hexx`"),
    ("randomBytes(-1)", "RangeError: `randomBytes` needs a whole number from 0 to 65536"),
    ("randomInt('x')", "RangeError: `randomInt` needs whole numbers"),
    ("timingSafeEqual('a')", "TypeError: `timingSafeEqual` needs `b`"),
    ("verify('a.b.c', 'k')", "TypeError: `verify` needs `options`"),
    ("verify('a.b.c', 'k', {})", "TypeError: `verify` needs `{ alg }`"),
    ("sign('text', 'k')", "TypeError: `sign` needs an object of claims"),
    ("sleep(NaN)", "TypeError: `NaN` is no time"),
    ("fail()", "TypeError: `fail` needs `message`"),
    ("retry('x', () => 1)", "TypeError: `retry` needs a whole number of times"),
    ("retry(2)", "TypeError: `retry` needs a function"),
    ("hexDecode('xy')", "TypeError: this is not hex"),
    ("ipInRange('10.0.0.1')", "TypeError: `ipInRange` needs `range`"),
    ("fetch('http://a.example', { timeout: NaN })", "TypeError: `NaN` is no time"),
    ("ctx.pathParam()", "TypeError: `pathParam` needs `name`"),
    ("ctx.set()", "TypeError: `set` needs `key`"),
    ("ctx.response().redirect()", "TypeError: `redirect` needs `url`"),
    ("ctx.response().cookie('a')", "TypeError: `cookie` needs `value`"),
    ("ctx.response().status('x')", "RangeError: \"x\" is no status of a response"),
    ("ctx.response().json(undefined)", "TypeError: undefined cannot be written as JSON"),
    ("ctx.request().headers.set('a')", "TypeError: `set` needs 2 arguments, 1 given"),
    ("(ctx.request().method = 'A B')", "TypeError: `A B` is no method for a request"),
    ("(ctx.request().path = 'nope')", "TypeError: `nope` is no path"),
];

#[tokio::test]
async fn what_is_missing_or_wrong_is_named() {
    let thunks: Vec<String> = CALLS.iter().map(|(call, _)| format!("async (ctx) => {call}")).collect();
    let imports = [
        ("dgate", "fail, retry, sleep"),
        ("dgate/crypto", "createHash, createHmac, hmac, randomBytes, randomInt, sha256, timingSafeEqual"),
        ("dgate/events", "emit"),
        ("dgate/fs", "readFile"),
        ("dgate/jwt", "sign, verify"),
        ("dgate/secrets", "getSecret"),
        (
            "dgate/state",
            "addCollection, addDocument, deleteCollection, deleteDocument, getCollection, getDocument, getDocuments",
        ),
        ("dgate/storage", "deleteCache, getCache, increment, setCache"),
        ("dgate/upstream", "endpoints, setHealth, setWeight"),
        ("dgate/util", "hexDecode, ipInRange"),
    ];
    let imports = imports.map(|(module, names)| format!("import {{ {names} }} from '{module}';")).join("\n");
    let source = format!(
        "{imports}\nconst thunks = [{}];
         export async function requestHandler(ctx) {{
           const found = [];
           for (const thunk of thunks) {{
             try {{ found.push('returned ' + await thunk(ctx)); }} catch (error) {{ found.push(String(error)); }}
           }}
           ctx.response().json(found);
         }}",
        thunks.join(",\n")
    );
    let module =
        serde_json::json!({ "name": "m", "type": "javascript", "payload_raw": source, "permissions": ["*"] });
    let gateway =
        Setup::new().with(resource(dgate_core::Kind::Module, module)).route(&["m"], None).start().await;
    let answer = get(&gateway, "/m/1").await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    let found: Vec<Value> = serde_json::from_str(&answer.text()).unwrap();
    let wrong: Vec<String> = CALLS
        .iter()
        .zip(&found)
        .filter(|((_, expected), found)| !found.as_str().is_some_and(|found| found.starts_with(expected)))
        .map(|((call, expected), found)| format!("{call}: {found}, not {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
