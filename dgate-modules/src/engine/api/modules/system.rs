//! `dgate`, `dgate/events` and `process`.

use boa_engine::{Context, JsError, JsNativeError, JsResult, JsString, JsValue, NativeFunction, Source};

use dgate_core::event::{CustomEvent, Event};

use super::{Function, duration, granted};
use crate::engine::depth::json;
use crate::engine::host::Host;
use crate::engine::ops;
use crate::engine::values::{argument, text};

pub(super) fn function(export: &str) -> Option<Function> {
    Some(match export {
        "sleep" => sleep,
        "fail" => fail,
        "node" => node,
        "emit" => emit,
        _ => return None,
    })
}

fn sleep(_: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let time = duration(&argument(arguments, 0), context)?;
    ops::sleep(time, context)
}

fn fail(_: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let message = text(&argument(arguments, 0), context)?;
    Err(JsNativeError::error().with_message(message).into())
}

fn node(_: usize, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let node = Host::of(context).capabilities.node.to_json();
    JsValue::from_json(&node, context)
}

/// `retry(n, fn)`: calls `fn(attempt)` until it succeeds, `n` times at most.
pub(super) fn retry(context: &mut Context) -> JsResult<JsValue> {
    context.eval(Source::from_bytes(
        "(async function retry(times, work) {
            if (!Number.isInteger(times)) throw new TypeError('`retry` needs a whole number of times');
            if (typeof work !== 'function') throw new TypeError('`retry` needs a function');
            for (let attempt = 1; ; attempt++) {
                try { return await work(attempt); } catch (error) { if (attempt >= times) throw error; }
            }
        })",
    ))
}

fn emit(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let name = text(&argument(arguments, 0), context)?;
    let _granted = granted(importer, "event:emit", Some(&name), context)?;
    let data = json(&argument(arguments, 1), context)?;
    let host = Host::of(context);
    let events = host.capabilities.events.get().ok_or_else(|| unavailable("events"))?;
    let source = host.program.modules[importer].name.clone();
    let event = CustomEvent::new(host.program.namespace.clone(), source, &name, data)
        .map_err(|error| JsNativeError::typ().with_message(error.to_string()))?;
    events.emit(Event::Custom(event));
    Ok(JsValue::undefined())
}

/// This gateway was built without something.
pub(super) fn unavailable(what: &str) -> JsError {
    JsNativeError::error().with_message(format!("this gateway has no {what}")).into()
}

/// `process`: `env.NAME` reads a variable of the environment, if that is permitted.
pub(super) fn process(importer: usize, context: &mut Context) -> JsResult<JsValue> {
    let make = context.eval(Source::from_bytes(
        "(function (read) {
            const env = new Proxy(Object.create(null), {
                get: (_, name) => (typeof name === 'string' ? read(name) : undefined),
                has: (_, name) => typeof name === 'string' && read(name) !== undefined,
                set: () => false,
                defineProperty: () => false,
                deleteProperty: () => false,
            });
            return Object.freeze({ env });
        })",
    ))?;
    let read = NativeFunction::from_copy_closure_with_captures(
        |_, arguments, importer: &usize, context| {
            let name = text(&argument(arguments, 0), context)?;
            let _granted = granted(*importer, "os:env:read", Some(&name), context)?;
            let value = std::env::var(&name).ok();
            Ok(value.map_or(JsValue::undefined(), |value| JsString::from(value).into()))
        },
        importer,
    );
    let read = read.to_js_function(context.realm());
    let make = make.as_callable().ok_or_else(|| JsNativeError::error().with_message("no `process`"))?;
    make.call(&JsValue::undefined(), &[read.into()], context)
}
