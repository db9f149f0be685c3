//! `Array.from`, and that of typed arrays.

use boa_engine::object::builtins::{JsArray, JsFunction};
use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsSymbol, JsValue, NativeFunction, js_string};

use super::super::bounds::text_length;
use super::{bounded, elements, fixed_length, length};
use crate::engine::depth::look;
use crate::engine::values::argument;

/// ECMA-262, 23.1.2.1.
pub(super) fn array_from(
    this: &JsValue,
    arguments: &[JsValue],
    own: &JsFunction,
    context: &mut Context,
) -> JsResult<JsValue> {
    let Some(items) = items(arguments, context)? else { return own.call(this, arguments, context) };
    let map = argument(arguments, 1);
    if !map.is_undefined() && !map.is_callable() {
        return own.call(this, arguments, context);
    }
    match iterated(&items, context)? {
        Some(iterable) => own.call(this, &instead_of_first(iterable, arguments), context),
        None => {
            let (map, mapped_as) = (map.as_callable(), argument(arguments, 2));
            listed(this, &items, map.as_ref(), &mapped_as, context)
        }
    }
}

/// What has no iterator is a list by its length.
fn listed(
    this: &JsValue,
    items: &JsObject,
    map: Option<&JsObject>,
    mapped_as: &JsValue,
    context: &mut Context,
) -> JsResult<JsValue> {
    let length = length(items, context)?;
    let array = context.intrinsics().constructors().array().constructor();
    let constructor = this.as_object().filter(|this| this.is_constructor() && *this != array);
    let made = match constructor {
        Some(constructor) => Some(constructor.construct(&[length.into()], None, context)?),
        None => None,
    };
    let mut elements = Vec::new();
    for index in 0..length as u64 {
        look(context)?;
        let mut element = items.get(index, context)?;
        if let Some(map) = map {
            element = map.call(mapped_as, &[element, index.into()], context)?;
        }
        match &made {
            Some(made) => {
                made.create_data_property_or_throw(index, element, context)?;
            }
            None => elements.push(element),
        }
    }
    let Some(made) = made else { return Ok(JsArray::from_iter(elements, context).into()) };
    made.set(js_string!("length"), length, true, context)?;
    Ok(made.into())
}

/// ECMA-262, 23.2.2.1. What has no iterator is made an array first.
pub(super) fn typed_from(
    this: &JsValue,
    arguments: &[JsValue],
    own: &JsFunction,
    context: &mut Context,
) -> JsResult<JsValue> {
    let Some(items) = items(arguments, context)? else { return own.call(this, arguments, context) };
    let iterable = match iterated(&items, context)? {
        Some(iterable) => iterable,
        None => JsArray::from_iter(elements(&items.into(), context)?.unwrap_or_default(), context).into(),
    };
    own.call(this, &instead_of_first(iterable, arguments), context)
}

/// What is no object is left to the engine's own.
fn items(arguments: &[JsValue], context: &Context) -> JsResult<Option<JsObject>> {
    let items = argument(arguments, 0);
    let Some(object) = items.as_object() else {
        bounded(text_length(&items), context)?;
        return Ok(None);
    };
    if object.is_array() {
        bounded(fixed_length(&object).unwrap_or_default(), context)?;
    }
    Ok(Some(object))
}

fn instead_of_first(first: JsObject, arguments: &[JsValue]) -> Vec<JsValue> {
    std::iter::once(first.into()).chain(arguments.iter().skip(1).cloned()).collect()
}

/// Something that is iterated as `items` are, if they are: that is asked for once.
fn iterated(items: &JsObject, context: &mut Context) -> JsResult<Option<JsObject>> {
    let iterate = items.get(JsSymbol::iterator(), context)?;
    if iterate.is_null_or_undefined() {
        return Ok(None);
    }
    let Some(iterate) = iterate.as_callable() else {
        return Err(JsNativeError::typ().with_message("`Symbol.iterator` is no function").into());
    };
    let iterate = NativeFunction::from_copy_closure_with_captures(
        |_, _, (iterate, items): &(JsObject, JsObject), context| {
            iterate.call(&items.clone().into(), &[], context)
        },
        (iterate, items.clone()),
    );
    let object = JsObject::with_null_proto();
    let iterate = iterate.to_js_function(context.realm());
    object.create_data_property_or_throw(JsSymbol::iterator(), iterate, context)?;
    Ok(Some(object))
}
