//! What modules make: `new Response`, `Response.json`, `Response.redirect`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsString, JsValue, js_string};
use boa_gc::GcRefCell;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue, LOCATION};

use super::{FetchResponse, Held};
use crate::engine::api::{body, headers, prototypes, query, url};
use crate::engine::values::{argument, at_least, buffer_bytes, text};
use crate::message::{self, is_bare, with_body};

/// The body of what a module makes, and the type that it has if nothing else is said.
fn body_of(value: &JsValue, context: &mut Context) -> JsResult<(Held, Option<HeaderValue>)> {
    if value.is_null_or_undefined() {
        return Ok((Held::Nothing, None));
    }
    if let Some(bytes) = buffer_bytes(value, context)? {
        return Ok((Held::Bytes(bytes.into()), None));
    }
    let kind = if query::is(value) {
        "application/x-www-form-urlencoded;charset=UTF-8"
    } else {
        "text/plain;charset=UTF-8"
    };
    Ok((Held::Text(value.to_string(context)?), Some(HeaderValue::from_static(kind))))
}

/// The same of what is sent.
pub(in crate::engine::api) fn bytes_of_body(
    value: &JsValue,
    context: &mut Context,
) -> JsResult<Option<(Bytes, Option<HeaderValue>)>> {
    let (body, kind) = body_of(value, context)?;
    Ok(match body {
        Held::Text(text) => Some((text.to_std_string_lossy().into(), kind)),
        Held::Bytes(bytes) => Some((bytes, kind)),
        Held::Nothing | Held::Stream(_) => None,
    })
}

/// `new Response(body, { status, statusText, headers })`.
pub(super) fn construct(
    new_target: &JsValue,
    arguments: &[JsValue],
    context: &mut Context,
) -> JsResult<JsValue> {
    let Some(class) = new_target.as_object() else {
        return Err(JsNativeError::typ().with_message("`Response` needs `new`").into());
    };
    let made = make(&argument(arguments, 0), &argument(arguments, 1), context)?;
    let prototype = class.get(js_string!("prototype"), context)?;
    let object = prototypes(context).fetch_response.inherited(prototype.as_object(), made);
    Ok(object.into())
}

/// Options: an object, or nothing.
pub(in crate::engine::api) fn options(init: &JsValue) -> JsResult<Option<JsObject>> {
    match init.as_object() {
        None if !init.is_null_or_undefined() => {
            Err(JsNativeError::typ().with_message("options are an object").into())
        }
        options => Ok(options),
    }
}

/// What a status line can hold.
fn reason(text: &JsString) -> JsResult<()> {
    let fits = |unit: u16| matches!(unit, 0x09 | 0x20..=0x7e | 0x80..=0xff);
    if text.iter().all(fits) {
        return Ok(());
    }
    Err(JsNativeError::typ().with_message("`statusText` holds what a status line cannot").into())
}

fn make(value: &JsValue, init: &JsValue, context: &mut Context) -> JsResult<FetchResponse> {
    let (body, kind) = body_of(value, context)?;
    let init = options(init)?;
    let mut get = |name: &str| match &init {
        Some(init) => init.get(JsString::from(name), context),
        None => Ok(JsValue::undefined()),
    };
    let (status, status_text, headers) = (get("status")?, get("statusText")?, get("headers")?);
    let code = if status.is_undefined() { 200.0 } else { status.to_number(context)? };
    let Some(code) = message::response_status(code) else {
        return Err(message::no_response_status(text(&status, context)?).into());
    };
    let code = code.as_u16();
    if !matches!(body, Held::Nothing) && is_bare(code) {
        return Err(with_body(code).into());
    }
    let status_text =
        if status_text.is_undefined() { JsString::default() } else { status_text.to_string(context)? };
    reason(&status_text)?;
    let headers = if headers.is_null() { HeaderMap::new() } else { headers::read_init(&headers, context)? };
    let made = FetchResponse {
        status: code,
        status_text,
        headers: Rc::new(RefCell::new(headers)),
        headers_object: GcRefCell::default(),
        body: RefCell::new(body),
        used: Cell::new(false),
        url: None,
    };
    if let Some(kind) = kind.filter(|_| !made.headers.borrow().contains_key(CONTENT_TYPE)) {
        made.headers.borrow_mut().insert(CONTENT_TYPE, kind);
    }
    Ok(made)
}

/// `Response.json(value, init)`.
pub(super) fn json(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let bytes = body::json(&argument(arguments, 0), context)?;
    let made = make(&JsValue::undefined(), &argument(arguments, 1), context)?;
    if is_bare(made.status) {
        return Err(with_body(made.status).into());
    }
    *made.body.borrow_mut() = Held::Bytes(bytes);
    if !made.headers.borrow().contains_key(CONTENT_TYPE) {
        made.headers.borrow_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(prototypes(context).fetch_response.instance(made).into())
}

/// `Response.error()`: it stands for a failed request.
pub(super) fn error(_: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut made = make(&JsValue::undefined(), &JsValue::undefined(), context)?;
    made.status = 0;
    Ok(prototypes(context).fetch_response.instance(made).into())
}

/// `Response.redirect(url, status)`.
pub(super) fn redirect(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    at_least("redirect", 1, arguments)?;
    let url = url::parse(&text(&argument(arguments, 0), context)?, None)?;
    let status = argument(arguments, 1);
    let code = if status.is_undefined() { 302.0 } else { status.to_number(context)? };
    let Some(code) = message::redirect_status(code) else {
        return Err(message::no_redirect(text(&status, context)?).into());
    };
    let location = HeaderValue::from_str(url.as_str())
        .map_err(|error| JsNativeError::typ().with_message(error.to_string()))?;
    let mut made = make(&JsValue::undefined(), &JsValue::undefined(), context)?;
    made.headers.borrow_mut().insert(LOCATION, location);
    made.status = code.as_u16();
    Ok(prototypes(context).fetch_response.instance(made).into())
}
