//! Typed arrays, whose elements may be as many as the bytes of a buffer.
//!
//! What goes through them element by element takes no more of them than of arrays. What is often done to the bytes of a
//! body has no such bound, and looks at the clock on its way.

use boa_engine::builtins::typed_array::TypedArrayKind;
use boa_engine::object::builtins::{JsArray, JsFunction, JsTypedArray};
use boa_engine::{Context, JsObject, JsResult, JsString, JsValue, js_string};

use super::super::define;
use super::{bounded, elements};
use crate::engine::host::Host;
use crate::engine::values::{argument, array_bytes_mut};

/// Methods that go through elements.
const METHODS: [&str; 17] = [
    "every",
    "filter",
    "find",
    "findIndex",
    "findLast",
    "findLastIndex",
    "forEach",
    "lastIndexOf",
    "map",
    "reduce",
    "reduceRight",
    "reverse",
    "some",
    "sort",
    "toReversed",
    "toSorted",
    "with",
];
/// So many bytes are gone through at once.
const BYTES_AT_ONCE: f64 = 64.0;

pub(super) fn install(prototype: &JsObject, context: &mut Context) -> JsResult<()> {
    for name in METHODS {
        define::instead(
            prototype,
            JsString::from(name),
            |this, arguments, own, context| {
                bounded(length(this, context)?, context)?;
                own.call(this, arguments, context)
            },
            context,
        )?;
    }
    define::instead(prototype, js_string!("fill"), fill, context)?;
    define::instead(prototype, js_string!("set"), set, context)?;
    define::instead(
        prototype,
        js_string!("indexOf"),
        |this, arguments, own, context| match find(this, arguments, context)? {
            Found::At(at) => Ok((at as f64).into()),
            Found::Nowhere => Ok((-1).into()),
            Found::NotLooked => own.call(this, arguments, context),
        },
        context,
    )?;
    define::instead(
        prototype,
        js_string!("includes"),
        |this, arguments, own, context| match find(this, arguments, context)? {
            Found::At(_) => Ok(true.into()),
            Found::Nowhere => Ok(false.into()),
            Found::NotLooked => own.call(this, arguments, context),
        },
        context,
    )
}

/// How many elements a typed array has; other values have none.
pub(super) fn length(value: &JsValue, context: &mut Context) -> JsResult<f64> {
    let array = value.as_object().and_then(|object| JsTypedArray::from_object(object).ok());
    Ok(array.map_or(Ok(0), |array| array.length(context))? as f64)
}

/// ECMA-262, 23.2.3.9: one element, of which the others are copies.
fn fill(this: &JsValue, arguments: &[JsValue], own: &JsFunction, context: &mut Context) -> JsResult<JsValue> {
    let length = length(this, context)?;
    let value = argument(arguments, 0).to_number(context)?;
    let begin = place(&argument(arguments, 1), length, 0.0, context)?;
    let end = place(&argument(arguments, 2), length, length, context)?;
    let first = [value.into(), begin.into(), end.min(begin + 1).into()];
    let result = own.call(this, &first, context)?;
    // What was converted may have made the buffer shorter.
    let length = self::length(this, context)?;
    let end = end.min(length as usize);
    if let Some(array) = this.as_object().filter(|_| end > begin + 1) {
        Host::of(context).look_at_clock_after((end - begin) as f64 / BYTES_AT_ONCE)?;
        array_bytes_mut(&array, context, |bytes| {
            let size = bytes.len() / length as usize;
            let Some(bytes) = bytes.get_mut(begin * size..end * size) else { return };
            let mut filled = size;
            while filled < bytes.len() {
                let (before, after) = bytes.split_at_mut(filled);
                let more = filled.min(after.len());
                after[..more].copy_from_slice(&before[..more]);
                filled += more;
            }
        })?;
    }
    Ok(result)
}

/// Where something begins or ends, counted from the end if negative.
fn place(value: &JsValue, length: f64, otherwise: f64, context: &mut Context) -> JsResult<usize> {
    let place = if value.is_undefined() { otherwise } else { value.to_number(context)?.trunc() };
    let place = if place.is_nan() { 0.0 } else { place };
    let place = if place < 0.0 { (length + place).max(0.0) } else { place.min(length) };
    Ok(place as usize)
}

/// What is set from something else than a typed array is made a list of first.
fn set(this: &JsValue, arguments: &[JsValue], own: &JsFunction, context: &mut Context) -> JsResult<JsValue> {
    let source = argument(arguments, 0);
    let is_typed = source.as_object().is_some_and(|object| JsTypedArray::from_object(object).is_ok());
    let mut arguments = arguments.to_vec();
    if !is_typed && let Some(list) = elements(&source, context)? {
        arguments[0] = JsArray::from_iter(list, context).into();
    }
    own.call(this, &arguments, context)
}

/// Where a byte is among bytes.
enum Found {
    At(usize),
    Nowhere,
    /// Other arrays are left to the engine's own.
    NotLooked,
}

fn find(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<Found> {
    let length = length(this, context)?;
    let array = this.as_object().and_then(|object| JsTypedArray::from_object(object).ok());
    let is_bytes = array.as_ref().and_then(JsTypedArray::kind) == Some(TypedArrayKind::Uint8);
    let Some(array) = array.filter(|_| is_bytes) else {
        bounded(length, context)?;
        return Ok(Found::NotLooked);
    };
    let begin = place(&argument(arguments, 1), length, 0.0, context)?;
    let Some(number) = argument(arguments, 0).as_number() else { return Ok(Found::Nowhere) };
    if number.fract().abs() > 0.0 || !(0.0..=255.0).contains(&number) {
        return Ok(Found::Nowhere);
    }
    Host::of(context).look_at_clock_after(length / BYTES_AT_ONCE)?;
    let mut found = Found::Nowhere;
    array_bytes_mut(&array.into(), context, |bytes| {
        let rest = bytes.get(begin..).unwrap_or_default();
        if let Some(at) = memchr::memchr(number as u8, rest) {
            found = Found::At(begin + at);
        }
    })?;
    Ok(found)
}
