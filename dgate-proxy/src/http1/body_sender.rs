//! A message on its way out: its head, then its body as it comes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use dgate_core::body::{Body, BodyError};
use http::HeaderMap;
use http_body::{Body as _, Frame};

use super::encode::BodyHeader;
use super::outgoing::Outgoing;
use crate::io::Io;

/// A message on its way out. Whoever owns it fills it from the body, and flushes it to a connection.
pub(super) struct BodySender {
    pub(super) out: Outgoing,
    body: Body,
    is_chunked: bool,
    /// How many bytes the head has promised that are still to come.
    promised: Option<u64>,
    trailers: Option<HeaderMap>,
    is_over: bool,
}

/// What filling came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filled {
    /// What is there has to go before there is room for more.
    Full,
    /// More will come; what is there should go meanwhile.
    Waiting,
    /// Everything is there.
    Over,
}

/// The body is not what the head promised, or broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("the body broke off")]
    Broken(#[source] BodyError),
    #[error("the body is not as long as its head says")]
    Length,
}

impl BodySender {
    /// A message whose head is in `out` already.
    pub(super) fn new(out: Outgoing, body: Body, framing: BodyHeader) -> Self {
        let promised = match framing {
            BodyHeader::Length(length) => Some(length),
            _ => None,
        };
        let is_over = body.is_end_stream()
            && framing != BodyHeader::Chunked
            && promised.is_none_or(|length| length == 0);
        Self { out, body, is_chunked: framing == BodyHeader::Chunked, promised, trailers: None, is_over }
    }

    /// Whether all of the body has been taken; the rest only needs flushing.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Takes frames from the body while there is room and some are ready.
    pub(super) fn fill(&mut self, cx: &mut Context<'_>) -> Result<Filled, SendError> {
        while !self.is_over {
            if self.out.is_full() {
                return Ok(Filled::Full);
            }
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => return Ok(Filled::Waiting),
                Poll::Ready(None) => self.end()?,
                Poll::Ready(Some(frame)) => self.push(frame.map_err(SendError::Broken)?)?,
            }
        }
        Ok(Filled::Over)
    }

    /// Writes what is there. What was written is added to `progress`, also when there is more to write.
    pub(super) fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut Io,
        progress: &mut usize,
    ) -> Poll<io::Result<()>> {
        if self.out.is_empty() { Poll::Ready(Ok(())) } else { self.out.poll_flush(cx, io, progress) }
    }

    fn push(&mut self, frame: Frame<Bytes>) -> Result<(), SendError> {
        match frame.into_data() {
            Ok(data) => {
                if let Some(left) = &mut self.promised {
                    *left = left.checked_sub(data.len() as u64).ok_or(SendError::Length)?;
                }
                self.out.push_data(data, self.is_chunked);
            }
            Err(frame) => self.trailers = frame.into_trailers().ok().or(self.trailers.take()),
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), SendError> {
        if self.promised.is_some_and(|left| left > 0) {
            return Err(SendError::Length);
        }
        if self.is_chunked {
            self.out.push_end(self.trailers.as_ref());
        }
        self.is_over = true;
        Ok(())
    }
}
