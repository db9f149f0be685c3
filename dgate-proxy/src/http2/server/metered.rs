//! A client's connection, and what it is used for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frame_meter::FrameMeter;
use crate::io::Io;

/// What is known of a connection's use.
#[derive(Debug, Default)]
pub(super) struct Meter {
    exhausted: AtomicBool,
    written: AtomicU64,
    blocked: AtomicU64,
}

impl Meter {
    /// Whether the client has sent too many frames that carry nothing.
    pub(super) fn is_exhausted(&self) -> bool {
        self.exhausted.load(Ordering::Relaxed)
    }

    /// How many bytes the client's connection took.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// How often the connection could not take any more for a while.
    pub(super) fn blocked(&self) -> u64 {
        self.blocked.load(Ordering::Relaxed)
    }
}

/// A client's connection. Bytes that were read before come first.
pub(super) struct MeteredIo {
    already_read: BytesMut,
    io: Io,
    frames: FrameMeter,
    meter: Arc<Meter>,
}

impl MeteredIo {
    pub(super) fn new(already_read: BytesMut, io: Io, meter: Arc<Meter>) -> Self {
        Self { already_read, io, frames: FrameMeter::default(), meter }
    }

    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(count)) => drop(self.meter.written.fetch_add(*count as u64, Ordering::Relaxed)),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => drop(self.meter.blocked.fetch_add(1, Ordering::Relaxed)),
        }
        written
    }
}

impl AsyncRead for MeteredIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.meter.is_exhausted() {
            // Nothing more is read; whoever drives the connection ends it.
            return Poll::Pending;
        }
        let before = buf.filled().len();
        if self.already_read.is_empty() {
            ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        } else {
            let here = self.already_read.len().min(buf.remaining());
            buf.put_slice(&self.already_read[..here]);
            self.already_read.advance(here);
            if self.already_read.is_empty() {
                self.already_read = BytesMut::new();
            }
        }
        let this = &mut *self;
        if !this.frames.see(&buf.filled()[before..], this.meter.written()) {
            this.meter.exhausted.store(true, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for MeteredIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
