//! `setTimeout` and its kin.

use std::time::Duration;

use boa_engine::{Context, JsNativeError, JsResult, JsValue};

use super::define;
use crate::engine::host::Host;
use crate::engine::ops;
use crate::engine::values::argument;

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    define::function("setTimeout", 2, |_, arguments, context| start(arguments, false, context), context)?;
    define::function("setInterval", 2, |_, arguments, context| start(arguments, true, context), context)?;
    define::function("clearTimeout", 1, clear, context)?;
    define::function("clearInterval", 1, clear, context)
}

fn start(arguments: &[JsValue], repeat: bool, context: &mut Context) -> JsResult<JsValue> {
    let callback = argument(arguments, 0)
        .as_function()
        .ok_or_else(|| JsNativeError::typ().with_message("a timer needs a function"))?;
    let delay = argument(arguments, 1).to_number(context)?;
    let least = if repeat { 1.0 } else { 0.0 };
    let delay = if delay.is_finite() { delay.clamp(least, f64::from(i32::MAX)) } else { least };
    let rest = arguments.get(2..).unwrap_or_default().to_vec();
    let id = ops::timer(callback, rest, Duration::from_secs_f64(delay / 1e3), repeat, context)?;
    Ok((id as f64).into())
}

#[allow(clippy::unnecessary_wraps, reason = "native functions have one signature")]
fn clear(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let id = argument(arguments, 0);
    if let Some(id) = id.as_number().filter(|id| *id >= 0.0) {
        Host::of(context).operations.forget(id as u64);
    }
    Ok(JsValue::undefined())
}
