//! `dgate/storage`: a cache that all runtimes of the node share.

use boa_engine::{Context, JsNativeError, JsResult, JsValue};

use super::{Function, granted, ttl};
use crate::engine::depth::json;
use crate::engine::host::Host;
use crate::engine::values::{argument, text};

pub(super) fn function(export: &str) -> Option<Function> {
    Some(match export {
        "getCache" => get,
        "setCache" => set,
        "deleteCache" => delete,
        "increment" => increment,
        _ => return None,
    })
}

fn get(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let _granted = granted(importer, "cache", None, context)?;
    let key = text(&argument(arguments, 0), context)?;
    let host = Host::of(context);
    match host.capabilities.cache.get(&host.program.namespace, &key) {
        Some(value) => JsValue::from_json(&value, context),
        None => Ok(JsValue::null()),
    }
}

fn set(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let _granted = granted(importer, "cache", None, context)?;
    let key = text(&argument(arguments, 0), context)?;
    let value = json(&argument(arguments, 1), context)?;
    let ttl = ttl(&argument(arguments, 2), context)?;
    let host = Host::of(context);
    if host.capabilities.cache.set(&host.program.namespace, &key, value, ttl) {
        return Ok(JsValue::undefined());
    }
    Err(JsNativeError::range().with_message("the value is too large for the cache").into())
}

fn delete(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let _granted = granted(importer, "cache", None, context)?;
    let key = text(&argument(arguments, 0), context)?;
    let host = Host::of(context);
    Ok(host.capabilities.cache.delete(&host.program.namespace, &key).into())
}

fn increment(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let _granted = granted(importer, "cache", None, context)?;
    let key = text(&argument(arguments, 0), context)?;
    let by = argument(arguments, 1);
    let by = if by.is_undefined() { Some(1.0) } else { by.as_number().filter(|by| by.is_finite()) };
    let by = by.ok_or_else(|| JsNativeError::typ().with_message("`increment` needs a number to add"))?;
    let ttl = ttl(&argument(arguments, 2), context)?;
    let host = Host::of(context);
    let after = host.capabilities.cache.increment(&host.program.namespace, &key, by, ttl);
    after
        .map(JsValue::from)
        .ok_or_else(|| JsNativeError::typ().with_message(format!("`{key}` in the cache is no number")).into())
}
