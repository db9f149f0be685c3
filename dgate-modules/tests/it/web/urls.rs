//! `URL` and `URLSearchParams` beyond the plain cases.

use serde_json::{Value, json};

use super::{facts, throws};

/// What comes of inputs against bases (none: an empty text); nothing: a `TypeError`.
async fn parsed(expected: &[(&str, &str, Option<&str>)]) {
    let facts_of: Vec<(String, Value)> = expected
        .iter()
        .map(|(input, base, href)| {
            let base = if base.is_empty() { "undefined".to_owned() } else { json!(base).to_string() };
            let expression = format!("new URL({}, {base}).href", json!(input));
            (expression, href.map_or_else(|| throws("TypeError"), |href| json!(href)))
        })
        .collect();
    let all: Vec<(&str, Value)> =
        facts_of.iter().map(|(fact, value)| (fact.as_str(), value.clone())).collect();
    facts(&all).await;
}

#[tokio::test]
async fn parsing() {
    parsed(&[
        // Schemes and what they mean.
        ("HTTP://EXAMPLE.com:80/", "", Some("http://example.com/")),
        ("https://example.com:443", "", Some("https://example.com/")),
        ("ws://a:80", "", Some("ws://a/")),
        ("wss://a:443/", "", Some("wss://a/")),
        ("ftp://a:21/x", "", Some("ftp://a/x")),
        ("http:a", "", Some("http://a/")),
        ("http:////a", "", Some("http://a/")),
        ("http:\\\\a\\b", "", Some("http://a/b")),
        ("a+b.c-d://x", "", Some("a+b.c-d://x")),
        ("1a:x", "", None),
        ("mailto:x@y.z", "", Some("mailto:x@y.z")),
        ("javascript:alert(1) ", "", Some("javascript:alert(1)")),
        ("data:text/html,a b#c d", "", Some("data:text/html,a b#c%20d")),
        ("about:blank", "", Some("about:blank")),
        ("urn:a:b?c#d", "", Some("urn:a:b?c#d")),
        ("", "", None),
        ("x", "", None),
        ("//a", "", None),
        ("#f", "about:blank", Some("about:blank#f")),
        ("x", "about:blank", None),
        // Blanks and controls.
        ("  http://a/  ", "", Some("http://a/")),
        ("\u{0}\u{1f} http://a/\u{1f}", "", Some("http://a/")),
        ("ht\ntp://a\t/b\r", "", Some("http://a/b")),
        ("http://a/\u{0}b", "", Some("http://a/%00b")),
        ("http://a b/", "", None),
        ("http://a<b", "", None),
        ("http://a^b", "", None),
        ("http://a%00b", "", None),
        ("http://a%41", "", Some("http://aa/")),
        ("http://a%zz", "", None),
        // Credentials.
        ("http://u@a", "", Some("http://u@a/")),
        ("http://u:p@a", "", Some("http://u:p@a/")),
        ("http://:p@a", "", Some("http://:p@a/")),
        ("http://@a", "", Some("http://a/")),
        ("http://u:@a", "", Some("http://u@a/")),
        ("http://a@b@c", "", Some("http://a%40b@c/")),
        ("http://a:b@c:d@e", "", Some("http://a:b%40c%3Ad@e/")),
        ("http://u/p@a", "", Some("http://u/p@a")),
        ("http://u@/", "", None),
        ("http://u é@a", "", Some("http://u%20%C3%A9@a/")),
        // Ports.
        ("http://a:", "", Some("http://a/")),
        ("http://a:0", "", Some("http://a:0/")),
        ("http://a:00080", "", Some("http://a/")),
        ("http://a:65535", "", Some("http://a:65535/")),
        ("http://a:65536", "", None),
        ("http://a:8x", "", None),
        ("http://a:-1", "", None),
        ("http://:80", "", None),
        // IPv4 in all its clothes.
        ("http://127.0.0.1", "", Some("http://127.0.0.1/")),
        ("http://127.1", "", Some("http://127.0.0.1/")),
        ("http://2130706433", "", Some("http://127.0.0.1/")),
        ("http://0x7f000001", "", Some("http://127.0.0.1/")),
        ("http://017700000001", "", Some("http://127.0.0.1/")),
        ("http://0x", "", Some("http://0.0.0.0/")),
        ("http://1.2.3.4.", "", Some("http://1.2.3.4/")),
        ("http://1.2.3", "", Some("http://1.2.0.3/")),
        ("http://1.2.3.4.5", "", None),
        ("http://1.2.3.256", "", None),
        ("http://4294967296", "", None),
        ("http://09.1.1.1", "", None),
        ("http://a.1", "", None),
        ("http://a.0x4", "", None),
        ("http://1.2.3.4x", "", Some("http://1.2.3.4x/")),
        ("http://１２７.0.0.1", "", Some("http://127.0.0.1/")),
        // IPv6.
        ("http://[::1]", "", Some("http://[::1]/")),
        ("http://[0:0:0:0:0:0:0:1]:8080", "", Some("http://[::1]:8080/")),
        ("http://[2001:DB8::A]", "", Some("http://[2001:db8::a]/")),
        ("http://[1:0:0:2:0:0:0:3]", "", Some("http://[1:0:0:2::3]/")),
        ("http://[::ffff:1.2.3.4]", "", Some("http://[::ffff:102:304]/")),
        ("http://[::1.2.3]", "", None),
        ("http://[::1", "", None),
        ("http://[1:2:3]", "", None),
        ("http://[1::2::3]", "", None),
        ("http://[::1%eth0]", "", None),
        ("http://[]", "", None),
        // Names of hosts.
        ("http://EXAMPLE.ORG", "", Some("http://example.org/")),
        ("http://straße.de", "", Some("http://xn--strae-oqa.de/")),
        ("http://bücher.example", "", Some("http://xn--bcher-kva.example/")),
        ("http://日本語。ＪＰ", "", Some("http://xn--wgv71a119e.jp/")),
        ("http://xn--bcher-kva.example", "", Some("http://xn--bcher-kva.example/")),
        ("http://faß.example", "", Some("http://xn--fa-hia.example/")),
        ("http://a\u{ad}b", "", Some("http://ab/")),
        ("http://☃.net", "", Some("http://xn--n3h.net/")),
        ("http://a..b", "", Some("http://a..b/")),
        ("http://a_b.c", "", Some("http://a_b.c/")),
        ("http://-a-", "", Some("http://-a-/")),
        ("http://a.", "", Some("http://a./")),
        ("http://\u{ad}", "", None),
        ("http://a\u{3002}b", "", Some("http://a.b/")),
        ("x://EXAMPLE ü", "", None),
        ("x://EXAMPLEü/", "", Some("x://EXAMPLE%C3%BC/")),
        // Paths.
        ("http://a/b/../c", "", Some("http://a/c")),
        ("http://a/../../b", "", Some("http://a/b")),
        ("http://a/b/%2e%2E/c", "", Some("http://a/c")),
        ("http://a/b/.%2e", "", Some("http://a/")),
        ("http://a/b/.", "", Some("http://a/b/")),
        ("http://a/b/..", "", Some("http://a/")),
        ("http://a/...", "", Some("http://a/...")),
        ("http://a//b", "", Some("http://a//b")),
        ("http://a/b%2fc", "", Some("http://a/b%2fc")),
        ("http://a/ü ^|{}\"<>`", "", Some("http://a/%C3%BC%20^|%7B%7D%22%3C%3E%60")),
        ("http://a/%", "", Some("http://a/%")),
        ("http://a/'()*!~", "", Some("http://a/'()*!~")),
        ("http://a/b;c=d", "", Some("http://a/b;c=d")),
        // Queries and fragments.
        ("http://a?b", "", Some("http://a/?b")),
        ("http://a/?", "", Some("http://a/?")),
        ("http://a/#", "", Some("http://a/#")),
        ("http://a/?'\"<>`ü #", "", Some("http://a/?%27%22%3C%3E`%C3%BC%20#")),
        ("x://a/?'", "", Some("x://a/?'")),
        ("http://a/#\"<>`ü {}", "", Some("http://a/#%22%3C%3E%60%C3%BC%20{}")),
        ("http://a/?b#c?d#e", "", Some("http://a/?b#c?d#e")),
        // Against bases.
        ("b", "http://a/x/y?q#f", Some("http://a/x/b")),
        ("?r", "http://a/x/y?q#f", Some("http://a/x/y?r")),
        ("#g", "http://a/x/y?q#f", Some("http://a/x/y?q#g")),
        ("", "http://a/x/y?q#f", Some("http://a/x/y?q")),
        ("/b", "http://a/x/y", Some("http://a/b")),
        ("../../../b", "http://a/x/y", Some("http://a/b")),
        (".", "http://a/x/y", Some("http://a/x/")),
        ("//b/c", "http://a/x", Some("http://b/c")),
        ("\\\\b\\c", "http://a/x", Some("http://b/c")),
        ("///b/c", "http://a/x", Some("http://b/c")),
        ("/\\/\\b/../c", "https://a/x", Some("https://b/c")),
        (" \t//\n/b", "http://a/x", Some("http://b/")),
        ("http:b", "http://a/x/y", Some("http://a/x/b")),
        ("https:b", "http://a/x/y", Some("https://b/")),
        ("x:b", "http://a/x/y", Some("x:b")),
        ("b", "x://a", Some("x://a/b")),
        ("b", "data:x", None),
        ("http://a", "no base", None),
    ])
    .await;
}

#[tokio::test]
async fn parts() {
    facts(&[
        ("(() => { const u = new URL('https://u:p@a.example:8443/b/c?d=e#f'); return [u.origin, u.protocol, u.username, u.password, u.host, u.hostname, u.port, u.pathname, u.search, u.hash]; })()",
            json!(["https://a.example:8443", "https:", "u", "p", "a.example:8443", "a.example", "8443", "/b/c", "?d=e", "#f"])),
        ("new URL('blob:https://a.example:444/x').origin", json!("https://a.example:444")),
        ("[new URL('blob:ftp://a/').origin, new URL('file:///x').origin, new URL('x://a').origin]", json!(["null", "null", "null"])),
        ("[new URL('http://a/?').search, new URL('http://a/#').hash]", json!(["", ""])),
        ("new URL()", throws("TypeError")),
        ("URL.canParse()", throws("TypeError")),
        ("URL.parse()", throws("TypeError")),
        ("[URL.canParse('a:b'), URL.canParse('b', 'no'), URL.canParse('b', 'http://a'), URL.canParse('b', undefined)]", json!([true, false, true, false])),
        ("Object.getOwnPropertyNames(URL).includes('createObjectURL')", json!(false)),
        ("String(new URL(new URL('http://a/b')))", json!("http://a/b")),
        ("new URL(Symbol('x'))", throws("TypeError")),
        ("Object.getOwnPropertyDescriptor(URL.prototype, 'href').get.call({})", throws("TypeError")),
    ])
    .await;
}

/// `href`, the part that is set, the value, what `href` is then.
const SET: [(&str, &str, &str, &str); 44] = [
    ("http://a/b", "protocol", "https", "https://a/b"),
    ("http://a/b", "protocol", "https:x", "https://a/b"),
    ("http://a/b", "protocol", "", "http://a/b"),
    ("http://a/b", "protocol", "1x", "http://a/b"),
    ("http://a:443/b", "protocol", "https", "https://a/b"),
    ("http://a/b", "protocol", "mailto", "http://a/b"),
    ("x://a/b", "protocol", "http", "x://a/b"),
    ("http://a/b", "username", "u v", "http://u%20v@a/b"),
    ("http://u@a/b", "username", "", "http://a/b"),
    ("http://a/b", "username", "a:/?#@", "http://a%3A%2F%3F%23%40@a/b"),
    ("mailto:x", "username", "u", "mailto:x"),
    ("http://a/b", "password", "p", "http://:p@a/b"),
    ("http://u:p@a/b", "password", "", "http://u@a/b"),
    ("http://a/b", "host", "c:81", "http://c:81/b"),
    ("http://a:81/b", "host", "c", "http://c:81/b"),
    ("http://a:81/b", "host", "c:80", "http://c/b"),
    ("http://a/b", "host", "", "http://a/b"),
    ("http://a/b", "host", "c/d?e", "http://c/b"),
    ("http://a/b", "host", "c d", "http://a/b"),
    ("http://a/b", "host", "[::1]:81", "http://[::1]:81/b"),
    ("mailto:x", "host", "c", "mailto:x"),
    ("http://a:81/b", "hostname", "c", "http://c:81/b"),
    ("http://a:81/b", "hostname", "c:82", "http://a:81/b"),
    ("http://a/b", "hostname", "0x7f.1", "http://127.0.0.1/b"),
    ("http://a/b", "hostname", "bücher", "http://xn--bcher-kva/b"),
    ("http://a/b", "port", "81", "http://a:81/b"),
    ("http://a:81/b", "port", "", "http://a/b"),
    ("http://a/b", "port", "81x", "http://a:81/b"),
    ("http://a:81/b", "port", "x", "http://a:81/b"),
    ("http://a:81/b", "port", "65536", "http://a:81/b"),
    ("http://a:81/b", "port", "\n\t", "http://a:81/b"),
    ("http://a/b", "pathname", "c d", "http://a/c%20d"),
    ("http://a/b", "pathname", "", "http://a/"),
    ("http://a/b", "pathname", "../c/./d", "http://a/c/d"),
    ("http://a/b", "pathname", "?#", "http://a/%3F%23"),
    ("http://a/b", "pathname", "\\c", "http://a/c"),
    ("mailto:x", "pathname", "y", "mailto:x"),
    ("http://a/b?c", "search", "", "http://a/b"),
    ("http://a/b", "search", "?d e", "http://a/b?d%20e"),
    ("http://a/b", "search", "d#e", "http://a/b?d%23e"),
    ("http://a/b#c", "hash", "", "http://a/b"),
    ("http://a/b", "hash", "#d e", "http://a/b#d%20e"),
    ("http://a/b", "hash", "d#e", "http://a/b#d#e"),
    ("http://a/b", "href", "x:y", "x:y"),
];

#[tokio::test]
async fn setting() {
    let facts_of: Vec<(String, Value)> = SET
        .iter()
        .map(|(href, part, value, expected)| {
            let expression = format!(
                "(() => {{ const u = new URL({}); u.{part} = {}; return u.href; }})()",
                json!(href),
                json!(value)
            );
            (expression, json!(expected))
        })
        .collect();
    let all: Vec<(&str, Value)> =
        facts_of.iter().map(|(fact, value)| (fact.as_str(), value.clone())).collect();
    facts(&all).await;
}

#[tokio::test]
async fn queries() {
    facts(&[
        ("[...new URLSearchParams('a=b&&c==d&=e&f')]", json!([["a", "b"], ["c", "=d"], ["", "e"], ["f", ""]])),
        ("[...new URLSearchParams('??a=1')]", json!([["?a", "1"]])),
        ("[...new URLSearchParams('a=%F0%9F%92%A9&b=%ff&c=%u0041&d=%4')]", json!([["a", "💩"], ["b", "\u{fffd}"], ["c", "%u0041"], ["d", "%4"]])),
        ("[...new URLSearchParams('\\uFEFFa=1')]", json!([["\u{feff}a", "1"]])),
        ("String(new URLSearchParams([['a b', 'c+d'], ['é', '*-._']]))", json!("a+b=c%2Bd&%C3%A9=*-._")),
        ("String(new URLSearchParams({ a: '\\ud800' }))", json!("a=%EF%BF%BD")),
        ("String(new URLSearchParams({ '\\ud800': 1, '\\udc00': 2 }))", json!("%EF%BF%BD=2")),
        ("String(new URLSearchParams(new Map([['a', 1]])))", json!("a=1")),
        ("String(new URLSearchParams([new Set(['a', 'b'])]))", json!("a=b")),
        ("new URLSearchParams([['a', 'b', 'c']])", throws("TypeError")),
        ("new URLSearchParams(['ab'])", throws("TypeError")),
        ("new URLSearchParams([1])", throws("TypeError")),
        ("new URLSearchParams({ [Symbol.iterator]: 1 })", throws("TypeError")),
        ("String(new URLSearchParams(Object.defineProperty({ a: 1 }, 'b', { value: 2 })))", json!("a=1")),
        ("String(new URLSearchParams(undefined)) + String(new URLSearchParams(5))", json!("5=")),
        ("[...'get getAll has delete'.split(' ')].map((m) => { try { new URLSearchParams()[m](); } catch (e) { return e.name; } })", json!(["TypeError", "TypeError", "TypeError", "TypeError"])),
        ("new URLSearchParams().set('a')", throws("TypeError")),
        ("new URLSearchParams().append('a')", throws("TypeError")),
        ("(() => { const p = new URLSearchParams('a=null&a=1'); return [p.has('a', null), p.has('a', undefined), p.has('a', 'x')]; })()", json!([true, true, false])),
        ("(() => { const p = new URLSearchParams('a=1&a=2&b=3'); p.delete('a', undefined); return String(p); })()", json!("b=3")),
        ("(() => { const p = new URLSearchParams('a=1&b=2'); p.set('c', 3); p.append('a', 4); return String(p); })()", json!("a=1&b=2&c=3&a=4")),
        ("(() => { const u = new URL('http://a/?a=~&b=%20'); u.searchParams.append('c', '~'); return u.search; })()", json!("?a=%7E&b=+&c=%7E")),
        ("(() => { const u = new URL('http://a/?a=1#h'); const p = u.searchParams; u.href = 'http://b/?c=2'; return [p === u.searchParams, String(p)]; })()", json!([true, "c=2"])),
        ("(() => { const u = new URL('http://a/?a=1'); u.searchParams.forEach((v, k, all) => { all.delete(k); }); return u.href; })()", json!("http://a/")),
        ("(() => { const u = new URL('http://a/?b=1&a=2'); u.searchParams.sort(); return u.href; })()", json!("http://a/?a=2&b=1")),
        ("new URLSearchParams().forEach()", throws("TypeError")),
        ("Object.prototype.toString.call(new URLSearchParams())", json!("[object URLSearchParams]")),
        ("URLSearchParams.prototype[Symbol.iterator] === URLSearchParams.prototype.entries", json!(true)),
    ])
    .await;
}
