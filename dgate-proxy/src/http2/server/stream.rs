//! One request and its response.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use dgate_core::body::Body;
use dgate_core::context::InterimSink;
use futures_util::task::AtomicWaker;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, EXPECT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as _;

use super::super::receive::Incoming;
use super::super::send::{Unsent, Watch, send_body};
use super::head;
use super::metered::Meter;
use super::request_body::RequestBody;
use crate::date;
use crate::edge::HangUp;
use crate::http1::has_no_body;
use crate::pace::{Pace, PaceLimits};
use crate::server::Handler;
use crate::settings::Limits;
use crate::upstream::strip_hop_by_hop;

/// Most interim responses that wait to be sent.
const MOST_INTERIM: usize = 16;

/// One request that is being answered.
pub(super) struct Stream<F> {
    answer: Answer<F>,
    respond: SendResponse<Bytes>,
    is_head: bool,
    progress: Arc<Progress>,
    reader: Reader,
}

/// The answer to come, or the one that is known.
enum Answer<F> {
    Coming(F),
    Known(Response<Body>),
}

impl<F: Future<Output = Response<Body>>> Stream<F> {
    pub(super) fn begin(
        handler: &mut impl Handler<Future = F>,
        request: Request<RecvStream>,
        respond: SendResponse<Bytes>,
        limits: &Limits,
        meter: &Arc<Meter>,
    ) -> Self {
        let mut request = request;
        let is_head = *request.method() == Method::HEAD;
        let pace = limits.pace();
        let progress = Arc::new(Progress::default());
        let answer = match head::accept(&mut request, limits) {
            Err(error) => Answer::Known(handler.reject(error)),
            Ok(length) => {
                let request = with_body(request, length, pace, &progress);
                Answer::Coming(handler.handle(request, Some(progress.clone())))
            }
        };
        let reader = Reader { pace: Pace::new(pace), meter: meter.clone(), blocked: meter.blocked() };
        Self { answer, respond, is_head, progress, reader }
    }

    /// Answers it. Ends early when the client loses interest.
    pub(super) async fn run(self) {
        let Self { answer, mut respond, is_head, progress, reader } = self;
        let response = match answer {
            Answer::Known(response) => Some(response),
            Answer::Coming(answer) => until_reset(answer, &mut respond, &progress).await,
        };
        let Some(response) = response else { return };
        progress.answered.store(true, Ordering::Release);
        if response.extensions().get::<HangUp>().is_some() {
            respond.send_reset(Reason::CANCEL);
            return;
        }
        send(respond, response, is_head, reader).await;
    }
}

/// A gRPC client may say little for as long as it likes; only silence ends it.
fn with_body(
    request: Request<RecvStream>,
    length: Option<u64>,
    mut pace: PaceLimits,
    progress: &Arc<Progress>,
) -> Request<Body> {
    let headers = request.headers();
    if headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc")) {
        pace.min_rate = 0;
    }
    let expects_continue =
        headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    progress.continue_wanted.store(expects_continue, Ordering::Relaxed);
    request.map(|stream| {
        if stream.is_end_stream() {
            Body::empty()
        } else {
            Body::new(RequestBody::new(Incoming::new(stream, length), pace, progress.clone()))
        }
    })
}

/// The answer, unless the client loses interest before it is there. Interim responses go out meanwhile.
async fn until_reset<F: Future>(
    answer: F,
    respond: &mut SendResponse<Bytes>,
    progress: &Progress,
) -> Option<F::Output> {
    let mut answer = pin!(answer);
    poll_fn(|cx| {
        let polled = answer.as_mut().poll(cx);
        progress.send_interim(respond, cx);
        if let Poll::Ready(response) = polled {
            return Poll::Ready(Some(response));
        }
        respond.poll_reset(cx).map(|_| None)
    })
    .await
}

async fn send(mut respond: SendResponse<Bytes>, response: Response<Body>, is_head: bool, mut reader: Reader) {
    let (head, body) = response.into_parts();
    let mut head = Response::from_parts(head, ());
    let status = head.status();
    let headers = head.headers_mut();
    strip_hop_by_hop(headers);
    headers.entry(DATE).or_insert_with(date::now);
    if status.is_informational() || status == StatusCode::NO_CONTENT {
        headers.remove(CONTENT_LENGTH);
    }
    if is_head || has_no_body(status) || (body.is_end_stream() && !headers.contains_key(CONTENT_LENGTH)) {
        // A body that must not be sent is dropped at once: nobody works for nothing.
        drop(body);
        let _ = respond.send_response(head, true);
        return;
    }
    match body.size_hint().exact() {
        Some(length) => drop(headers.insert(CONTENT_LENGTH, HeaderValue::from(length))),
        None => drop(headers.remove(CONTENT_LENGTH)),
    }
    let is_empty = body.is_end_stream();
    let Ok(mut stream) = respond.send_response(head, is_empty) else {
        respond.send_reset(Reason::INTERNAL_ERROR);
        return;
    };
    if is_empty {
        return;
    }
    if let Err(unsent) = send_body(&mut stream, body, &mut reader).await {
        if let Unsent::TooSlow = unsent {
            tracing::debug!("a client does not take its response");
        }
        stream.send_reset(unsent.reason());
    }
}

/// How a client takes its response. A stream without room is not the client's fault as long as the whole connection is
/// busy.
pub(super) struct Reader {
    pace: Pace,
    meter: Arc<Meter>,
    blocked: u64,
}

impl Watch for Reader {
    fn moved(&mut self, bytes: usize) {
        self.excuse();
        self.pace.moved(bytes);
    }

    fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.excuse();
        self.pace.poll_too_slow(cx)
    }
}

impl Reader {
    fn excuse(&mut self) {
        let blocked = self.meter.blocked();
        if blocked != self.blocked {
            self.blocked = blocked;
            self.pace.restart();
        }
    }
}

/// How far a request has come, for those who work on it in different places.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Interim responses that wait to be sent.
    interim: Mutex<Vec<Response<()>>>,
    has_interim: AtomicBool,
    sender: AtomicWaker,
    continue_wanted: AtomicBool,
    answered: AtomicBool,
}

impl Progress {
    /// Whether the answer has begun.
    pub(super) fn is_answered(&self) -> bool {
        self.answered.load(Ordering::Acquire)
    }

    /// Somebody reads the body: a client that waits for permission to send it gets it.
    pub(super) fn body_is_wanted(&self) {
        if self.continue_wanted.swap(false, Ordering::Relaxed) {
            self.send(StatusCode::CONTINUE, &HeaderMap::new());
        }
    }

    fn send_interim(&self, respond: &mut SendResponse<Bytes>, cx: &Context<'_>) {
        self.sender.register(cx.waker());
        if self.has_interim.swap(false, Ordering::AcqRel) {
            let waiting = std::mem::take(&mut *self.interim.lock().unwrap_or_else(PoisonError::into_inner));
            for interim in waiting {
                let _ = respond.send_informational(interim);
            }
        }
    }
}

impl InterimSink for Progress {
    fn send(&self, status: StatusCode, headers: &HeaderMap) {
        let mut response = Response::new(());
        *response.status_mut() = status;
        *response.headers_mut() = headers.clone();
        response.headers_mut().remove(CONTENT_LENGTH);
        let mut waiting = self.interim.lock().unwrap_or_else(PoisonError::into_inner);
        // They are hints: a client that gets too many misses some.
        if waiting.len() < MOST_INTERIM {
            waiting.push(response);
            drop(waiting);
            self.has_interim.store(true, Ordering::Release);
            self.sender.wake();
        }
    }
}
