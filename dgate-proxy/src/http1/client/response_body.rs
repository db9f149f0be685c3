//! The body of a response, with the connection it comes from.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use dgate_core::body::BodyError;
use http_body::{Frame, SizeHint};

use super::super::body_decoder::{BodyDecoder, Next};
use super::super::read_room::ReadRoom;
use super::Connection;
use super::upload::Upload;
use crate::client::{BodyPaused, Lease, WaitingSince};

/// The body of a response. It owns the connection and gives it back when all is read; dropped before, it closes it.
pub(super) struct ResponseBody {
    /// Nothing once the body is over.
    source: Option<Source>,
    decoder: BodyDecoder,
    room: ReadRoom,
    idle_timeout: Duration,
    waiting: WaitingSince,
}

struct Source {
    connection: Connection,
    lease: Lease,
    /// The rest of the request, which is still being sent.
    upload: Option<Upload>,
    may_reuse: bool,
}

/// Why a response body broke off.
#[derive(Debug, thiserror::Error)]
enum ResponseBodyError {
    #[error("the upstream's response broke off: {0}")]
    Broken(String),
    #[error("the upstream's response stopped")]
    Paused(#[from] BodyPaused),
}

impl ResponseBody {
    pub(super) fn new(
        connection: Connection,
        lease: Lease,
        decoder: BodyDecoder,
        upload: Option<Upload>,
        may_reuse: bool,
        idle_timeout: Duration,
    ) -> Self {
        let source = Some(Source { connection, lease, upload, may_reuse });
        Self { source, decoder, room: ReadRoom::default(), idle_timeout, waiting: WaitingSince::default() }
    }

    fn finish(&mut self) {
        if let Some(Source { connection, lease, upload: None, may_reuse: true }) = self.source.take() {
            lease.give_back(connection);
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ResponseBodyError>>> {
        let Some(source) = &mut self.source else { return Poll::Ready(None) };
        let Source { connection, upload, may_reuse, .. } = source;
        if let Some(pending) = upload {
            let mut progress = 0;
            match pending.poll(cx, &mut connection.io, &mut progress) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => *upload = None,
                // The upstream has answered already: what it answers is worth more than what it did not want.
                Poll::Ready(Err(_)) => {
                    *upload = None;
                    *may_reuse = false;
                }
            }
            if progress > 0 {
                self.waiting.moved();
            }
        }
        let mut eof = false;
        loop {
            match self.decoder.next(&mut connection.buffer, eof) {
                Ok(Next::Frame(frame)) => {
                    if self.decoder.is_done() {
                        self.finish();
                    }
                    return Poll::Ready(Some(Ok(frame)));
                }
                Ok(Next::End) => {
                    self.finish();
                    return Poll::Ready(None);
                }
                Ok(Next::Nothing) => {}
                Err(error) => {
                    self.source = None;
                    return Poll::Ready(Some(Err(ResponseBodyError::Broken(error.to_string()))));
                }
            }
            match connection.io.poll_read_into(cx, &mut connection.buffer, self.room.get()) {
                Poll::Ready(Ok(read)) => {
                    eof = read == 0;
                    self.room.adapt(read);
                    self.waiting.moved();
                }
                Poll::Ready(Err(error)) => {
                    self.source = None;
                    return Poll::Ready(Some(Err(ResponseBodyError::Broken(error.to_string()))));
                }
                Poll::Pending => {
                    let end = self.waiting.until(self.idle_timeout);
                    return connection.deadline.poll(cx, end).map(|()| Some(Err(BodyPaused.into())));
                }
            }
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
        self.poll_next(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.decoder.size_hint()
    }
}
