//! Path normalisation (RFC 3986, section 6.2.2), so that one resource has one spelling.
//!
//! Unreserved characters are decoded, other percent-encodings are written in upper case, dot segments are
//! resolved. `//` is kept and `%2F` is never decoded: both mean something to upstreams.

use std::borrow::Cow;

/// The normal spelling of an absolute path, without query.
///
/// ```
/// use dgate_core::pattern::normalize::path;
/// assert_eq!(path("/a/%62/../c%2fd"), "/a/c%2Fd");
/// assert_eq!(path("/a//b/./"), "/a//b/");
/// assert_eq!(path("/%2e%2e/x"), "/x");
/// ```
pub fn path(raw: &str) -> Cow<'_, str> {
    let decoded = decode_unreserved(raw);
    if has_dot_segment(&decoded) { Cow::Owned(resolve_dots(&decoded)) } else { decoded }
}

fn decode_unreserved(raw: &str) -> Cow<'_, str> {
    let bytes = raw.as_bytes();
    let Some(first) = bytes.iter().position(|b| *b == b'%') else { return raw.into() };
    let mut out = String::with_capacity(raw.len());
    out.push_str(&raw[..first]);
    let mut rest = &raw[first..];
    while let Some(percent) = rest.find('%') {
        out.push_str(&rest[..percent]);
        rest = &rest[percent..];
        let hex = rest.as_bytes().get(1..3).and_then(|hex| Some((hex_digit(hex[0])?, hex_digit(hex[1])?)));
        let Some((high, low)) = hex else {
            out.push('%');
            rest = &rest[1..];
            continue;
        };
        let byte = high << 4 | low;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&rest[..3].to_ascii_uppercase());
        }
        rest = &rest[3..];
    }
    out.push_str(rest);
    out.into()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

fn has_dot_segment(path: &str) -> bool {
    path.split('/').skip(1).any(|segment| matches!(segment, "." | ".."))
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
        let hex = (byte == b'%').then(|| tail.get(..2)).flatten();
        if let Some((high, low)) = hex.and_then(|hex| Some((hex_digit(hex[0])?, hex_digit(hex[1])?))) {
            bytes.push(high << 4 | low);
            rest = &tail[2..];
        } else {
            bytes.push(byte);
            rest = tail;
        }
    }
    String::from_utf8(bytes).map_or_else(|_| value.into(), Cow::Owned)
}

/// Percent-encodes what may not stand in a path as it is, so that patterns may be written in plain text.
pub(crate) fn encode(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_graphic()
            && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'#' | b'?');
        if plain {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
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
            ("/%zz%", "/%zz%"),
            ("/x%c3%a9", "/x%C3%A9"),
            ("/...", "/..."),
        ] {
            assert_eq!(path(raw), normal, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn it_is_idempotent_and_leaves_no_dot_segment(raw in "/[a./%25eE2f-]{0,24}") {
            let once = path(&raw).into_owned();
            let twice = path(&once).into_owned();
            prop_assert_eq!(&twice, &once);
            prop_assert!(!once.split('/').any(|segment| matches!(segment, "." | "..")));
        }
    }
}
