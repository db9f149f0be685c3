//! A request on its way to the upstream.

use std::io;
use std::task::{Context, Poll, ready};

use dgate_core::body::{Body, BodyError};

use super::super::body_sender::{BodySender, Filled, SendError};
use super::super::encode::BodyHeader;
use super::super::outgoing::Outgoing;
use crate::io::Io;

/// A request on its way to the upstream.
pub(super) struct Upload {
    sender: BodySender,
    /// Whether a byte was written.
    pub(super) has_sent: bool,
}

/// Why a request was not sent to its end.
#[derive(Debug)]
pub(super) enum UploadError {
    /// The body broke off.
    Body(BodyError),
    /// The upstream does not take it.
    Io(io::Error),
}

impl Upload {
    pub(super) fn new(out: Outgoing, body: Body, framing: BodyHeader) -> Self {
        Self { sender: BodySender::new(out, body, framing), has_sent: false }
    }

    /// Whether all of it is written.
    pub(super) fn is_done(&self) -> bool {
        self.sender.is_over() && self.sender.out.is_empty()
    }

    /// Sends on. Ready when all is written.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut Io,
        progress: &mut usize,
    ) -> Poll<Result<(), UploadError>> {
        loop {
            if self.is_done() {
                return Poll::Ready(Ok(()));
            }
            let filled = self.sender.fill(cx).map_err(|error| match error {
                SendError::Broken(error) => UploadError::Body(error),
                SendError::Length => UploadError::Body(error.into()),
            })?;
            let flushed = self.sender.poll_flush(cx, io, progress);
            self.has_sent |= *progress > 0;
            ready!(flushed).map_err(UploadError::Io)?;
            if filled == Filled::Waiting {
                return Poll::Pending;
            }
        }
    }
}
