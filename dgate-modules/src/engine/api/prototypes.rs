//! Chains of prototypes, along which the engine calls itself for each property that is looked for: they are kept short.

use boa_engine::builtins::proxy::Proxy;
use boa_engine::object::FunctionObjectBuilder;
use boa_engine::object::builtins::JsFunction;
use boa_engine::property::PropertyDescriptor;
use boa_engine::{Context, JsNativeError, JsResult, JsValue, NativeFunction, js_string};

use super::define;
use crate::engine::depth::DEEPEST;
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
            look_at_chain(&argument(arguments, 0), context)?;
            own.call(this, arguments, context)
        },
        context,
    )?;
    for home in [&object, &reflect] {
        define::instead(
            home,
            js_string!("setPrototypeOf"),
            |this, arguments, own, context| {
                look_at_chain(&argument(arguments, 1), context)?;
                own.call(this, arguments, context)
            },
            context,
        )?;
    }
    prototype_setter(context)
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
            look_at_chain(&argument(arguments, 0), context)?;
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

/// # Errors
/// When there would be too many of them.
fn look_at_chain(prototype: &JsValue, context: &Context) -> JsResult<()> {
    let mut next = prototype.as_object();
    for _ in 0..DEEPEST {
        // Whoever goes through a proxy looks at the stack.
        let Some(object) = next.filter(|object| !object.is::<Proxy>()) else { return Ok(()) };
        next = object.prototype();
    }
    let message = format!("more prototypes than an object may have ({DEEPEST})");
    Err(refused(LimitKind::Recursion, message, context))
}
