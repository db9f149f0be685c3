//! Every built-in of the engine's, made to look at the stack and at the clock.
//!
//! The engine's own code has no ticks, and the engine counts calls of the module's functions only. Built-ins that call one
//! another with nothing of the module between, through getters, `toString` or an iterator's `next`, would go on until the
//! stack ends, or for ever. So what modules reach in their place looks first, whoever calls it.
//!
//! Constructors stay what they are, but for some (`constructors.rs`): the engine compares with them
//! (`promise.constructor`), and whoever extends them needs them. They use no `this`, so built-ins call them with what a module has chosen only where they are bound (`bind.rs`), are
//! behind a proxy (`proxies.rs`), or where the built-in that calls them looks. Functions of `Math` are left alone as
//! well: they use no `this` either, and are called often.

use std::collections::{HashMap, HashSet};

use boa_engine::native_function::NativeFunctionObject;
use boa_engine::object::FunctionObjectBuilder;
use boa_engine::object::builtins::JsFunction;
use boa_engine::property::{PropertyDescriptor, PropertyKey};
use boa_engine::{Context, JsObject, JsResult, JsString, JsSymbol, JsValue, NativeFunction, js_string};

use super::harden::{held, own, roots};
use crate::engine::depth::look;
use crate::engine::host::Host;

/// The engine's own functions, by what is there in their place.
pub(in crate::engine) type Guarded = HashMap<JsObject, JsFunction>;

/// Puts something that looks in the place of each built-in, before anything else is changed.
pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let mut reached = HashSet::from([context.intrinsics().objects().math()]);
    let (mut left, mut known) = (roots(context), HashMap::new());
    while let Some(object) = left.pop() {
        if !reached.insert(object.clone()) {
            continue;
        }
        for key in object.own_property_keys(context)? {
            let Some(property) = own(&object, &key) else { continue };
            // Built-ins themselves hold nothing but their names.
            left.extend(held(&property).filter(|object| !is_built_in(object)));
            // It says what it is called on.
            let is_species = key == PropertyKey::Symbol(JsSymbol::species());
            if property.configurable() == Some(true) && !is_species {
                guard(&object, key, &property, &mut known, context)?;
            }
        }
        left.extend(object.prototype());
    }
    let guarded = known
        .into_iter()
        .filter_map(|(own, looking)| Some((JsObject::from(looking), JsFunction::from_object(own)?)));
    *Host::of(context).guarded.borrow_mut() = guarded.collect();
    Ok(())
}

/// The engine's own function, to be called by what comes in its place. Only while a context is made.
pub(super) fn unguarded(function: &JsFunction, context: &Context) -> JsFunction {
    let host = Host::of(context);
    let guarded = host.guarded.borrow();
    guarded.get(&**function).unwrap_or(function).clone()
}

fn guard(
    object: &JsObject,
    key: PropertyKey,
    property: &PropertyDescriptor,
    known: &mut HashMap<JsObject, JsFunction>,
    context: &mut Context,
) -> JsResult<()> {
    let mut is_changed = false;
    let mut instead = |value: Option<&JsValue>| -> JsResult<Option<JsValue>> {
        let Some(value) = value else { return Ok(None) };
        let own = value.as_function().filter(|function| is_built_in(function));
        let Some(own) = own else { return Ok(Some(value.clone())) };
        is_changed = true;
        if let Some(known) = known.get(&*own) {
            return Ok(Some(known.clone().into()));
        }
        let looking = looking(own.clone(), context)?;
        known.insert(own.into(), looking.clone());
        Ok(Some(looking.into()))
    };
    let (value, get, set) = (instead(property.value())?, instead(property.get())?, instead(property.set())?);
    if is_changed {
        let descriptor = PropertyDescriptor::builder()
            .maybe_value(value)
            .maybe_get(get)
            .maybe_set(set)
            .maybe_writable(property.writable())
            .maybe_enumerable(property.enumerable())
            .maybe_configurable(property.configurable())
            .build();
        object.define_property_or_throw(key, descriptor, context)?;
    }
    Ok(())
}

fn is_built_in(function: &JsObject) -> bool {
    function.is::<NativeFunctionObject>() && !function.is_constructor()
}

/// A function that looks, and calls the engine's.
fn looking(own: JsFunction, context: &mut Context) -> JsResult<JsFunction> {
    let (name, length) = described(&own, context)?;
    let function = NativeFunction::from_copy_closure_with_captures(
        |this, arguments, own: &JsFunction, context| {
            look(context)?;
            own.call(this, arguments, context)
        },
        own,
    );
    let function = FunctionObjectBuilder::new(context.realm(), function).name(name).length(length);
    Ok(function.build())
}

/// Name and length of a function.
pub(super) fn described(function: &JsObject, context: &mut Context) -> JsResult<(JsString, usize)> {
    let name = function.get(js_string!("name"), context)?.to_string(context)?;
    let length = function.get(js_string!("length"), context)?.to_length(context)?;
    Ok((name, usize::try_from(length).unwrap_or(0)))
}
