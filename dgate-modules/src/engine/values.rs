//! Between Rust's values and the engine's.

use std::borrow::Cow;

use boa_engine::object::builtins::{JsArrayBuffer, JsDataView, JsTypedArray};
use boa_engine::string::JsStrVariant;
use boa_engine::{Context, JsNativeError, JsResult, JsString, JsValue};
use http::{HeaderName, HeaderValue};

use crate::message;

/// An argument, `undefined` when it is missing.
pub(super) fn argument(arguments: &[JsValue], index: usize) -> JsValue {
    arguments.get(index).cloned().unwrap_or_default()
}

/// Text, as `String(value)` gives it.
pub(super) fn text(value: &JsValue, context: &mut Context) -> JsResult<String> {
    Ok(value.to_string(context)?.to_std_string_lossy())
}

/// Text, unless the value is `undefined` or `null`.
pub(super) fn optional_text(value: &JsValue, context: &mut Context) -> JsResult<Option<String>> {
    if value.is_null_or_undefined() { Ok(None) } else { text(value, context).map(Some) }
}

/// Bytes of an `ArrayBuffer` or a view of one; nothing for other values.
pub(super) fn buffer_bytes(value: &JsValue, context: &mut Context) -> JsResult<Option<Vec<u8>>> {
    let Some(object) = value.as_object() else { return Ok(None) };
    if let Ok(buffer) = JsArrayBuffer::from_object(object.clone()) {
        return Ok(Some(buffer.to_vec().ok_or_else(detached)?));
    }
    let (buffer, offset, length) = if let Ok(array) = JsTypedArray::from_object(object.clone()) {
        let (offset, length) = (array.byte_offset(context)?, array.byte_length(context)?);
        (array.buffer(context)?, offset, length)
    } else if let Ok(view) = JsDataView::from_object(object) {
        let (offset, length) = (view.byte_offset(context)?, view.byte_length(context)?);
        (view.buffer(context)?, offset as usize, length as usize)
    } else {
        return Ok(None);
    };
    let Some(buffer) = buffer.as_object() else { return Ok(None) };
    let Ok(buffer) = JsArrayBuffer::from_object(buffer) else { return Ok(None) };
    let data = buffer.data().ok_or_else(detached)?;
    Ok(Some(data.get(offset..offset + length).unwrap_or_default().to_vec()))
}

fn detached() -> JsNativeError {
    JsNativeError::typ().with_message("the buffer is detached")
}

/// Bytes of a buffer, or of a text in UTF-8.
pub(super) fn bytes(value: &JsValue, context: &mut Context) -> JsResult<Vec<u8>> {
    match buffer_bytes(value, context)? {
        Some(bytes) => Ok(bytes),
        None => Ok(text(value, context)?.into_bytes()),
    }
}

/// A new `ArrayBuffer`.
pub(super) fn array_buffer(bytes: &[u8], context: &mut Context) -> JsResult<JsValue> {
    let buffer = JsArrayBuffer::new(bytes.len(), context)?;
    if let Some(mut data) = buffer.data_mut() {
        data.copy_from_slice(bytes);
    }
    Ok(buffer.into())
}

/// A string whose characters are these bytes, as headers are read.
pub(super) fn latin1(bytes: &[u8]) -> JsString {
    JsString::from(boa_engine::string::JsStr::latin1(bytes))
}

/// A header name.
pub(super) fn header_name(value: &JsValue, context: &mut Context) -> JsResult<HeaderName> {
    let text = value.to_string(context)?;
    Ok(message::header_name(bytes_of(&text).as_deref(), text.display_escaped())?)
}

/// A header value: bytes, without white space around.
pub(super) fn header_value(value: &JsValue, context: &mut Context) -> JsResult<HeaderValue> {
    let text = value.to_string(context)?;
    Ok(message::header_value(bytes_of(&text).as_deref(), text.display_escaped())?)
}

/// A text whose characters are all bytes.
fn bytes_of(text: &JsString) -> Option<Cow<'_, [u8]>> {
    match text.as_str().variant() {
        JsStrVariant::Latin1(bytes) => Some(bytes.into()),
        JsStrVariant::Utf16(units) => units.iter().map(|unit| u8::try_from(*unit).ok()).collect(),
    }
}
