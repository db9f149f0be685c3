//! What modules see: `ctx`, globals, native modules.
//!
//! Hot things are native; what is rarely used is JavaScript of our own (`prelude.js`), evaluated when it is first
//! needed.

mod bind;
mod body;
mod bounds;

mod console;
mod constructors;
mod context;
mod decoder;
mod define;
mod encoding;
mod fetch_response;
mod finally;
mod growth;
mod guard;
mod harden;
mod headers;
mod json;
mod lists;
mod matcher;
mod modules;
mod parse;
mod prelude;
mod prototypes;
mod proxies;
mod query;
mod regexp;
mod replacing;
mod request;
mod response;
mod search;
mod stack;
mod state;
mod stringify;
mod testing;
mod texts;
mod timers;
mod upstream;
mod url;

use std::cell::OnceCell;
use std::rc::Rc;

use boa_engine::object::NativeObject;
use boa_engine::object::shape::RootShape;
use boa_engine::{Context, JsError, JsObject, JsResult, JsValue, js_string};

pub(super) use self::context::{context_for, context_object};
pub(super) use self::fetch_response::{apply_response, is_response};
pub(super) use self::guard::Guarded;
pub(super) use self::modules::native_module;
pub(super) use self::prelude::{call_fetch, run_script};
pub(super) use self::regexp::Patterns;
pub(super) use self::state::{RequestState, write_back};
pub(super) use self::stringify::json;
use super::errors;
use super::host::Host;
use super::ops::named_error;
use super::recursion;
use crate::exchange::ErrorInfo;

/// The prototypes of native objects.
pub(super) struct Prototypes {
    context: Class,
    request: Class,
    response: Class,
    upstream: Class,
    headers: Class,
    query: Class,
    url: Class,
    fetch_response: Class,
    handlers: proxies::Handlers,
    prelude: OnceCell<JsObject>,
    testing: OnceCell<JsObject>,
}

/// A kind of native objects. They share a shape, so that the engine finds their members where it found them last.
struct Class {
    prototype: JsObject,
    root: RootShape,
}

impl Class {
    fn new(prototype: JsObject, context: &Context) -> Self {
        Self { prototype, root: context.root_shape().clone() }
    }

    fn instance<T: NativeObject>(&self, data: T) -> JsObject {
        self.inherited(None, data)
    }

    /// An instance of a class that extends this one, by its prototype.
    fn inherited<T: NativeObject>(&self, prototype: Option<JsObject>, data: T) -> JsObject {
        let prototype = prototype.unwrap_or_else(|| self.prototype.clone());
        JsObject::new(&self.root, prototype, data).upcast()
    }
}

/// The prototypes of a context.
fn prototypes(context: &Context) -> Rc<Prototypes> {
    Host::of(context).prototypes.borrow().clone().expect("the interface was installed")
}

/// Puts everything into a new context.
pub(super) fn install(context: &mut Context) -> JsResult<()> {
    guard::install(context)?;
    let prototypes = Prototypes {
        context: Class::new(context::prototype(context)?, context),
        request: Class::new(request::prototype(context)?, context),
        response: Class::new(response::prototype(context)?, context),
        upstream: Class::new(upstream::prototype(context)?, context),
        headers: Class::new(headers::prototype(context)?, context),
        query: Class::new(query::prototype(context)?, context),
        url: Class::new(url::prototype(context)?, context),
        fetch_response: Class::new(fetch_response::prototype(context)?, context),
        handlers: proxies::Handlers::new(context)?,
        prelude: OnceCell::new(),
        testing: OnceCell::new(),
    };
    *Host::of(context).prototypes.borrow_mut() = Some(Rc::new(prototypes));
    parse::install(context)?;
    stack::install(context)?;
    growth::install(context)?;
    regexp::install(context)?;
    search::install(context)?;
    lists::install(context)?;
    stringify::install(context)?;
    texts::install(context)?;
    finally::install(context)?;
    constructors::without_compile(context)?;
    bind::install(context)?;
    proxies::install(context)?;
    prototypes::install(context)?;
    headers::install(context)?;
    query::install(context)?;
    url::install(context)?;
    fetch_response::install(context)?;
    encoding::install(context)?;
    timers::install(context)?;
    prelude::install(context)?;
    define::function("__dgate_tick", 0, tick, context)?;
    define::function("__dgate_enter", 0, enter, context)?;
    define::function("__dgate_take", 0, take, context)?;
    let prototypes = self::prototypes(context);
    let own = [
        &prototypes.context,
        &prototypes.request,
        &prototypes.response,
        &prototypes.upstream,
        &prototypes.headers,
        &prototypes.query,
        &prototypes.url,
        &prototypes.fetch_response,
    ];
    Host::of(context).guarded.take();
    constructors::install(context)?;
    harden::harden(own.into_iter().map(|class| class.prototype.clone()).collect(), context)
}

/// See [`crate::typescript`]: every so often the gateway looks at the clock.
fn tick(_: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let host = Host::of(context);
    let left = host.look_at_clock();
    told(left, &host, context)
}

/// What a module exports is told to the gateway.
#[allow(clippy::unnecessary_wraps, reason = "native functions have one signature")]
fn take(_: &JsValue, exported: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    *Host::of(context).taken.borrow_mut() = exported.to_vec();
    Ok(JsValue::undefined())
}

/// The same where functions begin: looks at how deep calls are, too.
fn enter(_: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let host = Host::of(context);
    let left = host.look_at_clock().and_then(|left| Ok(recursion::look(&host, context)?.min(left)));
    told(left, &host, context)
}

fn told(left: JsResult<i32>, host: &Host, context: &Context) -> JsResult<JsValue> {
    if left.is_err() {
        errors::remember(host, context);
    }
    left.map(JsValue::from)
}

/// What an error handler gets.
pub(super) fn error_object(error: &ErrorInfo, context: &mut Context) -> JsValue {
    let error_value = named_error("GatewayError", &error.message, context);
    let Ok(value) = error_value.into_opaque(context) else { return JsValue::undefined() };
    if let Some(object) = value.as_object() {
        let code = boa_engine::JsString::from(error.code);
        let _ = object.create_data_property(js_string!("code"), code, context);
        let _ = object.create_data_property(js_string!("status"), i32::from(error.status), context);
    }
    value
}

/// The error of a permission that is not granted: counted, logged with its place, told to whoever wants to know.
fn denied(importer: usize, message: &str, context: &mut Context) -> JsError {
    let host = Host::of(context);
    let module = &host.program.modules[importer];
    crate::metrics::count_denial(&host.program.namespace, &module.name);
    let trace = errors::here(context);
    // What is refused later than it was asked for, such as a redirect, has no place any more.
    let place = trace.first().and_then(|line| Some(line.rsplit_once('(')?.1.trim_end_matches(')')));
    let call = host.current();
    tracing::warn!(
        target: "dgate::module",
        namespace = %host.program.namespace,
        module = %module.name,
        hook = call.as_ref().map_or("-", |call| call.hook.name()),
        request_id = call.as_ref().map_or("-", |call| call.state.info.id.as_str()),
        place = place.unwrap_or(&module.file),
        "denied: {message}"
    );
    if let Some(told) = host.capabilities.denials.get() {
        told(message);
    }
    named_error("PermissionDenied", message, context)
}
