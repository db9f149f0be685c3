//! What the modules of a chain export to the gateway: their hooks.

use std::collections::HashMap;

use boa_engine::builtins::promise::PromiseState;
use boa_engine::object::builtins::JsFunction;
use boa_engine::{
    Context, JsError, JsNativeError, JsObject, JsResult, JsString, JsValue, Module, Source, js_string,
};

use super::api;
use super::call::Call;
use super::host::Host;
use super::loader::Loader;
use crate::hook::Hook;
use crate::program::Program;

/// The hooks of one module of the chain.
pub(super) struct Entry {
    index: usize,
    is_script: bool,
    hooks: [Option<JsFunction>; Hook::ALL.len()],
    /// Those that are `async` functions.
    are_async: [bool; Hook::ALL.len()],
    /// `export default { fetch }`.
    fetch: Option<(JsObject, JsFunction)>,
}

impl Entry {
    pub(super) fn has(&self, hook: Hook) -> bool {
        self.hooks[hook as usize].is_some() || (hook == Hook::RequestHandler && self.fetch.is_some())
    }

    /// Whether a hook's promise is that of an `async` function, which only its own continuations settle.
    /// A module that passes another function off as `async` may wait in vain, until its own time is over.
    pub(super) fn is_async(&self, hook: Hook) -> bool {
        self.are_async[hook as usize] && !self.is_script
    }

    pub(super) fn call(&self, call: &Call, context: &mut Context) -> JsResult<JsValue> {
        let first = call.context.borrow().clone();
        let object = match &first {
            Some(first) => api::context_for(first, self.index, context).into(),
            None => JsValue::undefined(),
        };
        let Some(function) = &self.hooks[call.hook as usize] else {
            let Some((this, fetch)) = &self.fetch else { return Ok(JsValue::undefined()) };
            return api::call_fetch(this, fetch, &object, context);
        };
        let error = call.error.borrow().clone();
        if self.is_script {
            return api::run_script(call.hook, function, &object, error, context);
        }
        match error {
            Some(error) => function.call(&JsValue::undefined(), &[object, error], context),
            None => function.call(&JsValue::undefined(), &[object], context),
        }
    }
}

/// Parses, links and evaluates all modules of a program, and finds their hooks.
pub(super) fn evaluate(
    program: &Program,
    loader: &Loader,
    context: &mut Context,
) -> Result<Vec<Entry>, (usize, JsError)> {
    for (index, module) in program.modules.iter().enumerate() {
        let source = Source::from_bytes(module.compiled.code.as_bytes())
            .with_path(std::path::Path::new(&*module.file));
        let parsed = Module::parse(source, None, context).map_err(|error| (index, error))?;
        loader.add(parsed);
    }
    let mut entries = Vec::with_capacity(program.entries);
    for index in 0..program.entries {
        let Some(module) = loader.module(index) else { continue };
        let entry = evaluate_one(index, &module, context).map_err(|error| (index, error))?;
        entries.push(entry);
    }
    Ok(entries)
}

fn run(module: &Module, context: &mut Context) -> JsResult<()> {
    let promise = module.load_link_evaluate(context);
    context.run_jobs()?;
    match promise.state() {
        PromiseState::Fulfilled(_) => Ok(()),
        PromiseState::Rejected(error) => Err(JsError::from_opaque(error)),
        PromiseState::Pending => Err(JsNativeError::error()
            .with_message("the module waits for something at its top level; that never comes there")
            .into()),
    }
}

/// What a module exports of what the gateway asks for, by name.
///
/// It is imported by a module of the gateway's own. The engine's namespace objects would tell, too, but they hold their module
/// for ever, and with it all of the context (boa 0.22: their resolved bindings are not traced). So do those that modules
/// import as a whole (`import * as`), and those asked here for modules that export others as a whole.
fn exported(
    index: usize,
    module: &Module,
    context: &mut Context,
) -> JsResult<HashMap<&'static str, JsValue>> {
    let wanted = std::iter::once("default").chain(Hook::ALL.into_iter().flat_map(Hook::exports).copied());
    let host = Host::of(context);
    let compiled = &host.program.modules[index].compiled;
    if !compiled.reexports.is_empty() {
        let namespace = module.namespace(context);
        return wanted.map(|name| Ok((name, namespace.get(JsString::from(name), context)?))).collect();
    }
    let names: Vec<&str> = wanted.filter(|name| compiled.exports.iter().any(|known| known == name)).collect();
    let imports: Vec<String> =
        names.iter().enumerate().map(|(place, name)| format!("{name} as e{place}")).collect();
    let values: Vec<String> = (0..names.len()).map(|place| format!("e{place}")).collect();
    let (imports, values) = (imports.join(","), values.join(","));
    let source = format!("import{{{imports}}}from\"{}\";__dgate_take({values})", Loader::entry(index));
    let reader = Module::parse(Source::from_bytes(&source), None, context)?;
    run(&reader, context)?;
    Ok(names.into_iter().zip(host.taken.take()).collect())
}

fn evaluate_one(index: usize, module: &Module, context: &mut Context) -> JsResult<Entry> {
    run(module, context)?;
    let exported = exported(index, module, context)?;
    let default = exported.get("default").and_then(JsValue::as_object);
    let mut hooks: [Option<JsFunction>; Hook::ALL.len()] = Default::default();
    for hook in Hook::ALL {
        for name in hook.exports() {
            let mut value = exported.get(name).cloned().unwrap_or_default();
            // CommonJS that assigns `module.exports` as a whole.
            if value.is_undefined()
                && let Some(default) = &default
            {
                value = default.get(JsString::from(*name), context)?;
            }
            if value.is_undefined() {
                continue;
            }
            let Some(function) = value.as_function() else {
                let message = format!("`{name}` is exported, but it is not a function");
                return Err(JsNativeError::typ().with_message(message).into());
            };
            hooks[hook as usize].get_or_insert(function);
        }
    }
    let fetch = match default {
        Some(default) => {
            let fetch = default.get(js_string!("fetch"), context)?;
            fetch.as_function().map(|fetch| (default, fetch))
        }
        None => None,
    };
    let is_script = Host::of(context).program.modules[index].is_script();
    let of_async = context.intrinsics().constructors().async_function().prototype();
    let is_async = |hook: Hook| {
        hooks[hook as usize]
            .as_ref()
            .and_then(|hook| hook.prototype())
            .is_some_and(|of| JsObject::equals(&of, &of_async))
    };
    let are_async = Hook::ALL.map(is_async);
    Ok(Entry { index, is_script, hooks, are_async, fetch })
}
