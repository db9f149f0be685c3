//! How deeply values may be nested that built-ins go through, and how much there may be in them.
//!
//! The engine calls itself for whatever lies within something else, and goes through what lies in two places twice.

use std::cell::Cell;

use boa_engine::builtins::proxy::Proxy;
use boa_engine::builtins::typed_array::TypedArray;
use boa_engine::property::PropertyKey;
use boa_engine::{Context, JsError, JsNativeError, JsObject, JsResult, JsValue};

use super::host::Host;
use super::limits::refused;
use super::{api, errors};
use crate::failure::LimitKind;
use crate::stack;

/// Values within one another, at most.
pub(super) const DEEPEST: usize = 1_000;
/// The same of what is kept as JSON: whoever reads it again goes no deeper than 128.
const DEEPEST_KEPT: usize = 100;
/// After so many calls of built-ins the clock is looked at.
const CALLS_PER_LOOK: u32 = 64;

/// Built-ins begin with that: every so often the clock is looked at, too.
///
/// # Errors
/// When too little of the stack is left for the engine to call itself once more, or the call's time is over: an error that
/// the module cannot catch.
pub(super) fn look(context: &Context) -> JsResult<()> {
    let left = CALLS_LEFT.get();
    if stack::is_short() || left == 0 {
        let host = Host::of(context);
        host.look_at_clock().inspect_err(|_| errors::remember(&host, context))?;
        CALLS_LEFT.set(CALLS_PER_LOOK);
    } else {
        CALLS_LEFT.set(left - 1);
    }
    Ok(())
}

/// The next call of a built-in looks at everything.
pub(super) fn look_at_next() {
    CALLS_LEFT.set(0);
}

thread_local!(static CALLS_LEFT: Cell<u32> = const { Cell::new(CALLS_PER_LOOK) });

/// A value as JSON that is kept; of what has none, `null`.
///
/// # Errors
/// When it is nested too deeply or in itself, too large, or a getter of it throws.
pub(super) fn json(value: &JsValue, context: &mut Context) -> JsResult<serde_json::Value> {
    let Some(json) = api::json(value, DEEPEST_KEPT, context)? else { return Ok(serde_json::Value::Null) };
    serde_json::from_slice(&json)
        .map_err(|error| JsNativeError::error().with_message(error.to_string()).into())
}

/// The values that lie in an object as they are; nothing of a module's own runs.
pub(super) fn parts(object: &JsObject, context: &mut Context) -> JsResult<Vec<JsValue>> {
    if object.is::<Proxy>() || object.is::<TypedArray>() {
        return Ok(Vec::new());
    }
    let keys = object.own_property_keys(context)?;
    let object = object.borrow();
    let value = |key: &PropertyKey| object.properties().get(key)?.value().cloned();
    Ok(keys.iter().filter_map(value).collect())
}

pub(super) fn too_deep(deepest: usize, context: &Context) -> JsError {
    let message = format!("nested more deeply than modules may have it ({deepest})");
    refused(LimitKind::Recursion, message, context)
}
