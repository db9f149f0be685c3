//! The upstream side: one request and its response on one connection.
//!
//! Request and response run in the task of whoever asked: the request body is sent while the response is awaited and
//! while it is read, whichever comes first.

mod connection;
mod response_body;
mod upload;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use dgate_core::body::{Body, BodyError};
use dgate_core::context::InterimSink;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, Response, StatusCode, Version};
use tokio::time::Instant;

use super::body_decoder::{BodyDecoder, Next};
use super::encode::{self, BodyHeader};
use super::framing::{self, Framing};
use super::head::{HeadLimits, HeadScanner, parse_response};
use super::outgoing::Outgoing;
use crate::client::Lease;
use crate::forwarding::LateHeaders;
use crate::tunnel::Tunnel;
pub(crate) use connection::Connection;
use response_body::ResponseBody;
use upload::{Upload, UploadError};

/// Most interim responses before the final one: each of them gives the upstream more time.
pub(crate) const MOST_INTERIM: u32 = 100;

/// What an upstream's response head may take: we asked for it, so this is about memory, not about taste.
const RESPONSE_LIMITS: HeadLimits = HeadLimits { bytes: 256 * 1_024, headers: 512, uri: 256 * 1_024 };

/// What is sent, and how long it may take.
pub(crate) struct Outbound<'r> {
    pub(crate) method: &'r Method,
    /// Path and query.
    pub(crate) target: &'r str,
    pub(crate) headers: &'r HeaderMap,
    /// More headers.
    pub(crate) late: Option<&'r LateHeaders>,
    pub(crate) body: Body,
    /// Whether the headers ask for an upgrade.
    pub(crate) wants_upgrade: bool,
    /// From the last byte sent until the response head is complete.
    pub(crate) request_timeout: Duration,
    /// Between two pieces of the response body.
    pub(crate) idle_timeout: Duration,
    pub(crate) interim: Option<Arc<dyn InterimSink>>,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    /// The connection was closed or broke. `unseen`: before a byte came back, on a connection that had been idle.
    #[error("the upstream closed the connection")]
    Closed {
        #[source]
        source: Option<io::Error>,
        unseen: bool,
        /// Whether a byte of the request was written.
        sent: bool,
    },
    #[error("the upstream took too long to answer")]
    Timeout,
    #[error("the upstream's response is not valid: {0}")]
    Protocol(String),
    /// The client's request body broke off.
    #[error("the request body broke off")]
    RequestBody(#[source] BodyError),
}

/// One request and the head of its response.
pub(crate) struct Exchange {
    /// Taken out when the head is complete. It moves through many hands, so it is boxed.
    state: Option<Box<State>>,
}

struct State {
    connection: Connection,
    lease: Lease,
    upload: Upload,
    scanner: HeadScanner,
    method: Method,
    wants_upgrade: bool,
    is_websocket: bool,
    request_timeout: Duration,
    idle_timeout: Duration,
    interim: Option<Arc<dyn InterimSink>>,
    /// How many interim responses have come.
    interim_count: u32,
    last_progress: Instant,
    /// Whether time has passed since `last_progress` was set.
    is_begun: bool,
    write_error: Option<io::Error>,
}

impl Exchange {
    pub(crate) fn new(connection: Connection, lease: Lease, outbound: Outbound<'_>, now: Instant) -> Self {
        let Outbound { method, target, headers, late, body, wants_upgrade, .. } = outbound;
        let framing = request_framing(method, headers, &body);
        let mut out = Outgoing::with_room();
        encode::push_request(&mut out.buffer, method, target, headers, late, framing);
        let is_websocket = wants_upgrade
            && headers.get(http::header::UPGRADE).is_some_and(|value| framing::has_token(value, "websocket"));
        Self {
            state: Some(Box::new(State {
                connection,
                lease,
                upload: Upload::new(out, body, framing),
                scanner: HeadScanner::default(),
                method: method.clone(),
                wants_upgrade,
                is_websocket,
                request_timeout: outbound.request_timeout,
                idle_timeout: outbound.idle_timeout,
                interim: outbound.interim,
                interim_count: 0,
                last_progress: now,
                is_begun: false,
                write_error: None,
            })),
        }
    }
}

/// A body of unknown length is sent in chunks; methods that usually have none do not mention an empty one, unless the
/// client did.
fn request_framing(method: &Method, headers: &HeaderMap, body: &Body) -> BodyHeader {
    let has_body = || matches!(*method, Method::POST | Method::PUT | Method::PATCH);
    match http_body::Body::size_hint(body).exact() {
        Some(0) if has_body() || headers.contains_key(CONTENT_LENGTH) => BodyHeader::Length(0),
        Some(0) => BodyHeader::AsIs,
        Some(length) => BodyHeader::Length(length),
        None => BodyHeader::Chunked,
    }
}

impl Future for Exchange {
    type Output = Result<Response<Body>, ExchangeError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(state) = &mut self.state else { return Poll::Pending };
        let head = match state.poll_head(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => {
                self.state = None;
                return Poll::Ready(Err(error));
            }
            Poll::Ready(Ok(head)) => head,
        };
        let Some(state) = self.state.take() else { return Poll::Pending };
        Poll::Ready(state.respond(head))
    }
}

impl State {
    /// Sends the request and reads the head of the final response.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<()>, ExchangeError>> {
        if self.write_error.is_none() {
            let mut progress = 0;
            let sent = self.upload.poll(cx, &mut self.connection.io, &mut progress);
            if progress > 0 && self.is_begun {
                self.last_progress = Instant::now();
            }
            self.is_begun = true;
            match sent {
                Poll::Ready(Err(UploadError::Body(error))) => {
                    return Poll::Ready(Err(ExchangeError::RequestBody(error)));
                }
                // An upstream that does not want the body may have said why before it closed.
                Poll::Ready(Err(UploadError::Io(error))) => self.write_error = Some(error),
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
        }
        loop {
            match self.read_head(cx) {
                Poll::Ready(Ok(Some(head))) => return Poll::Ready(Ok(head)),
                Poll::Ready(Ok(None)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => break,
            }
        }
        // The time an upload takes is the client's, or the upstream's to make it stop.
        let deadline = self.last_progress + self.request_timeout;
        self.connection.deadline.poll(cx, deadline).map(|()| Err(ExchangeError::Timeout))
    }

    /// Reads one head; nothing when it was an interim one.
    fn read_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Response<()>>, ExchangeError>> {
        let Connection { io, buffer, room, is_reused, .. } = &mut self.connection;
        loop {
            if !buffer.is_empty() {
                let scanned = self.scanner.scan(buffer, RESPONSE_LIMITS);
                if let Some(length) = scanned.map_err(|error| ExchangeError::Protocol(error.to_string()))? {
                    room.adapt(buffer.len());
                    let head = buffer.split_to(length).freeze();
                    return Poll::Ready(self.take_head(&head));
                }
            }
            let nothing_came = buffer.is_empty();
            let (source, sent) = match io.poll_read_into(cx, buffer, room.get()) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(0)) => (self.write_error.take(), self.upload.has_sent),
                Poll::Ready(Err(error)) => (Some(error), self.upload.has_sent),
                Poll::Ready(Ok(_)) => continue,
            };
            let unseen = *is_reused && nothing_came;
            return Poll::Ready(Err(ExchangeError::Closed { source, unseen, sent }));
        }
    }

    fn take_head(&mut self, head: &Bytes) -> Result<Option<Response<()>>, ExchangeError> {
        let response = parse_response(head).map_err(|error| ExchangeError::Protocol(error.to_string()))?;
        let status = response.status();
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return if self.wants_upgrade {
                Ok(Some(response))
            } else {
                Err(ExchangeError::Protocol("it switches protocols, and nobody asked".to_owned()))
            };
        }
        if !status.is_informational() {
            return Ok(Some(response));
        }
        self.interim_count += 1;
        if self.interim_count > MOST_INTERIM {
            return Err(ExchangeError::Protocol("it sends one interim response after another".to_owned()));
        }
        self.last_progress = Instant::now();
        // We never ask for permission to send, so `100 Continue` is for nobody.
        if status != StatusCode::CONTINUE
            && let Some(interim) = &self.interim
        {
            let mut headers = response.into_parts().0.headers;
            crate::upstream::strip_hop_by_hop(&mut headers);
            interim.send(status, &headers);
        }
        Ok(None)
    }

    /// Puts the response together. Its body takes the connection along, unless it is complete already.
    fn respond(mut self: Box<Self>, head: Response<()>) -> Result<Response<Body>, ExchangeError> {
        if head.status() == StatusCode::SWITCHING_PROTOCOLS {
            let mut response = head.map(|()| Body::empty());
            let Connection { io, buffer, .. } = self.connection;
            Tunnel::new(io, buffer, self.idle_timeout, self.is_websocket, Box::new(self.lease))
                .attach(&mut response);
            return Ok(response);
        }
        let framing = framing::of_response(&head, &self.method)
            .map_err(|error| ExchangeError::Protocol(error.to_string()))?;
        let may_reuse = framing != Framing::UntilClose && framing::keep_alive(head.version(), head.headers());
        if let Some(limit) = keep_alive_timeout(head.headers()) {
            self.connection.idle_limit = Some(limit);
        }
        let mut response = head;
        *response.version_mut() = Version::HTTP_11;
        let mut decoder = BodyDecoder::new(framing);
        // The usual small answer came along with its head.
        let complete = match framing {
            Framing::Empty => Some(Body::empty()),
            Framing::Length(length) if self.connection.buffer.len() as u64 >= length => {
                match decoder.next(&mut self.connection.buffer, false) {
                    Ok(Next::Frame(frame)) => frame.into_data().ok().map(Body::full),
                    _ => None,
                }
            }
            _ => None,
        };
        let is_sent = self.upload.is_done();
        if let Some(body) = complete {
            if may_reuse && is_sent && self.write_error.is_none() {
                self.lease.give_back(self.connection);
            }
            return Ok(response.map(|()| body));
        }
        let upload = (!is_sent && self.write_error.is_none()).then_some(self.upload);
        let may_reuse = may_reuse && self.write_error.is_none();
        let body =
            ResponseBody::new(self.connection, self.lease, decoder, upload, may_reuse, self.idle_timeout);
        Ok(response.map(|()| Body::new(body)))
    }
}

/// How long the upstream keeps an idle connection, from `Keep-Alive: timeout=N`; a second less, to be gone before it.
fn keep_alive_timeout(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("keep-alive")?.to_str().ok()?;
    let seconds = value.split(',').find_map(|item| item.trim().strip_prefix("timeout="))?;
    let seconds: u64 = seconds.parse().ok()?;
    Some(Duration::from_secs(seconds).saturating_sub(Duration::from_secs(1)))
}
