//! What walks through lists without code of the module's own.
//!
//! The engine believes a list what it says of its length, and walks until there. Where that is a value of the list's own,
//! it is not walked through when it is too long. Where it comes from a getter, it may be another each time that it is asked
//! for: such a list is walked through by way of a view, which looks at the clock.
//!
//! Methods that walk through more lists than one, or make texts of what is in them, are here as a whole.

mod concat;
mod flat;
mod from;
mod join;
mod keys;
mod typed;

use boa_engine::builtins::proxy::Proxy;
use boa_engine::object::builtins::{JsArray, JsFunction};
use boa_engine::property::PropertyKey;
use boa_engine::{Context, JsObject, JsResult, JsString, JsValue, NativeFunction, js_string};

use super::bounds::{Most, text_length};
use super::{define, proxies};
use crate::engine::depth::look;
use crate::engine::host::Host;
use crate::engine::values::argument;

/// Methods of arrays that walk through all of it.
const METHODS: [&str; 15] = [
    "copyWithin",
    "fill",
    "includes",
    "indexOf",
    "lastIndexOf",
    "reverse",
    "shift",
    "slice",
    "sort",
    "splice",
    "toReversed",
    "toSorted",
    "toSpliced",
    "unshift",
    "with",
];
/// The same with a function that is shown the array.
const WITH_FUNCTION: [&str; 11] = [
    "every",
    "filter",
    "find",
    "findIndex",
    "findLast",
    "findLastIndex",
    "forEach",
    "map",
    "reduce",
    "reduceRight",
    "some",
];

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let constructors = context.intrinsics().constructors();
    let array = constructors.array().clone();
    let typed = constructors.typed_array().clone();
    for name in METHODS {
        let walk: Instead = |this, arguments, own, context| walk(this, arguments, false, own, context);
        define::instead(&array.prototype(), JsString::from(name), walk, context)?;
    }
    for name in WITH_FUNCTION {
        let walk: Instead = |this, arguments, own, context| walk(this, arguments, true, own, context);
        define::instead(&array.prototype(), JsString::from(name), walk, context)?;
    }
    define::instead(&array.constructor(), js_string!("from"), from::array_from, context)?;
    define::instead(&typed.constructor(), js_string!("from"), from::typed_from, context)?;
    typed::install(&typed.prototype(), context)?;
    keys::install(context)?;
    calls(context)?;
    concat::install(&array.prototype(), context)?;
    flat::install(&array.prototype(), context)?;
    join::install(&array.prototype(), &typed.prototype(), context)
}

type Instead = fn(&JsValue, &[JsValue], &JsFunction, &mut Context) -> JsResult<JsValue>;

/// A method of arrays, on anything.
fn walk(
    this: &JsValue,
    arguments: &[JsValue],
    with_function: bool,
    own: &JsFunction,
    context: &mut Context,
) -> JsResult<JsValue> {
    let Some(list) = this.as_object() else {
        bounded(text_length(this), context)?;
        return own.call(this, arguments, context);
    };
    // What has a length of its own has the same when the engine asks; what goes through a proxy looks there.
    if let Some(length) = fixed_length(&list) {
        bounded(length, context)?;
        return own.call(this, arguments, context);
    }
    if list.is::<Proxy>() {
        return own.call(this, arguments, context);
    }
    let view = proxies::view(&list, context)?;
    let mut arguments = arguments.to_vec();
    if let Some(function) = arguments.first_mut().filter(|_| with_function) {
        *function = unseen(function, &view, &list, context);
    }
    let result = own.call(&view.clone().into(), &arguments, context)?;
    Ok(if result.as_object().is_some_and(|result| result == view) { list.into() } else { result })
}

/// A callback that is not shown the view, but what is viewed.
fn unseen(callback: &JsValue, view: &JsObject, list: &JsObject, context: &Context) -> JsValue {
    let Some(function) = callback.as_object().filter(JsObject::is_callable) else { return callback.clone() };
    let call = NativeFunction::from_copy_closure_with_captures(
        |this, arguments, (function, view, list): &(JsObject, JsObject, JsObject), context| {
            let is_view = |value: &JsValue| value.as_object().is_some_and(|object| object == *view);
            let shown = |value: &JsValue| if is_view(value) { list.clone().into() } else { value.clone() };
            let arguments: Vec<JsValue> = arguments.iter().map(shown).collect();
            function.call(this, &arguments, context)
        },
        (function, view.clone(), list.clone()),
    );
    call.to_js_function(context.realm()).into()
}

/// `apply` and its like make a list of what they are given.
fn calls(context: &mut Context) -> JsResult<()> {
    let function = context.intrinsics().constructors().function().prototype();
    let reflect = context.intrinsics().objects().reflect();
    for (object, name, which) in [(&function, "apply", 1), (&reflect, "apply", 2), (&reflect, "construct", 1)]
    {
        define::instead(
            object,
            JsString::from(name),
            move |this, arguments, own, context| {
                let list = argument(arguments, which);
                let fixed =
                    list.as_object().filter(JsObject::is_array).and_then(|array| fixed_length(&array));
                if let Some(length) = fixed {
                    bounded(length, context)?;
                    return own.call(this, arguments, context);
                }
                // What cannot be called is said before anybody asks the list.
                let function =
                    if which == 1 && name == "apply" { this.clone() } else { argument(arguments, 0) };
                let list = if function.is_callable() { elements(&list, context)? } else { None };
                let Some(list) = list else { return own.call(this, arguments, context) };
                let mut arguments = arguments.to_vec();
                arguments[which] = JsArray::from_iter(list, context).into();
                own.call(this, &arguments, context)
            },
            context,
        )?;
    }
    Ok(())
}

/// What is in a list, by its length; nothing of what is no object.
///
/// # Errors
/// When it is too long, or looking at it throws or takes too long.
pub(super) fn elements(list: &JsValue, context: &mut Context) -> JsResult<Option<Vec<JsValue>>> {
    let Some(list) = list.as_object() else { return Ok(None) };
    let length = length(&list, context)?;
    let mut elements = Vec::with_capacity(length as usize);
    for index in 0..length as u64 {
        look(context)?;
        elements.push(list.get(index, context)?);
    }
    Ok(Some(elements))
}

/// What is an array, also behind proxies. ECMA-262, 7.2.2.
pub(super) fn array(value: &JsValue, context: &mut Context) -> JsResult<Option<JsObject>> {
    let Some(object) = value.as_object() else { return Ok(None) };
    let is_array = object.is_array() || (object.is::<Proxy>() && is_behind_proxies(value, context)?);
    Ok(is_array.then_some(object))
}

fn is_behind_proxies(value: &JsValue, context: &mut Context) -> JsResult<bool> {
    let array = context.intrinsics().constructors().array().constructor();
    let is_array = array.get(js_string!("isArray"), context)?;
    let is_array =
        is_array.as_callable().map(|function| function.call(value, std::slice::from_ref(value), context));
    Ok(is_array.transpose()?.is_some_and(|is_array| is_array.to_boolean()))
}

/// How long a list is.
///
/// # Errors
/// When it is too long.
fn length(list: &JsObject, context: &mut Context) -> JsResult<f64> {
    let length = list.get(js_string!("length"), context)?.to_length(context)? as f64;
    bounded(length, context)?;
    Ok(length)
}

/// # Errors
/// When a list is longer than modules may have it, or the call's time is over.
fn bounded(length: f64, context: &Context) -> JsResult<()> {
    let host = Host::of(context);
    Most::list(&host).bounds(length, context)?;
    host.look_at_clock_after(length)
}

/// The length of an object, where that is a value of its own.
fn fixed_length(object: &JsObject) -> Option<f64> {
    let key = PropertyKey::from(js_string!("length"));
    let length = object.borrow().properties().get(&key)?;
    length.value().and_then(JsValue::as_number)
}
