//! What the language does with texts.

use std::borrow::Cow;
use std::fmt::Write as _;

/// White space and ends of lines, as the language has them.
fn is_blank(character: char) -> bool {
    character == '\u{feff}' || (character.is_whitespace() && character != '\u{85}')
}

/// `trim`.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// `trimStart`.
pub(super) fn trim_start(text: &str) -> &str {
    text.trim_start_matches(is_blank)
}

/// `trimEnd`.
pub(super) fn trim_end(text: &str) -> &str {
    text.trim_end_matches(is_blank)
}

/// `Number(text)`.
pub(super) fn to_number(text: &str) -> f64 {
    let text = trim(text);
    let radix = |digits: &str, radix: u32| -> f64 {
        let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        if !is_number {
            return f64::NAN;
        }
        let digit = |digit: char| f64::from(digit.to_digit(radix).unwrap_or_default());
        match u128::from_str_radix(digits, radix) {
            Ok(number) => number as f64,
            Err(_) => digits.chars().fold(0.0, |number, next| number * f64::from(radix) + digit(next)),
        }
    };
    match text.as_bytes() {
        [] => 0.0,
        [b'0', b'x' | b'X', ..] => radix(&text[2..], 16),
        [b'0', b'o' | b'O', ..] => radix(&text[2..], 8),
        [b'0', b'b' | b'B', ..] => radix(&text[2..], 2),
        _ if matches!(text, "Infinity" | "+Infinity") => f64::INFINITY,
        _ if text == "-Infinity" => f64::NEG_INFINITY,
        // Whatever else has letters is none here, though it may be one in Rust.
        bytes if bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) => {
            text.parse().unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

/// `length`: UTF-16 units.
pub(super) fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Where a unit begins, in bytes; nothing when it is the second half of a character. The text's end is a place, too.
pub(super) fn byte(text: &str, unit: usize) -> Option<usize> {
    if text.is_ascii() {
        return Some(unit.min(text.len()));
    }
    let mut units = 0;
    for (at, character) in text.char_indices() {
        if units >= unit {
            return (units == unit).then_some(at);
        }
        units += character.len_utf16();
    }
    (units == unit).then_some(text.len())
}

/// The UTF-16 unit at a place.
pub(super) fn unit(text: &str, at: usize) -> Option<u16> {
    if text.is_ascii() {
        return text.as_bytes().get(at).map(|byte| u16::from(*byte));
    }
    text.encode_utf16().nth(at)
}

/// `indexOf`, in UTF-16 units, from one of them on.
pub(super) fn index_of(text: &str, wanted: &str, from: f64) -> f64 {
    if from <= 0.0 {
        return text.find(wanted).map_or(-1.0, |at| length(&text[..at]) as f64);
    }
    let from = from.min(length(text) as f64) as usize;
    if wanted.is_empty() {
        return from as f64;
    }
    // What is looked for begins with a whole character: so it does not begin within one.
    let Some(begin) = byte(text, from).or_else(|| byte(text, from + 1)) else { return -1.0 };
    text[begin..].find(wanted).map_or(-1.0, |at| length(&text[..begin + at]) as f64)
}

/// `lastIndexOf`, in UTF-16 units.
pub(super) fn last_index_of(text: &str, wanted: &str) -> f64 {
    text.rfind(wanted).map_or(-1.0, |at| length(&text[..at]) as f64)
}

/// What replaces a part of a text, piece by piece: `$$`, `$&` and what is before and after stand for something.
pub(super) fn substitutes<'t>(
    by: &'t str,
    text: &'t str,
    begin: usize,
    end: usize,
) -> impl Iterator<Item = &'t str> {
    let mut rest = by;
    std::iter::from_fn(move || {
        let piece = match rest.find('$') {
            None if rest.is_empty() => return None,
            None => std::mem::take(&mut rest),
            Some(0) => {
                let (what, length) = match rest.as_bytes().get(1) {
                    Some(b'$') => ("$", 2),
                    Some(b'&') => (&text[begin..end], 2),
                    Some(b'`') => (&text[..begin], 2),
                    Some(b'\'') => (&text[end..], 2),
                    _ => ("$", 1),
                };
                rest = &rest[length..];
                what
            }
            Some(at) => {
                let (piece, after) = rest.split_at(at);
                rest = after;
                piece
            }
        };
        Some(piece)
    })
}

/// `a < b` and the like: by UTF-16 units.
pub(super) fn compare(a: &str, b: &str) -> std::cmp::Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// A text whose characters are these bytes, as headers are read.
pub(super) fn of_latin1(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => text.to_owned(),
        _ => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// The bytes that are a text's characters, if all of them are.
pub(super) fn to_latin1(text: &str) -> Option<Cow<'_, [u8]>> {
    if text.is_ascii() {
        return Some(text.as_bytes().into());
    }
    text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

/// `encodeURIComponent`.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_numbers_as_the_language_reads_them() {
        let cases = [
            ("", 0.0),
            (" \n12 ", 12.0),
            ("1.", 1.0),
            (".5", 0.5),
            ("+1e3", 1e3),
            ("0x1F", 31.0),
            ("0b11", 3.0),
        ];
        for (text, number) in cases {
            assert_eq!(to_number(text).to_bits(), f64::to_bits(number), "{text}");
        }
        for text in ["inf", "nan", "1_000", "0x", "-0x1", "1 2", "infinity", ".", "e5", "\u{85}"] {
            assert!(to_number(text).is_nan(), "{text}");
        }
    }

    #[test]
    fn lengths_count_units() {
        assert_eq!((length("aä😀"), index_of("a😀b", "b", 0.0), index_of("a", "b", 0.0)), (4, 3.0, -1.0));
        assert_eq!(
            (byte("a😀b", 1), byte("a😀b", 2), byte("a😀b", 3), byte("a😀b", 4)),
            (Some(1), None, Some(5), Some(6))
        );
        assert_eq!(trim("\u{feff} a\u{a0}"), "a");
    }
}
