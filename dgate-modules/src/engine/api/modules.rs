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

pub(super) use self::util::{decode_text, encode_text};
use super::prelude::milliseconds;
use super::{console, denied};
use crate::engine::host::Host;
use crate::engine::values::text;
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
            Some(function) => bound(export, function, importer, context),
            None => value(name, export, importer, context)?,
        };
        object.create_data_property_or_throw(JsString::from(*export), value, context)?;
    }
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

fn bound(name: &str, function: Function, importer: usize, context: &Context) -> JsValue {
    let native = NativeFunction::from_copy_closure_with_captures(
        move |_, arguments, importer: &usize, context| function(*importer, arguments, context),
        importer,
    );
    FunctionObjectBuilder::new(context.realm(), native).name(JsString::from(name)).build().into()
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
    module.permissions.check(&Wanted { name, scope }).map_err(|message| {
        tracing::warn!(
            namespace = %host.program.namespace, module = %module.name, file = %module.file,
            request_id = host.current().map_or("-".to_owned(), |call| call.state.info.id.to_string()),
            "denied: {message}"
        );
        denied(&message, context)
    })
}

/// A time: milliseconds, or text such as `1s`.
pub(super) fn duration(value: &JsValue, context: &mut Context) -> JsResult<Duration> {
    if let Some(number) = value.as_number() {
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
    match value.as_number() {
        Some(seconds) => Ok(Some(milliseconds(seconds * 1e3))),
        None => duration(&value, context).map(Some),
    }
}
