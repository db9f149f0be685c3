//! What the engine asks when something is matched: a regular expression, or what a module has in the place of one.

use boa_engine::object::builtins::JsRegExp;
use boa_engine::property::PropertyKey;
use boa_engine::{Context, JsObject, JsResult, JsString, JsValue, NativeFunction, js_string};

use super::proxies::{proxy, view};
use crate::engine::depth::look;
use crate::engine::values::argument;

/// What matches, to be asked by the engine. Where it is no regular expression as there are, its `exec` is looked after:
/// what that finds may never end, or say that it has any number of parts.
pub(super) fn matcher(object: JsObject, context: &mut Context) -> JsResult<JsValue> {
    let prototype = context.intrinsics().constructors().regexp().prototype();
    let is_plain = JsRegExp::from_object(object.clone()).is_ok()
        && object.prototype() == Some(prototype)
        && !object.borrow().properties().contains_key(&js_string!("exec").into());
    if is_plain { Ok(object.into()) } else { looked_after(&object, context).map(JsValue::from) }
}

/// Something that is matched like a regular expression, with an `exec` that is looked after. Nothing of it can be shown as
/// what cannot be changed, so what the proxy is of is nothing.
fn looked_after(object: &JsObject, context: &mut Context) -> JsResult<JsObject> {
    let get = NativeFunction::from_copy_closure_with_captures(
        |_, arguments, object: &JsObject, context| {
            let key = argument(arguments, 1).to_property_key(context)?;
            let is_exec = key == PropertyKey::from(js_string!("exec"));
            let value = object.get(key, context)?;
            match value.as_callable().filter(|_| is_exec) {
                Some(exec) => Ok(looked_after_exec(exec, object.clone(), context)),
                None => Ok(value),
            }
        },
        object.clone(),
    );
    let set = NativeFunction::from_copy_closure_with_captures(
        |_, arguments, object: &JsObject, context| {
            let key = argument(arguments, 1).to_property_key(context)?;
            object.set(key, argument(arguments, 2), false, context).map(JsValue::from)
        },
        object.clone(),
    );
    let traps = JsObject::with_null_proto();
    for (name, trap) in [("get", get), ("set", set)] {
        let trap = trap.to_js_function(context.realm());
        traps.create_data_property_or_throw(JsString::from(name), trap, context)?;
    }
    proxy(&JsObject::with_null_proto(), traps, context)
}

/// The `exec` of something that is matched like a regular expression: however many parts it says there are in what it finds.
fn looked_after_exec(exec: JsObject, object: JsObject, context: &Context) -> JsValue {
    let run = NativeFunction::from_copy_closure_with_captures(
        |_, arguments, (exec, object): &(JsObject, JsObject), context| {
            look(context)?;
            let found = exec.call(&object.clone().into(), arguments, context)?;
            let Some(parts) = found.as_object() else { return Ok(found) };
            if parts.is_array() { Ok(found) } else { view(&parts, context).map(JsValue::from) }
        },
        (exec, object),
    );
    run.to_js_function(context.realm()).into()
}
