//! What walks through lists without code of the module's own.
//!
//! The engine believes a list what it says of its length, and walks until there. What is an array says the truth, and is
//! not walked through when it is too long; everything else may say something else each time that it is asked. It is walked
//! through by way of a view, which looks at the clock.
//!
//! Methods that walk through more lists than one, or make texts of what is in them, are here as a whole.

mod concat;
mod flat;
mod join;
mod keys;
mod typed;

use boa_engine::builtins::proxy::Proxy;
use boa_engine::object::builtins::{JsArray, JsFunction};
use boa_engine::property::PropertyKey;
use boa_engine::{
    Context, JsNativeError, JsObject, JsResult, JsString, JsSymbol, JsValue, NativeFunction, js_string,
};

use super::bounds::{Most, text_length};
use super::{define, proxies};
use crate::engine::depth::look;
use crate::engine::host::Host;
use crate::engine::values::argument;

/// Methods of arrays that walk through all of it.
const METHODS: [&str; 26] = [
    "copyWithin",
    "every",
    "fill",
    "filter",
    "find",
    "findIndex",
    "findLast",
    "findLastIndex",
    "forEach",
    "includes",
    "indexOf",
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
    "toSpliced",
    "unshift",
    "with",
];
pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let constructors = context.intrinsics().constructors();
    let array = constructors.array().clone();
    let typed = constructors.typed_array().clone();
    for name in METHODS {
        define::instead(&array.prototype(), JsString::from(name), walk, context)?;
    }
    for constructor in [&array.constructor(), &typed.constructor()] {
        define::instead(constructor, js_string!("from"), from, context)?;
    }
    typed::install(&typed.prototype(), context)?;
    keys::install(context)?;
    calls(context)?;
    concat::install(&array.prototype(), context)?;
    flat::install(&array.prototype(), context)?;
    join::install(&array.prototype(), &typed.prototype(), context)
}

/// A method of arrays. What it is called on may be anything.
fn walk(this: &JsValue, arguments: &[JsValue], own: &JsFunction, context: &mut Context) -> JsResult<JsValue> {
    let size = match this.as_object() {
        Some(list) if list.is_array() => array_length(&list),
        // Getters of others are not asked once more than they would be.
        Some(list) => fixed_length(&list).unwrap_or(0.0),
        None => text_length(this),
    };
    bounded(size, context)?;
    match this.as_object().filter(|list| !list.is_array()) {
        None => own.call(this, arguments, context),
        Some(list) => {
            let view = proxies::view(&list, context)?;
            let arguments: Vec<JsValue> =
                arguments.iter().map(|argument| unseen(argument, &view, &list, context)).collect();
            let result = own.call(&view.clone().into(), &arguments, context)?;
            Ok(if result.as_object().is_some_and(|result| result == view) { list.into() } else { result })
        }
    }
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

/// `Array.from`
fn from(this: &JsValue, arguments: &[JsValue], own: &JsFunction, context: &mut Context) -> JsResult<JsValue> {
    let Some(items) = argument(arguments, 0).as_object() else {
        bounded(text_length(&argument(arguments, 0)), context)?;
        return own.call(this, arguments, context);
    };
    if items.is_array() {
        bounded(array_length(&items), context)?;
    }
    let iterate = items.get(JsSymbol::iterator(), context)?;
    let items = if iterate.is_null_or_undefined() {
        bounded(fixed_length(&items).unwrap_or(0.0), context)?;
        proxies::view(&items, context)?
    } else {
        // Whether it can be iterated is asked once.
        let iterate = NativeFunction::from_copy_closure_with_captures(
            |_, _, (iterate, items): &(JsValue, JsObject), context| {
                let function = iterate
                    .as_callable()
                    .ok_or_else(|| JsNativeError::typ().with_message("`Symbol.iterator` is no function"))?;
                function.call(&items.clone().into(), &[], context)
            },
            (iterate, items),
        );
        let object = JsObject::with_null_proto();
        let iterate = iterate.to_js_function(context.realm());
        object.create_data_property_or_throw(JsSymbol::iterator(), iterate, context)?;
        object
    };
    let arguments: Vec<JsValue> =
        std::iter::once(items.into()).chain(arguments.iter().skip(1).cloned()).collect();
    own.call(this, &arguments, context)
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
                let Some(list) = elements(&argument(arguments, which), context)? else {
                    return own.call(this, arguments, context);
                };
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

/// The length of an array.
fn array_length(array: &JsObject) -> f64 {
    fixed_length(array).unwrap_or(f64::INFINITY)
}

/// The length of an object, where that is a value of its own.
fn fixed_length(object: &JsObject) -> Option<f64> {
    let key = PropertyKey::from(js_string!("length"));
    let length = object.borrow().properties().get(&key)?;
    length.value().and_then(JsValue::as_number)
}
