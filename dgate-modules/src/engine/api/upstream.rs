//! `ctx.upstream()`.

use std::rc::Rc;

use boa_engine::object::builtins::JsArray;
use boa_engine::{Context, JsData, JsNativeError, JsObject, JsResult, JsString, JsValue};
use boa_gc::{Finalize, GcRefCell, Trace};
use http::StatusCode;
use http::header::SET_COOKIE;

use super::Class;
use super::body::{self, Form};
use super::define::{self, Member};
use super::headers;
use super::response::{cookie, status};
use super::state::{RequestState, Side};
use crate::engine::values::{argument, header_value, latin1, needs};
use crate::message;

/// What is behind an upstream's answer.
#[derive(Trace, Finalize, JsData)]
pub(super) struct UpstreamData {
    #[unsafe_ignore_trace]
    state: Rc<RequestState>,
    headers: GcRefCell<Option<JsObject>>,
}

pub(super) fn object(state: &Rc<RequestState>, class: &Class) -> JsObject {
    class.instance(UpstreamData { state: state.clone(), headers: GcRefCell::default() })
}

fn state(this: &JsValue) -> JsResult<Rc<RequestState>> {
    let object = this.as_object();
    let data = object.as_ref().and_then(|object| object.downcast_ref::<UpstreamData>());
    let data = data.ok_or_else(|| JsNativeError::typ().with_message("this is no upstream's answer"))?;
    Ok(data.state.clone())
}

pub(super) fn prototype(context: &mut Context) -> JsResult<JsObject> {
    define::prototype(
        &[
            Member::GetSet(
                "statusCode",
                |this, _, _| {
                    state(this)?.upstream(|response| JsValue::from(i32::from(response.status().as_u16())))
                },
                |this, arguments, context| set_status(this, arguments, context).map(|_| JsValue::undefined()),
            ),
            Member::Get("statusText", |this, _, _| {
                state(this)?.upstream(|response| {
                    JsString::from(response.status().canonical_reason().unwrap_or_default()).into()
                })
            }),
            Member::Get("protocol", |this, _, _| {
                state(this)?.upstream(|response| JsString::from(message::protocol(response.version())).into())
            }),
            Member::Get("contentLength", |this, _, _| {
                state(this)?.upstream(|response| message::response_length(response).into())
            }),
            Member::Get("headers", |this, _, context| {
                let object = this.as_object();
                let data = object.as_ref().and_then(|object| object.downcast_ref::<UpstreamData>());
                let data =
                    data.ok_or_else(|| JsNativeError::typ().with_message("this is no upstream's answer"))?;
                let known = data.headers.borrow().clone();
                Ok(known
                    .unwrap_or_else(|| {
                        let made = headers::of_message(&data.state, Side::Upstream, context);
                        *data.headers.borrow_mut() = Some(made.clone());
                        made
                    })
                    .into())
            }),
            Member::Method("text", 0, |this, _, context| read(this, Form::Text, context)),
            Member::Method("json", 0, |this, _, context| read(this, Form::Json, context)),
            Member::Method("readJson", 0, |this, _, context| read(this, Form::Json, context)),
            Member::Method("arrayBuffer", 0, |this, _, context| read(this, Form::Buffer, context)),
            Member::Method("readBody", 0, |this, _, context| read(this, Form::Buffer, context)),
            Member::Method("writeBody", 1, |this, arguments, context| {
                let bytes = body::written(&argument(arguments, 0), context)?;
                replace(this, bytes, None)
            }),
            Member::Method("writeJson", 1, |this, arguments, context| {
                let bytes = body::json(&argument(arguments, 0), context)?;
                replace(this, bytes, Some("application/json"))
            }),
            Member::Method("status", 1, set_status),
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
            Member::Method("cookie", 2, |this, arguments, context| {
                if arguments.is_empty() {
                    let found: Vec<JsValue> = state(this)?.upstream(|response| {
                        let all = response.headers().get_all(SET_COOKIE).iter();
                        all.map(|value| latin1(value.as_bytes()).into()).collect()
                    })?;
                    return Ok(JsArray::from_iter(found, context).into());
                }
                let value = cookie(arguments, context)?;
                headers::look_at_count(state(this)?.upstream(|response| response.headers().len())?, context)?;
                state(this)?.upstream(|response| response.headers_mut().append(SET_COOKIE, value))?;
                Ok(this.clone())
            }),
            Member::Method("toJSON", 0, |this, _, context| {
                let json = state(this)?
                    .upstream(|response| serde_json::json!({ "statusCode": response.status().as_u16() }))?;
                JsValue::from_json(&json, context)
            }),
        ],
        context,
    )
}

fn read(this: &JsValue, form: Form, context: &mut Context) -> JsResult<JsValue> {
    body::read(&*state(this)?, Side::Upstream, form, context)
}

fn replace(this: &JsValue, bytes: bytes::Bytes, kind: Option<&'static str>) -> JsResult<JsValue> {
    state(this)?.upstream(|response| message::replace_body(response, bytes, kind))?;
    Ok(this.clone())
}

fn set_status(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let code = status(&argument(arguments, 0), context)?;
    state(this)?.upstream(|response| message::set_status(response, code))??;
    Ok(this.clone())
}

fn redirect(this: &JsValue, url: &JsValue, code: StatusCode, context: &mut Context) -> JsResult<JsValue> {
    let location = header_value(url, context)?;
    state(this)?.upstream(|response| message::redirect(response, location, code))?;
    Ok(this.clone())
}
