//! `console`: lines in the gateway's log, with request, module and hook.

use std::fmt::Write as _;

use boa_engine::object::FunctionObjectBuilder;
use boa_engine::{Context, JsObject, JsResult, JsString, JsValue, NativeFunction};

use super::stringify;
use crate::capability::ConsoleLine;
use crate::engine::depth::{DEEPEST, look};
use crate::engine::errors;
use crate::engine::host::Host;
use crate::engine::show::shown;

/// The longest line, in bytes.
const LONGEST: usize = 8 << 10;

/// Its methods, by level.
const METHODS: [(&str, Level); 6] = [
    ("debug", Level::Debug),
    ("log", Level::Info),
    ("info", Level::Info),
    ("warn", Level::Warn),
    ("error", Level::Error),
    ("trace", Level::Debug),
];

/// The `console` of a module. Its methods know whose they are, wherever they are called.
pub(super) fn object(module: usize, context: &mut Context) -> JsResult<JsObject> {
    let object = JsObject::with_object_proto(context.intrinsics());
    for (name, level) in METHODS {
        let method = NativeFunction::from_copy_closure_with_captures(
            move |_, arguments, module: &usize, context| {
                look(context)?;
                log(level, *module, arguments, context);
                Ok(JsValue::undefined())
            },
            module,
        );
        let method = FunctionObjectBuilder::new(context.realm(), method).name(JsString::from(name)).build();
        object.create_data_property_or_throw(JsString::from(name), method, context)?;
    }
    Ok(object)
}

#[derive(Clone, Copy)]
enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

fn log(level: Level, index: usize, arguments: &[JsValue], context: &mut Context) {
    let host = Host::of(context);
    let module = host.program.modules.get(index).map_or("-", |module| &*module.name);
    let mut line = String::new();
    for argument in arguments {
        if line.len() > LONGEST {
            break;
        }
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
    if let Some(console) = host.capabilities.console.get() {
        let (level, module, hook) = (level.name(), module.to_owned(), hook);
        console(ConsoleLine { level, module, hook, request_id: id.to_owned(), text: line.clone() });
    }
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
    if !is_error && let Ok(Some(json)) = stringify::json(value, DEEPEST, context) {
        return String::from_utf8_lossy(&json).into_owned();
    }
    let text = value.to_string(context);
    let mut text = match text {
        Ok(text) => text.to_std_string_lossy(),
        Err(_) => shown(value, context),
    };
    if is_error && let Some(place) = errors::of_value(value, context).place {
        let _ = write!(text, " ({place})");
    }
    text
}
