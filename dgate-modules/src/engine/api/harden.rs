//! What all modules share cannot be changed by any of them.
//!
//! Built-in objects, and those of the gateway, are frozen before a module is evaluated: what one module or one request
//! does to them would be seen by all others. Only what a module makes itself is its own.

use boa_engine::object::{FunctionObjectBuilder, IntegrityLevel};
use boa_engine::property::{PropertyDescriptor, PropertyKey};
use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsValue, NativeFunction, js_string};

/// Freezes everything that can be reached from the global object, and from `more`.
pub(super) fn harden(more: Vec<JsObject>, context: &mut Context) -> JsResult<()> {
    let constructors = context.intrinsics().constructors();
    let shadowed = [
        constructors.object().prototype(),
        constructors.function().prototype(),
        constructors.error().prototype(),
        constructors.type_error().prototype(),
        constructors.range_error().prototype(),
        constructors.syntax_error().prototype(),
        constructors.reference_error().prototype(),
        constructors.eval_error().prototype(),
        constructors.uri_error().prototype(),
        constructors.aggregate_error().prototype(),
    ];
    for prototype in &shadowed {
        let_be_shadowed(prototype, context)?;
    }
    let mut all = roots(context);
    all.extend(more);
    freeze_all(all, context)
}

/// The global object, and what is reached from nowhere but from values.
pub(super) fn roots(context: &Context) -> Vec<JsObject> {
    let intrinsics = context.intrinsics().objects();
    let iterators = intrinsics.iterator_prototypes();
    vec![
        context.global_object(),
        intrinsics.generator(),
        intrinsics.async_generator(),
        intrinsics.throw_type_error().into(),
        iterators.array(),
        iterators.async_iterator(),
        iterators.set(),
        iterators.string(),
        iterators.regexp_string(),
        iterators.map(),
        iterators.iterator_helper(),
        iterators.wrap_for_valid_iterator(),
        context.intrinsics().constructors().async_function().prototype(),
    ]
}

/// Freezes objects and all that can be reached from them.
pub(super) fn freeze_all(mut left: Vec<JsObject>, context: &mut Context) -> JsResult<()> {
    // What is frozen was reached before.
    while let Some(object) = left.pop() {
        if !object.is_extensible(context)? {
            continue;
        }
        for key in object.own_property_keys(context)? {
            left.extend(own(&object, &key).iter().flat_map(held));
        }
        left.extend(object.prototype());
        object.set_integrity_level(IntegrityLevel::Frozen, context)?;
    }
    Ok(())
}

/// The objects that a property holds.
pub(super) fn held(property: &PropertyDescriptor) -> impl Iterator<Item = JsObject> + use<> {
    let values = [property.value(), property.get(), property.set()];
    values.map(|value| value.and_then(JsValue::as_object)).into_iter().flatten()
}

pub(super) fn own(object: &JsObject, key: &PropertyKey) -> Option<PropertyDescriptor> {
    object.borrow().properties().get(key)
}

/// A property of a frozen prototype keeps its name from being assigned to in all that inherit from it: `error.name = …`
/// would throw. As an accessor it can be assigned to; the new value goes to the object itself.
fn let_be_shadowed(prototype: &JsObject, context: &mut Context) -> JsResult<()> {
    let realm = context.realm().clone();
    for key in prototype.own_property_keys(context)? {
        let property = own(prototype, &key).filter(|property| property.configurable() == Some(true));
        let Some(value) = property.and_then(|property| property.value().cloned()) else { continue };
        let get = NativeFunction::from_copy_closure_with_captures(|_, _, value, _| Ok(value.clone()), value);
        let set = NativeFunction::from_copy_closure_with_captures(
            |this, arguments, (key, home): &(JsValue, JsObject), context| {
                let object = this.as_object().filter(|object| !JsObject::equals(object, home));
                let object = object.ok_or_else(|| {
                    JsNativeError::typ().with_message("built-in objects cannot be changed by modules")
                })?;
                let value = arguments.first().cloned().unwrap_or_default();
                let key = key.to_property_key(context)?;
                object.create_data_property_or_throw(key, value, context)?;
                Ok(JsValue::undefined())
            },
            (key.clone().into(), prototype.clone()),
        );
        let get = FunctionObjectBuilder::new(&realm, get).name(js_string!("get")).build();
        let set = FunctionObjectBuilder::new(&realm, set).name(js_string!("set")).length(1).build();
        let accessor =
            PropertyDescriptor::builder().get(get).set(set).enumerable(false).configurable(false).build();
        prototype.define_property_or_throw(key, accessor, context)?;
    }
    Ok(())
}
