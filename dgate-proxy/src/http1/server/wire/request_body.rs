//! The body of a request, as it is read from the connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use dgate_core::body::BodyError;
use http::{HeaderMap, StatusCode};
use http_body::{Frame, SizeHint};

use super::super::super::body_decoder::Next;
use super::super::super::encode;
use super::super::super::read_room::ReadRoom;
use super::{SharedWire, Wire};
use crate::pace::{Pace, PaceLimits};
use crate::request_body::RequestBodyError;

/// The body of a request, read from the connection when somebody asks for it.
pub(in crate::http1::server) struct RequestBody {
    wire: Arc<SharedWire>,
    request: u64,
    room: ReadRoom,
    pace: Pace,
}

impl RequestBody {
    pub(in crate::http1::server) fn new(wire: Arc<SharedWire>, request: u64, pace: PaceLimits) -> Self {
        Self { wire, request, room: ReadRoom::default(), pace: Pace::new(pace) }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let shared = self.wire.clone();
        let wire = &mut *shared.lock();
        if wire.request != self.request {
            return Poll::Ready(Some(Err(RequestBodyError::Over)));
        }
        if wire.continue_wanted {
            wire.continue_wanted = false;
            encode::push_interim(&mut wire.interim.buffer, StatusCode::CONTINUE, &HeaderMap::new());
        }
        let ended = ready!(self.poll_frame_of(wire, cx));
        let is_last = match &ended {
            Some(Ok(_)) => wire.decoder.is_done(),
            Some(Err(error)) => {
                wire.broken = true;
                wire.gone = matches!(error, RequestBodyError::Io(_));
                true
            }
            None => true,
        };
        if is_last {
            wire.body_is_over(cx);
        }
        Poll::Ready(ended)
    }

    fn poll_frame_of(
        &mut self,
        wire: &mut Wire,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        loop {
            match wire.decoder.next(&mut wire.buffer, wire.eof) {
                Ok(Next::Frame(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(Next::End) => return Poll::Ready(None),
                Ok(Next::Nothing) => {}
                Err(error) => return Poll::Ready(Some(Err(RequestBodyError::Broken(error.to_string())))),
            }
            if let Poll::Ready(Err(error)) = wire.poll_interim(cx) {
                return Poll::Ready(Some(Err(RequestBodyError::Io(error))));
            }
            match wire.io.poll_read_into(cx, &mut wire.buffer, self.room.get()) {
                Poll::Ready(Ok(read)) => {
                    wire.eof |= read == 0;
                    self.room.adapt(read);
                    self.pace.moved(read);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(RequestBodyError::Io(error)))),
                Poll::Pending => {
                    ready!(self.pace.poll_too_slow(cx));
                    return Poll::Ready(Some(Err(RequestBodyError::TooSlow)));
                }
            }
        }
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.poll_next(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        let wire = self.wire.lock();
        wire.request == self.request && wire.decoder.is_done()
    }

    fn size_hint(&self) -> SizeHint {
        let wire = self.wire.lock();
        if wire.request == self.request { wire.decoder.size_hint() } else { SizeHint::default() }
    }
}
