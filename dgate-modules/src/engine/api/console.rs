//! `console`: lines in the gateway's log, with request, module and hook.

use boa_engine::{Context, JsObject, JsResult, JsValue, js_string};

use super::define::{self, Member};
use super::prelude;
use crate::engine::host::Host;

/// The longest line, in bytes.
const LONGEST: usize = 8 << 10;

/// The `console` of a module.
pub(super) fn object(module: usize, context: &mut Context) -> JsResult<JsObject> {
    let object = define::prototype(
        &[
            Member::Method("debug", 0, |this, arguments, context| {
                log(Level::Debug, this, arguments, context)
            }),
            Member::Method("log", 0, |this, arguments, context| log(Level::Info, this, arguments, context)),
            Member::Method("info", 0, |this, arguments, context| log(Level::Info, this, arguments, context)),
            Member::Method("warn", 0, |this, arguments, context| log(Level::Warn, this, arguments, context)),
            Member::Method("error", 0, |this, arguments, context| {
                log(Level::Error, this, arguments, context)
            }),
            Member::Method("trace", 0, |this, arguments, context| {
                log(Level::Debug, this, arguments, context)
            }),
        ],
        context,
    )?;
    object.create_data_property_or_throw(js_string!("__dgate_module"), module as u32, context)?;
    Ok(object)
}

#[derive(Clone, Copy)]
enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

fn log(level: Level, this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let host = Host::of(context);
    let index = match this.as_object() {
        Some(object) => object.get(js_string!("__dgate_module"), context)?.to_u32(context)? as usize,
        None => 0,
    };
    let module = host.program.modules.get(index).map_or("-", |module| &*module.name);
    let mut line = String::new();
    for argument in arguments {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&show(argument, context));
    }
    let cut = line.char_indices().map(|(at, _)| at).take_while(|at| *at <= LONGEST).last();
    if let Some(cut) = cut.filter(|_| line.len() > LONGEST) {
        line.truncate(cut);
        line.push('…');
    }
    let call = host.current();
    let hook = call.as_ref().map_or("-", |call| call.hook.name());
    let id = call.as_ref().map_or("-", |call| call.state.info.id.as_str());
    let namespace = &*host.program.namespace;
    macro_rules! line {
        ($event:ident) => {
            tracing::$event!(target: "dgate::module", namespace, module, hook, request_id = id, "{line}")
        };
    }
    match level {
        Level::Debug => line!(debug),
        Level::Info => line!(info),
        Level::Warn => line!(warn),
        Level::Error => line!(error),
    }
    Ok(JsValue::undefined())
}

/// A value for people: text as it is, errors as text, other objects as JSON.
fn show(value: &JsValue, context: &mut Context) -> String {
    if let Some(text) = value.as_string() {
        return text.to_std_string_lossy();
    }
    let plain = value.as_object().is_none_or(|object| object.is_callable());
    if plain {
        return value.display().to_string();
    }
    let is_error = value.as_object().is_some_and(|object| object.is::<boa_engine::builtins::error::Error>());
    if !is_error && let Ok(json) = prelude::stringify(value, context) {
        return json.to_std_string_lossy();
    }
    value.to_string(context).map_or_else(|_| value.display().to_string(), |text| text.to_std_string_lossy())
}
