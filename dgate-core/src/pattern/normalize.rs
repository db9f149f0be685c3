//! Path normalisation (RFC 3986, section 6.2.2), so that one resource has one spelling.
//!
//! Unreserved characters are decoded, other percent-encodings are written in upper case, what must not stand in a path
//! as it is gets encoded, dot segments are resolved. `//` is kept and `%2F` is never decoded: both mean something to
//! upstreams.

use std::borrow::Cow;

/// The normal spelling of an absolute path, without query.
///
/// A `%` that begins no encoding becomes `%25`, so that nobody who decodes the path once more finds in it what was not
/// seen here.
///
/// ```
/// use dgate_core::pattern::normalize::path;
/// assert_eq!(path("/a/%62/../c%2fd"), "/a/c%2Fd");
/// assert_eq!(path("/a//b/./"), "/a//b/");
/// assert_eq!(path("/%2e%2e/x"), "/x");
/// assert_eq!(path("/100%/a\\b"), "/100%25/a%5Cb");
/// ```
pub fn path(raw: &str) -> Cow<'_, str> {
    let spelled = respell(raw);
    if has_dot_segment(&spelled) { Cow::Owned(resolve_dots(&spelled)) } else { spelled }
}

/// The normal spelling of a text in a path; dot segments are left alone.
pub(super) fn respell(raw: &str) -> Cow<'_, str> {
    let Some(first) = raw.bytes().position(|byte| !is_plain(byte)) else { return raw.into() };
    let mut out = String::with_capacity(raw.len() + 8);
    out.push_str(&raw[..first]);
    let mut rest = &raw.as_bytes()[first..];
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if is_plain(byte) {
            out.push(char::from(byte));
            continue;
        }
        match (byte == b'%').then(|| encoded_byte(tail)).flatten() {
            Some(decoded) => {
                rest = &tail[2..];
                if decoded.is_ascii_alphanumeric() || matches!(decoded, b'-' | b'.' | b'_' | b'~') {
                    out.push(char::from(decoded));
                } else {
                    push_encoded(&mut out, decoded);
                }
            }
            None => push_encoded(&mut out, byte),
        }
    }
    out.into()
}

/// Whether a byte may stand in a path as it is. Brackets may not, strictly, but everybody writes and reads them.
const fn is_plain(byte: u8) -> bool {
    const PLAIN: [bool; 256] = {
        let mut plain = [false; 256];
        let mut byte = 0x21;
        while byte < 0x7f {
            plain[byte] = !matches!(
                byte as u8,
                b'%' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'#' | b'?'
            );
            byte += 1;
        }
        plain
    };
    PLAIN[byte as usize]
}

fn push_encoded(out: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |half: u8| char::from(HEX[usize::from(half)]);
    out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
}

/// The byte that two hexadecimal digits stand for.
fn encoded_byte(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    match digits {
        [high, low, ..] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

fn has_dot_segment(path: &str) -> bool {
    path.contains("/.") && path.split('/').skip(1).any(|segment| matches!(segment, "." | ".."))
}

fn resolve_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop();
                if last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

/// Percent-decodes one captured value; what is no valid encoding, or not UTF-8 afterwards, is kept as it is.
///
/// ```
/// assert_eq!(dgate_core::pattern::normalize::decode("caf%C3%A9%2Fx"), "café/x");
/// ```
pub fn decode(value: &str) -> Cow<'_, str> {
    if !value.contains('%') {
        return value.into();
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let decoded = (byte == b'%').then(|| encoded_byte(tail)).flatten();
        bytes.push(decoded.unwrap_or(byte));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).map_or_else(|_| value.into(), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::path;
    use proptest::prelude::*;

    #[test]
    fn examples() {
        for (raw, normal) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/../b", "/b"),
            ("/../../b", "/b"),
            ("/a/..", "/"),
            ("/a/.", "/a/"),
            ("/a/b/..", "/a/"),
            ("/a//../b", "/a/b"),
            ("/%41%2f%2F%2e", "/A%2F%2F."),
            ("/%2e%2e%2fetc", "/..%2Fetc"),
            ("/%zz%", "/%25zz%25"),
            ("/%%32e%%32e/x", "/%252e%252e/x"),
            ("/a b\\c\"<>^`{|}", "/a%20b%5Cc%22%3C%3E%5E%60%7B%7C%7D"),
            ("/é[0]", "/%C3%A9[0]"),
            ("/x%c3%a9", "/x%C3%A9"),
            ("/...", "/..."),
        ] {
            assert_eq!(path(raw), normal, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn it_is_idempotent_and_leaves_no_dot_segment(raw in "/([a./%2-6eEfF\\\\é-]|%%32[eE]|%2%65){0,24}") {
            let once = path(&raw).into_owned();
            let twice = path(&once).into_owned();
            prop_assert_eq!(&twice, &once);
            prop_assert!(!once.split('/').any(|segment| matches!(segment, "." | "..")));
        }
    }
}
