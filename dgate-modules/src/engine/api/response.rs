//! `ctx.response()`: the module's own answer.

use std::rc::Rc;

use boa_engine::value::IntegerOrInfinity;
use boa_engine::{Context, JsData, JsNativeError, JsObject, JsResult, JsString, JsValue, js_string};
use boa_gc::{Finalize, GcRefCell, Trace};
use bytes::Bytes;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderValue, StatusCode};

use super::Class;
use super::body;
use super::define::{self, Member};
use super::headers;
use super::state::{RequestState, Side};
use crate::cookies::{self, SetCookie};
use crate::engine::host::Host;
use crate::engine::limits::refusal;
use crate::engine::show::shown;
use crate::engine::values::{argument, header_value, needs, text};
use crate::message;

/// What is behind an answer.
#[derive(Trace, Finalize, JsData)]
pub(super) struct ResponseData {
    #[unsafe_ignore_trace]
    state: Rc<RequestState>,
    headers: GcRefCell<Option<JsObject>>,
    locals: GcRefCell<Option<JsObject>>,
}

pub(super) fn object(state: &Rc<RequestState>, class: &Class) -> JsObject {
    class.instance(ResponseData {
        state: state.clone(),
        headers: GcRefCell::default(),
        locals: GcRefCell::default(),
    })
}

fn with<R>(this: &JsValue, work: impl FnOnce(&ResponseData) -> R) -> JsResult<R> {
    let object = this.as_object();
    let data = object.as_ref().and_then(|object| object.downcast_ref::<ResponseData>());
    let data = data.ok_or_else(|| JsNativeError::typ().with_message("this is no response"))?;
    Ok(work(&data))
}

fn state(this: &JsValue) -> JsResult<Rc<RequestState>> {
    with(this, |data| data.state.clone())
}

pub(super) fn prototype(context: &mut Context) -> JsResult<JsObject> {
    define::prototype(
        &[
            Member::Method("status", 1, |this, arguments, context| {
                let code = status(&argument(arguments, 0), context)?;
                state(this)?.draft(|draft| draft.status = Some(code))?;
                Ok(this.clone())
            }),
            Member::Method("json", 1, |this, arguments, context| {
                let bytes = body::json(&argument(arguments, 0), context)?;
                finish(this, bytes, Some("application/json"))
            }),
            Member::Method("send", 1, |this, arguments, context| {
                let value = argument(arguments, 0);
                let kind = kind_of(&value);
                let bytes = body::written(&value, context)?;
                finish(this, bytes, Some(kind))
            }),
            Member::Method("end", 1, |this, arguments, context| {
                let bytes = body::written(&argument(arguments, 0), context)?;
                let kind = kind_of(&argument(arguments, 0));
                let kind = (!bytes.is_empty()).then_some(kind);
                finish(this, bytes, kind)
            }),
            Member::Method("write", 1, write),
            Member::Method("redirect", 1, |this, arguments, context| {
                needs("redirect", &["url"], arguments)?;
                let code = argument(arguments, 1);
                let code = if code.is_undefined() {
                    StatusCode::TEMPORARY_REDIRECT
                } else {
                    status(&code, context)?
                };
                redirect(this, &argument(arguments, 0), code, context)
            }),
            Member::Method("redirectPermanent", 1, |this, arguments, context| {
                needs("redirectPermanent", &["url"], arguments)?;
                redirect(this, &argument(arguments, 0), StatusCode::MOVED_PERMANENTLY, context)
            }),
            Member::Method("location", 1, |this, arguments, context| {
                needs("location", &["url"], arguments)?;
                let location = header_value(&argument(arguments, 0), context)?;
                state(this)?.draft(|draft| drop(draft.headers.insert(LOCATION, location)))?;
                Ok(this.clone())
            }),
            Member::Method("cookie", 2, |this, arguments, context| {
                let value = cookie(arguments, context)?;
                headers::look_at_count(state(this)?.draft(|draft| draft.headers.len())?, context)?;
                state(this)?.draft(|draft| draft.headers.append(SET_COOKIE, value))?;
                Ok(this.clone())
            }),
            Member::Method("getCookie", 1, |this, arguments, context| {
                needs("getCookie", &["name"], arguments)?;
                let name = text(&argument(arguments, 0), context)?;
                let found = request_cookies(&*state(this)?)?.into_iter().find(|(known, _)| *known == name);
                Ok(found.map_or(JsValue::undefined(), |(_, value)| JsString::from(value).into()))
            }),
            Member::Method("getCookies", 0, |this, _, context| {
                let object = JsObject::with_object_proto(context.intrinsics());
                for (name, value) in request_cookies(&*state(this)?)? {
                    object.create_data_property_or_throw(
                        JsString::from(name),
                        JsString::from(value),
                        context,
                    )?;
                }
                Ok(object.into())
            }),
            Member::Get("headersSent", |this, _, _| state(this)?.draft(|draft| JsValue::from(draft.ended))),
            Member::Get("headers", |this, _, context| {
                with(this, |data| {
                    let known = data.headers.borrow().clone();
                    known.unwrap_or_else(|| {
                        let made = headers::of_message(&data.state, Side::Response, context);
                        *data.headers.borrow_mut() = Some(made.clone());
                        made
                    })
                })
                .map(JsValue::from)
            }),
            Member::Get("locals", |this, _, context| {
                with(this, |data| {
                    let known = data.locals.borrow().clone();
                    known.unwrap_or_else(|| {
                        let made = JsObject::with_object_proto(context.intrinsics());
                        *data.locals.borrow_mut() = Some(made.clone());
                        made
                    })
                })
                .map(JsValue::from)
            }),
        ],
        context,
    )
}

fn kind_of(value: &JsValue) -> &'static str {
    match value.as_object() {
        None => "text/plain; charset=utf-8",
        Some(object) => {
            let is_buffer = boa_engine::object::builtins::JsArrayBuffer::from_object(object.clone()).is_ok()
                || boa_engine::object::builtins::JsTypedArray::from_object(object).is_ok();
            if is_buffer { "application/octet-stream" } else { "application/json" }
        }
    }
}

/// The answer is complete.
fn finish(this: &JsValue, bytes: Bytes, kind: Option<&'static str>) -> JsResult<JsValue> {
    state(this)?.draft(|draft| draft.finish(bytes, kind))??;
    Ok(this.clone())
}

fn write(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let bytes = body::written(&argument(arguments, 0), context)?;
    let limit = Host::of(context).current().map_or(usize::MAX, |call| call.limits().body);
    let written = state(this)?.draft(|draft| draft.write(&bytes, limit))?;
    written.map_err(|thrown| refusal(thrown, context))?;
    Ok(this.clone())
}

fn redirect(this: &JsValue, url: &JsValue, code: StatusCode, context: &mut Context) -> JsResult<JsValue> {
    let location = header_value(url, context)?;
    state(this)?.draft(|draft| draft.redirect(location, code))?;
    Ok(this.clone())
}

/// A status code that a final response may have.
pub(super) fn status(value: &JsValue, context: &mut Context) -> JsResult<StatusCode> {
    let code = match value.to_integer_or_infinity(context)? {
        IntegerOrInfinity::Integer(code) => code as f64,
        _ => f64::INFINITY,
    };
    Ok(message::status(code, shown(value, context))?)
}

/// `Set-Cookie` of `(name, value, options)`.
pub(super) fn cookie(arguments: &[JsValue], context: &mut Context) -> JsResult<HeaderValue> {
    needs("cookie", &["name", "value"], arguments)?;
    let name = text(&argument(arguments, 0), context)?;
    let value = text(&argument(arguments, 1), context)?;
    let mut cookie = SetCookie::new(&name, &value)?;
    if let Some(options) = argument(arguments, 2).as_object() {
        for (key, attribute) in SetCookie::TEXTS {
            let value = options.get(JsString::from(key), context)?;
            if !value.is_null_or_undefined() {
                cookie.attribute(attribute, &text(&value, context)?)?;
            }
        }
        let expires = options.get(js_string!("expires"), context)?;
        if let Some(object) = expires.as_object() {
            let method = object.get(js_string!("toUTCString"), context)?;
            if let Some(method) = method.as_callable() {
                let date = method.call(&expires, &[], context)?;
                cookie.attribute("Expires", &text(&date, context)?)?;
            }
        } else if !expires.is_null_or_undefined() {
            cookie.attribute("Expires", &text(&expires, context)?)?;
        }
        for (key, attribute) in SetCookie::FLAGS {
            if options.get(JsString::from(key), context)?.to_boolean() {
                cookie.flag(attribute);
            }
        }
    }
    Ok(cookie.finish()?)
}

/// The request's cookies.
fn request_cookies(state: &RequestState) -> JsResult<Vec<(String, String)>> {
    state.request(|part| {
        let lines = part.head.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(cookies::parse).collect()
    })
}
