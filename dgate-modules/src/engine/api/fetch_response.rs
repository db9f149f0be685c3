//! `Response`: what `fetch` gives, and what handlers may return.

mod make;
mod read;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use boa_engine::{Context, JsData, JsNativeError, JsObject, JsResult, JsString, JsValue, js_string};
use boa_gc::{Finalize, GcRefCell, Trace};
use bytes::Bytes;
use dgate_core::Body;
use http::{HeaderMap, StatusCode, response};
use url::Url;

pub(super) use self::make::{bytes_of_body, options};
use self::make::{construct, error, json, redirect};
use self::read::{As, read};
use super::define::{self, Member};
use super::{headers, prototypes};
use crate::engine::call::Call;
use crate::exchange::DraftBody;
use crate::message::is_bare;

/// What is behind a `Response`.
#[derive(Trace, Finalize, JsData)]
pub(super) struct FetchResponse {
    #[unsafe_ignore_trace]
    status: u16,
    #[unsafe_ignore_trace]
    status_text: JsString,
    #[unsafe_ignore_trace]
    headers: Rc<RefCell<HeaderMap>>,
    /// `Headers` over them, once they were asked for.
    headers_object: GcRefCell<Option<JsObject>>,
    #[unsafe_ignore_trace]
    body: RefCell<Held>,
    #[unsafe_ignore_trace]
    used: Cell<bool>,
    /// Where it came from, and whether redirects led there.
    #[unsafe_ignore_trace]
    url: Option<(Url, bool)>,
}

/// A body in one of its forms.
#[derive(Default)]
enum Held {
    #[default]
    Nothing,
    Text(JsString),
    Bytes(Bytes),
    Stream(Body),
}

/// What was fetched.
pub(super) fn fetched(
    head: response::Parts,
    body: Body,
    url: Url,
    redirected: bool,
    context: &Context,
) -> JsObject {
    let status = head.status.as_u16();
    let body = if is_bare(status) { Held::Nothing } else { Held::Stream(body) };
    prototypes(context).fetch_response.instance(FetchResponse {
        status,
        status_text: JsString::default(),
        headers: Rc::new(RefCell::new(head.headers)),
        headers_object: GcRefCell::default(),
        body: RefCell::new(body),
        used: Cell::new(false),
        url: Some((url, redirected)),
    })
}

/// Whether a hook returned a `Response`.
pub(in crate::engine) fn is_response(value: &JsValue) -> bool {
    value.as_object().is_some_and(|object| object.is::<FetchResponse>())
}

/// Makes a `Response` the module's answer.
pub(in crate::engine) fn apply_response(call: &Call, value: &JsValue) -> JsResult<JsValue> {
    with(value, |data| {
        let status = StatusCode::from_u16(data.status)
            .map_err(|_| JsNativeError::typ().with_message("the response stands for a failed request"))?;
        let body = match data.take()? {
            Held::Nothing => DraftBody::Empty,
            Held::Text(text) => DraftBody::Whole(text.to_std_string_lossy().into()),
            Held::Bytes(bytes) => DraftBody::Whole(bytes),
            Held::Stream(body) => DraftBody::Passed(body),
        };
        call.state.draft(|draft| draft.respond(status, &data.headers.borrow(), body))
    })??;
    Ok(JsValue::undefined())
}

fn with<R>(this: &JsValue, work: impl FnOnce(&FetchResponse) -> R) -> JsResult<R> {
    let object = this.as_object();
    let data = object.as_ref().and_then(|object| object.downcast_ref::<FetchResponse>());
    let data = data.ok_or_else(|| JsNativeError::typ().with_message("this is no `Response`"))?;
    Ok(work(&data))
}

fn read_already() -> JsNativeError {
    JsNativeError::typ().with_message("the body was read already")
}

impl FetchResponse {
    /// Its `type`.
    fn kind(&self) -> JsString {
        match (self.status, &self.url) {
            (0, _) => js_string!("error"),
            (_, Some(_)) => js_string!("basic"),
            (_, None) => js_string!("default"),
        }
    }

    /// Takes the body, which can be had once.
    fn take(&self) -> JsResult<Held> {
        if self.used.get() {
            return Err(read_already().into());
        }
        let body = self.body.take();
        self.used.set(!matches!(body, Held::Nothing));
        Ok(body)
    }
}

pub(super) fn prototype(context: &mut Context) -> JsResult<JsObject> {
    define::prototype(
        &[
            Member::Get("status", |this, _, _| with(this, |data| JsValue::from(i32::from(data.status)))),
            Member::Get("ok", |this, _, _| with(this, |data| (200..300).contains(&data.status).into())),
            Member::Get("statusText", |this, _, _| with(this, |data| data.status_text.clone().into())),
            Member::Get("headers", headers_of),
            Member::Get("url", |this, _, _| {
                with(this, |data| {
                    data.url.as_ref().map_or_else(JsString::default, |(url, _)| url.as_str().into()).into()
                })
            }),
            Member::Get("redirected", |this, _, _| {
                with(this, |data| data.url.as_ref().is_some_and(|(_, redirected)| *redirected).into())
            }),
            Member::Get("type", |this, _, _| with(this, |data| data.kind().into())),
            Member::Get("bodyUsed", |this, _, _| with(this, |data| data.used.get().into())),
            Member::Method("clone", 0, clone),
            Member::Method("text", 0, |this, _, context| read(this, As::Text, context)),
            Member::Method("json", 0, |this, _, context| read(this, As::Json, context)),
            Member::Method("arrayBuffer", 0, |this, _, context| read(this, As::Buffer, context)),
            Member::Method("bytes", 0, |this, _, context| read(this, As::Bytes, context)),
        ],
        context,
    )
}

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let prototype = prototypes(context).fetch_response.prototype.clone();
    let class = define::class("Response", 0, construct, &prototype, context)?;
    define::add(
        &class,
        &[
            Member::Method("json", 1, json),
            Member::Method("redirect", 1, redirect),
            Member::Method("error", 0, error),
        ],
        context,
    )
}

fn headers_of(this: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    with(this, |data| {
        let known = data.headers_object.borrow().clone();
        let object = known.unwrap_or_else(|| {
            let made = headers::of_shared(data.headers.clone(), context);
            *data.headers_object.borrow_mut() = Some(made.clone());
            made
        });
        object.into()
    })
}

/// A body that is still to come cannot be had twice without reading it; what is at hand can.
fn clone(this: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let copy = with(this, |data| -> JsResult<FetchResponse> {
        if data.used.get() {
            return Err(read_already().into());
        }
        let body = match &*data.body.borrow() {
            Held::Nothing => Held::Nothing,
            Held::Text(text) => Held::Text(text.clone()),
            Held::Bytes(bytes) => Held::Bytes(bytes.clone()),
            Held::Stream(body) => Held::Bytes(body.bytes().ok_or_else(|| {
                JsNativeError::typ()
                    .with_message("a body that is still on its way cannot be cloned; read it first")
            })?),
        };
        Ok(FetchResponse {
            status: data.status,
            status_text: data.status_text.clone(),
            headers: Rc::new(RefCell::new(data.headers.borrow().clone())),
            headers_object: GcRefCell::default(),
            body: RefCell::new(body),
            used: Cell::new(false),
            url: data.url.clone(),
        })
    })??;
    Ok(prototypes(context).fetch_response.instance(copy).into())
}
