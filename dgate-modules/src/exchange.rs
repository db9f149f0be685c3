//! What a hook works on: the request, the upstream's answer, and an answer of its own.
//!
//! It moves into a runtime when a hook begins and out of it when the hook ends, so nothing is copied, and bodies that
//! no hook asks for keep streaming.

use std::fmt;

use bytes::Bytes;
use dgate_core::context::{ClientInfo, Matched, RequestContext, RequestId};
use dgate_core::tags::CarriedTags;
use dgate_core::{Body, GatewayError};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, request};

use crate::failure::LimitKind;
use crate::message::is_framing;
use crate::shared::SharedValues;
use crate::thrown::Thrown;

/// What is known about a request whatever its hooks do, and what they tell each other.
#[derive(Debug)]
pub(crate) struct RequestInfo {
    pub(crate) id: RequestId,
    pub(crate) client: ClientInfo,
    pub(crate) matched: Matched,
    /// What the server carries for this request.
    pub(crate) tags: CarriedTags,
    /// What its hooks tell each other.
    pub(crate) values: SharedValues,
}

impl RequestInfo {
    /// Nothing before a route was found.
    pub(crate) fn new(context: &RequestContext) -> Option<Self> {
        Some(Self {
            id: context.record.id.clone(),
            client: context.record.client,
            matched: context.matched.clone()?,
            tags: context.tags(),
            values: SharedValues::default(),
        })
    }
}

/// What a hook works on.
#[derive(Default)]
pub(crate) struct Exchange {
    /// The request on its way, or its head alone once it is gone.
    pub(crate) request: Option<RequestPart>,
    /// The upstream's answer.
    pub(crate) upstream: Option<Response<Body>>,
    /// The modules' own answer.
    pub(crate) draft: Draft,
}

/// A request.
pub(crate) struct RequestPart {
    pub(crate) head: request::Parts,
    pub(crate) body: Body,
    /// Whether it is on its way already and only its head is left to look at.
    pub(crate) gone: bool,
}

impl RequestPart {
    /// Takes a request apart.
    pub(crate) fn take(request: &mut Request<Body>) -> Self {
        let (head, body) = std::mem::take(request).into_parts();
        Self { head, body, gone: false }
    }

    /// Puts it together again.
    pub(crate) fn give_back(self, request: &mut Request<Body>) {
        *request = Request::from_parts(self.head, self.body);
    }

    /// The head alone, as it is now.
    pub(crate) fn head_of(request: &Request<Body>) -> Self {
        let (mut head, ()) = Request::new(()).into_parts();
        head.method = request.method().clone();
        head.uri = request.uri().clone();
        head.version = request.version();
        head.headers = request.headers().clone();
        Self { head, body: Body::empty(), gone: true }
    }
}

/// An answer that a module writes.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: DraftBody,
    /// Nothing more may be written.
    pub(crate) ended: bool,
}

/// The body of a draft.
#[derive(Debug, Default)]
pub(crate) enum DraftBody {
    #[default]
    Empty,
    /// What was written so far.
    Written(Vec<u8>),
    Whole(Bytes),
    /// Somebody else's body, passed on.
    Passed(Body),
}

impl Draft {
    /// Whether the module has answered.
    pub(crate) fn answers(&self) -> bool {
        self.ended || self.status.is_some() || !matches!(self.body, DraftBody::Empty)
    }

    /// Writes more of the body, of which `most` bytes may be written.
    pub(crate) fn write(&mut self, bytes: &[u8], most: usize) -> Result<(), Thrown> {
        self.check_open()?;
        if !matches!(self.body, DraftBody::Written(_)) {
            self.body = DraftBody::Written(Vec::new());
        }
        if let DraftBody::Written(written) = &mut self.body {
            if written.len() + bytes.len() > most {
                let message = format!("the response is larger than the module may write ({most} bytes)");
                return Err(Thrown::limit(LimitKind::Body, message));
            }
            written.extend_from_slice(bytes);
        }
        Ok(())
    }

    /// Becomes a whole `Response` of the web's.
    pub(crate) fn respond(&mut self, status: StatusCode, headers: &HeaderMap, body: DraftBody) {
        self.status = Some(status);
        let own = headers.iter().filter(|(name, _)| !is_framing(name));
        self.headers.extend(own.map(|(name, value)| (name.clone(), value.clone())));
        self.body = body;
        self.ended = true;
    }

    /// Writes the last of the body. `kind` is what it is, unless a header says so.
    pub(crate) fn finish(&mut self, bytes: Bytes, kind: Option<&'static str>) -> Result<(), Thrown> {
        self.check_open()?;
        if let Some(kind) = kind
            && !self.headers.contains_key(CONTENT_TYPE)
        {
            self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        self.body = match std::mem::take(&mut self.body) {
            DraftBody::Written(mut written) => {
                written.extend_from_slice(&bytes);
                DraftBody::Whole(written.into())
            }
            _ => DraftBody::Whole(bytes),
        };
        self.ended = true;
        Ok(())
    }

    /// Sends the client elsewhere.
    pub(crate) fn redirect(&mut self, location: HeaderValue, status: StatusCode) {
        self.status = Some(status);
        self.headers.insert(LOCATION, location);
        self.ended = true;
    }

    fn check_open(&self) -> Result<(), Thrown> {
        if self.ended { Err(Thrown::typ("the response was ended already")) } else { Ok(()) }
    }

    /// The answer.
    pub(crate) fn into_response(self) -> Response<Body> {
        let body = match self.body {
            DraftBody::Empty => Body::empty(),
            DraftBody::Written(bytes) => Body::from(bytes),
            DraftBody::Whole(bytes) => Body::from(bytes),
            DraftBody::Passed(body) => body,
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status.unwrap_or(StatusCode::OK);
        *response.headers_mut() = self.headers;
        response
    }
}

/// What an error handler is told.
#[derive(Debug, Clone)]
pub(crate) struct ErrorInfo {
    pub(crate) code: &'static str,
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl From<&GatewayError> for ErrorInfo {
    fn from(error: &GatewayError) -> Self {
        Self { code: error.kind().code(), status: error.kind().status().as_u16(), message: error.to_string() }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("request", &self.request.as_ref().map(|part| &part.head.uri))
            .field("upstream", &self.upstream.as_ref().map(Response::status))
            .field("draft", &self.draft)
            .finish()
    }
}
