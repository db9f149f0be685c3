//! From a connection's bytes to a body's frames.

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};

use super::chunked::{ChunkError, ChunkedDecoder, Decoded};
use super::framing::Framing;

/// Reads one body and stops where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyDecoder {
    /// So many more bytes; none when the body is over.
    Length(u64),
    /// Chunks.
    Chunked(ChunkedDecoder),
    /// Everything until the connection ends.
    UntilClose,
}

/// Why a body broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError {
    #[error(transparent)]
    Chunks(#[from] ChunkError),
    #[error("the connection ended in the middle of the body")]
    Incomplete,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Next {
    Frame(Frame<Bytes>),
    /// More bytes are needed.
    Nothing,
    End,
}

impl BodyDecoder {
    pub(super) const fn new(framing: Framing) -> Self {
        match framing {
            Framing::Empty => Self::Length(0),
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(ChunkedDecoder::new()),
            Framing::UntilClose => Self::UntilClose,
        }
    }

    /// Whether the body is over.
    pub(super) const fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(decoder) => decoder.is_done(),
            Self::UntilClose => false,
        }
    }

    /// Takes the next frame out of the buffer. `eof`: no more bytes will come.
    pub(super) fn next(&mut self, buffer: &mut BytesMut, eof: bool) -> Result<Next, DecodeError> {
        let next = match self {
            Self::Length(0) => return Ok(Next::End),
            Self::Length(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                *left -= here as u64;
                take(buffer, here)
            }
            Self::UntilClose if buffer.is_empty() && eof => return Ok(Next::End),
            Self::UntilClose => {
                let here = buffer.len();
                take(buffer, here)
            }
            Self::Chunked(decoder) => match decoder.decode(buffer)? {
                Decoded::Data(data) => Next::Frame(Frame::data(data)),
                Decoded::Trailers(trailers) => Next::Frame(Frame::trailers(trailers)),
                Decoded::Nothing => Next::Nothing,
                Decoded::End => Next::End,
            },
        };
        if eof && matches!(next, Next::Nothing) { Err(DecodeError::Incomplete) } else { Ok(next) }
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        match self {
            Self::Length(left) => SizeHint::with_exact(*left),
            _ => SizeHint::default(),
        }
    }
}

fn take(buffer: &mut BytesMut, length: usize) -> Next {
    if length == 0 { Next::Nothing } else { Next::Frame(Frame::data(buffer.split_to(length).freeze())) }
}
