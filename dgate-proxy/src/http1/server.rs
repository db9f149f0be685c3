//! The server side: one client connection after another request.

mod respond;
mod wire;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use dgate_core::body::Body;
use dgate_core::context::InterimSink;
use dgate_core::error::{ErrorKind, GatewayError};
use http::{Method, Request, Response, Version};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use super::framing::{self, FramingError, RequestFraming};
use super::head::{HeadError, HeadLimits, HeadScanner, parse_request};
use crate::deadline::Deadline;
use crate::drain::{BusyGuard, Drain, Stage};
use crate::edge::HangUp;
use crate::pace::PaceLimits;
use crate::server::Handler;
use crate::tunnel::Tunnel;
use respond::{Keep, Responder, Unsent};
pub(crate) use wire::SharedWire;
use wire::{HeadEvent, RequestBody};

/// How long and how much is read from a client that was refused, so that it sees the answer.
const LINGER: Duration = Duration::from_secs(2);

/// How long after a request a drain leaves a connection open: a client in full swing has its next request under way
/// already, and is told with its answer that the connection ends. Closing at once would lose that request.
const LAST_REQUEST: Duration = Duration::from_secs(1);

/// What a connection may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServerLimits {
    pub(crate) head: HeadLimits,
    /// From the first byte (on a new connection: from its beginning) until the head is complete.
    pub(crate) header_timeout: Duration,
    /// Between two requests.
    pub(crate) idle_timeout: Duration,
    pub(crate) pace: PaceLimits,
}

/// Serves one connection until it ends.
pub(crate) struct Server<'h, H> {
    pub(crate) wire: Arc<SharedWire>,
    pub(crate) handler: &'h mut H,
    pub(crate) limits: ServerLimits,
    pub(crate) drain: &'h Drain,
    /// Keeps the connection counted; given up when it becomes a tunnel.
    pub(crate) busy: Option<BusyGuard>,
}

/// How reading a head ended.
enum NextHead {
    Head(Bytes),
    Refuse(GatewayError),
    Close,
}

/// Whether to go on after a request.
enum After {
    NextRequest,
    Close,
    /// A clean end would make what was sent look complete.
    Abort,
    /// There may be more to come from the client, which would reset the connection before it has read our answer.
    Linger,
    Tunnel(Tunnel),
}

impl<H: Handler> Server<'_, H> {
    /// Serves requests until the connection is over.
    pub(crate) async fn run(mut self) {
        let mut deadline = Deadline::default();
        let mut draining = pin!(self.drain.reached(Stage::Draining));
        let mut phase_end = Instant::now() + self.limits.header_timeout;
        let mut is_first = true;
        let after = loop {
            let next = self.read_head(&mut deadline, draining.as_mut(), phase_end, is_first).await;
            let after = match next {
                NextHead::Close => break After::Close,
                NextHead::Refuse(error) => self.refuse(error).await,
                NextHead::Head(head) => match self.parse(&head) {
                    Ok((request, framing)) => self.answer(request, framing).await,
                    Err(error) => self.refuse(error).await,
                },
            };
            match after {
                After::NextRequest => {}
                after => break after,
            }
            is_first = false;
            phase_end = Instant::now() + self.limits.idle_timeout;
        };
        match after {
            After::Tunnel(tunnel) => {
                let (io, already_read) = self.wire.lock().take();
                drop(self.busy.take());
                tunnel.run(io, already_read, self.drain).await;
            }
            After::Linger => self.linger().await,
            After::Abort => self.wire.lock().take().0.abort(),
            After::Close | After::NextRequest => {
                let (mut io, _) = self.wire.lock().take();
                // Plain TCP says it all by closing.
                if io.is_tls() {
                    let _ = tokio::time::timeout(LINGER, io.shutdown()).await;
                }
            }
        }
    }

    /// Waits for the next request. A drain ends a quiet connection, and soon also one that was just busy; once a byte
    /// has come, there is time for the whole head.
    async fn read_head(
        &self,
        deadline: &mut Deadline,
        mut draining: Pin<&mut impl Future<Output = ()>>,
        mut phase_end: Instant,
        is_first: bool,
    ) -> NextHead {
        let quiet_for = if is_first { self.limits.header_timeout } else { self.limits.idle_timeout };
        let mut scanner = HeadScanner::default();
        let mut has_begun = is_first;
        let mut drained = false;
        poll_fn(|cx| {
            let mut wire = self.wire.lock();
            match wire.poll_head(cx, &mut scanner, self.limits.head) {
                Poll::Ready(Ok(HeadEvent::Head(head))) => return Poll::Ready(NextHead::Head(head)),
                Poll::Ready(Ok(HeadEvent::Bad(error))) => {
                    return Poll::Ready(NextHead::Refuse(refusal(error)));
                }
                Poll::Ready(Ok(HeadEvent::Closed) | Err(_)) => return Poll::Ready(NextHead::Close),
                Poll::Pending => {}
            }
            let is_idle = wire.buffer.is_empty();
            drop(wire);
            if !is_idle && !has_begun {
                has_begun = true;
                phase_end = Instant::now() + self.limits.header_timeout;
            }
            if !drained && draining.as_mut().poll(cx).is_ready() {
                drained = true;
                if is_idle {
                    phase_end = phase_end.min(phase_end + LAST_REQUEST - quiet_for);
                }
            }
            ready!(deadline.poll(cx, phase_end));
            // Who sent nothing is not told anything.
            let refusal =
                GatewayError::new(ErrorKind::RequestTimeout).with_detail("the request head took too long");
            Poll::Ready(if is_idle { NextHead::Close } else { NextHead::Refuse(refusal) })
        })
        .await
    }

    fn parse(&self, head: &Bytes) -> Result<(Request<Body>, RequestFraming), GatewayError> {
        let request = parse_request(head, self.limits.head).map_err(refusal)?;
        let framing = framing::of_request(&request).map_err(|error: FramingError| {
            GatewayError::new(ErrorKind::BadRequest).with_detail(error.to_string()).because(error)
        })?;
        Ok((request, framing))
    }

    async fn answer(&mut self, mut request: Request<Body>, framing: RequestFraming) -> After {
        let is_head = *request.method() == Method::HEAD;
        let version = request.version();
        let has_body = framing.body != framing::Framing::Empty;
        let number = self.wire.lock().begin_body(&framing);
        if has_body {
            *request.body_mut() = Body::new(RequestBody::new(self.wire.clone(), number, self.limits.pace));
        }
        let interim: Option<Arc<dyn InterimSink>> =
            (version == Version::HTTP_11).then(|| self.wire.clone() as _);
        let answer = self.handler.handle(request, interim);
        let Some(response) = self.until_hangup(answer).await else { return After::Close };
        self.send(response, version, is_head, framing.keep_alive).await
    }

    /// The answer, unless the client goes away before it is there.
    async fn until_hangup<F: Future>(&self, answer: F) -> Option<F::Output> {
        let mut answer = pin!(answer);
        poll_fn(|cx| {
            if let Poll::Ready(response) = answer.as_mut().poll(cx) {
                return Poll::Ready(Some(response));
            }
            let mut wire = self.wire.lock();
            if matches!(wire.poll_interim(cx), Poll::Ready(Err(_))) {
                return Poll::Ready(None);
            }
            wire.poll_hangup(cx).map(|()| None)
        })
        .await
    }

    async fn send(
        &self,
        mut response: Response<Body>,
        version: Version,
        is_head: bool,
        keep_alive: bool,
    ) -> After {
        if response.extensions().get::<HangUp>().is_some() {
            return After::Close;
        }
        let tunnel = Tunnel::take_from(&mut response);
        let may_keep = keep_alive
            && !self.drain.is_draining()
            && framing::keep_alive(Version::HTTP_11, response.headers());
        // A client that still asks whether it should send its body may send it or not: nobody knows what comes next.
        let body_is_certain = {
            let wire = self.wire.lock();
            !wire.continue_is_wanted() && !wire.is_broken()
        };
        let keep = match () {
            () if tunnel.is_some() => Keep::Upgrade,
            () if may_keep && body_is_certain => Keep::Open,
            () => Keep::Close,
        };
        let responder = Responder::new(&self.wire, response, version, is_head, keep, self.limits.pace);
        match responder.run().await {
            Err(Unsent::Gone | Unsent::Broken) => After::Close,
            Err(Unsent::Unmarked) => After::Abort,
            Ok(_) if tunnel.is_some() => tunnel.map_or(After::Close, After::Tunnel),
            Ok(stays_open) => self.after_response(stays_open).await,
        }
    }

    /// Gets rid of what is left of the request's body.
    async fn after_response(&self, stays_open: bool) -> After {
        let was_read = self.wire.lock().end_request();
        match (was_read, stays_open) {
            (true, true) => After::NextRequest,
            (true, false) => After::Close,
            (false, false) => After::Linger,
            (false, true) => {
                let discard = poll_fn(|cx| self.wire.lock().poll_discard(cx));
                match tokio::time::timeout(LINGER, discard).await {
                    Ok(Some(_)) => After::NextRequest,
                    Ok(None) | Err(_) => After::Linger,
                }
            }
        }
    }

    async fn refuse(&mut self, error: GatewayError) -> After {
        let response = self.handler.reject(error);
        let responder =
            Responder::new(&self.wire, response, Version::HTTP_11, false, Keep::Close, self.limits.pace);
        match responder.run().await {
            Ok(_) => After::Linger,
            Err(_) => After::Close,
        }
    }

    /// Ends our side and reads on for a while: closing with unread bytes would reset the connection, and the client
    /// would never see the answer.
    async fn linger(&self) {
        let (mut io, mut buffer) = self.wire.lock().take();
        let discard = async {
            io.shutdown().await.ok()?;
            let mut left: usize = 1 << 20;
            while left > 0 {
                buffer.clear();
                let read = poll_fn(|cx| io.poll_read_into(cx, &mut buffer, 16 * 1_024)).await.ok()?;
                if read == 0 {
                    break;
                }
                left = left.saturating_sub(read);
            }
            Some(())
        };
        let _ = tokio::time::timeout(LINGER, discard).await;
    }
}

/// What a client is told whose head cannot be read.
fn refusal(error: HeadError) -> GatewayError {
    let kind = match error {
        HeadError::Malformed(_) => ErrorKind::BadRequest,
        HeadError::UriTooLong => ErrorKind::UriTooLong,
        HeadError::TooLarge => ErrorKind::HeadersTooLarge,
        HeadError::Version => ErrorKind::VersionNotSupported,
    };
    GatewayError::new(kind).with_detail(error.to_string()).because(error)
}
