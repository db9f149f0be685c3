//! Header fields that are said again and again.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Header fields that are said again and again, written down once: as the lines of an HTTP/1.1 head (RFC 9112, section
/// 5), and as they are.
///
/// ```
/// use dgate_core::context::HeaderBlock;
/// use http::HeaderValue;
/// use http::header::{SERVER, VIA};
///
/// let block = HeaderBlock::new(vec![
///     (VIA, HeaderValue::from_static("1.1 dgate")),
///     (SERVER, HeaderValue::from_static("dgate")),
/// ]);
/// assert_eq!(block.lines(), "via: 1.1 dgate\r\nserver: dgate\r\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderBlock {
    lines: Bytes,
    fields: Vec<(HeaderName, HeaderValue)>,
}

impl HeaderBlock {
    /// A block of these fields, in this order.
    pub fn new(fields: Vec<(HeaderName, HeaderValue)>) -> Self {
        let mut lines = Vec::with_capacity(fields.len() * 48);
        for (name, value) in &fields {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                lines.extend_from_slice(part);
            }
        }
        Self { lines: lines.into(), fields }
    }

    /// The fields as lines, each with its line end.
    pub fn lines(&self) -> &Bytes {
        &self.lines
    }

    /// Sets the fields, in place of others of the same names.
    pub fn set_in(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.fields {
            headers.insert(name.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_the_place_of_what_was_there() {
        let name = HeaderName::from_static("x-a");
        let block = HeaderBlock::new(vec![(name.clone(), HeaderValue::from_static("new"))]);
        let mut headers = HeaderMap::new();
        headers.append(name.clone(), HeaderValue::from_static("old"));
        headers.append(name.clone(), HeaderValue::from_static("older"));
        block.set_in(&mut headers);
        assert_eq!(headers.get_all(name).iter().collect::<Vec<_>>(), ["new"]);
    }
}
