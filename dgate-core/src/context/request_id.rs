//! Request identifiers.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::HeaderValue;

/// Identifies a request in logs, traces and upstreams: taken over from a trusted client, or a new UUID of version 7
/// (RFC 9562, section 5.7), which sorts by time.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// A new one.
    pub fn generate() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let random = fastrand::u128(..);
        let version_7 = 0x7000 | (random >> 64 & 0x0fff);
        let variant = 0x8000_0000_0000_0000 | (random & 0x3fff_ffff_ffff_ffff);
        let uuid = since_1970.as_millis() << 80 | version_7 << 64 | variant;
        let text = Bytes::from_owner(format_uuid(uuid));
        // Hexadecimal digits and dashes are a valid header value.
        HeaderValue::from_maybe_shared(text).map_or_else(|_| Self(HeaderValue::from_static("-")), Self)
    }

    /// One that a trusted client sent, when it is usable: 1 to 128 visible characters.
    pub fn accept(value: &HeaderValue) -> Option<Self> {
        let usable = (1..=128).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic);
        usable.then(|| Self(value.clone()))
    }

    /// As a header value.
    pub fn as_header(&self) -> &HeaderValue {
        &self.0
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or("-")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The two digits of each byte.
const HEX: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

/// Where in the text each byte's digits begin.
const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

fn format_uuid(uuid: u128) -> [u8; 36] {
    let mut text = [b'-'; 36];
    for (at, byte) in PLACES.into_iter().zip(uuid.to_be_bytes()) {
        text[at..at + 2].copy_from_slice(&HEX[usize::from(byte)]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_uuid_of_version_7() {
        let id = RequestId::generate();
        let text = id.as_str();
        assert_eq!(text.len(), 36);
        assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!(&text[14..15], "7");
        assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"), "{text}");
        assert_ne!(id, RequestId::generate());
    }

    #[test]
    fn what_a_client_sends_is_not_taken_blindly() {
        let accept = |text: &str| RequestId::accept(&HeaderValue::from_str(text).unwrap()).is_some();
        assert!(accept("abc-123"));
        assert!(!accept(""));
        assert!(!accept("a b"));
        assert!(!accept(&"x".repeat(129)));
    }
}
