//! How deeply values may be nested that built-ins go through, and how much there may be in them.
//!
//! The engine calls itself for whatever lies within something else, and goes through what lies in two places twice.

use std::collections::HashSet;

use boa_engine::builtins::proxy::Proxy;
use boa_engine::builtins::typed_array::TypedArray;
use boa_engine::property::{PropertyDescriptor, PropertyKey};
use boa_engine::{Context, JsError, JsObject, JsResult, JsValue, js_string};

use super::host::Host;
use super::limits::refused;
use crate::failure::LimitKind;
use crate::stack;

/// Values within one another, at most.
pub(super) const DEEPEST: usize = 1_000;
/// The same of what is kept as JSON: whoever reads it again goes no deeper than 128.
const DEEPEST_KEPT: usize = 100;
/// After so many values the clock is looked at.
const VALUES_PER_LOOK: usize = 1_024;

/// # Errors
/// When too little of the stack is left for the engine to call itself once more: an error that the module cannot catch.
pub(super) fn look_at_stack(context: &Context) -> JsResult<()> {
    if stack::is_short() { Err(Host::of(context).end(LimitKind::Recursion)) } else { Ok(()) }
}

/// How many characters JSON of a value has at least, as far as plain properties tell. Counting ends beyond `most`.
///
/// # Errors
/// When it is nested too deeply, or the call's time is over meanwhile.
pub(super) fn written(value: &JsValue, most: f64, context: &mut Context) -> JsResult<f64> {
    measured(value, DEEPEST, most, context)
}

fn measured(value: &JsValue, deepest: usize, most: f64, context: &mut Context) -> JsResult<f64> {
    let mut length = 0.0;
    walk(value, deepest, context, |value| {
        length += 1.0 + value.as_string().map_or(0.0, |text| text.len() as f64);
        length <= most
    })?;
    Ok(length)
}

/// How many elements `flat` makes of a list. Counting ends beyond `most`.
///
/// # Errors
/// When it is nested too deeply, or the call's time is over meanwhile.
pub(super) fn flattened(list: &JsValue, levels: f64, most: f64, context: &mut Context) -> JsResult<f64> {
    let mut elements = 0.0;
    let (mut seen, mut left) = (0_usize, vec![(list.clone(), 0_usize)]);
    while let Some((value, depth)) = left.pop() {
        seen += 1;
        if seen.is_multiple_of(VALUES_PER_LOOK) {
            Host::of(context).look_at_clock()?;
        }
        let list = value.as_object().filter(|object| object.is_array() && !object.is::<Proxy>());
        let Some(list) = list.filter(|_| depth as f64 <= levels) else {
            elements += 1.0;
            continue;
        };
        if depth >= DEEPEST {
            return Err(too_deep(DEEPEST, context));
        }
        if elements > most {
            break;
        }
        left.extend(parts(&list, context)?.into_iter().map(|part| (part, depth + 1)));
    }
    Ok(elements)
}

/// A value as JSON that is kept; of what has none, `null`.
///
/// # Errors
/// When it is nested too deeply or in itself, too large, or a getter of it throws.
pub(super) fn json(value: &JsValue, context: &mut Context) -> JsResult<serde_json::Value> {
    let most = Host::of(context).longest_text();
    if measured(value, DEEPEST_KEPT, most, context)? > most {
        let message = format!("larger as JSON than modules may have it ({most})");
        return Err(refused(LimitKind::String, message, context));
    }
    Ok(value.to_json(context)?.unwrap_or(serde_json::Value::Null))
}

/// Goes through a value and all that lies in it until `go_on` says no.
fn walk(
    value: &JsValue,
    deepest: usize,
    context: &mut Context,
    mut go_on: impl FnMut(&JsValue) -> bool,
) -> JsResult<()> {
    let (mut seen, mut left, mut path) = (0_usize, vec![(value.clone(), 0_usize)], Vec::new());
    while let Some((value, depth)) = left.pop() {
        seen += 1;
        if seen.is_multiple_of(VALUES_PER_LOOK) {
            Host::of(context).look_at_clock()?;
        }
        if !go_on(&value) {
            break;
        }
        let Some(object) = value.as_object().filter(|object| !object.is_callable()) else { continue };
        // What comes of that is made by a function of the module's own, which ticks.
        if converts_itself(&object) {
            continue;
        }
        path.truncate(depth);
        path.push(object.clone());
        if depth >= deepest {
            // What lies in itself is refused by whoever finds that.
            let different: HashSet<&JsObject> = path.iter().collect();
            return if different.len() < path.len() { Ok(()) } else { Err(too_deep(deepest, context)) };
        }
        left.extend(members(&object, context)?.into_iter().map(|part| (part, depth + 1)));
    }
    Ok(())
}

/// Whether an object has a `toJSON` that is called, as far as can be told without calling anything.
fn converts_itself(object: &JsObject) -> bool {
    let key = PropertyKey::from(js_string!("toJSON"));
    let mut next = Some(object.clone());
    while let Some(object) = next.filter(|object| !object.is::<Proxy>()) {
        if let Some(property) = object.borrow().properties().get(&key) {
            // What a getter makes of it comes from a function, too.
            return property.value().is_none_or(JsValue::is_callable);
        }
        next = object.prototype();
    }
    false
}

/// The values that JSON of an object is made of, as far as they are plain.
fn members(object: &JsObject, context: &mut Context) -> JsResult<Vec<JsValue>> {
    let is_written = |key: &PropertyKey, property: &PropertyDescriptor| {
        property.enumerable() == Some(true) && !matches!(key, PropertyKey::Symbol(_))
    };
    properties(object, is_written, context)
}

/// The values that lie in an object as they are; nothing of a module's own runs.
pub(super) fn parts(object: &JsObject, context: &mut Context) -> JsResult<Vec<JsValue>> {
    properties(object, |_, _| true, context)
}

fn properties(
    object: &JsObject,
    counts: impl Fn(&PropertyKey, &PropertyDescriptor) -> bool,
    context: &mut Context,
) -> JsResult<Vec<JsValue>> {
    if object.is::<Proxy>() || object.is::<TypedArray>() {
        return Ok(Vec::new());
    }
    let keys = object.own_property_keys(context)?;
    let object = object.borrow();
    let value = |key: &PropertyKey| {
        let property = object.properties().get(key).filter(|property| counts(key, property))?;
        property.value().cloned()
    };
    Ok(keys.iter().filter_map(value).collect())
}

fn too_deep(deepest: usize, context: &Context) -> JsError {
    let message = format!("nested more deeply than modules may have it ({deepest})");
    refused(LimitKind::Recursion, message, context)
}
