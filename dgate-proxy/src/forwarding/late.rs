//! Forwarding headers that are not among a request's headers yet.

use std::sync::Arc;

use bytes::BytesMut;
use dgate_core::context::{HeaderBlock, RequestId};
use http::{HeaderMap, HeaderValue};

use super::X_REQUEST_ID;

/// Forwarding headers that nobody will look at before the request is written down: whoever writes it writes them, too.
/// Nearly all of them are the same for all requests of a connection and of a route.
#[derive(Debug, Clone)]
pub(crate) struct LateHeaders {
    pub(crate) of_connection: Arc<HeaderBlock>,
    pub(crate) of_route: Option<Arc<HeaderBlock>>,
    pub(crate) id: RequestId,
}

impl LateHeaders {
    /// Writes them as lines of an HTTP/1.1 head.
    pub(crate) fn write(&self, out: &mut BytesMut) {
        out.extend_from_slice(self.of_connection.lines());
        if let Some(block) = &self.of_route {
            out.extend_from_slice(block.lines());
        }
        out.extend_from_slice(b"x-request-id: ");
        out.extend_from_slice(self.id.as_header().as_bytes());
        out.extend_from_slice(b"\r\n");
    }

    /// How many bytes [`Self::write`] writes.
    pub(crate) fn len(&self) -> usize {
        let of_route = self.of_route.as_ref().map_or(0, |block| block.lines().len());
        self.of_connection.lines().len() + of_route + self.id.as_header().len() + 16
    }

    /// Makes them a part of the headers.
    pub(crate) fn set_in(&self, headers: &mut HeaderMap<HeaderValue>) {
        self.of_connection.set_in(headers);
        if let Some(block) = &self.of_route {
            block.set_in(headers);
        }
        headers.insert(X_REQUEST_ID, self.id.as_header().clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_fields_say_the_same() {
        let block = |name: &'static str| {
            HeaderBlock::new(vec![(http::HeaderName::from_static(name), HeaderValue::from_static("1"))])
        };
        let late = LateHeaders {
            of_connection: Arc::new(block("x-a")),
            of_route: Some(Arc::new(block("x-b"))),
            id: RequestId::generate(),
        };
        let mut out = BytesMut::new();
        late.write(&mut out);
        assert_eq!(out.len(), late.len());
        let mut headers = HeaderMap::new();
        late.set_in(&mut headers);
        let written = std::str::from_utf8(&out).unwrap().lines();
        let said = headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        assert!(written.eq(said));
    }
}
