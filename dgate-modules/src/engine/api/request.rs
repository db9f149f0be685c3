//! `ctx.request()`.

use std::rc::Rc;

use boa_engine::{Context, JsData, JsNativeError, JsObject, JsResult, JsString, JsValue};
use boa_gc::{Finalize, GcRefCell, Trace};
use dgate_core::Body;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::Class;
use super::body::{self, Form};
use super::define::{self, Member};
use super::headers;
use super::state::{RequestState, Side, write_query};
use crate::engine::values::{argument, text};
use crate::exchange::RequestPart;
use crate::message;

/// What is behind a request.
#[derive(Trace, Finalize, JsData)]
pub(super) struct RequestData {
    #[unsafe_ignore_trace]
    state: Rc<RequestState>,
    headers: GcRefCell<Option<JsObject>>,
    /// The `ctx` that it belongs to, on which the query hangs.
    owner: JsObject,
}

pub(super) fn object(state: &Rc<RequestState>, owner: JsObject, class: &Class) -> JsObject {
    let data = RequestData { state: state.clone(), headers: GcRefCell::default(), owner };
    class.instance(data)
}

fn owner(this: &JsValue) -> JsResult<JsObject> {
    let object = this.as_object();
    let data = object.as_ref().and_then(|object| object.downcast_ref::<RequestData>());
    let data = data.ok_or_else(|| JsNativeError::typ().with_message("this is no request"))?;
    Ok(data.owner.clone())
}

fn state(this: &JsValue) -> JsResult<Rc<RequestState>> {
    let object = this.as_object();
    let data = object.as_ref().and_then(|object| object.downcast_ref::<RequestData>());
    let data = data.ok_or_else(|| JsNativeError::typ().with_message("this is no request"))?;
    Ok(data.state.clone())
}

pub(super) fn prototype(context: &mut Context) -> JsResult<JsObject> {
    define::prototype(
        &[
            Member::GetSet(
                "method",
                |this, _, _| state(this)?.request(|part| JsString::from(part.head.method.as_str()).into()),
                set_method,
            ),
            Member::GetSet(
                "path",
                |this, _, _| state(this)?.request(|part| JsString::from(part.head.uri.path()).into()),
                set_path,
            ),
            Member::Get("url", |this, _, _| {
                let state = state(this)?;
                write_query(&owner(this)?, &state);
                let tls = state.info.client.tls;
                state.request(|part| {
                    JsString::from(message::url(tls, &part.head.headers, &part.head.uri)).into()
                })
            }),
            Member::Get("host", |this, _, _| {
                state(this)?.request(|part| JsString::from(host_of(part)).into())
            }),
            Member::Get("proto", |this, _, _| {
                state(this)?.request(|part| JsString::from(message::protocol(part.head.version)).into())
            }),
            Member::Get("remoteAddress", |this, _, _| {
                Ok(JsString::from(state(this)?.info.client.ip.to_string()).into())
            }),
            Member::Get("contentLength", |this, _, _| {
                state(this)?
                    .request(|part| message::request_length(&part.head.headers, &part.body, part.gone).into())
            }),
            Member::Get("headers", |this, _, context| {
                let object = this.as_object();
                let data = object.as_ref().and_then(|object| object.downcast_ref::<RequestData>());
                let data = data.ok_or_else(|| JsNativeError::typ().with_message("this is no request"))?;
                let known = data.headers.borrow().clone();
                Ok(known
                    .unwrap_or_else(|| {
                        let made = headers::of_message(&data.state, Side::Request, context);
                        *data.headers.borrow_mut() = Some(made.clone());
                        made
                    })
                    .into())
            }),
            Member::Get("query", |this, _, context| {
                Ok(super::context::query_object(&owner(this)?.into(), context)?.into())
            }),
            Member::Method("text", 0, |this, _, context| read(this, Form::Text, context)),
            Member::Method("json", 0, |this, _, context| read(this, Form::Json, context)),
            Member::Method("readJson", 0, |this, _, context| read(this, Form::Json, context)),
            Member::Method("arrayBuffer", 0, |this, _, context| read(this, Form::Buffer, context)),
            Member::Method("readBody", 0, |this, _, context| read(this, Form::Buffer, context)),
            Member::Method("writeBody", 1, |this, arguments, context| {
                let bytes = body::written(&argument(arguments, 0), context)?;
                state(this)?.open_request(|part| part.body = Body::full(bytes))?;
                Ok(this.clone())
            }),
            Member::Method("writeJson", 1, |this, arguments, context| {
                let bytes = body::json(&argument(arguments, 0), context)?;
                state(this)?.open_request(|part| {
                    part.body = Body::full(bytes);
                    let json = HeaderValue::from_static("application/json");
                    part.head.headers.insert(CONTENT_TYPE, json);
                })?;
                Ok(this.clone())
            }),
            Member::Method("toJSON", 0, |this, _, context| {
                let json = state(this)?.request(|part| {
                    serde_json::json!({
                        "method": part.head.method.as_str(), "path": part.head.uri.path(),
                        "query": part.head.uri.query(), "host": host_of(part),
                    })
                })?;
                JsValue::from_json(&json, context)
            }),
        ],
        context,
    )
}

fn read(this: &JsValue, form: Form, context: &mut Context) -> JsResult<JsValue> {
    let state = state(this)?;
    state.open_request(|_| ())?;
    body::read(&state, Side::Request, form, context)
}

fn host_of(part: &RequestPart) -> &str {
    message::host(&part.head.headers, &part.head.uri)
}

fn set_method(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let method = message::method(&text(&argument(arguments, 0), context)?)?;
    state(this)?.open_request(|part| part.head.method = method)?;
    Ok(JsValue::undefined())
}

fn set_path(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let path = text(&argument(arguments, 0), context)?;
    let (state, owner) = (state(this)?, owner(this)?);
    write_query(&owner, &state);
    state.open_request(|part| message::with_path(&part.head.uri, &path).map(|uri| part.head.uri = uri))??;
    if path.contains('?') {
        super::context::forget_query(&owner);
    }
    Ok(JsValue::undefined())
}
