//! What the compiler calls where a source puts texts together and spreads lists (see [`crate::typescript`]); lists of
//! promises; and what is not there for want of bounds.

use boa_engine::object::builtins::{JsArray, JsMap, JsSet, JsTypedArray};
use boa_engine::{Context, JsResult, JsString, JsValue};

use super::bounds::{Most, text_length};
use super::define;
use crate::engine::host::Host;
use crate::engine::values::argument;
use crate::failure::LimitKind;

/// What is smaller is done before anybody could look at the clock.
const LONG: f64 = 4096.0;

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    promises(context)?;
    // Nothing bounds how long they compute; and no memory is shared that would need `Atomics`.
    let global = context.global_object();
    for name in ["Atomics", "BigInt", "BigInt64Array", "BigUint64Array"] {
        global.delete_property_or_throw(JsString::from(name), context)?;
    }
    let view = context.intrinsics().constructors().data_view().prototype();
    for name in ["getBigInt64", "getBigUint64", "setBigInt64", "setBigUint64"] {
        view.delete_property_or_throw(JsString::from(name), context)?;
    }
    define::function("__dgate_text", 1, text, context)?;
    define::function("__dgate_list", 1, list, context)
}

/// Of promises in a list, each gets handlers before anybody counts them.
fn promises(context: &mut Context) -> JsResult<()> {
    let most = Host::of(context).capabilities.limits.promises as f64;
    let most = Most { size: most, limit: LimitKind::Promises };
    let promise = context.intrinsics().constructors().promise().constructor();
    for name in ["all", "allSettled", "any", "race"] {
        define::instead(
            &promise,
            JsString::from(name),
            move |this, arguments, own, context| {
                let size = size(&argument(arguments, 0), context)?;
                most.bounds(size, context)?;
                Host::of(context).look_at_clock_after(size)?;
                own.call(this, arguments, context)
            },
            context,
        )?;
    }
    Ok(())
}

/// A text that was put together, if it is not too long.
fn text(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let value = argument(arguments, 0);
    let length = text_length(&value);
    if length > LONG {
        let host = Host::of(context);
        Most::text(&host).bounds(length, context)?;
        host.look_at_clock()?;
    }
    Ok(value)
}

/// A list that is spread, if it is not too long.
fn list(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let value = argument(arguments, 0);
    let size = size(&value, context)?;
    if size > LONG {
        let host = Host::of(context);
        Most::list(&host).bounds(size, context)?;
        host.look_at_clock()?;
    }
    Ok(value)
}

/// How many elements a value has that is walked through by a built-in, without code of the module's own.
fn size(value: &JsValue, context: &mut Context) -> JsResult<f64> {
    let Some(object) = value.as_object() else { return Ok(text_length(value)) };
    Ok(if let Ok(array) = JsArray::from_object(object.clone()) {
        array.length(context)? as f64
    } else if let Ok(array) = JsTypedArray::from_object(object.clone()) {
        array.length(context)? as f64
    } else if let Ok(set) = JsSet::from_object(object.clone()) {
        set.size() as f64
    } else if let Ok(map) = JsMap::from_object(object.clone()) {
        map.get_size(context)?.as_number().unwrap_or_default()
    } else {
        object.downcast_ref::<JsString>().map_or(0.0, |text| text.len() as f64)
    })
}
