//! A body that somebody else gets as well, as long as they keep up.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use dgate_core::body::{Body, BodyError};
use http_body::{Body as _, Frame, SizeHint};
use tokio::sync::mpsc::{self, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many pieces of a body may wait for a mirror that is slower than the upstream.
const AHEAD: usize = 16;

/// A piece of a body on its way to a mirror, and its share of what may wait.
struct Piece {
    frame: Result<Frame<Bytes>, BodyError>,
    _share: Option<OwnedSemaphorePermit>,
}

/// A body whose pieces go to a mirror as well.
pub(super) struct Tee {
    body: Body,
    /// Nothing once the mirror is lost.
    pieces: Option<Sender<Piece>>,
    /// How much may wait, in KiB.
    waiting: Arc<Semaphore>,
    is_complete: Arc<AtomicBool>,
}

impl http_body::Body for Tee {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(pieces) = &self.pieces {
            let is_lost = match &frame {
                None => {
                    self.is_complete.store(true, Ordering::Release);
                    true
                }
                // A copy with a hole is no copy.
                Some(frame) => {
                    let is_lost = self.copy(frame).is_none_or(|copy| pieces.try_send(copy).is_err());
                    // Nobody need ask again for what is over.
                    if !is_lost && self.body.is_end_stream() {
                        self.is_complete.store(true, Ordering::Release);
                    }
                    is_lost
                }
            };
            if is_lost {
                self.pieces = None;
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Tee {
    /// A body, and the mirror's end of it. `waiting`: how much may wait, in KiB.
    pub(super) fn new(body: Body, waiting: Arc<Semaphore>) -> (Self, Received) {
        let (pieces, received) = mpsc::channel(AHEAD);
        let is_complete: Arc<AtomicBool> = Arc::default();
        let received =
            Received { pieces: received, hint: body.size_hint(), is_complete: is_complete.clone() };
        (Self { body, pieces: Some(pieces), waiting, is_complete }, received)
    }

    /// A copy, if there is room for one more.
    fn copy(&self, frame: &Result<Frame<Bytes>, BodyError>) -> Option<Piece> {
        let Ok(frame) = frame else {
            return Some(Piece { frame: Err("the original broke off".into()), _share: None });
        };
        let size = frame.data_ref().map_or(0, Bytes::len);
        let share = self.waiting.clone().try_acquire_many_owned(size.div_ceil(1_024) as u32).ok()?;
        let frame = match (frame.data_ref(), frame.trailers_ref()) {
            (Some(data), _) => Frame::data(data.clone()),
            (_, trailers) => Frame::trailers(trailers.cloned().unwrap_or_default()),
        };
        Some(Piece { frame: Ok(frame), _share: Some(share) })
    }
}

/// The mirror's end of a [`Tee`].
pub(super) struct Received {
    pieces: mpsc::Receiver<Piece>,
    hint: SizeHint,
    is_complete: Arc<AtomicBool>,
}

impl http_body::Body for Received {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let piece = ready!(self.pieces.poll_recv(cx));
        // A copy that lost pieces must not look complete.
        let is_torn = piece.is_none() && !self.is_complete.swap(true, Ordering::AcqRel);
        Poll::Ready(if is_torn {
            Some(Err("the mirror could not keep up".into()))
        } else {
            piece.map(|piece| piece.frame)
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}
