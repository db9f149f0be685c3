//! One request and the head of its response.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use dgate_core::body::Body;
use h2::RecvStream;
use h2::client::{ResponseFuture, SendRequest};
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body as _;

use super::super::receive::Incoming;
use super::response_body::ResponseBody;
use super::upload::Upload;
use super::{Failure, Outbound, Stream};
use crate::deadline::Deadline;
use crate::http1::{MOST_INTERIM, content_length};
use crate::upstream::strip_hop_by_hop;

/// One request and the head of its response.
pub(super) struct Exchange {
    response: ResponseFuture,
    upload: Option<Upload>,
    outbound: Option<(Outbound, Stream)>,
    deadline: Deadline,
    interim_count: u32,
    interim_is_over: bool,
}

impl Exchange {
    /// Sends a request's head, and begins to send its body.
    pub(super) fn begin(
        sender: &mut SendRequest<Bytes>,
        request: Request<Body>,
        outbound: Outbound,
        stream: Stream,
    ) -> Result<Self, h2::Error> {
        let (mut head, body) = request.into_parts();
        head.version = Version::HTTP_2;
        strip_hop_by_hop(&mut head.headers);
        let is_empty = body.is_end_stream();
        let has_body = matches!(head.method, Method::POST | Method::PUT | Method::PATCH);
        match body.size_hint().exact() {
            Some(0) if !has_body && !head.headers.contains_key(CONTENT_LENGTH) => {}
            Some(length) => drop(head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length))),
            None => drop(head.headers.remove(CONTENT_LENGTH)),
        }
        let (response, send_stream) = sender.send_request(Request::from_parts(head, ()), is_empty)?;
        let upload = if is_empty { Upload::nothing() } else { Upload::begin(send_stream, body) };
        Ok(Self {
            response,
            upload: Some(upload),
            outbound: Some((outbound, stream)),
            deadline: Deadline::default(),
            interim_count: 0,
            interim_is_over: false,
        })
    }

    fn poll_interim(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        while !self.interim_is_over {
            match self.response.poll_informational(cx) {
                Poll::Pending => break,
                Poll::Ready(None) => self.interim_is_over = true,
                Poll::Ready(Some(Err(error))) => return Err(self.failure(error)),
                Poll::Ready(Some(Ok(interim))) => self.take_interim(interim)?,
            }
        }
        Ok(())
    }

    fn take_interim(&mut self, interim: Response<()>) -> Result<(), Failure> {
        let status = interim.status();
        self.interim_count += 1;
        if self.interim_count > MOST_INTERIM || status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Failure::Protocol(format!("it sends {status} where that makes no sense")));
        }
        if let Some(upload) = &self.upload {
            upload.touch();
        }
        let sink = self.outbound.as_ref().and_then(|(outbound, _)| outbound.interim.as_ref());
        // We never ask for permission to send, so `100 Continue` is for nobody.
        if let Some(sink) = sink.filter(|_| status != StatusCode::CONTINUE) {
            let mut headers = interim.into_parts().0.headers;
            strip_hop_by_hop(&mut headers);
            sink.send(status, &headers);
        }
        Ok(())
    }

    /// Why there is no response: our own body comes first, as that is what made the stream fail.
    fn failure(&self, error: h2::Error) -> Failure {
        match self.upload.as_ref().and_then(Upload::failure) {
            Some(error) => Failure::RequestBody(error),
            None => Failure::after_sending(error),
        }
    }

    fn respond(&mut self, response: Response<RecvStream>) -> Result<Response<Body>, Failure> {
        let (head, stream) = response.into_parts();
        let length = content_length(&head.headers).map_err(|error| Failure::Protocol(error.to_string()))?;
        if head.status.is_informational() {
            return Err(Failure::Protocol(format!("it ends with {}", head.status)));
        }
        let body = match (self.outbound.take(), self.upload.take()) {
            (Some((outbound, guard)), Some(upload)) if !stream.is_end_stream() => {
                let Outbound { lease, idle_timeout, .. } = outbound;
                let incoming = Incoming::new(stream, length);
                Body::new(ResponseBody::new(incoming, upload, idle_timeout, (guard, lease)))
            }
            _ => Body::empty(),
        };
        let mut response = Response::from_parts(head, body);
        *response.version_mut() = Version::HTTP_11;
        Ok(response)
    }
}

impl Future for Exchange {
    type Output = Result<Response<Body>, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.poll_interim(cx)?;
        match Pin::new(&mut this.response).poll(cx) {
            Poll::Ready(Ok(response)) => return Poll::Ready(this.respond(response)),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(this.failure(error))),
            Poll::Pending => {}
        }
        let (Some((outbound, _)), Some(upload)) = (&this.outbound, &this.upload) else {
            return Poll::Pending;
        };
        // The time an upload takes is the client's, or the upstream's to make it stop.
        let end = upload.quiet_at(outbound.request_timeout);
        this.deadline.poll(cx, end).map(|()| Err(Failure::Timeout))
    }
}
