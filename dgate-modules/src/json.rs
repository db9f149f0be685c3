//! Texts as JSON, as `JSON.stringify` writes them.

use std::io::Write as _;

/// A text in quotes.
pub(crate) fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    text.chars().for_each(|character| escape(character, out));
    out.push(b'"');
}

/// A character within quotes.
pub(crate) fn escape(character: char, out: &mut Vec<u8>) {
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\u{8}' => out.extend_from_slice(b"\\b"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\u{c}' => out.extend_from_slice(b"\\f"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\0'..'\u{20}' => hex(character as u16, out),
        _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// A UTF-16 unit, as its number.
pub(crate) fn hex(unit: u16, out: &mut Vec<u8>) {
    let _ = write!(out, "\\u{unit:04x}");
}
