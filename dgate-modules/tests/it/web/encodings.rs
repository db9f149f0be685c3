//! `TextEncoder`, `TextDecoder`, `atob`, `btoa` and `crypto` beyond the plain cases.

use serde_json::{Value, json};

use super::{facts, throws};

/// Labels, and what they are called.
const LABELS: [(&str, &str); 48] = [
    ("utf-8", "utf-8"),
    (" UTF8\t", "utf-8"),
    ("unicode-1-1-utf-8", "utf-8"),
    ("x-unicode20utf8", "utf-8"),
    ("utf-16", "utf-16le"),
    ("utf-16le", "utf-16le"),
    ("ucs-2", "utf-16le"),
    ("unicode", "utf-16le"),
    ("utf-16be", "utf-16be"),
    ("unicodefffe", "utf-16be"),
    ("latin1", "windows-1252"),
    ("iso-8859-1", "windows-1252"),
    ("ascii", "windows-1252"),
    ("us-ascii", "windows-1252"),
    ("windows-1252", "windows-1252"),
    ("cp1252", "windows-1252"),
    ("iso-8859-2", "iso-8859-2"),
    ("latin2", "iso-8859-2"),
    ("iso-8859-5", "iso-8859-5"),
    ("cyrillic", "iso-8859-5"),
    ("iso-8859-7", "iso-8859-7"),
    ("greek", "iso-8859-7"),
    ("iso-8859-8-i", "iso-8859-8-i"),
    ("iso-8859-9", "windows-1254"),
    ("iso-8859-15", "iso-8859-15"),
    ("iso8859-16", ""),
    ("iso-8859-16", "iso-8859-16"),
    ("koi8-r", "koi8-r"),
    ("koi8-u", "koi8-u"),
    ("macintosh", "macintosh"),
    ("x-mac-cyrillic", "x-mac-cyrillic"),
    ("ibm866", "ibm866"),
    ("windows-874", "windows-874"),
    ("windows-1250", "windows-1250"),
    ("windows-1251", "windows-1251"),
    ("windows-1258", "windows-1258"),
    ("gbk", "gbk"),
    ("gb2312", "gbk"),
    ("gb18030", "gb18030"),
    ("big5", "big5"),
    ("euc-jp", "euc-jp"),
    ("iso-2022-jp", "iso-2022-jp"),
    ("sjis", "shift_jis"),
    ("euc-kr", "euc-kr"),
    ("x-user-defined", "x-user-defined"),
    ("utf-7", ""),
    ("utf-32", ""),
    ("iso-2022-kr", ""),
];

#[tokio::test]
async fn labels() {
    let facts_of: Vec<(String, Value)> = LABELS
        .iter()
        .map(|(label, name)| {
            let expected = if name.is_empty() { throws("RangeError") } else { json!(name) };
            (format!("new TextDecoder({}).encoding", json!(label)), expected)
        })
        .collect();
    let all: Vec<(&str, Value)> =
        facts_of.iter().map(|(fact, value)| (fact.as_str(), value.clone())).collect();
    facts(&all).await;
}

#[tokio::test]
async fn decoding() {
    facts(&[
        ("new TextDecoder('utf-16le').decode(new Uint8Array([0x61, 0, 0x3d, 0xd8, 0xa9, 0xdc]))", json!("a💩")),
        ("new TextDecoder('utf-16be').decode(new Uint8Array([0, 0x61, 0xd8, 0x3d, 0xdc, 0xa9]))", json!("a💩")),
        ("new TextDecoder('utf-16le').decode(new Uint8Array([0xff, 0xfe, 0x61, 0]))", json!("a")),
        ("new TextDecoder('utf-16le', { ignoreBOM: true }).decode(new Uint8Array([0xff, 0xfe, 0x61, 0]))", json!("\u{feff}a")),
        ("new TextDecoder('utf-16le').decode(new Uint8Array([0x3d, 0xd8]))", json!("\u{fffd}")),
        ("new TextDecoder('utf-16le', { fatal: true }).decode(new Uint8Array([0x61]))", throws("TypeError")),
        ("new TextDecoder('latin1').decode(new Uint8Array([0x80, 0xe9, 0x9d]))", json!("€é\u{9d}")),
        ("new TextDecoder('windows-1251').decode(new Uint8Array([0xcf, 0xf0]))", json!("Пр")),
        ("new TextDecoder('shift_jis').decode(new Uint8Array([0x93, 0xfa]))", json!("日")),
        ("new TextDecoder('gbk').decode(new Uint8Array([0xc4, 0xe3]))", json!("你")),
        ("new TextDecoder('x-user-defined').decode(new Uint8Array([0x80]))", json!("\u{f780}")),
        ("new TextDecoder().decode()", json!("")),
        ("new TextDecoder().decode(null)", throws("TypeError")),
        ("new TextDecoder().decode('text')", throws("TypeError")),
        ("new TextDecoder('utf-8', 1)", throws("TypeError")),
        ("TextDecoder()", throws("TypeError")),
        ("(() => { const d = new TextDecoder('utf-8', { fatal: 1, ignoreBOM: 0 }); return [d.fatal, d.ignoreBOM, d.encoding]; })()", json!([true, false, "utf-8"])),
        // How much of what is wrong becomes one replacement.
        ("new TextDecoder().decode(new Uint8Array([0xc0, 0x80]))", json!("\u{fffd}\u{fffd}")),
        ("new TextDecoder().decode(new Uint8Array([0xed, 0xa0, 0x80]))", json!("\u{fffd}\u{fffd}\u{fffd}")),
        ("new TextDecoder().decode(new Uint8Array([0xf0, 0x9f, 0x92, 0x61]))", json!("\u{fffd}a")),
        ("new TextDecoder().decode(new Uint8Array([0xf5, 0x80, 0x80, 0x80]))", json!("\u{fffd}\u{fffd}\u{fffd}\u{fffd}")),
        ("new TextDecoder().decode(new Uint8Array([0xe2, 0x82]))", json!("\u{fffd}")),
        ("new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf]))", json!("\u{feff}")),
        ("(() => { try { new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([0xc3, 0x28])); } catch (e) { return e.name; } })()", json!("TypeError")),
        // In parts.
        ("(() => { const d = new TextDecoder(); let t = ''; for (const b of [0xf0, 0x9f, 0x92, 0xa9]) t += d.decode(new Uint8Array([b]), { stream: true }) + '|'; return t + d.decode(); })()", json!("|||💩|")),
        ("(() => { const d = new TextDecoder(); return [d.decode(new Uint8Array([0xe2, 0x82]), { stream: true }), d.decode()]; })()", json!(["", "\u{fffd}"])),
        ("(() => { const d = new TextDecoder(); return [0xef, 0xbb, 0xbf, 0x61].map((b) => d.decode(new Uint8Array([b]), { stream: true })).join('') + d.decode(); })()", json!("a")),
        ("(() => { const d = new TextDecoder(); d.decode(new Uint8Array([0x61]), { stream: true }); d.decode(); return d.decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x62])); })()", json!("b")),
        ("(() => { const d = new TextDecoder('utf-8', { fatal: true }); try { d.decode(new Uint8Array([0xff]), { stream: true }); } catch {} return d.decode(new Uint8Array([0x61])); })()", json!("a")),
        ("(() => { const d = new TextDecoder('utf-16le'); return [0x61, 0x00].map((b) => d.decode(new Uint8Array([b]), { stream: true })); })()", json!(["", "a"])),
    ])
    .await;
}

#[tokio::test]
async fn encoding() {
    facts(&[
        ("[...new TextEncoder().encode('\\ud83d\\ude00\\ud83d')]", json!([240, 159, 152, 128, 239, 191, 189])),
        ("[...new TextEncoder().encode(null)]", json!([110, 117, 108, 108])),
        ("new TextEncoder().encode(undefined).length", json!(0)),
        ("TextEncoder()", throws("TypeError")),
        ("(() => { const into = new Uint8Array(4); return [new TextEncoder().encodeInto('aé€', into), [...into]]; })()", json!([{ "read": 2, "written": 3 }, [97, 195, 169, 0]])),
        ("(() => { const into = new Uint8Array(10).subarray(2, 6); return [new TextEncoder().encodeInto('💩x', into), [...new Uint8Array(into.buffer)]]; })()",
            json!([{ "read": 2, "written": 4 }, [0, 0, 240, 159, 146, 169, 0, 0, 0, 0]])),
        ("new TextEncoder().encodeInto('💩', new Uint8Array(3))", json!({ "read": 0, "written": 0 })),
        ("new TextEncoder().encodeInto('\\ud800', new Uint8Array(3)).written", json!(3)),
        ("new TextEncoder().encodeInto('a', new Uint16Array(1))", throws("TypeError")),
        ("new TextEncoder().encodeInto('a')", throws("TypeError")),
    ])
    .await;
}

/// Base64 as the web reads it, and the bytes; nothing: it is none.
const BASE64: [(&str, Option<&[u8]>); 46] = [
    ("", Some(b"")),
    ("abcd", Some(b"i\xb7\x1d")),
    (" abcd", Some(b"i\xb7\x1d")),
    ("abcd ", Some(b"i\xb7\x1d")),
    (" abcd===", None),
    ("abcd=== ", None),
    ("abcd ===", None),
    ("a", None),
    ("ab", Some(b"i")),
    ("abc", Some(b"i\xb7")),
    ("abcde", None),
    ("\u{1f308}", None),
    ("=", None),
    ("==", None),
    ("===", None),
    ("====", None),
    ("=====", None),
    ("a=", None),
    ("a==", None),
    ("a===", None),
    ("ab=", None),
    ("ab==", Some(b"i")),
    ("ab===", None),
    ("abc=", Some(b"i\xb7")),
    ("abc==", None),
    ("abcd=", None),
    ("abcd==", None),
    ("abcde=", None),
    ("=a", None),
    ("=a=", None),
    ("a=b", None),
    ("a=b=", None),
    ("ab=c", None),
    ("ab=c=", None),
    ("abc=d", None),
    ("ab\tcd", Some(b"i\xb7\x1d")),
    ("ab\ncd", Some(b"i\xb7\x1d")),
    ("ab\u{c}cd", Some(b"i\xb7\x1d")),
    ("ab\rcd", Some(b"i\xb7\x1d")),
    ("ab cd", Some(b"i\xb7\x1d")),
    ("ab\u{a0}cd", None),
    ("ab\t\n\u{c}\r cd", Some(b"i\xb7\x1d")),
    ("\u{0}abcd", None),
    ("/A", Some(b"\xfc")),
    ("//A=", Some(b"\xff\xf0")),
    ("A_-B", None),
];

#[tokio::test]
async fn base64() {
    let facts_of: Vec<(String, Value)> = BASE64
        .iter()
        .map(|(text, bytes)| {
            let expression = format!("Array.from(atob({}), (c) => c.charCodeAt(0))", json!(text));
            (expression, bytes.map_or_else(|| throws("InvalidCharacterError"), |bytes| json!(bytes)))
        })
        .collect();
    let mut all: Vec<(&str, Value)> =
        facts_of.iter().map(|(fact, value)| (fact.as_str(), value.clone())).collect();
    all.extend([
        ("atob()", throws("TypeError")),
        ("btoa()", throws("TypeError")),
        ("[atob(12), atob(NaN), btoa(null), btoa(1.5), btoa('')]", json!(["\u{d7}", "5\u{a3}", "bnVsbA==", "MS41", ""])),
        ("atob(undefined)", throws("InvalidCharacterError")),
        ("(() => { try { atob('a'); } catch (e) { return [e instanceof DOMException, e instanceof Error, e.code]; } })()", json!([true, true, 5])),
        ("(() => { const all = String.fromCharCode(...Array(256).keys()); return atob(btoa(all)) === all; })()", json!(true)),
    ]);
    facts(&all).await;
}

#[tokio::test]
async fn randomness_and_digests() {
    facts(&[
        ("crypto.getRandomValues(new Float32Array(1))", throws("TypeMismatchError")),
        ("crypto.getRandomValues([1])", throws("TypeError")),
        ("crypto.getRandomValues(new ArrayBuffer(1))", throws("TypeError")),
        (
            "[...new Uint8Array(await crypto.subtle.digest({ name: 'sha-1' }, new Uint8Array()))].slice(0, 3)",
            json!([0xda, 0x39, 0xa3]),
        ),
        ("crypto.subtle.digest('SHA-256', 'text')", throws("TypeError")),
        ("await crypto.subtle.digest('MD5', new Uint8Array())", throws("NotSupportedError")),
    ])
    .await;
}
