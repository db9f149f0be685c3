//! `JSON.stringify`. ECMA-262, 25.5.2.
//!
//! The engine's own makes a text of every part, and all of it before anybody could measure it: whoever writes here counts,
//! looks at the clock, and goes no deeper than values may be.

use std::collections::HashSet;

use boa_engine::builtins::object::OrdinaryObject;
use boa_engine::builtins::proxy::Proxy;
use boa_engine::property::PropertyKey;
use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsString, JsValue, JsVariant, js_string};

use super::bounds::Most;
use super::define;
use super::json::{number, plain, quote};
use super::lists::{array, elements};
use crate::engine::depth::{DEEPEST, look, too_deep};
use crate::engine::host::Host;
use crate::engine::values::{argument, latin1};

/// Bytes of a character in UTF-8 that is one UTF-16 unit, at most: a text of plain characters may grow to three times what
/// it may have until that is noticed.
const BYTES_PER_UNIT: f64 = 3.0;
/// How far values are indented, at most.
const WIDEST: usize = 10;

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let json = context.intrinsics().objects().json();
    define::instead(
        &json,
        js_string!("stringify"),
        |_, arguments, _, context| {
            let (value, replacer, space) =
                (argument(arguments, 0), argument(arguments, 1), argument(arguments, 2));
            let mut writer = Writer::new(DEEPEST, context);
            writer.replace(&replacer, context)?;
            writer.indent(&space, context)?;
            let written =
                match (replacer.is_undefined() && space.is_undefined()).then(|| plain(&value, context)) {
                    Some(Some(plain)) => Some(plain),
                    _ => writer.write(&value, context)?,
                };
            let Some(written) = written else { return Ok(JsValue::undefined()) };
            let text = if written.is_ascii() {
                latin1(&written)
            } else {
                JsString::from(&*String::from_utf8_lossy(&written))
            };
            Most::text(&Host::of(context)).bounds(text.len() as f64, context)?;
            Ok(text.into())
        },
        context,
    )
}

/// A value as JSON, in UTF-8; nothing of what has none. It may be nested so deeply, at most.
///
/// # Errors
/// When it is too deep, too large or in itself, or something that it calls throws.
pub(in crate::engine) fn json(
    value: &JsValue,
    deepest: usize,
    context: &mut Context,
) -> JsResult<Option<Vec<u8>>> {
    match plain(value, context) {
        Some(plain) if deepest >= super::json::DEEPEST => Ok(Some(plain)),
        _ => Writer::new(deepest, context).write(value, context),
    }
}

struct Writer {
    out: Vec<u8>,
    deepest: usize,
    most: Most,
    replacer: Option<JsObject>,
    /// The only properties that are written, in their order.
    names: Option<Vec<JsString>>,
    gap: Vec<u8>,
    /// What is being written, outermost first.
    path: Vec<JsObject>,
}

impl Writer {
    fn new(deepest: usize, context: &Context) -> Self {
        let most = Most::text(&Host::of(context));
        let (out, gap, path) = (Vec::with_capacity(128), Vec::new(), Vec::new());
        Self { out, deepest, most, replacer: None, names: None, gap, path }
    }

    fn replace(&mut self, replacer: &JsValue, context: &mut Context) -> JsResult<()> {
        if replacer.is_callable() {
            self.replacer = replacer.as_object();
        } else if array(replacer, context)?.is_some() {
            let (mut names, mut known) = (Vec::new(), HashSet::new());
            for name in elements(replacer, context)?.unwrap_or_default() {
                let is_name = name.is_string()
                    || name.is_number()
                    || name.as_object().is_some_and(|object| object.is::<f64>() || object.is::<JsString>());
                if is_name {
                    let name = name.to_string(context)?;
                    if known.insert(name.clone()) {
                        names.push(name);
                    }
                }
            }
            self.names = Some(names);
        }
        Ok(())
    }

    fn indent(&mut self, space: &JsValue, context: &mut Context) -> JsResult<()> {
        let space = primitive(space.clone(), context)?;
        if let Some(width) = space.as_number() {
            self.gap = vec![b' '; (width as usize).min(WIDEST)];
        } else if let Some(text) = space.as_string() {
            let gap =
                text.as_str().get(..WIDEST.min(text.len())).map_or_else(JsString::default, JsString::from);
            self.gap = gap.to_std_string_lossy().into_bytes();
        }
        Ok(())
    }

    fn write(mut self, value: &JsValue, context: &mut Context) -> JsResult<Option<Vec<u8>>> {
        // Only a replacer sees what holds the value.
        let holder = JsObject::with_object_proto(context.intrinsics());
        if self.replacer.is_some() {
            holder.create_data_property_or_throw(js_string!(""), value.clone(), context)?;
        }
        let is_written = self.property(&holder, &js_string!("").into(), value.clone(), context)?;
        Ok(is_written.then_some(self.out))
    }

    /// Writes the value of a property, unless it has no JSON. ECMA-262, 25.5.2.2 (SerializeJSONProperty).
    fn property(
        &mut self,
        holder: &JsObject,
        key: &PropertyKey,
        mut value: JsValue,
        context: &mut Context,
    ) -> JsResult<bool> {
        look(context)?;
        self.most.bounds(self.out.len() as f64 / BYTES_PER_UNIT, context)?;
        if let Some(object) = value.as_object() {
            let converts = object.get(js_string!("toJSON"), context)?;
            if let Some(converts) = converts.as_callable() {
                value = converts.call(&value, &[name(key).into()], context)?;
            }
        }
        if let Some(replacer) = &self.replacer {
            value = replacer.call(&holder.clone().into(), &[name(key).into(), value], context)?;
        }
        let value = primitive(value, context)?;
        match value.variant() {
            JsVariant::Null => self.out.extend_from_slice(b"null"),
            JsVariant::Boolean(true) => self.out.extend_from_slice(b"true"),
            JsVariant::Boolean(false) => self.out.extend_from_slice(b"false"),
            JsVariant::Integer32(_) | JsVariant::Float64(_) => number(&value, &mut self.out, context)?,
            JsVariant::String(text) => {
                self.most.bounds(text.len() as f64, context)?;
                quote(&text, &mut self.out);
                Host::of(context).look_at_clock_after(text.len() as f64)?;
            }
            JsVariant::Object(object) if !object.is_callable() => match raw(&object, context)? {
                Some(raw) => self.out.extend_from_slice(raw.to_std_string_lossy().as_bytes()),
                None => self.object(&object, context)?,
            },
            JsVariant::BigInt(_) => {
                return Err(JsNativeError::typ().with_message("a BigInt has no JSON").into());
            }
            JsVariant::Object(_) | JsVariant::Undefined | JsVariant::Symbol(_) => return Ok(false),
        }
        Ok(true)
    }

    fn object(&mut self, object: &JsObject, context: &mut Context) -> JsResult<()> {
        if self.path.contains(object) {
            return Err(JsNativeError::typ().with_message("cyclic object value: it lies in itself").into());
        }
        if self.path.len() >= self.deepest {
            return Err(too_deep(self.deepest, context));
        }
        self.path.push(object.clone());
        let is_array = array(&object.clone().into(), context)?.is_some();
        let (open, close) = if is_array { (b'[', b']') } else { (b'{', b'}') };
        self.out.push(open);
        let is_empty =
            if is_array { self.elements(object, context)? } else { self.members(object, context)? };
        self.path.pop();
        if !is_empty {
            self.line();
        }
        self.out.push(close);
        Ok(())
    }

    /// A new line, where values are indented.
    fn line(&mut self) {
        if !self.gap.is_empty() {
            self.out.push(b'\n');
            for _ in 0..self.path.len() {
                self.out.extend_from_slice(&self.gap);
            }
        }
    }

    /// ECMA-262, 25.5.2.6. Returns whether there were none.
    fn elements(&mut self, list: &JsObject, context: &mut Context) -> JsResult<bool> {
        let length = list.get(js_string!("length"), context)?.to_length(context)?;
        for index in 0..length {
            if index > 0 {
                self.out.push(b',');
            }
            self.line();
            let value = list.get(index, context)?;
            if !self.property(list, &PropertyKey::from(index), value, context)? {
                self.out.extend_from_slice(b"null");
            }
        }
        Ok(length == 0)
    }

    /// ECMA-262, 25.5.2.5. Returns whether there were none.
    fn members(&mut self, object: &JsObject, context: &mut Context) -> JsResult<bool> {
        let keys = match &self.names {
            Some(names) => names.iter().cloned().map(PropertyKey::from).collect(),
            None => keys(object, context)?,
        };
        let mut is_first = true;
        for key in keys {
            let value = object.get(key.clone(), context)?;
            let before = self.out.len();
            if !is_first {
                self.out.push(b',');
            }
            self.line();
            quote(&name(&key), &mut self.out);
            self.out.extend_from_slice(if self.gap.is_empty() { b":" } else { b": " });
            if self.property(object, &key, value, context)? {
                is_first = false;
            } else {
                self.out.truncate(before);
            }
        }
        Ok(is_first)
    }
}

/// What `JSON.rawJSON` made is written as it is.
fn raw(object: &JsObject, context: &mut Context) -> JsResult<Option<JsString>> {
    if object.prototype().is_some() || object.is::<OrdinaryObject>() || object.is::<Proxy>() {
        return Ok(None);
    }
    let json = context.intrinsics().objects().json();
    let is_raw = json.get(js_string!("isRawJSON"), context)?.as_callable();
    let is_raw = is_raw.map(|is_raw| is_raw.call(&JsValue::undefined(), &[object.clone().into()], context));
    if !is_raw.transpose()?.is_some_and(|is_raw| is_raw.to_boolean()) {
        return Ok(None);
    }
    object.get(js_string!("rawJSON"), context)?.to_string(context).map(Some)
}

/// The names of what is enumerable of an object. ECMA-262, 7.3.23.
pub(super) fn keys(object: &JsObject, context: &mut Context) -> JsResult<Vec<PropertyKey>> {
    if object.is::<OrdinaryObject>() {
        let keys = object.own_property_keys(context)?;
        let object = object.borrow();
        let is_enumerable = |key: &PropertyKey| {
            let property = object.properties().get(key);
            property.is_some_and(|property| property.enumerable() == Some(true))
        };
        let keys =
            keys.into_iter().filter(|key| !matches!(key, PropertyKey::Symbol(_)) && is_enumerable(key));
        return Ok(keys.collect());
    }
    let constructor = context.intrinsics().constructors().object().constructor();
    let keys = constructor.get(js_string!("keys"), context)?;
    let keys =
        keys.as_callable().map(|keys| keys.call(&JsValue::undefined(), &[object.clone().into()], context));
    let keys = elements(&keys.transpose()?.unwrap_or_default(), context)?.unwrap_or_default();
    keys.iter().map(|key| key.to_property_key(context)).collect()
}

pub(super) fn name(key: &PropertyKey) -> JsString {
    match key {
        PropertyKey::String(name) => name.clone(),
        PropertyKey::Index(index) => JsString::from(index.get().to_string()),
        PropertyKey::Symbol(_) => JsString::default(),
    }
}

/// What an object stands for that is made of a number, a text or a truth value.
fn primitive(value: JsValue, context: &mut Context) -> JsResult<JsValue> {
    let Some(object) = value.as_object() else { return Ok(value) };
    Ok(if object.is::<f64>() {
        value.to_number(context)?.into()
    } else if object.is::<JsString>() {
        value.to_string(context)?.into()
    } else if let Some(is_true) = object.downcast_ref::<bool>() {
        (*is_true).into()
    } else {
        value
    })
}
