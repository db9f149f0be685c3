//! Reading and writing bodies. Nothing is read unless a module asks, and then at most `limits.body` bytes.

use boa_engine::object::builtins::JsPromise;
use boa_engine::{Context, JsError, JsNativeError, JsResult, JsString, JsValue};
use bytes::Bytes;
use dgate_core::Body;
use dgate_core::body::{CollectError, Collected};

use super::state::{RequestState, Side};
use crate::engine::depth::DEEPEST;
use crate::engine::errors;
use crate::engine::host::Host;
use crate::engine::limits::refused;
use crate::engine::ops::{self, Outcome, named_error};
use crate::engine::show::shown;
use crate::engine::values;
use crate::failure::LimitKind;

/// What a module wants a body as.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    Text,
    Json,
    Buffer,
}

/// Reads a body of an exchange: a promise. What was read stays in its place, and can be read again.
pub(super) fn read(state: &RequestState, side: Side, form: Form, context: &mut Context) -> JsResult<JsValue> {
    let host = Host::of(context);
    let limit = host.current().map_or(0, |call| call.limits().body);
    let body = match side {
        Side::Request => state.request(|part| take(&mut part.body, limit))?,
        _ => state.upstream(|response| take(response.body_mut(), limit))?,
    };
    match body {
        Taken::Whole(bytes) => settled(convert(&bytes, form, context), context),
        Taken::TooLarge => settled(Err(too_large(side, limit, context)), context),
        Taken::Stream(body) => {
            let read = async move {
                let read = body.collect_limited(limit).await;
                Box::new(move |context: &mut Context| put_back(read, side, form, limit, context)) as Outcome
            };
            ops::promise(read, context)
        }
    }
}

enum Taken {
    Whole(Bytes),
    TooLarge,
    Stream(Body),
}

fn take(body: &mut Body, limit: usize) -> Taken {
    match body.bytes() {
        Some(bytes) if bytes.len() > limit => Taken::TooLarge,
        Some(bytes) => Taken::Whole(bytes),
        None => Taken::Stream(std::mem::take(body)),
    }
}

/// A stream was read, or it was not.
fn put_back(
    read: Result<Collected, CollectError>,
    side: Side,
    form: Form,
    limit: usize,
    context: &mut Context,
) -> JsResult<JsValue> {
    let host = Host::of(context);
    match read {
        Ok(Collected { bytes, trailers }) => {
            let call =
                host.current().ok_or_else(|| JsNativeError::error().with_message("the call is over"))?;
            let body = crate::trailers::with_trailers(bytes.clone(), trailers);
            match side {
                Side::Request => call.state.request(|part| part.body = body)?,
                _ => call.state.upstream(|response| *response.body_mut() = body)?,
            }
            convert(&bytes, form, context)
        }
        Err(CollectError::TooLarge) => Err(too_large(side, limit, context)),
        Err(CollectError::Failed(error)) => {
            let name = if side == Side::Request { "ClientGone" } else { "Error" };
            Err(named_error(name, &format!("the body broke off: {error}"), context))
        }
    }
}

fn too_large(side: Side, limit: usize, context: &mut Context) -> JsError {
    let message = format!("the body is larger than the module may read ({limit} bytes)");
    let error = refused(LimitKind::Body, &*message, context);
    // What the client sent is no mistake of the module's.
    if side == Side::Request { named_error("BodyTooLarge", &message, context) } else { error }
}

/// A promise that is settled already. Made like one that waits: `Promise.resolve` costs twice as much.
pub(super) fn settled(result: JsResult<JsValue>, context: &mut Context) -> JsResult<JsValue> {
    let (settle, value) = match result {
        Ok(value) => (true, value),
        Err(error) if errors::is_fatal(&error) => return Err(error),
        Err(error) => (false, error.into_opaque(context)?),
    };
    let (promise, functions) = JsPromise::new_pending(context);
    let function = if settle { functions.resolve } else { functions.reject };
    function.call(&JsValue::undefined(), &[value], context)?;
    Ok(promise.into())
}

/// Bytes in the form that is wanted.
pub(super) fn convert(bytes: &[u8], form: Form, context: &mut Context) -> JsResult<JsValue> {
    match form {
        Form::Buffer => values::array_buffer(bytes, context),
        Form::Text => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            Ok(JsString::from(&*String::from_utf8_lossy(bytes)).into())
        }
        Form::Json => super::parse::value_of_bytes(bytes, context),
    }
}

/// Bytes of what a module writes as a body: text, or a buffer.
pub(super) fn written(value: &JsValue, context: &mut Context) -> JsResult<Bytes> {
    if value.is_null_or_undefined() {
        return Ok(Bytes::new());
    }
    if let Some(bytes) = values::buffer_bytes(value, context)? {
        return Ok(bytes.into());
    }
    if value.as_object().is_some_and(|object| !object.is_callable()) && !value.is_string() {
        return json(value, context);
    }
    Ok(values::text(value, context)?.into())
}

/// A value as JSON.
pub(super) fn json(value: &JsValue, context: &mut Context) -> JsResult<Bytes> {
    let json = super::stringify::json(value, DEEPEST, context)?;
    let json = json.ok_or_else(|| {
        let message = format!("{} cannot be written as JSON", shown(value, context));
        JsNativeError::typ().with_message(message)
    })?;
    Ok(json.into())
}
