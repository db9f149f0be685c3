//! What `JSON.parse` does with a function. ECMA-262, 25.5.1.1 (InternalizeJSONProperty).

use boa_engine::property::PropertyKey;
use boa_engine::{Context, JsObject, JsResult, JsValue, js_string};

use super::super::lists::array;
use super::super::stringify::{keys, name};
use crate::engine::depth::look;

/// The value as the function leaves it.
pub(super) fn revived(value: JsValue, reviver: &JsObject, context: &mut Context) -> JsResult<JsValue> {
    let holder = JsObject::with_object_proto(context.intrinsics());
    let key = PropertyKey::from(js_string!(""));
    holder.create_data_property_or_throw(key.clone(), value, context)?;
    property(&holder, &key, reviver, context)
}

fn property(
    holder: &JsObject,
    key: &PropertyKey,
    reviver: &JsObject,
    context: &mut Context,
) -> JsResult<JsValue> {
    look(context)?;
    let value = holder.get(key.clone(), context)?;
    if let Some(object) = value.as_object() {
        if array(&value, context)?.is_some() {
            let length = object.get(js_string!("length"), context)?.to_length(context)?;
            for index in 0..length {
                member(&object, PropertyKey::from(index), reviver, context)?;
            }
        } else {
            for key in keys(&object, context)? {
                member(&object, key, reviver, context)?;
            }
        }
    }
    reviver.call(&holder.clone().into(), &[name(key).into(), value], context)
}

fn member(object: &JsObject, key: PropertyKey, reviver: &JsObject, context: &mut Context) -> JsResult<()> {
    let value = property(object, &key, reviver, context)?;
    // What cannot be changed stays as it is.
    if value.is_undefined() {
        let reflect = context.intrinsics().objects().reflect();
        let delete = reflect.get(js_string!("deleteProperty"), context)?;
        if let Some(delete) = delete.as_callable() {
            delete.call(&JsValue::undefined(), &[object.clone().into(), key.into()], context)?;
        }
    } else {
        object.create_data_property(key, value, context)?;
    }
    Ok(())
}
