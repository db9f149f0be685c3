//! `join` and `toLocaleString`, of arrays and of typed arrays.

use boa_engine::object::builtins::JsTypedArray;
use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsString, JsValue, js_string};

use super::super::bounds::{Most, text_length};
use super::super::define;
use super::super::texts::Parts;
use super::length;
use crate::engine::depth::look;
use crate::engine::host::Host;
use crate::engine::values::argument;

/// The text of an element.
type Written<'a> = &'a dyn Fn(&JsValue, &mut Context) -> JsResult<JsString>;

pub(super) fn install(array: &JsObject, typed: &JsObject, context: &mut Context) -> JsResult<()> {
    both(array, array_like, context)?;
    both(typed, typed_array, context)
}

/// What can be walked through, and its length; what cannot is left to the engine's own, which throws.
type Walked = fn(&JsValue, &mut Context) -> JsResult<Option<(JsObject, f64)>>;

fn array_like(this: &JsValue, context: &mut Context) -> JsResult<Option<(JsObject, f64)>> {
    if this.is_null_or_undefined() {
        return Ok(None);
    }
    let list = this.to_object(context)?;
    let length = length(&list, context)?;
    Ok(Some((list, length)))
}

fn typed_array(this: &JsValue, context: &mut Context) -> JsResult<Option<(JsObject, f64)>> {
    let Some(list) = this.as_object() else { return Ok(None) };
    let Ok(array) = JsTypedArray::from_object(list.clone()) else { return Ok(None) };
    let length = array.length(context)?;
    // It may be out of its buffer's bounds, which is an error.
    Ok((length > 0).then_some((list, length as f64)))
}

fn both(prototype: &JsObject, walked: Walked, context: &mut Context) -> JsResult<()> {
    define::instead(
        prototype,
        js_string!("join"),
        move |this, arguments, own, context| {
            let Some((list, length)) = walked(this, context)? else {
                return own.call(this, arguments, context);
            };
            let between = argument(arguments, 0);
            let between =
                if between.is_undefined() { js_string!(",") } else { between.to_string(context)? };
            joined(&list, length, &between, &JsValue::to_string, context)
        },
        context,
    )?;
    define::instead(
        prototype,
        js_string!("toLocaleString"),
        move |this, arguments, own, context| {
            let Some((list, length)) = walked(this, context)? else {
                return own.call(this, arguments, context);
            };
            let written = |element: &JsValue, context: &mut Context| locale(element, arguments, context);
            joined(&list, length, &js_string!(","), &written, context)
        },
        context,
    )
}

fn locale(element: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsString> {
    let object = element.to_object(context)?;
    let method = object.get(js_string!("toLocaleString"), context)?;
    let method = method
        .as_callable()
        .ok_or_else(|| JsNativeError::typ().with_message("`toLocaleString` of an element is no function"))?;
    method.call(element, &[argument(arguments, 0), argument(arguments, 1)], context)?.to_string(context)
}

/// ECMA-262, 23.1.3.18.
fn joined(
    list: &JsObject,
    length: f64,
    between: &JsString,
    written: Written<'_>,
    context: &mut Context,
) -> JsResult<JsValue> {
    let mut parts = Parts::default();
    Most::text(&Host::of(context)).bounds((length - 1.0).max(0.0) * between.len() as f64, context)?;
    for index in 0..length as u64 {
        look(context)?;
        let element = list.get(index, context)?;
        // What contains itself is not written there.
        let is_nothing =
            element.is_null_or_undefined() || element.as_object().is_some_and(|object| object == *list);
        let part = if is_nothing { JsString::default() } else { written(&element, context)? };
        parts.push(part, context)?;
    }
    let text = JsValue::from(parts.joined(between));
    Most::text(&Host::of(context)).bounds(text_length(&text), context)?;
    Ok(text)
}
