//! `ctx.set` and `ctx.get`.

use boa_engine::{Context, JsResult, JsString, JsValue, JsVariant};

use super::with;
use crate::engine::values::{argument, needs};
use crate::shared::{LONG, Primitive, Shared};

/// What is no object is kept where hooks see it that need no engine.
pub(super) fn set(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    needs("set", &["key"], arguments)?;
    let key = argument(arguments, 0).to_string(context)?;
    let value = argument(arguments, 1);
    with(this, |data| {
        let mut own = data.values.borrow_mut();
        own.retain(|(known, _)| *known != key);
        let Ok(name) = key.to_std_string() else {
            own.push((key, value));
            return;
        };
        let shared = primitive(&value).map_or(Shared::InEngine, Shared::Value);
        if shared == Shared::InEngine {
            own.push((key, value));
        }
        data.state.info.values.set(&name, shared);
    })?;
    Ok(this.clone())
}

pub(super) fn get(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    needs("get", &["key"], arguments)?;
    let key = argument(arguments, 0).to_string(context)?;
    with(this, |data| {
        let mut own = data.values.borrow_mut();
        let shared = key.to_std_string().ok().and_then(|name| data.state.info.values.take(&name));
        if let Some(Shared::Value(shared)) = shared {
            let is_long = shared.is_long();
            let value = value_of(shared);
            if is_long {
                own.retain(|(known, _)| *known != key);
                own.push((key, value.clone()));
            }
            return value;
        }
        own.iter().find(|(known, _)| *known == key).map(|(_, value)| value.clone()).unwrap_or_default()
    })
}

/// A value as hooks have it that need no engine; nothing for objects, symbols, long texts and those with half of a
/// character.
fn primitive(value: &JsValue) -> Option<Primitive> {
    Some(match value.variant() {
        JsVariant::Undefined => Primitive::Undefined,
        JsVariant::Null => Primitive::Null,
        JsVariant::Boolean(value) => Primitive::Bool(value),
        JsVariant::Float64(number) => Primitive::Number(number),
        JsVariant::Integer32(number) => Primitive::Number(number.into()),
        JsVariant::String(text) if text.len() > LONG => return None,
        JsVariant::String(text) => Primitive::Text(text.to_std_string().ok()?.into()),
        JsVariant::BigInt(_) | JsVariant::Object(_) | JsVariant::Symbol(_) => return None,
    })
}

fn value_of(value: Primitive) -> JsValue {
    match value {
        Primitive::Undefined => JsValue::undefined(),
        Primitive::Null => JsValue::null(),
        Primitive::Bool(value) => value.into(),
        Primitive::Number(number) => number.into(),
        Primitive::Text(text) => JsString::from(&*text).into(),
    }
}
