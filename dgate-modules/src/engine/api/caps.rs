//! Built-ins that could run, or grow, for ever in one go, made to look at the size first.
//!
//! The engine's own code has no ticks. What is not wrapped here is bounded by the buffers and lists that it can be given.

use boa_engine::object::builtins::JsFunction;
use boa_engine::property::PropertyDescriptor;
use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsString, JsValue, NativeFunction, js_string};

use crate::engine::limits::{LONGEST_LIST, LONGEST_STRING};
use crate::engine::values::argument;

/// Methods of lists that walk through all of it.
const LIST: [&str; 27] = [
    "concat",
    "every",
    "fill",
    "filter",
    "find",
    "findIndex",
    "findLast",
    "findLastIndex",
    "flat",
    "flatMap",
    "forEach",
    "includes",
    "indexOf",
    "join",
    "lastIndexOf",
    "map",
    "reduce",
    "reduceRight",
    "reverse",
    "shift",
    "slice",
    "some",
    "sort",
    "splice",
    "toReversed",
    "toSorted",
    "unshift",
];

/// How large a call would be.
type Size = fn(&JsValue, &[JsValue], &mut Context) -> JsResult<f64>;

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let array = context.intrinsics().constructors().array().clone();
    let string = context.intrinsics().constructors().string().prototype();
    for name in LIST {
        wrap(&array.prototype(), name, |this, _, context| length(this, context), LONGEST_LIST, context)?;
    }
    wrap(
        &array.constructor(),
        "from",
        |_, arguments, context| length(&argument(arguments, 0), context),
        LONGEST_LIST,
        context,
    )?;
    wrap(&string, "repeat", repeated, LONGEST_STRING, context)?;
    for name in ["padStart", "padEnd"] {
        let padded: Size = |_, arguments, context| argument(arguments, 0).to_number(context);
        wrap(&string, name, padded, LONGEST_STRING, context)?;
    }
    Ok(())
}

fn wrap(object: &JsObject, name: &str, size: Size, most: f64, context: &mut Context) -> JsResult<()> {
    let key = JsString::from(name);
    let original = object.get(key.clone(), context)?;
    let Some(original) = original.as_function() else { return Ok(()) };
    let length = original.get(js_string!("length"), context)?.to_u32(context)?;
    let wrapped = NativeFunction::from_copy_closure_with_captures(
        move |this, arguments, original: &JsFunction, context| {
            if size(this, arguments, context)? > most {
                return Err(JsNativeError::range()
                    .with_message(format!("larger than modules may have it ({most})"))
                    .into());
            }
            original.call(this, arguments, context)
        },
        original,
    );
    let function = boa_engine::object::FunctionObjectBuilder::new(context.realm(), wrapped)
        .name(key.clone())
        .length(length as usize)
        .build();
    let descriptor =
        PropertyDescriptor::builder().value(function).writable(true).enumerable(false).configurable(true);
    object.define_property_or_throw(key, descriptor, context)?;
    Ok(())
}

/// The length of a list. Other values have none.
fn length(value: &JsValue, context: &mut Context) -> JsResult<f64> {
    let Some(object) = value.as_object() else { return Ok(0.0) };
    let length = object.get(js_string!("length"), context)?;
    Ok(length.as_number().unwrap_or(0.0))
}

fn repeated(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<f64> {
    let length = this.as_string().map_or(0.0, |text| text.len() as f64);
    Ok(length * argument(arguments, 0).to_number(context)?)
}
