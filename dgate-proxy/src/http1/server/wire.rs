//! A client's connection, shared between the one who drives it and the request body that is read from it.

mod request_body;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use dgate_core::context::InterimSink;
use http::{HeaderMap, StatusCode};

pub(super) use self::request_body::RequestBody;
use super::super::body_decoder::{BodyDecoder, Next};
use super::super::encode;
use super::super::framing::RequestFraming;
use super::super::head::{HeadError, HeadLimits, HeadScanner};
use super::super::outgoing::Outgoing;
use super::super::read_room::HeadRoom;
use crate::io::Io;

/// How much is read at first on a new connection. What a client sends ahead is read in such pieces, too.
const HEAD_ROOM: usize = 4 * 1_024;

/// How much a client may send ahead while its request is being answered.
const AHEAD: usize = 16 * 1_024;

/// A connection under a lock. It is only ever contended when a request body is read by another task.
pub(crate) struct SharedWire(Mutex<Wire>);

/// The state of a connection.
pub(super) struct Wire {
    pub(super) io: Io,
    pub(super) buffer: BytesMut,
    room: HeadRoom,
    /// Interim responses on their way out, before anything else.
    interim: Outgoing,
    decoder: BodyDecoder,
    /// Which request the decoder belongs to; a body of an earlier one reads nothing any more.
    request: u64,
    /// The client waits for `100 Continue`.
    continue_wanted: bool,
    /// Who waits for the client to go away, and cannot look while a body is read by somebody else.
    waiting: Option<Waker>,
    eof: bool,
    /// The connection failed.
    gone: bool,
    /// A body was cut off, or cannot be made sense of.
    broken: bool,
}

impl SharedWire {
    pub(crate) fn new(io: Io, already_read: BytesMut) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Wire {
            io,
            buffer: already_read,
            room: HeadRoom::new(HEAD_ROOM),
            interim: Outgoing::default(),
            decoder: BodyDecoder::Length(0),
            request: 0,
            continue_wanted: false,
            waiting: None,
            eof: false,
            gone: false,
            broken: false,
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SharedWire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedWire")
    }
}

impl InterimSink for SharedWire {
    fn send(&self, status: StatusCode, headers: &HeaderMap) {
        let buffer = &mut self.lock().interim.buffer;
        // They are hints: a client that does not read them misses some.
        if buffer.len() < AHEAD {
            encode::push_interim(buffer, status, headers);
        }
    }
}

/// What a client sent.
pub(super) enum HeadEvent {
    /// A whole head.
    Head(Bytes),
    /// Something that is none.
    Bad(HeadError),
    /// Nothing more.
    Closed,
}

impl Wire {
    /// Reads until a whole head is there.
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        scanner: &mut HeadScanner,
        limits: HeadLimits,
    ) -> Poll<io::Result<HeadEvent>> {
        loop {
            if !self.buffer.is_empty() {
                match scanner.scan(&mut self.buffer, limits) {
                    Err(error) => return Poll::Ready(Ok(HeadEvent::Bad(error))),
                    Ok(Some(length)) => {
                        self.room.adapt(self.buffer.len());
                        return Poll::Ready(Ok(HeadEvent::Head(self.buffer.split_to(length).freeze())));
                    }
                    Ok(None) => {}
                }
            }
            if self.eof || ready!(self.io.poll_read_into(cx, &mut self.buffer, self.room.get()))? == 0 {
                self.eof = true;
                return Poll::Ready(Ok(HeadEvent::Closed));
            }
        }
    }

    /// Begins the body of a request. Returns its number.
    pub(super) fn begin_body(&mut self, framing: &RequestFraming) -> u64 {
        self.decoder = BodyDecoder::new(framing.body);
        self.continue_wanted = framing.expects_continue;
        self.request
    }

    /// Ends a request: whoever still holds its body reads nothing any more. Returns whether the body was read.
    pub(super) fn end_request(&mut self) -> bool {
        self.request += 1;
        self.decoder.is_done() && !self.broken
    }

    /// Whether the client still waits for permission to send its body.
    pub(super) fn continue_is_wanted(&self) -> bool {
        self.continue_wanted
    }

    /// Whether what was read cannot be made sense of, so that what follows cannot either.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Reads on and throws away, at most until the body is over. Returns how much it was; nothing when it broke.
    pub(super) fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        let mut discarded = 0;
        loop {
            match self.decoder.next(&mut self.buffer, self.eof) {
                Err(_) => return Poll::Ready(None),
                Ok(Next::End) => return Poll::Ready(Some(discarded)),
                Ok(Next::Frame(frame)) => discarded += frame.data_ref().map_or(0, Bytes::len),
                Ok(Next::Nothing) => {
                    let Ok(read) = ready!(self.io.poll_read_into(cx, &mut self.buffer, AHEAD)) else {
                        return Poll::Ready(None);
                    };
                    self.eof |= read == 0;
                }
            }
            if discarded > AHEAD * 4 {
                return Poll::Ready(None);
            }
        }
    }

    /// Ready when the client has gone. Only looks while nothing of a body is to be read.
    pub(super) fn poll_hangup(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.gone {
            return Poll::Ready(());
        }
        if !self.decoder.is_done() {
            if self.waiting.as_ref().is_none_or(|waiting| !waiting.will_wake(cx.waker())) {
                self.waiting = Some(cx.waker().clone());
            }
            return Poll::Pending;
        }
        if self.buffer.len() >= AHEAD {
            return Poll::Pending;
        }
        loop {
            match ready!(self.io.poll_read_into(cx, &mut self.buffer, HEAD_ROOM)) {
                Ok(0) | Err(_) => {
                    self.eof = true;
                    return Poll::Ready(());
                }
                Ok(_) if self.buffer.len() >= AHEAD => return Poll::Pending,
                Ok(_) => {}
            }
        }
    }

    /// Notes that nothing more of a body will be read, and lets whoever waits for the client to go away look again,
    /// unless that is who asks.
    fn body_is_over(&mut self, cx: &Context<'_>) {
        if let Some(waiting) = self.waiting.take().filter(|waiting| !waiting.will_wake(cx.waker())) {
            waiting.wake();
        }
    }

    /// Writes interim responses.
    pub(super) fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.interim.is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.interim.poll_flush(cx, &mut self.io, &mut 0)
    }

    /// Takes the connection away, with what was read and not used.
    pub(super) fn take(&mut self) -> (Io, BytesMut) {
        (std::mem::take(&mut self.io), std::mem::take(&mut self.buffer))
    }
}
