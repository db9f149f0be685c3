//! `URLSearchParams`.

use std::cell::{Cell, RefCell};

use boa_engine::object::builtins::JsArray;
use boa_engine::{
    Context, JsData, JsNativeError, JsObject, JsResult, JsString, JsSymbol, JsValue, js_string,
};
use boa_gc::{Finalize, GcRefCell, Trace};
use url::form_urlencoded;

use super::Class;
use super::define::{self, Member};
use super::headers::{Part, iterator, pairs};
use super::{prototypes, url as url_object};
use crate::engine::values::{argument, at_least, text};

/// What is behind a `URLSearchParams`.
#[derive(Default, Trace, Finalize, JsData)]
pub(super) struct QueryData {
    #[unsafe_ignore_trace]
    pairs: RefCell<Vec<(String, String)>>,
    #[unsafe_ignore_trace]
    changed: Cell<bool>,
    /// The `URL` it belongs to.
    owner: GcRefCell<Option<JsObject>>,
}

impl QueryData {
    /// The query as text, when it was changed since this was last asked.
    pub(super) fn take_changed(&self) -> Option<String> {
        self.changed.replace(false).then(|| write(&self.pairs.borrow()))
    }
}

fn read(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn write(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Whether a value is a `URLSearchParams`.
pub(super) fn is(value: &JsValue) -> bool {
    value.as_object().is_some_and(|object| object.is::<QueryData>())
}

/// Of the text after `?`.
pub(super) fn of_text(text: &str, class: &Class) -> JsObject {
    let data = QueryData::default();
    *data.pairs.borrow_mut() = read(text);
    class.instance(data)
}

/// The query of a `URL`.
pub(super) fn of_url(text: &str, owner: JsObject, class: &Class) -> JsObject {
    let data = QueryData::default();
    *data.pairs.borrow_mut() = read(text);
    *data.owner.borrow_mut() = Some(owner);
    class.instance(data)
}

/// The `URL` it belongs to has another query now.
pub(super) fn replace(object: &JsObject, text: &str) {
    if let Some(data) = object.downcast_ref::<QueryData>() {
        *data.pairs.borrow_mut() = read(text);
    }
}

fn with<R>(this: &JsValue, work: impl FnOnce(&mut Vec<(String, String)>) -> R) -> JsResult<R> {
    let object = this.as_object();
    let data = object.as_ref().and_then(|object| object.downcast_ref::<QueryData>());
    let data = data.ok_or_else(|| JsNativeError::typ().with_message("this is no `URLSearchParams`"))?;
    Ok(work(&mut data.pairs.borrow_mut()))
}

fn change(this: &JsValue, work: impl FnOnce(&mut Vec<(String, String)>)) -> JsResult<JsValue> {
    with(this, work)?;
    let Some(object) = this.as_object() else { return Ok(JsValue::undefined()) };
    let Some(data) = object.downcast_ref::<QueryData>() else { return Ok(JsValue::undefined()) };
    data.changed.set(true);
    if let Some(owner) = &*data.owner.borrow() {
        url_object::set_query(owner, &write(&data.pairs.borrow()));
    }
    Ok(JsValue::undefined())
}

pub(super) fn prototype(context: &mut Context) -> JsResult<JsObject> {
    define::prototype(
        &[
            Member::Get("size", |this, _, _| with(this, |pairs| JsValue::from(pairs.len() as u32))),
            Member::Method("get", 1, |this, arguments, context| {
                at_least("get", 1, arguments)?;
                let name = text(&argument(arguments, 0), context)?;
                with(this, |pairs| {
                    let found = pairs.iter().find(|(known, _)| *known == name);
                    found.map_or(JsValue::null(), |(_, value)| JsString::from(value.as_str()).into())
                })
            }),
            Member::Method("getAll", 1, |this, arguments, context| {
                at_least("getAll", 1, arguments)?;
                let name = text(&argument(arguments, 0), context)?;
                let found: Vec<JsValue> = with(this, |pairs| {
                    let all = pairs.iter().filter(|(known, _)| *known == name);
                    all.map(|(_, value)| JsString::from(value.as_str()).into()).collect()
                })?;
                Ok(JsArray::from_iter(found, context).into())
            }),
            Member::Method("has", 1, |this, arguments, context| {
                at_least("has", 1, arguments)?;
                let name = text(&argument(arguments, 0), context)?;
                let value = optional(arguments, 1, context)?;
                with(this, |pairs| {
                    let fits = |v: &String| value.as_ref().is_none_or(|value| value == v);
                    pairs.iter().any(|(known, v)| *known == name && fits(v)).into()
                })
            }),
            Member::Method("set", 2, |this, arguments, context| {
                at_least("set", 2, arguments)?;
                let name = text(&argument(arguments, 0), context)?;
                let value = text(&argument(arguments, 1), context)?;
                change(this, |pairs| {
                    let at = pairs.iter().position(|(known, _)| *known == name);
                    let at = at.unwrap_or(pairs.len());
                    pairs.retain(|(known, _)| *known != name);
                    pairs.insert(at.min(pairs.len()), (name, value));
                })
            }),
            Member::Method("append", 2, append),
            Member::Method("add", 2, append),
            Member::Method("delete", 1, delete),
            Member::Method("del", 1, delete),
            Member::Method("sort", 0, |this, _, _| {
                change(this, |pairs| pairs.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16())))
            }),
            Member::Method("toString", 0, to_string),
            Member::Method("encode", 0, to_string),
            Member::Method("forEach", 1, |this, arguments, context| {
                let callback = argument(arguments, 0);
                let callback = callback
                    .as_callable()
                    .ok_or_else(|| JsNativeError::typ().with_message("`forEach` needs a function"))?;
                for (name, value) in with(this, |pairs| pairs.clone())? {
                    let (name, value) = (JsString::from(name), JsString::from(value));
                    callback.call(
                        &argument(arguments, 1),
                        &[value.into(), name.into(), this.clone()],
                        context,
                    )?;
                }
                Ok(JsValue::undefined())
            }),
            Member::Method("entries", 0, |this, _, context| iterate(this, Part::Entries, context)),
            Member::Method("keys", 0, |this, _, context| iterate(this, Part::Keys, context)),
            Member::Method("values", 0, |this, _, context| iterate(this, Part::Values, context)),
        ],
        context,
    )
}

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let prototype = prototypes(context).query.prototype.clone();
    let entries = prototype.get(js_string!("entries"), context)?;
    prototype.create_data_property_or_throw(JsSymbol::iterator(), entries, context)?;
    define::class("URLSearchParams", 0, construct, &prototype, context)?;
    Ok(())
}

fn construct(new_target: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    if new_target.is_undefined() {
        return Err(JsNativeError::typ().with_message("`URLSearchParams` needs `new`").into());
    }
    let init = argument(arguments, 0);
    let data = QueryData::default();
    if let Some(object) = init.as_object() {
        let is_record = !object.has_property(JsSymbol::iterator(), context)?;
        let mut list: Vec<(String, String)> = Vec::new();
        for (name, value) in pairs(&object, context)? {
            let pair = (text(&name, context)?, text(&value, context)?);
            // Names that differ in lone surrogates only are the same text.
            match list.iter_mut().find(|(known, _)| is_record && *known == pair.0) {
                Some(known) => *known = pair,
                None => list.push(pair),
            }
        }
        *data.pairs.borrow_mut() = list;
    } else if !init.is_undefined() {
        let init = text(&init, context)?;
        *data.pairs.borrow_mut() = read(init.strip_prefix('?').unwrap_or(&init));
    }
    Ok(prototypes(context).query.instance(data).into())
}

fn append(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    at_least("append", 2, arguments)?;
    let pair = (text(&argument(arguments, 0), context)?, text(&argument(arguments, 1), context)?);
    change(this, |pairs| pairs.push(pair))
}

fn delete(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    at_least("delete", 1, arguments)?;
    let name = text(&argument(arguments, 0), context)?;
    let value = optional(arguments, 1, context)?;
    change(this, |pairs| {
        pairs.retain(|(known, v)| *known != name || value.as_ref().is_some_and(|value| value != v));
    })
}

fn to_string(this: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    with(this, |pairs| JsString::from(write(pairs)).into())
}

fn iterate(this: &JsValue, part: Part, context: &mut Context) -> JsResult<JsValue> {
    let string = |text: &String| JsValue::from(JsString::from(text.as_str()));
    let pairs = with(this, |pairs| pairs.iter().map(|(n, v)| (string(n), string(v))).collect())?;
    iterator(pairs, part, context)
}

fn optional(arguments: &[JsValue], index: usize, context: &mut Context) -> JsResult<Option<String>> {
    let value = argument(arguments, index);
    // `null` is a text like any other.
    if value.is_undefined() { Ok(None) } else { text(&value, context).map(Some) }
}
