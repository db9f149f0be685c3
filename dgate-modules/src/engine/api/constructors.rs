//! Constructors that make an object of nothing, made to look at the stack and at the clock as well.
//!
//! Called as a function, each of these returns a new object: as the `next` of an iterator, or the `exec` of something that is
//! matched, it would be asked for more for ever. The others throw then, or return what ends such loops.

use std::collections::HashMap;

use boa_engine::native_function::NativeFunctionObject;
use boa_engine::object::FunctionObjectBuilder;
use boa_engine::object::builtins::JsRegExp;
use boa_engine::property::{PropertyDescriptor, PropertyKey};
use boa_engine::{Context, JsObject, JsResult, JsString, JsSymbol, JsValue, NativeFunction, js_string};

use super::harden::own;
use crate::engine::depth::look;
use crate::engine::limits::refused;
use crate::engine::values::argument;
use crate::failure::LimitKind;
use crate::typescript::too_large;

/// Those that inherit from another come after it.
const ALL: [&str; 11] = [
    "Array",
    "Error",
    "Object",
    "RegExp",
    "AggregateError",
    "EvalError",
    "RangeError",
    "ReferenceError",
    "SyntaxError",
    "TypeError",
    "URIError",
];

/// Puts those that look in the place of the engine's. To be called when nothing else is put into them any more.
pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let global = context.global_object();
    let mut known: HashMap<JsObject, JsObject> = HashMap::new();
    for name in ALL {
        let key = JsString::from(name);
        let engines = global.get(key.clone(), context)?.to_object(context)?;
        let looking = looking(&engines, name == "RegExp", context)?;
        if let Some(parent) = engines.prototype() {
            looking.set_prototype(Some(known.get(&parent).unwrap_or(&parent).clone()));
        }
        let hidden = PropertyDescriptor::builder().writable(true).enumerable(false).configurable(true);
        let prototype = engines.get(js_string!("prototype"), context)?.to_object(context)?;
        let constructor = hidden.clone().value(looking.clone());
        prototype.define_property_or_throw(js_string!("constructor"), constructor, context)?;
        global.define_property_or_throw(key, hidden.value(looking.clone()), context)?;
        known.insert(engines, looking);
    }
    Ok(())
}

fn looking(engines: &JsObject, makes_patterns: bool, context: &mut Context) -> JsResult<JsObject> {
    let run = NativeFunction::from_copy_closure_with_captures(
        move |new_target, arguments, engines: &JsObject, context| {
            look(context)?;
            let bounded = if makes_patterns { Some(pattern(arguments, context)?) } else { None };
            let arguments = bounded.as_deref().unwrap_or(arguments);
            let Some(new_target) = new_target.as_object() else {
                return engines.call(&JsValue::undefined(), arguments, context);
            };
            // What is constructed itself is to the engine the engine's own.
            let prototype = |of: &JsObject| own(of, &js_string!("prototype").into())?.value().cloned();
            let is_own =
                new_target.is::<NativeFunctionObject>() && prototype(&new_target) == prototype(engines);
            engines.construct(arguments, Some(&new_target).filter(|_| !is_own), context).map(JsValue::from)
        },
        engines.clone(),
    );
    let looking = FunctionObjectBuilder::new(context.realm(), run).constructor(true).build();
    for key in engines.own_property_keys(context)? {
        let Some(mut property) = own(engines, &key) else { continue };
        if key == PropertyKey::Symbol(JsSymbol::species()) {
            // The engine takes its own where there is none. What extends this one is made as what it is.
            let species = NativeFunction::from_copy_closure_with_captures(
                |this, _, prototype: &JsValue, context| {
                    look(context)?;
                    let Some(object) = this.as_object() else { return Ok(this.clone()) };
                    let of = own(&object, &js_string!("prototype").into());
                    let is_own = of.and_then(|of| of.value().cloned()).is_some_and(|of| of == *prototype);
                    Ok(if is_own { JsValue::undefined() } else { this.clone() })
                },
                engines.get(js_string!("prototype"), context)?,
            );
            let species = FunctionObjectBuilder::new(context.realm(), species)
                .name(js_string!("get [Symbol.species]"))
                .build();
            property =
                PropertyDescriptor::builder().get(species).enumerable(false).configurable(true).build();
        }
        looking.define_property_or_throw(key, property, context)?;
    }
    Ok((*looking).clone())
}

/// What a regular expression is made of, as a text: the engine takes the square of its length to compile it.
fn pattern(arguments: &[JsValue], context: &mut Context) -> JsResult<Vec<JsValue>> {
    let mut arguments = arguments.to_vec();
    let Some(first) = arguments.first().cloned().filter(|first| !first.is_undefined()) else {
        return Ok(arguments);
    };
    if let Some(object) = first.as_object() {
        if JsRegExp::from_object(object.clone()).is_ok() {
            return Ok(arguments);
        }
        if object.get(JsSymbol::r#match(), context)?.to_boolean() {
            if argument(&arguments, 1).is_undefined() {
                arguments.resize(2, JsValue::undefined());
                arguments[1] = object.get(js_string!("flags"), context)?;
            }
            arguments[0] = object.get(js_string!("source"), context)?;
        }
    }
    let text = arguments[0].to_string(context)?;
    let bars = text.iter().filter(|unit| *unit == u16::from(b'|')).count();
    if let Some(message) = too_large(text.len(), bars) {
        return Err(refused(LimitKind::String, message, context));
    }
    arguments[0] = text.into();
    Ok(arguments)
}

/// A pattern cannot be made another one: the engine would compile it without bounds.
pub(super) fn without_compile(context: &mut Context) -> JsResult<()> {
    let prototype = context.intrinsics().constructors().regexp().prototype();
    let key = js_string!("compile");
    if prototype.has_own_property(key.clone(), context)? {
        prototype.delete_property_or_throw(key, context)?;
    }
    Ok(())
}
