//! `atob`, `btoa`, `crypto`, `performance`, `queueMicrotask`.

use boa_engine::builtins::typed_array::TypedArrayKind;
use boa_engine::object::builtins::{JsArrayBuffer, JsPromise, JsTypedArray, JsUint8Array};
use boa_engine::string::JsStrVariant;
use boa_engine::{Context, JsNativeError, JsResult, JsString, JsValue, js_string};

use super::decoder;
use super::define::{self, Member};
use super::prelude::dom_error;
use crate::bytes_text;
use crate::engine::host::Host;
use crate::engine::values::{argument, array_buffer, at_least, buffer_bytes, text};

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    define::function("btoa", 1, btoa, context)?;
    define::function("atob", 1, atob, context)?;
    define::function("queueMicrotask", 1, queue_microtask, context)?;
    decoder::install(context)?;
    let performance = define::prototype(
        &[Member::Method("now", 0, |_, _, context| {
            Ok((Host::of(context).clock.elapsed().as_secs_f64() * 1e3).into())
        })],
        context,
    )?;
    define::global("performance", performance.into(), context)?;
    let subtle = define::prototype(&[Member::Method("digest", 2, digest)], context)?;
    let crypto = define::prototype(
        &[
            Member::Method("randomUUID", 0, |_, _, _| Ok(JsString::from(crate::random::uuid()).into())),
            Member::Method("getRandomValues", 1, random_values),
        ],
        context,
    )?;
    crypto.create_data_property_or_throw(js_string!("subtle"), subtle, context)?;
    define::global("crypto", crypto.into(), context)
}

/// A `Uint8Array` of bytes.
pub(super) fn uint8_array(bytes: &[u8], context: &mut Context) -> JsResult<JsValue> {
    let buffer = array_buffer(bytes, context)?;
    let buffer = JsArrayBuffer::from_object(buffer.to_object(context)?)?;
    Ok(JsUint8Array::from_array_buffer(buffer, context)?.into())
}

/// Characters as bytes; nothing when one does not fit.
fn binary(text: &JsString) -> Option<Vec<u8>> {
    match text.as_str().variant() {
        JsStrVariant::Latin1(bytes) => Some(bytes.to_vec()),
        JsStrVariant::Utf16(units) => units.iter().map(|unit| u8::try_from(*unit).ok()).collect(),
    }
}

fn btoa(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    at_least("btoa", 1, arguments)?;
    let value = argument(arguments, 0).to_string(context)?;
    match binary(&value) {
        Some(bytes) => Ok(JsString::from(bytes_text::base64(&bytes)).into()),
        None => Err(dom_error("InvalidCharacterError", "`btoa` takes characters up to U+00FF only", context)),
    }
}

fn atob(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    at_least("atob", 1, arguments)?;
    let value = argument(arguments, 0).to_string(context)?;
    let decoded = binary(&value).and_then(bytes_text::forgiving);
    match decoded {
        Some(bytes) => Ok(crate::engine::values::latin1(&bytes).into()),
        None => Err(dom_error("InvalidCharacterError", "`atob`: this is not base64", context)),
    }
}

fn queue_microtask(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let callback = argument(arguments, 0)
        .as_function()
        .ok_or_else(|| JsNativeError::typ().with_message("`queueMicrotask` needs a function"))?;
    JsPromise::resolve(JsValue::undefined(), context)?.then(Some(callback), None, context)?;
    Ok(JsValue::undefined())
}

fn random_values(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let value = argument(arguments, 0);
    let not = "`getRandomValues` needs a typed array of integers";
    let no_array = || JsNativeError::typ().with_message(not);
    let array = JsTypedArray::from_object(value.as_object().ok_or_else(no_array)?).map_err(|_| no_array())?;
    if matches!(array.kind(), Some(TypedArrayKind::Float32 | TypedArrayKind::Float64)) {
        return Err(dom_error("TypeMismatchError", not, context));
    }
    let (offset, length) = (array.byte_offset(context)?, array.byte_length(context)?);
    if length > 65_536 {
        return Err(dom_error("QuotaExceededError", "more than 65536 random bytes at once", context));
    }
    let buffer = array.buffer(context)?.as_object().ok_or_else(no_array)?;
    let buffer = JsArrayBuffer::from_object(buffer)?;
    if let Some(mut data) = buffer.data_mut()
        && let Some(part) = data.get_mut(offset..offset + length)
    {
        crate::random::fill(part);
    }
    Ok(value)
}

fn digest(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let algorithm = argument(arguments, 0);
    let name = match algorithm.as_object() {
        Some(object) => object.get(js_string!("name"), context)?,
        None => algorithm,
    };
    let name = text(&name, context)?.to_ascii_uppercase();
    let bytes = buffer_bytes(&argument(arguments, 1), context)?
        .ok_or_else(|| JsNativeError::typ().with_message("`digest` needs a buffer"))?;
    let known = matches!(name.as_str(), "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512");
    let result = match crate::hash::digest(&name.replace('-', "").to_ascii_lowercase(), &bytes) {
        Some(digest) if known => array_buffer(&digest, context),
        _ => Err(dom_error("NotSupportedError", &format!("`{name}` is not supported"), context)),
    };
    super::body::settled(result, context)
}
