//! The chunked transfer coding (RFC 9112, section 7.1), read strictly.

use bytes::{Bytes, BytesMut};
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, COOKIE,
    FORWARDED, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE, VIA,
};
use http::{HeaderMap, HeaderName};

use super::head::parse_trailers;
use crate::forwarding::is_gateways_own;

/// The longest line with a chunk's size and extensions.
const MAX_SIZE_LINE: usize = 1_024;

/// Most bytes of extensions in one body: nobody needs them, and they make small bodies large.
const MAX_EXTENSIONS: usize = 16 * 1_024;

/// The largest trailer section.
const MAX_TRAILERS: usize = 16 * 1_024;

/// Reads chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChunkedDecoder {
    next: Expected,
    /// Bytes of extensions so far.
    extensions: usize,
}

/// What the next bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// A line with a chunk's size.
    Size,
    /// So many more bytes of a chunk.
    Data(u64),
    /// The line end after a chunk.
    DataEnd,
    /// The trailer section.
    Trailers,
    /// Nothing that is ours.
    Nothing,
}

/// What was read.
#[derive(Debug)]
pub(super) enum Decoded {
    Data(Bytes),
    Trailers(HeaderMap),
    /// Nothing yet: more bytes are needed.
    Nothing,
    End,
}

/// The framing is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the chunked framing is broken: {0}")]
pub(super) struct ChunkError(&'static str);

impl ChunkedDecoder {
    pub(super) const fn new() -> Self {
        Self { next: Expected::Size, extensions: 0 }
    }

    /// Whether the last chunk and the trailers were read.
    pub(super) const fn is_done(&self) -> bool {
        matches!(self.next, Expected::Nothing)
    }

    pub(super) fn decode(&mut self, buffer: &mut BytesMut) -> Result<Decoded, ChunkError> {
        loop {
            match self.next {
                Expected::Size => {
                    let Some(line) = take_line(buffer, MAX_SIZE_LINE)? else { return Ok(Decoded::Nothing) };
                    let (size, extensions) = chunk_size(&line)?;
                    self.extensions += extensions;
                    if self.extensions > MAX_EXTENSIONS {
                        return Err(ChunkError("there are too many extensions"));
                    }
                    self.next = if size == 0 { Expected::Trailers } else { Expected::Data(size) };
                }
                Expected::Data(left) => {
                    if buffer.is_empty() {
                        return Ok(Decoded::Nothing);
                    }
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                    let data = buffer.split_to(here).freeze();
                    self.next = match left - here as u64 {
                        0 => Expected::DataEnd,
                        left => Expected::Data(left),
                    };
                    return Ok(Decoded::Data(data));
                }
                Expected::DataEnd => match buffer.get(..2) {
                    None if buffer.first().is_some_and(|b| *b != b'\r') => {
                        return Err(ChunkError("no line end after a chunk"));
                    }
                    None => return Ok(Decoded::Nothing),
                    Some(b"\r\n") => {
                        let _ = buffer.split_to(2);
                        self.next = Expected::Size;
                    }
                    Some(_) => return Err(ChunkError("no line end after a chunk")),
                },
                Expected::Trailers => {
                    if buffer.starts_with(b"\r\n") {
                        let _ = buffer.split_to(2);
                        self.next = Expected::Nothing;
                        continue;
                    }
                    let Some(end) = memchr::memmem::find(buffer, b"\r\n\r\n") else {
                        let too_large = buffer.len() > MAX_TRAILERS;
                        return if too_large {
                            Err(ChunkError("the trailers are too large"))
                        } else {
                            Ok(Decoded::Nothing)
                        };
                    };
                    let section = buffer.split_to(end + 4).freeze();
                    let mut trailers =
                        parse_trailers(&section).map_err(|_| ChunkError("the trailers are malformed"))?;
                    let forbidden: Vec<_> =
                        trailers.keys().filter(|name| is_forbidden_trailer(name)).cloned().collect();
                    for name in forbidden {
                        trailers.remove(name);
                    }
                    self.next = Expected::Nothing;
                    if !trailers.is_empty() {
                        return Ok(Decoded::Trailers(trailers));
                    }
                }
                Expected::Nothing => return Ok(Decoded::End),
            }
        }
    }
}

/// A whole line without its end.
fn take_line(buffer: &mut BytesMut, most: usize) -> Result<Option<Bytes>, ChunkError> {
    let Some(end) = memchr::memchr(b'\n', buffer) else {
        return if buffer.len() > most { Err(ChunkError("a line is too long")) } else { Ok(None) };
    };
    if end > most || end == 0 || buffer[end - 1] != b'\r' {
        return Err(ChunkError("a line feed without carriage return"));
    }
    let mut line = buffer.split_to(end + 1).freeze();
    line.truncate(end - 1);
    Ok(Some(line))
}

/// The size of a chunk, and how many bytes of extensions come with it.
fn chunk_size(line: &[u8]) -> Result<(u64, usize), ChunkError> {
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let (number, extensions) = line.split_at(digits);
    if number.is_empty() || number.len() > 16 {
        return Err(ChunkError("a size is not a number"));
    }
    // Extensions mean nothing to us, but they must be ones: anything else hides a different size from others.
    let valid = extensions.first().is_none_or(|first| *first == b';')
        && extensions.iter().all(|b| *b == b'\t' || (b' '..=b'~').contains(b) || *b >= 0x80);
    if !valid {
        return Err(ChunkError("there is something behind a size"));
    }
    let text = std::str::from_utf8(number).map_err(|_| ChunkError("a size is not a number"))?;
    let size = u64::from_str_radix(text, 16).map_err(|_| ChunkError("a size is too large"))?;
    Ok((size, extensions.len()))
}

/// Whether a field must not come as a trailer (RFC 9110, section 6.5.1): what frames, routes, authenticates or describes
/// a message, what belongs to one hop, and what only a gateway may say.
pub(crate) fn is_forbidden_trailer(name: &HeaderName) -> bool {
    const FORBIDDEN: [HeaderName; 18] = [
        AUTHORIZATION,
        CONNECTION,
        CONTENT_ENCODING,
        CONTENT_LENGTH,
        CONTENT_RANGE,
        CONTENT_TYPE,
        COOKIE,
        FORWARDED,
        HOST,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        SET_COOKIE,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
        VIA,
        HeaderName::from_static("keep-alive"),
    ];
    FORBIDDEN.contains(name) || is_gateways_own(name.as_str())
}

/// The line before a chunk of so many bytes.
pub(super) fn push_size_line(out: &mut BytesMut, size: usize) {
    use std::fmt::Write as _;
    let _ = write!(out, "{size:x}\r\n");
}

/// The last chunk, with trailers.
pub(super) fn push_end(out: &mut BytesMut, trailers: Option<&HeaderMap>) {
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers.into_iter().flatten() {
        // Those of an HTTP/2 client or a module were never looked at.
        if !is_forbidden_trailer(name) {
            super::encode::push_header(out, name, value);
        }
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes bytes that come in pieces; returns the data, the trailers and what is left over.
    fn decode(pieces: &[&[u8]]) -> Result<(Vec<u8>, Option<HeaderMap>, Vec<u8>), String> {
        let (mut decoder, mut buffer) = (ChunkedDecoder::new(), BytesMut::new());
        let (mut data, mut trailers) = (Vec::new(), None);
        let mut pieces = pieces.iter();
        loop {
            match decoder.decode(&mut buffer).map_err(|error| error.to_string())? {
                Decoded::Data(bytes) => data.extend_from_slice(&bytes),
                Decoded::Trailers(found) => trailers = Some(found),
                Decoded::End => return Ok((data, trailers, buffer.to_vec())),
                Decoded::Nothing => match pieces.next() {
                    Some(piece) => buffer.extend_from_slice(piece),
                    None => return Err("incomplete".to_owned()),
                },
            }
        }
    }

    #[test]
    fn it_reads_the_same_wherever_it_is_cut() {
        let whole =
            b"5\r\nhello\r\nA;ext=\"x\"\r\n0123456789\r\n0\r\nX-Sum: 7\r\nContent-Length: 3\r\n\r\nGET /";
        for cut in 0..whole.len() {
            let (data, trailers, rest) = decode(&[&whole[..cut], &whole[cut..]]).unwrap();
            assert_eq!(data, b"hello0123456789", "cut at {cut}");
            let trailers = trailers.unwrap();
            assert_eq!((trailers.len(), &trailers["x-sum"]), (1, &"7".parse().unwrap()));
            assert!(b"GET /".starts_with(&rest[..]), "cut at {cut}: {rest:?}");
        }
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(decode(&bytes).unwrap().0, b"hello0123456789");
    }

    #[test]
    fn broken_framing_is_refused() {
        for whole in [
            "5\nhello\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\r\nhelloX\r\n0\r\n\r\n",
            "5\r\nhello0\r\n\r\n",
            "\r\nhello\r\n0\r\n\r\n",
            "x\r\n",
            "-1\r\n",
            "+5\r\nhello\r\n",
            "0x5\r\nhello\r\n",
            " 5\r\nhello\r\n",
            "5 \r\nhello\r\n",
            "5\t;x\r\nhello\r\n",
            "5;a\rb\r\nhello\r\n",
            "10000000000000000\r\n",
            "0\r\nbad header\r\n\r\n",
            "0\r\n a: b\r\n\r\n",
            "0\r\na: b\n\r\n\r\n",
        ] {
            let result = decode(&[whole.as_bytes()]);
            assert!(result.as_ref().is_err_and(|error| error != "incomplete"), "{whole:?}: {result:?}");
        }
        assert!(decode(&["1".repeat(2_000).as_bytes()]).is_err());
        let padded = format!("1;{}\r\nx\r\n", "x".repeat(1_000));
        assert!(decode(&[padded.repeat(10).as_bytes(), b"0\r\n\r\n"]).is_ok());
        assert!(decode(&[padded.repeat(20).as_bytes(), b"0\r\n\r\n"]).is_err());
        assert!(decode(&[format!("0\r\nA: {}", "x".repeat(20_000)).as_bytes()]).is_err());
    }

    #[test]
    fn forbidden_trailers_are_not_written() {
        let mut trailers = HeaderMap::new();
        for name in ["content-length", "transfer-encoding", "x-forwarded-for", "x-dgate-route", "x-sum"] {
            trailers.insert(name, "7".parse().unwrap());
        }
        let mut out = BytesMut::new();
        push_end(&mut out, Some(&trailers));
        assert_eq!(out, "0\r\nx-sum: 7\r\n\r\n");
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let mut out = BytesMut::new();
        push_size_line(&mut out, 300);
        out.extend_from_slice(&[7; 300]);
        out.extend_from_slice(b"\r\n");
        let trailers = HeaderMap::from_iter([("x-a".parse().unwrap(), "1".parse().unwrap())]);
        push_end(&mut out, Some(&trailers));
        assert_eq!(decode(&[&out]).unwrap(), (vec![7; 300], Some(trailers), Vec::new()));
    }
}
