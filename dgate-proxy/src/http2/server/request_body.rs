//! The body of a request.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use dgate_core::body::BodyError;
use http_body::{Frame, SizeHint};

use super::super::receive::Incoming;
use super::stream::Progress;
use crate::pace::{Pace, PaceLimits};
use crate::request_body::RequestBodyError;

/// The body of a request. A client that sends too slowly is given up, unless the answer has begun: then both sides may
/// talk as they like.
pub(super) struct RequestBody {
    incoming: Incoming,
    pace: Pace,
    progress: Arc<Progress>,
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, pace: PaceLimits, progress: Arc<Progress>) -> Self {
        Self { incoming, pace: Pace::new(pace), progress }
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        this.progress.body_is_wanted();
        match this.incoming.poll_frame(cx) {
            Poll::Ready(frame) => {
                let length = frame.as_ref().and_then(|frame| Some(frame.as_ref().ok()?.data_ref()?.len()));
                this.pace.moved(length.unwrap_or(0));
                Poll::Ready(frame.map(|frame| {
                    frame.map_err(|error| RequestBodyError::Io(std::io::Error::other(error)).into())
                }))
            }
            Poll::Pending if this.progress.is_answered() => Poll::Pending,
            Poll::Pending => {
                ready!(this.pace.poll_too_slow(cx));
                Poll::Ready(Some(Err(RequestBodyError::TooSlow.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
