//! What a call works on.

use dgate_core::Body;
use http::{HeaderMap, Request, Response, Uri, request};

use super::code::Side;
use crate::capability::Capabilities;
use crate::exchange::{Draft, ErrorInfo, Exchange, RequestInfo};
use crate::thrown::Thrown;

/// What a call works on. Nothing is moved or copied for it.
pub(crate) struct Scene<'a> {
    pub(crate) info: &'a RequestInfo,
    pub(crate) request: Seen<'a>,
    pub(crate) upstream: Option<&'a mut Response<Body>>,
    /// What the module's own answer is in, once there is one.
    pub(crate) exchange: &'a mut Option<Box<Exchange>>,
    /// What an error handler is told.
    pub(crate) error: Option<&'a ErrorInfo>,
    pub(crate) capabilities: &'a Capabilities,
}

/// The request, as far as it can be seen.
pub(crate) enum Seen<'a> {
    /// It has not gone yet, and may be changed.
    Open(&'a mut Request<Body>),
    /// Only its head is left to look at.
    Gone(&'a request::Parts),
    Nothing,
}

impl Scene<'_> {
    pub(super) fn draft(&mut self) -> &mut Draft {
        &mut self.exchange.get_or_insert_default().draft
    }

    pub(super) fn draft_so_far(&self) -> Option<&Draft> {
        self.exchange.as_ref().map(|exchange| &exchange.draft)
    }

    /// The request's headers and URI.
    pub(super) fn request(&self) -> Result<(&HeaderMap, &Uri), Thrown> {
        match &self.request {
            Seen::Open(request) => Ok((request.headers(), request.uri())),
            Seen::Gone(head) => Ok((&head.headers, &head.uri)),
            Seen::Nothing => Err(not_at_hand()),
        }
    }

    /// A request that has not gone yet.
    pub(super) fn open_request(&mut self) -> Result<&mut Request<Body>, Thrown> {
        match &mut self.request {
            Seen::Open(request) => Ok(request),
            Seen::Gone(_) => Err(Thrown::typ("the request has been sent; it cannot be changed any more")),
            Seen::Nothing => Err(not_at_hand()),
        }
    }

    pub(super) fn upstream(&mut self) -> Result<&mut Response<Body>, Thrown> {
        let none = || Thrown::typ("the upstream's answer is not at hand outside of a hook");
        self.upstream.as_deref_mut().ok_or_else(none)
    }

    /// The headers of one side, to look at.
    pub(super) fn headers(&mut self, side: Side) -> Result<&HeaderMap, Thrown> {
        match side {
            Side::Request => self.request().map(|(headers, _)| headers),
            _ => self.headers_mut(side).map(|headers| &*headers),
        }
    }

    /// The headers of one side, to be changed.
    pub(super) fn headers_mut(&mut self, side: Side) -> Result<&mut HeaderMap, Thrown> {
        match side {
            Side::Request => self.open_request().map(Request::headers_mut),
            Side::Upstream => self.upstream().map(Response::headers_mut),
            Side::Response => Ok(&mut self.draft().headers),
        }
    }
}

pub(super) fn not_at_hand() -> Thrown {
    Thrown::typ("the request is not at hand outside of a hook")
}
