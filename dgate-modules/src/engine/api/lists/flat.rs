//! `flat` and `flatMap`.

use boa_engine::object::builtins::JsFunction;
use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsValue, js_string};

use super::super::bounds::Most;
use super::super::define;
use super::concat::Made;
use super::{array, length};
use crate::engine::depth::{DEEPEST, look, too_deep};
use crate::engine::host::Host;
use crate::engine::values::argument;

pub(super) fn install(prototype: &JsObject, context: &mut Context) -> JsResult<()> {
    define::instead(prototype, js_string!("flat"), flat, context)?;
    define::instead(prototype, js_string!("flatMap"), flat_map, context)
}

/// ECMA-262, 23.1.3.13.
fn flat(this: &JsValue, arguments: &[JsValue], own: &JsFunction, context: &mut Context) -> JsResult<JsValue> {
    let Some(list) = this.as_object() else { return own.call(this, arguments, context) };
    let length = length(&list, context)?;
    let levels = argument(arguments, 0);
    let levels = if levels.is_undefined() { 1.0 } else { integer(&levels, context)? };
    let made = Made::like(&list, context)?;
    let mut flattened = Vec::new();
    flatten(&list, length, levels, &mut flattened, context)?;
    Ok(made.with(flattened, context)?.into())
}

/// ECMA-262, 23.1.3.14.
fn flat_map(
    this: &JsValue,
    arguments: &[JsValue],
    own: &JsFunction,
    context: &mut Context,
) -> JsResult<JsValue> {
    let Some(list) = this.as_object() else { return own.call(this, arguments, context) };
    let count = length(&list, context)?;
    let map = argument(arguments, 0).as_callable().ok_or_else(|| {
        JsNativeError::typ().with_message("`flatMap` needs a function as its first argument")
    })?;
    let made = Made::like(&list, context)?;
    let mut flattened = Vec::new();
    for index in 0..count as u64 {
        look(context)?;
        if !list.has_property(index, context)? {
            continue;
        }
        let element = list.get(index, context)?;
        let mapped = map.call(&argument(arguments, 1), &[element, index.into(), this.clone()], context)?;
        match array(&mapped, context)? {
            Some(list) => {
                let count = length(&list, context)?;
                flatten(&list, count, 0.0, &mut flattened, context)?;
            }
            None => push(mapped, &mut flattened, context)?,
        }
    }
    Ok(made.with(flattened, context)?.into())
}

/// A list that is walked through, and how far.
struct Walked {
    list: JsObject,
    next: u64,
    length: u64,
}

/// ECMA-262, 23.1.3.13.1, without calling itself.
fn flatten(
    list: &JsObject,
    count: f64,
    levels: f64,
    flattened: &mut Vec<Option<JsValue>>,
    context: &mut Context,
) -> JsResult<()> {
    let mut path = vec![Walked { list: list.clone(), next: 0, length: count as u64 }];
    while let Some(walked) = path.last_mut() {
        look(context)?;
        if walked.next == walked.length {
            path.pop();
            continue;
        }
        let index = walked.next;
        walked.next += 1;
        let list = walked.list.clone();
        if !list.has_property(index, context)? {
            continue;
        }
        let element = list.get(index, context)?;
        let inner = if path.len() as f64 <= levels { array(&element, context)? } else { None };
        match inner {
            Some(_) if path.len() >= DEEPEST => return Err(too_deep(DEEPEST, context)),
            Some(inner) => {
                let count = length(&inner, context)?;
                path.push(Walked { list: inner, next: 0, length: count as u64 });
            }
            None => push(element, flattened, context)?,
        }
    }
    Ok(())
}

fn push(element: JsValue, flattened: &mut Vec<Option<JsValue>>, context: &Context) -> JsResult<()> {
    flattened.push(Some(element));
    Most::list(&Host::of(context)).bounds(flattened.len() as f64, context)
}

/// A whole number, toward zero.
fn integer(value: &JsValue, context: &mut Context) -> JsResult<f64> {
    let number = value.to_number(context)?;
    Ok(if number.is_nan() { 0.0 } else { number.trunc() })
}
