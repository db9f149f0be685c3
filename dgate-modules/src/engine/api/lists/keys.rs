//! What makes a list of all properties of an object: each element of an array, each character of a text becomes a name.

use boa_engine::{Context, JsObject, JsResult, JsString, JsValue};

use super::super::bounds::{Most, text_length};
use super::super::define;
use super::typed;
use crate::engine::host::Host;
use crate::engine::values::argument;

/// Functions of `Object` that go through all properties of what they are given.
const OBJECT: [&str; 9] = [
    "assign",
    "defineProperties",
    "entries",
    "freeze",
    "getOwnPropertyDescriptors",
    "getOwnPropertyNames",
    "keys",
    "seal",
    "values",
];
/// A name costs as much as so many elements.
const ELEMENTS_PER_NAME: f64 = 10.0;
/// So many names are no matter.
const LITTLE: f64 = 1_000.0;

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let object = context.intrinsics().constructors().object().constructor();
    let reflect = context.intrinsics().objects().reflect();
    for name in OBJECT {
        bound(&object, name, context)?;
    }
    bound(&reflect, "ownKeys", context)?;
    define::function("__dgate_names", 1, gone_through, context)
}

/// What `for … in` goes through, if it does not have too many names.
fn gone_through(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let value = argument(arguments, 0);
    let most = Most::list(&Host::of(context));
    let names = names(&value, most.size + 1.0, context)?;
    most.bounds(names, context)?;
    Host::of(context).look_at_clock_after(names)?;
    Ok(value)
}

fn bound(object: &JsObject, name: &str, context: &mut Context) -> JsResult<()> {
    define::instead(
        object,
        JsString::from(name),
        |this, arguments, own, context| {
            let list = Most::list(&Host::of(context));
            let most = Most { size: (list.size / ELEMENTS_PER_NAME).floor(), ..list };
            for value in arguments {
                let names = names(value, most.size + 1.0, context)?;
                if names > LITTLE {
                    most.bounds(names, context)?;
                    Host::of(context).look_at_clock_after(names)?;
                }
            }
            own.call(this, arguments, context)
        },
        context,
    )
}

/// How many properties a value has that are elements or characters, up to so many.
fn names(value: &JsValue, most: f64, context: &mut Context) -> JsResult<f64> {
    let Some(object) = value.as_object() else { return Ok(text_length(value)) };
    if let Some(text) = object.downcast_ref::<JsString>() {
        return Ok(text.len() as f64);
    }
    let elements = typed::length(value, context)?;
    if elements > 0.0 {
        return Ok(elements);
    }
    let object = object.borrow();
    Ok(object.properties().index_property_keys().take(most as usize).count() as f64)
}
