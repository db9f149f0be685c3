//! `Promise.prototype.finally`. ECMA-262, 27.2.5.3.
//!
//! The functions that the engine's own gives to `then` call one another through promises that are theirs, and look at nothing.

use boa_engine::object::builtins::JsFunction;
use boa_engine::{
    Context, JsError, JsNativeError, JsObject, JsResult, JsSymbol, JsValue, NativeFunction, js_string,
};

use super::define;
use crate::engine::depth::look;
use crate::engine::values::argument;

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let prototype = context.intrinsics().constructors().promise().prototype();
    define::instead(&prototype, js_string!("finally"), finally, context)
}

fn finally(
    this: &JsValue,
    arguments: &[JsValue],
    own: &JsFunction,
    context: &mut Context,
) -> JsResult<JsValue> {
    let Some(promise) = this.as_object() else { return own.call(this, arguments, context) };
    let constructor = constructor(&promise, context)?;
    let last = argument(arguments, 0);
    let functions = match last.as_callable() {
        None => [last.clone(), last],
        Some(last) => [
            after(&last, &constructor, |value, context| thunk(value, Ok, context), context),
            after(
                &last,
                &constructor,
                |reason, context| thunk(reason, |r| Err(JsError::from_opaque(r)), context),
                context,
            ),
        ],
    };
    then(&promise.into(), &functions, context)
}

/// ECMA-262, 7.3.22 (SpeciesConstructor).
fn constructor(promise: &JsObject, context: &mut Context) -> JsResult<JsObject> {
    let none = || JsNativeError::typ().with_message("what makes promises of this kind is no constructor");
    let default = context.intrinsics().constructors().promise().constructor();
    let constructor = promise.get(js_string!("constructor"), context)?;
    if constructor.is_undefined() {
        return Ok(default);
    }
    let species = constructor.as_object().ok_or_else(none)?.get(JsSymbol::species(), context)?;
    if species.is_null_or_undefined() {
        return Ok(default);
    }
    Ok(species.as_object().filter(JsObject::is_constructor).ok_or_else(none)?)
}

type Goes = fn(JsValue, &mut Context) -> JsValue;

/// A function that calls the module's, waits for what it returns, and goes on with what there was before.
fn after(last: &JsObject, constructor: &JsObject, goes_on: Goes, context: &Context) -> JsValue {
    let function = NativeFunction::from_copy_closure_with_captures(
        move |_, arguments, (last, constructor): &(JsObject, JsObject), context| {
            look(context)?;
            let result = last.call(&JsValue::undefined(), &[], context)?;
            let promise = context.intrinsics().constructors().promise().constructor();
            let resolve = promise.get(js_string!("resolve"), context)?;
            let resolve = resolve.as_callable().ok_or_else(no_function)?;
            let promise = resolve.call(&constructor.clone().into(), &[result], context)?;
            let thunk = goes_on(argument(arguments, 0), context);
            then(&promise, &[thunk], context)
        },
        (last.clone(), constructor.clone()),
    );
    function.to_js_function(context.realm()).into()
}

fn thunk(value: JsValue, settle: fn(JsValue) -> JsResult<JsValue>, context: &Context) -> JsValue {
    let function = NativeFunction::from_copy_closure_with_captures(
        move |_, _, value: &JsValue, context| {
            look(context)?;
            settle(value.clone())
        },
        value,
    );
    function.to_js_function(context.realm()).into()
}

fn then(promise: &JsValue, functions: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let object = promise.to_object(context)?;
    let then = object.get(js_string!("then"), context)?.as_callable().ok_or_else(no_function)?;
    then.call(promise, functions, context)
}

fn no_function() -> JsError {
    JsNativeError::typ().with_message("`then` of a promise is no function").into()
}
