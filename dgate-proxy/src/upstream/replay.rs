//! A request body that can be sent again, as long as it is small.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use dgate_core::body::{Body, BodyError};
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};

/// The most that is kept of a body, in bytes.
const MOST: usize = 64 * 1_024;

/// And in pieces: each of them has a price of its own.
const MOST_PIECES: usize = 1_024;

/// A request body that can be sent again. Of a stream it keeps what was sent, up to 64 KiB.
#[derive(Debug)]
pub(super) enum Replay {
    /// Nothing, or bytes at hand.
    Full(Bytes),
    /// A stream, and what has come of it.
    Stream(Arc<Mutex<Kept>>),
}

#[derive(Debug)]
pub(super) struct Kept {
    body: Body,
    data: Vec<Bytes>,
    size: usize,
    trailers: Option<HeaderMap>,
    is_over: bool,
    /// More has come than is kept.
    overflowed: bool,
    hint: SizeHint,
    /// Which copy may read on; an earlier one that is still around reads nothing.
    reader: usize,
}

impl Replay {
    pub(super) fn new(body: Body) -> Self {
        match body.bytes() {
            Some(bytes) => Self::Full(bytes),
            None => {
                let hint = body.size_hint();
                Self::Stream(Arc::new(Mutex::new(Kept {
                    body,
                    data: Vec::new(),
                    size: 0,
                    trailers: None,
                    is_over: false,
                    overflowed: false,
                    hint,
                    reader: 0,
                })))
            }
        }
    }

    /// Whether all that was sent of it can be sent again.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Full(_) => true,
            Self::Stream(kept) => !lock(kept).overflowed,
        }
    }

    /// The body from its beginning; nothing when too much of it is gone.
    pub(super) fn body(&self) -> Option<Body> {
        match self {
            Self::Full(bytes) => Some(Body::full(bytes.clone())),
            Self::Stream(kept) => {
                let mut state = lock(kept);
                if state.overflowed {
                    return None;
                }
                state.reader += 1;
                let reader = state.reader;
                drop(state);
                Some(Body::new(Copy { kept: kept.clone(), reader, position: 0, said_trailers: false }))
            }
        }
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The body, once more.
struct Copy {
    kept: Arc<Mutex<Kept>>,
    reader: usize,
    position: usize,
    said_trailers: bool,
}

impl http_body::Body for Copy {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let kept = self.kept.clone();
        let mut state = lock(&kept);
        if state.reader != self.reader {
            return Poll::Ready(Some(Err("the request is being sent again".into())));
        }
        if let Some(data) = state.data.get(self.position) {
            self.position += 1;
            return Poll::Ready(Some(Ok(Frame::data(data.clone()))));
        }
        if state.is_over {
            let trailers = state.trailers.clone().filter(|_| !self.said_trailers);
            self.said_trailers = true;
            return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
        }
        let frame = ready!(Pin::new(&mut state.body).poll_frame(cx));
        match &frame {
            None => state.is_over = true,
            Some(Err(_)) => state.overflowed = true,
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    state.size += data.len();
                    if state.size > MOST || state.data.len() >= MOST_PIECES {
                        state.overflowed = true;
                        state.data = Vec::new();
                    } else if !state.overflowed {
                        state.data.push(data.clone());
                        self.position += 1;
                    }
                } else {
                    state.trailers = frame.trailers_ref().cloned();
                    self.said_trailers = true;
                }
            }
        }
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        let state = lock(&self.kept);
        // A length that was declared holds for every copy; what is left of it is for whoever reads.
        if self.position == 0 { state.hint } else { SizeHint::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(chunks: Vec<&'static [u8]>) -> Body {
        let frames =
            chunks.into_iter().map(|chunk| Ok::<_, BodyError>(Frame::data(Bytes::from_static(chunk))));
        Body::new(http_body_util::StreamBody::new(futures_util::stream::iter(frames)))
    }

    async fn text(body: Body) -> String {
        String::from_utf8(body.collect_limited(1 << 20).await.unwrap().bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn it_can_be_sent_again_from_wherever_it_broke_off() {
        let replay = Replay::new(stream(vec![b"one ", b"two ", b"three"]));
        let mut first = replay.body().unwrap();
        first.frame().await.unwrap().unwrap();
        first.frame().await.unwrap().unwrap();
        let second = replay.body().unwrap();
        assert!(first.frame().await.unwrap().is_err(), "the first copy reads no more");
        assert_eq!(text(second).await, "one two three");
        assert_eq!(text(replay.body().unwrap()).await, "one two three");
    }

    #[tokio::test]
    async fn a_large_one_cannot() {
        let large: &'static [u8] = Box::leak(vec![7; 70_000].into_boxed_slice());
        let replay = Replay::new(stream(vec![b"x", large, b"y"]));
        let body = replay.body().unwrap();
        assert_eq!(body.collect_limited(1 << 20).await.unwrap().bytes.len(), 70_002);
        assert!(replay.body().is_none());
        let replay = Replay::new(stream(vec![b"x"; 2_000]));
        assert_eq!(text(replay.body().unwrap()).await.len(), 2_000);
        assert!(!replay.is_whole(), "nor one in too many pieces");
    }
}
