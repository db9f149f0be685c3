//! `ctx.request()`.

use std::rc::Rc;

use boa_engine::{Context, JsData, JsNativeError, JsObject, JsResult, JsString, JsValue};
use boa_gc::{Finalize, GcRefCell, Trace};
use dgate_core::Body;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Version};
use http_body::Body as _;

use super::Class;
use super::body::{self, Form};
use super::define::{self, Member};
use super::headers;
use super::state::{RequestState, Side, with_target, write_query};
use crate::engine::values::{argument, text};

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
                let scheme = if state.info.client.tls { "https" } else { "http" };
                state.request(|part| {
                    let host = host_of(part);
                    let target = part.head.uri.path_and_query().map_or("/", |target| target.as_str());
                    JsString::from(format!("{scheme}://{host}{target}")).into()
                })
            }),
            Member::Get("host", |this, _, _| {
                state(this)?.request(|part| JsString::from(host_of(part)).into())
            }),
            Member::Get("proto", |this, _, _| {
                state(this)?.request(|part| JsString::from(version(part.head.version)).into())
            }),
            Member::Get("remoteAddress", |this, _, _| {
                Ok(JsString::from(state(this)?.info.client.ip.to_string()).into())
            }),
            Member::Get("contentLength", |this, _, _| {
                state(this)?.request(|part| {
                    let exact = part.body.size_hint().exact().map(|length| length as f64);
                    let said = || {
                        let said = part.head.headers.get(CONTENT_LENGTH)?;
                        said.to_str().ok()?.parse::<f64>().ok()
                    };
                    let length = if part.gone { said() } else { exact };
                    length.map_or(JsValue::from(-1), JsValue::from)
                })
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

fn host_of(part: &crate::exchange::RequestPart) -> String {
    let header = part.head.headers.get(HOST).and_then(|host| host.to_str().ok());
    header.or(part.head.uri.authority().map(|authority| authority.as_str())).unwrap_or_default().to_owned()
}

/// The name of an HTTP version.
pub(super) fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        _ => "HTTP/1.1",
    }
}

fn set_method(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let name = text(&argument(arguments, 0), context)?;
    let method = Method::from_bytes(name.as_bytes()).ok().filter(|method| *method != Method::CONNECT);
    let method = method
        .ok_or_else(|| JsNativeError::typ().with_message(format!("`{name}` is no method for a request")))?;
    state(this)?.open_request(|part| part.head.method = method)?;
    Ok(JsValue::undefined())
}

fn set_path(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let path = text(&argument(arguments, 0), context)?;
    let bad = || JsNativeError::typ().with_message(format!("`{path}` is no path"));
    if !path.starts_with('/') {
        return Err(bad().into());
    }
    let encoded: String = path
        .chars()
        .flat_map(|c| {
            let plain = c.is_ascii_graphic() && !matches!(c, '#' | '"' | '<' | '>' | '`');
            let mut buffer = [0; 4];
            if plain {
                vec![c]
            } else {
                let bytes = c.encode_utf8(&mut buffer).as_bytes();
                bytes.iter().flat_map(|byte| format!("%{byte:02X}").chars().collect::<Vec<_>>()).collect()
            }
        })
        .collect();
    state(this)?
        .open_request(|part| {
            let target = match part.head.uri.query() {
                Some(query) if !encoded.contains('?') => format!("{encoded}?{query}"),
                _ => encoded.clone(),
            };
            with_target(&part.head.uri, &target).map(|uri| part.head.uri = uri)
        })?
        .ok_or_else(bad)?;
    Ok(JsValue::undefined())
}
