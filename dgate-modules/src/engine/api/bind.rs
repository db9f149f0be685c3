//! `Function.prototype.bind`, of built-ins.
//!
//! A bound built-in is called by other built-ins with what a module has chosen: `Math.floor.bind(null, o)` as the
//! `Symbol.toPrimitive` of `o` would call itself until the stack ends. So what is bound looks first.

use boa_engine::builtins::function::BoundFunction;
use boa_engine::native_function::NativeFunctionObject;
use boa_engine::object::FunctionObjectBuilder;
use boa_engine::property::PropertyDescriptor;
use boa_engine::{Context, JsObject, JsResult, JsValue, NativeFunction, js_string};

use super::define;
use crate::engine::depth::{DEEPEST, look};
use crate::engine::limits::refused;
use crate::failure::LimitKind;

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let function = context.intrinsics().constructors().function().prototype();
    define::instead(
        &function,
        js_string!("bind"),
        |this, arguments, own, context| {
            let Some(target) = this.as_object() else { return own.call(this, arguments, context) };
            look_at_depth(&target, context)?;
            if !target.is::<NativeFunctionObject>() {
                return own.call(this, arguments, context);
            }
            let looking = looking(&target, context)?;
            own.call(&looking.into(), arguments, context)
        },
        context,
    )
}

/// What is bound again and again: the engine goes through all of it for `instanceof`, calling itself.
fn look_at_depth(target: &JsObject, context: &Context) -> JsResult<()> {
    let mut next = Some(target.clone());
    for _ in 0..DEEPEST {
        let Some(function) = next else { return Ok(()) };
        next = function.downcast_ref::<BoundFunction>().map(|bound| bound.target_function().clone());
    }
    let message = format!("bound more often than functions may be ({DEEPEST})");
    Err(refused(LimitKind::Recursion, message, context))
}

/// A function that looks, and is to whoever binds, constructs or extends it what the built-in is.
fn looking(target: &JsObject, context: &mut Context) -> JsResult<JsObject> {
    let is_constructor = target.is_constructor();
    let run = NativeFunction::from_copy_closure_with_captures(
        |this, arguments, target: &JsObject, context| {
            look(context)?;
            // Constructors are told here what is constructed.
            match this.as_object().filter(|_| target.is_constructor()) {
                Some(new_target) => {
                    target.construct(arguments, Some(&new_target), context).map(JsValue::from)
                }
                None => target.call(this, arguments, context),
            }
        },
        target.clone(),
    );
    let looking = FunctionObjectBuilder::new(context.realm(), run).constructor(is_constructor).build();
    for key in [js_string!("name"), js_string!("length")] {
        let descriptor = PropertyDescriptor::builder().value(target.get(key.clone(), context)?);
        looking.define_property_or_throw(key, descriptor, context)?;
    }
    looking.set_prototype(target.prototype());
    let prototype = target.get(js_string!("prototype"), context)?;
    if prototype.is_object() {
        let descriptor = PropertyDescriptor::builder().value(prototype);
        looking.define_property_or_throw(js_string!("prototype"), descriptor, context)?;
    }
    Ok((*looking).clone())
}
