//! Bytes that show when some are lost, doubled or out of place.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use dgate_core::Body;
use dgate_core::body::BodyError;
use futures_util::stream;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, StreamBody};

/// The pattern repeats after so many bytes: a prime, so that no power of two fits.
const PERIOD: usize = 64_513;

/// How much is sent at a time.
const CHUNK: usize = 48 * 1_024;

fn pattern() -> Bytes {
    (0..PERIOD + CHUNK).map(|index| ((index % PERIOD * 31) >> 3) as u8).collect::<Vec<_>>().into()
}

/// A body of so many bytes, made as it is sent. Its length is declared, or not.
pub(super) fn body(size: usize, declared: bool) -> Body {
    let pattern = pattern();
    let frames = stream::unfold(0, move |sent| {
        let rest = (size - sent).min(CHUNK);
        let start = sent % PERIOD;
        let frame = Ok::<_, BodyError>(Frame::data(pattern.slice(start..start + rest)));
        std::future::ready((rest > 0).then_some((frame, sent + rest)))
    });
    let inner = Body::new(StreamBody::new(Box::pin(frames)));
    if declared { Body::new(Declared { inner, left: size as u64 }) } else { inner }
}

/// The same, of undeclared length, which counts what was taken of it.
pub(super) fn counted(size: usize, taken: Arc<AtomicUsize>) -> Body {
    let count = move |frame: Frame<Bytes>| {
        taken.fetch_add(frame.data_ref().map_or(0, Bytes::len), Ordering::Relaxed);
        frame
    };
    Body::new(body(size, false).map_frame(count))
}

/// Reads a body to its end and returns how large it was.
pub(super) async fn check(mut body: Body) -> Result<usize, BodyError> {
    let pattern = pattern();
    let mut size = 0;
    while let Some(frame) = BodyExt::frame(&mut body).await {
        let Ok(data) = frame?.into_data() else { continue };
        for piece in data.chunks(CHUNK) {
            let start = size % PERIOD;
            assert!(*piece == pattern[start..start + piece.len()], "at {size}");
            size += piece.len();
        }
    }
    Ok(size)
}

struct Declared {
    inner: Body,
    left: u64,
}

impl http_body::Body for Declared {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame {
            self.left -= frame.data_ref().map_or(0, Bytes::len) as u64;
        }
        frame
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
