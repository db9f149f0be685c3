//! `concat`, and the lists that methods of arrays make.

use boa_engine::object::builtins::{JsArray, JsFunction};
use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsSymbol, JsValue, js_string};

use super::super::bounds::Most;
use super::super::define;
use super::{array, length};
use crate::engine::depth::look;
use crate::engine::host::Host;

pub(super) fn install(prototype: &JsObject, context: &mut Context) -> JsResult<()> {
    define::instead(prototype, js_string!("concat"), concat, context)
}

/// ECMA-262, 23.1.3.2.
fn concat(
    this: &JsValue,
    arguments: &[JsValue],
    own: &JsFunction,
    context: &mut Context,
) -> JsResult<JsValue> {
    let Some(this) = this.as_object() else { return own.call(this, arguments, context) };
    let made = Made::like(&this, context)?;
    let most = Most::list(&Host::of(context));
    let mut elements = Vec::new();
    for item in std::iter::once(&this.into()).chain(arguments) {
        look(context)?;
        let Some(list) = spreadable(item, context)? else {
            elements.push(Some(item.clone()));
            continue;
        };
        let count = length(&list, context)?;
        most.bounds(elements.len() as f64 + count, context)?;
        for index in 0..count as u64 {
            look(context)?;
            let is_there = list.has_property(index, context)?;
            elements.push(if is_there { Some(list.get(index, context)?) } else { None });
        }
    }
    let count = elements.len();
    let list = made.with(elements, context)?;
    list.set(js_string!("length"), count, true, context)?;
    Ok(list.into())
}

/// ECMA-262, 23.1.3.2.1.
fn spreadable(item: &JsValue, context: &mut Context) -> JsResult<Option<JsObject>> {
    let Some(object) = item.as_object() else { return Ok(None) };
    let said = object.get(JsSymbol::is_concat_spreadable(), context)?;
    let is_spread = if said.is_undefined() { array(item, context)?.is_some() } else { said.to_boolean() };
    Ok(is_spread.then_some(object))
}

/// A list that a method makes, of the kind of the one that it is called on.
pub(super) enum Made {
    Array,
    /// An instance of what the module says.
    Other(JsObject),
}

impl Made {
    /// ECMA-262, 23.1.3.1 (ArraySpeciesCreate).
    pub(super) fn like(list: &JsObject, context: &mut Context) -> JsResult<Self> {
        if array(&list.clone().into(), context)?.is_none() {
            return Ok(Self::Array);
        }
        let constructor = list.get(js_string!("constructor"), context)?;
        let constructor = match constructor.as_object() {
            Some(object) => object.get(JsSymbol::species(), context)?,
            None if constructor.is_undefined() => constructor,
            None => return Err(no_constructor()),
        };
        if constructor.is_null_or_undefined() {
            return Ok(Self::Array);
        }
        let constructor =
            constructor.as_object().filter(JsObject::is_constructor).ok_or_else(no_constructor)?;
        if constructor == context.intrinsics().constructors().array().constructor() {
            return Ok(Self::Array);
        }
        constructor.construct(&[0.into()], None, context).map(Self::Other)
    }

    /// The list with these elements; where there is none, nothing is.
    pub(super) fn with(self, elements: Vec<Option<JsValue>>, context: &mut Context) -> JsResult<JsObject> {
        let list = match self {
            Self::Array if elements.iter().all(Option::is_some) => {
                return Ok(JsArray::from_iter(elements.into_iter().flatten(), context).into());
            }
            Self::Array => JsArray::new(context)?.into(),
            Self::Other(list) => list,
        };
        let length = elements.len() as u64;
        for (index, element) in (0..length).zip(elements) {
            look(context)?;
            if let Some(element) = element {
                list.create_data_property_or_throw(index, element, context)?;
            }
        }
        Ok(list)
    }
}

fn no_constructor() -> boa_engine::JsError {
    JsNativeError::typ().with_message("what makes lists of this kind is no constructor").into()
}
