//! A connection's bytes, plain or encrypted.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

/// Whatever can be read and written.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// A connection's bytes. One concrete type, so that nothing above is generic over it; the usual cases are not boxed.
#[derive(Default)]
pub(crate) enum Io {
    /// Nothing: it was taken away, for a tunnel.
    #[default]
    Taken,
    /// Plain TCP.
    Tcp(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
    /// Anything else.
    Other(Box<dyn Stream>),
}

impl Io {
    /// Reads what is there into a buffer with room for `room` bytes. 0 is the end.
    pub(crate) fn poll_read_into(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut BytesMut,
        room: usize,
    ) -> Poll<io::Result<usize>> {
        // A connection that waits for its next bytes, as most do, needs no buffer yet.
        if let Self::Tcp(stream) = self
            && buffer.is_empty()
            && stream.poll_read_ready(cx).is_pending()
        {
            *buffer = BytesMut::new();
            return Poll::Pending;
        }
        if buffer.capacity() == 0 {
            *buffer = BytesMut::with_capacity(room);
        } else if buffer.capacity() - buffer.len() < room.min(1_024) {
            buffer.reserve(room);
        }
        // The future has no state of its own: a new one each time does no harm.
        let result = pin!(self.read_buf(buffer)).poll(cx);
        if result.is_pending() && buffer.is_empty() {
            // An idle connection holds no buffer.
            *buffer = BytesMut::new();
        }
        result
    }

    /// Ends it without the goodbye of a clean end: by a reset, where there is one.
    pub(crate) fn abort(self) {
        let _ = match &self {
            Self::Tcp(stream) => stream.set_zero_linger(),
            Self::Tls(stream) => stream.get_ref().0.set_zero_linger(),
            Self::Taken | Self::Other(_) => Ok(()),
        };
    }

    /// Whether it is encrypted.
    pub(crate) const fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

use std::future::Future as _;

impl From<TcpStream> for Io {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(stream)
    }
}

impl fmt::Debug for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Taken => "Io::Taken",
            Self::Tcp(_) => "Io::Tcp",
            Self::Tls(_) => "Io::Tls",
            Self::Other(_) => "Io::Other",
        })
    }
}

macro_rules! forward {
    ($io:expr, $stream:ident => $call:expr, taken: $taken:expr) => {
        match $io.get_mut() {
            Io::Taken => $taken,
            Io::Tcp(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            Io::Tls(stream) => {
                let $stream = Pin::new(&mut **stream);
                $call
            }
            Io::Other(stream) => {
                let $stream = Pin::new(&mut **stream);
                $call
            }
        }
    };
}

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        forward!(self, stream => stream.poll_read(cx, buf), taken: Poll::Ready(Ok(())))
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        forward!(self, stream => stream.poll_write(cx, buf), taken: Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        forward!(
            self,
            stream => stream.poll_write_vectored(cx, bufs),
            taken: Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        )
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self, stream => stream.poll_flush(cx), taken: Poll::Ready(Ok(())))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self, stream => stream.poll_shutdown(cx), taken: Poll::Ready(Ok(())))
    }
}
