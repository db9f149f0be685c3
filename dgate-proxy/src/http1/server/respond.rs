//! One response on its way to the client.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use dgate_core::body::Body;
use http::{Response, Version};
use http_body::Body as _;

use super::super::body_sender::{BodySender, Filled};
use super::super::encode::{self, BodyHeader};
use super::super::framing::has_no_body;
use super::super::outgoing::Outgoing;
use super::SharedWire;
use crate::pace::{Pace, PaceLimits};

/// What becomes of the connection after the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Open,
    Close,
    Upgrade,
}

/// Why a response was not sent to its end.
#[derive(Debug)]
pub(super) enum Unsent {
    /// The client has gone, or reads too slowly.
    Gone,
    /// The body broke off. Its framing says that it is not complete.
    Broken,
    /// The body broke off, and would look complete if the connection ended well.
    Unmarked,
}

/// Sends one response.
pub(super) struct Responder<'w> {
    wire: &'w SharedWire,
    sender: BodySender,
    stays_open: bool,
    /// Only the end of the connection says where the body ends.
    ends_by_close: bool,
    /// The body broke off; only what was taken of it is still to be sent.
    is_broken: bool,
    pace: Pace,
}

impl<'w> Responder<'w> {
    pub(super) fn new(
        wire: &'w SharedWire,
        response: Response<Body>,
        version: Version,
        is_head: bool,
        keep: Keep,
        pace: PaceLimits,
    ) -> Self {
        let (head, body) = response.into_parts();
        let (framing, body) = if is_head || has_no_body(head.status) || keep == Keep::Upgrade {
            // A body that must not be sent is dropped at once: nobody works for nothing.
            (BodyHeader::AsIs, Body::empty())
        } else {
            (framing_of(&body, version), body)
        };
        let stays_open = keep == Keep::Open && framing != BodyHeader::UntilClose;
        let connection = match keep {
            Keep::Upgrade => None,
            _ if !stays_open => Some("close"),
            _ => (version == Version::HTTP_10).then_some("keep-alive"),
        };
        let mut out = Outgoing::with_room();
        encode::push_response(&mut out.buffer, &head, framing, connection);
        Self {
            wire,
            sender: BodySender::new(out, body, framing),
            stays_open,
            ends_by_close: framing == BodyHeader::UntilClose,
            is_broken: false,
            pace: Pace::new(pace),
        }
    }

    /// Sends it, and returns whether the connection stays open.
    pub(super) async fn run(mut self) -> Result<bool, Unsent> {
        poll_fn(|cx| self.poll(cx)).await.map(|()| self.stays_open)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Unsent>> {
        loop {
            let filled = if self.is_broken { Err(()) } else { self.sender.fill(cx).map_err(drop) };
            self.is_broken = filled.is_err();
            // What is there goes out before we wait or give up: an event must not wait for the next one, and a client
            // that sees nothing at all would take it for a connection that was closed before, and ask again.
            ready!(self.poll_flush(cx))?;
            match filled {
                Err(()) if self.ends_by_close => return Poll::Ready(Err(Unsent::Unmarked)),
                Err(()) => return Poll::Ready(Err(Unsent::Broken)),
                Ok(Filled::Over) => return Poll::Ready(Ok(())),
                Ok(Filled::Full) => {}
                Ok(Filled::Waiting) => {
                    ready!(self.wire.lock().poll_hangup(cx));
                    return Poll::Ready(Err(Unsent::Gone));
                }
            }
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Unsent>> {
        let mut wire = self.wire.lock();
        let mut progress = 0;
        let flushed = match wire.poll_interim(cx) {
            Poll::Ready(Ok(())) => self.sender.poll_flush(cx, &mut wire.io, &mut progress),
            other => other,
        };
        drop(wire);
        if progress > 0 {
            self.pace.moved(progress);
        }
        if flushed.is_pending() {
            ready!(self.pace.poll_too_slow(cx));
            return Poll::Ready(Err(Unsent::Gone));
        }
        flushed.map_err(|_| Unsent::Gone)
    }
}

fn framing_of(body: &Body, version: Version) -> BodyHeader {
    match body.size_hint().exact() {
        Some(length) => BodyHeader::Length(length),
        None if version == Version::HTTP_10 => BodyHeader::UntilClose,
        None => BodyHeader::Chunked,
    }
}
