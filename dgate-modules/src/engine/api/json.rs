//! JSON of plain values, in one pass.
//!
//! Plain are null, booleans, numbers, strings, and arrays and ordinary objects of plain values. Nothing of a module runs
//! on the way. Whatever is not plain, or large, is left to `stringify.rs`.

use boa_engine::builtins::object::OrdinaryObject;
use boa_engine::property::PropertyKey;
use boa_engine::string::JsStrVariant;
use boa_engine::{Context, JsObject, JsResult, JsString, JsValue, JsVariant, js_string};

use crate::json::{escape, hex};

/// Values within one another, at most: a cycle has more.
pub(super) const DEEPEST: usize = 32;
/// Beyond that the other way is taken, which looks at the clock.
const LARGEST: usize = 64 << 10;

/// A value as JSON, if it is plain.
pub(super) fn plain(value: &JsValue, context: &mut Context) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(128);
    write_value(value, DEEPEST, &mut out, context)?;
    Some(out)
}

fn write_value(value: &JsValue, depth: usize, out: &mut Vec<u8>, context: &mut Context) -> Option<()> {
    if out.len() > LARGEST {
        return None;
    }
    match value.variant() {
        JsVariant::Null => out.extend_from_slice(b"null"),
        JsVariant::Boolean(true) => out.extend_from_slice(b"true"),
        JsVariant::Boolean(false) => out.extend_from_slice(b"false"),
        JsVariant::Integer32(_) | JsVariant::Float64(_) => number(value, out, context).ok()?,
        JsVariant::String(text) => quote(&text, out),
        JsVariant::Object(object) => {
            let depth = depth.checked_sub(1)?;
            if object.is_array() {
                array(&object, depth, out, context)?;
            } else {
                members(&object, depth, out, context)?;
            }
        }
        JsVariant::Undefined | JsVariant::Symbol(_) | JsVariant::BigInt(_) => return None,
    }
    Some(())
}

/// A number, as the language writes it; what is none is `null`.
pub(super) fn number(value: &JsValue, out: &mut Vec<u8>, context: &mut Context) -> JsResult<()> {
    match value.variant() {
        JsVariant::Integer32(number) => out.extend_from_slice(number.to_string().as_bytes()),
        JsVariant::Float64(number) if number.is_finite() => {
            let text = JsValue::from(number).to_string(context)?;
            out.extend_from_slice(text.to_std_string_lossy().as_bytes());
        }
        _ => out.extend_from_slice(b"null"),
    }
    Ok(())
}

fn array(object: &JsObject, depth: usize, out: &mut Vec<u8>, context: &mut Context) -> Option<()> {
    let is_plain = object.prototype() == Some(context.intrinsics().constructors().array().prototype());
    // The only property that is no element is the length: nothing says what its JSON is.
    let length = object.get(js_string!("length"), context).ok()?.to_length(context).ok()?;
    if !is_plain || object.borrow().properties().contains_key(&js_string!("toJSON").into()) {
        return None;
    }
    let elements = elements(object)?;
    if elements.len() as u64 != length {
        return None;
    }
    out.push(b'[');
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        if element.is_undefined() {
            out.extend_from_slice(b"null");
        } else {
            write_value(element, depth, out, context)?;
        }
    }
    out.push(b']');
    Some(())
}

/// The elements of an array, if they stand in order and all of them are values.
fn elements(object: &JsObject) -> Option<Vec<JsValue>> {
    let object = object.borrow();
    let properties = object.properties();
    let in_order = properties.index_property_keys().zip(0..).all(|(key, index)| key == index);
    let values = properties.index_property_values().map(|property| property.value().cloned());
    in_order.then(|| values.collect()).flatten()
}

fn members(object: &JsObject, depth: usize, out: &mut Vec<u8>, context: &mut Context) -> Option<()> {
    let prototype = context.intrinsics().constructors().object().prototype();
    if !object.is::<OrdinaryObject>() || object.prototype().is_some_and(|of| of != prototype) {
        return None;
    }
    out.push(b'{');
    let mut is_first = true;
    for key in object.own_property_keys(context).ok()? {
        let property = object.borrow().properties().get(&key)?;
        let name = match &key {
            PropertyKey::String(name) if *name == js_string!("toJSON") => return None,
            PropertyKey::String(name) => name.clone(),
            PropertyKey::Index(index) => JsString::from(index.get().to_string()),
            PropertyKey::Symbol(_) => continue,
        };
        // A getter is the module's own.
        let value = property.value()?;
        if property.enumerable() != Some(true) || value.is_undefined() {
            continue;
        }
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        }
        quote(&name, out);
        out.push(b':');
        write_value(value, depth, out, context)?;
    }
    out.push(b'}');
    Some(())
}

/// A string, escaped as the language says; halves of surrogate pairs that stand alone, too.
pub(super) fn quote(text: &JsString, out: &mut Vec<u8>) {
    out.push(b'"');
    match text.as_str().variant() {
        JsStrVariant::Latin1(bytes) => bytes.iter().for_each(|byte| escape(char::from(*byte), out)),
        JsStrVariant::Utf16(units) => {
            for unit in char::decode_utf16(units.iter().copied()) {
                match unit {
                    Ok(character) => escape(character, out),
                    Err(alone) => hex(alone.unpaired_surrogate(), out),
                }
            }
        }
    }
    out.push(b'"');
}
