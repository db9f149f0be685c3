//! `dgate/test`: what tests of modules import. Only programs that are tests can.

use std::rc::Rc;
use std::time::Duration;

use boa_engine::object::builtins::JsFunction;
use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsString, JsValue, Source};
use bytes::Bytes;
use dgate_core::Body;
use http::{HeaderMap, Method, Request, Response, StatusCode};

use super::context::{self, context_object};
use super::define::{self, Member};
use super::state::RequestState;
use super::{headers, modules, prelude, prototypes};
use crate::engine::host::Host;
use crate::engine::ops::{self, Outcome};
use crate::engine::values::{argument, bytes, text};
use crate::exchange::{DraftBody, RequestPart};
use crate::worker;

/// A member of `dgate/test`; all importers share one.
pub(super) fn member(name: &str, context: &mut Context) -> JsResult<JsValue> {
    let known = prototypes(context).testing.get().cloned();
    let testing = match known {
        Some(testing) => testing,
        None => {
            let make = context.eval(Source::from_bytes(include_str!("testing.js")))?;
            let native = lent(context)?;
            // The first module of a program that is a test runs the others, and may do everything.
            let state = modules::object("dgate/state", 0, context)?;
            let made = make
                .as_callable()
                .ok_or_else(|| JsNativeError::error().with_message("`dgate/test` is a function"))?
                .call(&JsValue::undefined(), &[native.into(), state.into()], context)?
                .to_object(context)?;
            let _ = prototypes(context).testing.set(made.clone());
            made
        }
    };
    testing.get(JsString::from(name), context)
}

/// What it borrows.
fn lent(context: &mut Context) -> JsResult<JsObject> {
    define::prototype(
        &[
            Member::Method("setMock", 1, |_, arguments, context| {
                let mock = argument(arguments, 0).as_function();
                let is_default = argument(arguments, 1).to_boolean();
                let host = Host::of(context);
                // What the network answers is not in the way of one that is there.
                let mock = mock.filter(|_| !is_default || host.capabilities.fetch.get().is_none());
                *host.mock.borrow_mut() = mock;
                Ok(JsValue::undefined())
            }),
            Member::Method("stopTime", 1, |_, arguments, context| {
                let at = argument(arguments, 0);
                let at = if at.is_undefined() {
                    None
                } else {
                    Some(prelude::milliseconds(at.to_number(context)?))
                };
                Host::of(context).clock.stop(at);
                Ok(JsValue::undefined())
            }),
            Member::Method("passTime", 1, pass_time),
            Member::Method("milliseconds", 1, |_, arguments, context| {
                let duration = modules::duration(&argument(arguments, 0), context)?;
                Ok((duration.as_secs_f64() * 1e3).into())
            }),
            Member::Method("makeContext", 4, make_context),
            Member::Method("setUpstream", 4, set_upstream),
            Member::Method("result", 1, result),
            Member::Method("script", 1, |_, arguments, context| {
                let make = prelude::function("scriptContext", context)?;
                make.call(&JsValue::undefined(), arguments, context)
            }),
        ],
        context,
    )
}

/// Timers go off in their order, each in a turn of its own.
fn pass_time(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let time = prelude::milliseconds(argument(arguments, 0).to_number(context)?);
    let host = Host::of(context);
    let now =
        host.clock.stopped().ok_or_else(|| JsNativeError::typ().with_message("time was not stopped"))?;
    let until: Duration = now + time;
    let runtime = host.operations.runtime();
    ops::promise(
        async move {
            // Whatever follows from a timer has its chance to set others.
            tokio::task::yield_now().await;
            while worker::pass_time(runtime, until) {
                tokio::task::yield_now().await;
            }
            Box::new(|_: &mut Context| Ok(JsValue::undefined())) as Outcome
        },
        context,
    )
}

/// `(method, target, headers, body)`: a `ctx` of nobody's request.
fn make_context(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let bad = |what: &str| JsNativeError::typ().with_message(format!("this is no {what}"));
    let method = text(&argument(arguments, 0), context)?;
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| bad("method"))?;
    let target = text(&argument(arguments, 1), context)?;
    let body = Bytes::from(bytes(&argument(arguments, 3), context)?);
    let mut request = Request::builder()
        .method(method)
        .uri(target.as_str())
        .body(Body::full(body))
        .map_err(|_| bad("path"))?;
    *request.headers_mut() = headers::copy_of(&argument(arguments, 2)).unwrap_or_default();
    let host = Host::of(context);
    let call = host.current().ok_or_else(|| {
        JsNativeError::error().with_message("`ctx` is made in a test, not at the top level of a file")
    })?;
    let state = Rc::new(RequestState::new(call.state.info.clone()));
    // `env` is that of what is tested: the first module that is no test.
    let tested = host.program.modules.iter().position(|module| !module.permissions.everything());
    state.exchange()?.request = Some(RequestPart::take(&mut request));
    Ok(context_object(state, tested.unwrap_or_default(), context).into())
}

/// `(ctx, status, headers, body)`: what the upstream answered.
fn set_upstream(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let status = argument(arguments, 1).to_number(context)?;
    let body = Bytes::from(bytes(&argument(arguments, 3), context)?);
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = StatusCode::from_u16(status as u16)
        .map_err(|_| JsNativeError::range().with_message(format!("{status} is no status")))?;
    *response.headers_mut() = headers::copy_of(&argument(arguments, 2)).unwrap_or_default();
    context::with(&argument(arguments, 0), |data| {
        data.state.exchange().map(|mut exchange| exchange.upstream = Some(response))
    })??;
    Ok(JsValue::undefined())
}

/// What the hooks wrote so far: `{ answered, status, headers, body }`.
fn result(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    type Written = (bool, Option<StatusCode>, HeaderMap, Bytes);
    let (answered, status, map, body): Written = context::with(&argument(arguments, 0), |data| {
        data.state.draft(|draft| {
            let body = match &draft.body {
                DraftBody::Empty => Bytes::new(),
                DraftBody::Written(written) => Bytes::copy_from_slice(written),
                DraftBody::Whole(bytes) => bytes.clone(),
                DraftBody::Passed(body) => body.bytes().unwrap_or_default(),
            };
            (draft.answers(), draft.status, draft.headers.clone(), body)
        })
    })??;
    let object = JsObject::with_object_proto(context.intrinsics());
    let status = status.map_or(200, |status| status.as_u16());
    let headers = headers::of_map(map, context);
    let body = JsString::from(&*String::from_utf8_lossy(&body));
    let members: [(&str, JsValue); 4] = [
        ("answered", answered.into()),
        ("status", i32::from(status).into()),
        ("headers", headers.into()),
        ("body", body.into()),
    ];
    for (name, value) in members {
        object.create_data_property_or_throw(JsString::from(name), value, context)?;
    }
    Ok(object.into())
}

/// What answers a `fetch` instead of the network, in tests that say so.
pub(super) fn mock(context: &Context) -> Option<JsFunction> {
    Host::of(context).mock.borrow().clone()
}
