//! The native modules. Each importer gets functions of its own, bound to its permissions.

mod crypto;
mod fs;
mod http;
mod jwt;
mod secrets;
mod state;
mod storage;
mod system;
mod upstream;
mod util;

use std::time::Duration;

use boa_engine::module::SyntheticModuleInitializer;
use boa_engine::object::FunctionObjectBuilder;
use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsString, JsValue, Module, NativeFunction};

use super::prelude::milliseconds;
use super::{console, denied, harden};
use crate::engine::host::Host;
use crate::engine::values::{needs, text};
use crate::native;
use crate::permission::{Granted, Wanted};

/// A function of a native module: importer, arguments.
type Function = fn(usize, &[JsValue], &mut Context) -> JsResult<JsValue>;

/// A native module for an importer.
pub(in crate::engine) fn native_module(
    name: &'static str,
    importer: usize,
    context: &mut Context,
) -> JsResult<Module> {
    let object = object(name, importer, context)?;
    let names: Vec<JsString> = native::exports(name).iter().map(|name| JsString::from(*name)).collect();
    let fill = SyntheticModuleInitializer::from_copy_closure_with_captures(
        |module, (object, names): &(JsObject, Vec<JsString>), context| {
            for name in names {
                let value = object.get(name.clone(), context)?;
                module.set_export(name, value)?;
            }
            Ok(())
        },
        (object, names.clone()),
    );
    Ok(Module::synthetic(&names, fill, None, None, context))
}

/// What a native module exports to an importer, as one object.
pub(super) fn object(name: &str, importer: usize, context: &mut Context) -> JsResult<JsObject> {
    let object = JsObject::with_null_proto();
    for export in native::exports(name) {
        let value = match function(name, export) {
            Some(function) => bound(name, export, function, importer, context),
            None => value(name, export, importer, context)?,
        };
        object.create_data_property_or_throw(JsString::from(*export), value, context)?;
    }
    // Requests share them.
    harden::freeze_all(vec![object.clone()], context)?;
    Ok(object)
}

fn function(module: &str, export: &str) -> Option<Function> {
    match module {
        "dgate" | "dgate/events" => system::function(export),
        "dgate/crypto" => crypto::function(export),
        "dgate/fs" => fs::function(export),
        "dgate/jwt" => jwt::function(export),
        "dgate/secrets" => secrets::function(export),
        "dgate/state" => state::function(export),
        "dgate/storage" => storage::function(export),
        "dgate/upstream" => upstream::function(export),
        "dgate/util" => util::function(export),
        _ => None,
    }
}

/// What is not a plain function.
fn value(module: &str, export: &str, importer: usize, context: &mut Context) -> JsResult<JsValue> {
    match (module, export) {
        (_, "fetch") => Ok(http::fetch(importer, context)),
        (_, "console") => console::object(importer, context).map(JsValue::from),
        (_, "process") => system::process(importer, context),
        ("dgate", "retry") => system::retry(context),
        ("dgate/test" | native::RUNNER, _) => super::testing::member(export, context),
        (_, global) => context.global_object().get(JsString::from(global), context),
    }
}

fn bound(
    module: &str,
    name: &'static str,
    function: Function,
    importer: usize,
    context: &Context,
) -> JsValue {
    let needed = native::needs(module, name);
    let native = NativeFunction::from_copy_closure_with_captures(
        move |_, arguments, importer: &usize, context| {
            needs(name, needed, arguments)?;
            function(*importer, arguments, context)
        },
        importer,
    );
    let function = FunctionObjectBuilder::new(context.realm(), native);
    function.name(JsString::from(name)).length(needed.len()).build().into()
}

/// A field that an object of options cannot do without, as text.
fn field(function: &str, options: &JsObject, name: &'static str, context: &mut Context) -> JsResult<String> {
    let value = options.get(JsString::from(name), context)?;
    needs(function, &[name], std::slice::from_ref(&value))?;
    text(&value, context)
}

/// Checks a permission of an importer.
fn granted(
    importer: usize,
    name: &'static str,
    scope: Option<&str>,
    context: &mut Context,
) -> JsResult<Granted> {
    let host = Host::of(context);
    let module = &host.program.modules[importer];
    module.permissions.check(&Wanted { name, scope }).map_err(|message| denied(importer, &message, context))
}

/// A whole number from 0 that an object of options may have.
fn whole(options: &JsObject, name: &'static str, context: &mut Context) -> JsResult<Option<u64>> {
    let value = options.get(JsString::from(name), context)?;
    if value.is_null_or_undefined() {
        return Ok(None);
    }
    let number = value.as_number().filter(|number| number.fract() == 0.0 && (0.0..=MOST).contains(number));
    let number = number.ok_or_else(|| {
        JsNativeError::typ()
            .with_message(format!("`{name}` must be a whole number from 0, not {}", value.display()))
    })?;
    Ok(Some(number as u64))
}

/// The largest number that is whole beyond doubt.
const MOST: f64 = 9_007_199_254_740_991.0;

/// A time: milliseconds, or text such as `1s`.
pub(super) fn duration(value: &JsValue, context: &mut Context) -> JsResult<Duration> {
    if let Some(number) = value.as_number().filter(|number| !number.is_nan()) {
        return Ok(milliseconds(number));
    }
    let text = text(value, context)?;
    let parsed: Result<dgate_core::units::HumanDuration, _> = text.parse();
    parsed.map(|duration| duration.get()).map_err(|_| {
        JsNativeError::typ().with_message(format!("`{text}` is no time; write 250 or \"1s\"")).into()
    })
}

/// Seconds, or text such as `1m`; nothing when it is not given.
fn ttl(options: &JsValue, context: &mut Context) -> JsResult<Option<Duration>> {
    let Some(options) = options.as_object() else { return Ok(None) };
    let value = options.get(boa_engine::js_string!("ttl"), context)?;
    if value.is_null_or_undefined() {
        return Ok(None);
    }
    match value.as_number().filter(|number| !number.is_nan()) {
        Some(seconds) => Ok(Some(milliseconds(seconds * 1e3))),
        None => duration(&value, context).map(Some),
    }
}
