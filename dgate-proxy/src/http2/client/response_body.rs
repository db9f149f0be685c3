//! The body of a response.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use dgate_core::body::BodyError;
use http_body::{Frame, SizeHint};

use super::super::receive::Incoming;
use super::Stream;
use super::upload::Upload;
use crate::client::{BodyPaused, Lease, WaitingSince};
use crate::deadline::Deadline;

/// The body of a response, which must not pause for too long. Dropped before its end, it resets the stream.
pub(super) struct ResponseBody {
    incoming: Incoming,
    /// The rest of the request, which is still being sent.
    _upload: Upload,
    _guard: (Stream, Lease),
    idle_timeout: Duration,
    deadline: Deadline,
    waiting: WaitingSince,
}

impl ResponseBody {
    pub(super) fn new(
        incoming: Incoming,
        upload: Upload,
        idle_timeout: Duration,
        guard: (Stream, Lease),
    ) -> Self {
        Self {
            incoming,
            _upload: upload,
            _guard: guard,
            idle_timeout,
            deadline: Deadline::default(),
            waiting: WaitingSince::default(),
        }
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        match this.incoming.poll_frame(cx) {
            Poll::Ready(frame) => {
                this.waiting.moved();
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => {
                let end = this.waiting.until(this.idle_timeout);
                this.deadline.poll(cx, end).map(|()| Some(Err(BodyPaused.into())))
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
