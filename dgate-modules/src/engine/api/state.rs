//! What the objects of one request share.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;
use std::sync::Arc;

use boa_engine::{JsNativeError, JsObject, JsResult};
use http::uri::Uri;
use http::{HeaderMap, Response};

use super::super::call::Call;
use super::context::ContextData;
use crate::exchange::{Draft, Exchange, RequestInfo, RequestPart};
use crate::message::with_target;

/// What the objects of one request share.
pub(in crate::engine) struct RequestState {
    pub(in crate::engine) info: Arc<RequestInfo>,
    /// In here while a hook runs.
    exchange: RefCell<Option<Box<Exchange>>>,
}

impl RequestState {
    pub(in crate::engine) fn new(info: Arc<RequestInfo>) -> Self {
        Self { info, exchange: RefCell::default() }
    }

    /// A hook begins.
    pub(in crate::engine) fn put(&self, exchange: Box<Exchange>) {
        *self.exchange.borrow_mut() = Some(exchange);
    }

    /// A hook ended.
    pub(in crate::engine) fn take(&self) -> Box<Exchange> {
        self.exchange.borrow_mut().take().unwrap_or_default()
    }

    /// The exchange; an empty one outside of hooks.
    ///
    /// # Errors
    /// While something else works on it.
    pub(in crate::engine) fn exchange(&self) -> JsResult<RefMut<'_, Exchange>> {
        let exchange = self.exchange.try_borrow_mut().map_err(|_| busy())?;
        Ok(RefMut::map(exchange, |exchange| &mut **exchange.get_or_insert_default()))
    }

    /// Works on the request.
    pub(super) fn request<R>(&self, work: impl FnOnce(&mut RequestPart) -> R) -> JsResult<R> {
        let mut exchange = self.exchange()?;
        exchange.request.as_mut().map(work).ok_or_else(|| {
            JsNativeError::typ().with_message("the request is not at hand outside of a hook").into()
        })
    }

    /// Works on a request that is not on its way yet.
    pub(super) fn open_request<R>(&self, work: impl FnOnce(&mut RequestPart) -> R) -> JsResult<R> {
        self.request(|part| (!part.gone).then(|| work(part)))?.ok_or_else(|| {
            JsNativeError::typ()
                .with_message("the request has been sent; it cannot be changed any more")
                .into()
        })
    }

    /// Works on the upstream's answer.
    pub(super) fn upstream<R>(&self, work: impl FnOnce(&mut Response<dgate_core::Body>) -> R) -> JsResult<R> {
        let mut exchange = self.exchange()?;
        exchange.upstream.as_mut().map(work).ok_or_else(|| {
            JsNativeError::typ().with_message("the upstream's answer is not at hand outside of a hook").into()
        })
    }

    /// Works on the module's own answer.
    pub(in crate::engine) fn draft<R>(&self, work: impl FnOnce(&mut Draft) -> R) -> JsResult<R> {
        let mut exchange = self.exchange()?;
        Ok(work(&mut exchange.draft))
    }

    /// The headers of one side.
    pub(super) fn headers<R>(&self, side: Side, work: impl FnOnce(&mut HeaderMap) -> R) -> JsResult<R> {
        match side {
            Side::Request => self.request(|part| work(&mut part.head.headers)),
            Side::Upstream => self.upstream(|response| work(response.headers_mut())),
            Side::Response => self.draft(|draft| work(&mut draft.headers)),
        }
    }
}

fn busy() -> JsNativeError {
    JsNativeError::typ().with_message("the message is being worked on")
}

/// A side of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Upstream,
    Response,
}

/// Takes over what a module changed in objects of its own: the query.
pub(in crate::engine) fn write_back(call: &Rc<Call>) {
    if let Some(context) = &*call.context.borrow() {
        write_query(context, &call.state);
    }
}

/// The query of a `ctx` becomes that of its request, if it was changed.
pub(super) fn write_query(context: &JsObject, state: &RequestState) {
    let Some(data) = context.downcast_ref::<ContextData>() else { return };
    let Some(query) = data.changed_query() else { return };
    let Ok(mut exchange) = state.exchange() else { return };
    let Some(part) = exchange.request.as_mut().filter(|part| !part.gone) else { return };
    if let Some(uri) = with_query(&part.head.uri, &query) {
        part.head.uri = uri;
    }
}

fn with_query(uri: &Uri, query: &str) -> Option<Uri> {
    let path = uri.path();
    let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    with_target(uri, &target)
}
