//! Chains of prototypes and proxies, along which the engine calls itself for each property that is looked for.
//!
//! They are kept short, and without ends: through a proxy, an object could be made to inherit from itself.

use boa_engine::builtins::proxy::Proxy;
use boa_engine::object::FunctionObjectBuilder;
use boa_engine::object::builtins::JsFunction;
use boa_engine::property::PropertyDescriptor;
use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsValue, NativeFunction, js_string};

use super::define;
use crate::engine::depth::DEEPEST;
use crate::engine::host::{Host, PROXIES};
use crate::engine::limits::refused;
use crate::engine::values::argument;
use crate::failure::LimitKind;

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let object = context.intrinsics().constructors().object().constructor();
    let reflect = context.intrinsics().objects().reflect();
    define::instead(
        &object,
        js_string!("create"),
        |this, arguments, own, context| {
            passes_proxy(&argument(arguments, 0), context)?;
            own.call(this, arguments, context)
        },
        context,
    )?;
    for home in [&object, &reflect] {
        define::instead(
            home,
            js_string!("setPrototypeOf"),
            |this, arguments, own, context| {
                look_at_new(&argument(arguments, 0), &argument(arguments, 1), context)?;
                own.call(this, arguments, context)
            },
            context,
        )?;
    }
    prototype_setter(context)?;
    proxies(context)
}

/// `object.__proto__ = …`
fn prototype_setter(context: &mut Context) -> JsResult<()> {
    let prototype = context.intrinsics().constructors().object().prototype();
    let key = js_string!("__proto__");
    let known = prototype.borrow().properties().get(&key.clone().into());
    let missing = || JsNativeError::typ().with_message("the engine lacks `__proto__`");
    let known = known.ok_or_else(missing)?;
    let set = known.set().and_then(JsValue::as_function).ok_or_else(missing)?;
    let set = NativeFunction::from_copy_closure_with_captures(
        |this, arguments, set: &JsFunction, context| {
            look_at_new(this, &argument(arguments, 0), context)?;
            set.call(this, arguments, context)
        },
        set,
    );
    let set =
        FunctionObjectBuilder::new(context.realm(), set).name(js_string!("set __proto__")).length(1).build();
    let descriptor = PropertyDescriptor::builder()
        .maybe_get(known.get().cloned())
        .set(set)
        .enumerable(false)
        .configurable(true);
    prototype.define_property_or_throw(key, descriptor, context)?;
    Ok(())
}

/// `Proxy`, which counts those behind others.
fn proxies(context: &mut Context) -> JsResult<()> {
    let own = context.intrinsics().constructors().proxy().constructor();
    let make = NativeFunction::from_copy_closure_with_captures(
        |new_target, arguments, own: &JsObject, context| {
            if new_target.is_undefined() {
                return Err(JsNativeError::typ().with_message("`Proxy` needs `new`").into());
            }
            count_proxy(arguments, context)?;
            Ok(own.construct(arguments, None, context)?.into())
        },
        own.clone(),
    );
    let proxy = FunctionObjectBuilder::new(context.realm(), make)
        .name(js_string!("Proxy"))
        .length(2)
        .constructor(true)
        .build();
    let revocable = own.get(js_string!("revocable"), context)?;
    let hidden = PropertyDescriptor::builder().writable(true).enumerable(false).configurable(true);
    proxy.define_property_or_throw(js_string!("revocable"), hidden.clone().value(revocable), context)?;
    define::instead(
        &proxy,
        js_string!("revocable"),
        |this, arguments, own, context| {
            count_proxy(arguments, context)?;
            own.call(this, arguments, context)
        },
        context,
    )?;
    let global = context.global_object();
    global.define_property_or_throw(js_string!("Proxy"), hidden.value(proxy), context)?;
    Ok(())
}

/// Counts a proxy that lies behind others, by its target or its handler.
///
/// # Errors
/// When a runtime has made too many of these.
fn count_proxy(arguments: &[JsValue], context: &Context) -> JsResult<()> {
    let (target, handler) = (argument(arguments, 0), argument(arguments, 1));
    let is_behind = passes_proxy(&target, context)? || passes_proxy(&handler, context)?;
    if !is_behind || Host::of(context).count_proxy() {
        return Ok(());
    }
    let message = format!("more proxies of proxies than a runtime may make ({PROXIES})");
    Err(refused(LimitKind::Recursion, message, context))
}

/// # Errors
/// When an object that is there may not inherit from this one.
fn look_at_new(object: &JsValue, prototype: &JsValue, context: &Context) -> JsResult<()> {
    let Some(object) = object.as_object() else { return Ok(()) };
    // What stays as it is was looked at when it became so.
    if !object.is::<Proxy>() && object.prototype() == prototype.as_object() {
        return Ok(());
    }
    if passes_proxy(prototype, context)? {
        let message = "an object that is there already cannot be made to inherit from a proxy; give the proxy to \
                       `Object.create`, or let the object be the proxy's target";
        return Err(JsNativeError::typ().with_message(message).into());
    }
    Ok(())
}

/// Whether one of those that something would inherit from is a proxy.
///
/// # Errors
/// When they are too many.
fn passes_proxy(prototype: &JsValue, context: &Context) -> JsResult<bool> {
    let mut next = prototype.as_object();
    for _ in 0..DEEPEST {
        let Some(object) = next else { return Ok(false) };
        if object.is::<Proxy>() {
            return Ok(true);
        }
        next = object.prototype();
    }
    let message = format!("more prototypes than an object may have ({DEEPEST})");
    Err(refused(LimitKind::Recursion, message, context))
}
