//! Bytes on their way out.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use tokio::io::AsyncWrite;

use super::chunked;
use crate::io::Io;

/// Data up to this size is copied behind what is waiting already; more is written from where it lies.
const COPY: usize = 4 * 1_024;

/// More waiting bytes than this are written before any are added.
const FULL: usize = 16 * 1_024;

/// Buffers of messages that are sent, for the next ones of the same thread.
const SPARES: usize = 32;

/// A spare buffer has at least this capacity, and at most [`FULL`] and a bit: a message that was larger is rare.
const SPARE: usize = 1_024;

thread_local! {
    static SPARE_BUFFERS: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// Bytes on their way out: framing and small data in one buffer, large data behind it, untouched.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// Heads, chunk framing, small data.
    pub(super) buffer: BytesMut,
    data: Bytes,
    tail: &'static [u8],
}

impl Default for Outgoing {
    fn default() -> Self {
        Self { buffer: BytesMut::new(), data: Bytes::new(), tail: &[] }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if (SPARE..=2 * FULL).contains(&self.buffer.capacity()) {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            // A thread that ends keeps nothing.
            let _ = SPARE_BUFFERS.try_with(|spares| {
                let mut spares = spares.borrow_mut();
                if spares.len() < SPARES {
                    spares.push(buffer);
                }
            });
        }
    }
}

impl Outgoing {
    /// For a message: with a buffer that has room for the usual head and a small body.
    pub(super) fn with_room() -> Self {
        let spare = SPARE_BUFFERS.try_with(|spares| spares.borrow_mut().pop()).ok().flatten();
        let mut outgoing = Self::default();
        outgoing.buffer = spare.unwrap_or_else(|| BytesMut::with_capacity(2 * SPARE));
        outgoing
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.data.is_empty() && self.tail.is_empty()
    }

    /// Whether what waits has to go before more is added.
    pub(super) fn is_full(&self) -> bool {
        !self.data.is_empty() || !self.tail.is_empty() || self.buffer.len() >= FULL
    }

    /// Adds data; nothing else may be added until it is flushed when it [is full](Self::is_full) then.
    pub(super) fn push_data(&mut self, data: Bytes, is_chunked: bool) {
        if data.is_empty() {
            return;
        }
        if is_chunked {
            chunked::push_size_line(&mut self.buffer, data.len());
        }
        if data.len() <= COPY {
            self.buffer.extend_from_slice(&data);
            if is_chunked {
                self.buffer.extend_from_slice(b"\r\n");
            }
        } else {
            self.data = data;
            self.tail = if is_chunked { b"\r\n" } else { b"" };
        }
    }

    /// Adds the last chunk.
    pub(super) fn push_end(&mut self, trailers: Option<&HeaderMap>) {
        chunked::push_end(&mut self.buffer, trailers);
    }

    /// Writes all that waits. Returns how much was written when it has to wait, through `progress`.
    pub(super) fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut Io,
        progress: &mut usize,
    ) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            let mut io = Pin::new(&mut *io);
            let written = if self.data.is_empty() && self.tail.is_empty() {
                ready!(io.as_mut().poll_write(cx, &self.buffer))?
            } else {
                let slices = [IoSlice::new(&self.buffer), IoSlice::new(&self.data), IoSlice::new(self.tail)];
                ready!(io.as_mut().poll_write_vectored(cx, &slices))?
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *progress += written;
            self.advance(written);
        }
        if io.is_tls() { Pin::new(io).poll_flush(cx) } else { Poll::Ready(Ok(())) }
    }

    fn advance(&mut self, written: usize) {
        let from_buffer = written.min(self.buffer.len());
        if from_buffer == self.buffer.len() {
            self.buffer.clear();
        } else {
            self.buffer.advance(from_buffer);
        }
        let from_data = (written - from_buffer).min(self.data.len());
        self.data.advance(from_data);
        if self.data.is_empty() {
            // Lets go of the reader's buffer, so that it can be used again.
            self.data = Bytes::new();
        }
        self.tail = &self.tail[(written - from_buffer - from_data)..];
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn small_and_large_data_come_out_in_order_through_a_narrow_pipe() {
        let (ours, mut theirs) = tokio::io::duplex(7);
        let reader = tokio::spawn(async move {
            let mut seen = Vec::new();
            theirs.read_to_end(&mut seen).await.unwrap();
            seen
        });
        let mut io = Io::Other(Box::new(ours));
        let mut out = Outgoing::default();
        out.buffer.extend_from_slice(b"head ");
        out.push_data(Bytes::from_static(b"abc"), true);
        assert!(!out.is_full());
        out.push_data(Bytes::from(vec![b'x'; 5_000]), true);
        assert!(out.is_full());
        let mut progress = 0;
        poll_fn(|cx| out.poll_flush(cx, &mut io, &mut progress)).await.unwrap();
        out.push_end(None);
        poll_fn(|cx| out.poll_flush(cx, &mut io, &mut progress)).await.unwrap();
        drop(io);
        let expected = format!("head 3\r\nabc\r\n1388\r\n{}\r\n0\r\n\r\n", "x".repeat(5_000));
        assert_eq!(reader.await.unwrap(), expected.as_bytes());
        assert_eq!(progress, expected.len());
    }
}
