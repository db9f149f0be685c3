//! `Headers`: of a request, of an answer, or of nobody.

use std::cell::RefCell;
use std::rc::Rc;

use boa_engine::object::builtins::JsArray;
use boa_engine::{Context, JsData, JsNativeError, JsObject, JsResult, JsSymbol, JsValue, js_string};
use boa_gc::{Finalize, Trace};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::define::{self, Member};
use super::prototypes;
use super::state::{RequestState, Side};
use crate::engine::limits::refused;
use crate::engine::values::{argument, at_least, header_name, header_value, latin1};
use crate::failure::LimitKind;
use crate::message;

/// What is behind a `Headers`.
#[derive(Trace, Finalize, JsData)]
pub(super) struct HeadersData {
    #[unsafe_ignore_trace]
    of: Of,
}

/// Whose headers they are.
#[derive(Clone)]
enum Of {
    Message(Rc<RequestState>, Side),
    Nobody(Rc<RefCell<HeaderMap>>),
}

/// The headers of a message.
pub(super) fn of_message(state: &Rc<RequestState>, side: Side, context: &Context) -> JsObject {
    let data = HeadersData { of: Of::Message(state.clone(), side) };
    prototypes(context).headers.instance(data)
}

/// Headers of nobody.
pub(super) fn of_map(map: HeaderMap, context: &Context) -> JsObject {
    of_shared(Rc::new(RefCell::new(map)), context)
}

/// Headers that somebody else has as well.
pub(super) fn of_shared(map: Rc<RefCell<HeaderMap>>, context: &Context) -> JsObject {
    prototypes(context).headers.instance(HeadersData { of: Of::Nobody(map) })
}

/// A copy of the headers of an object, if it is a `Headers`.
pub(super) fn copy_of(value: &JsValue) -> Option<HeaderMap> {
    with(value, |map| map.clone()).ok()
}

fn with<R>(this: &JsValue, work: impl FnOnce(&mut HeaderMap) -> R) -> JsResult<R> {
    let object = this.as_object();
    let data = object.as_ref().and_then(|object| object.downcast_ref::<HeadersData>());
    let of = data.ok_or_else(|| JsNativeError::typ().with_message("this is no `Headers`"))?.of.clone();
    match of {
        Of::Message(state, side) => state.headers(side, work),
        Of::Nobody(map) => Ok(work(&mut map.borrow_mut())),
    }
}

/// The same for a change.
fn change(this: &JsValue, name: &HeaderName, work: impl FnOnce(&mut HeaderMap)) -> JsResult<JsValue> {
    if let Some(object) = this.as_object()
        && let Some(data) = object.downcast_ref::<HeadersData>()
        && let Of::Message(state, side) = &data.of
    {
        if message::is_framing(name) {
            return Ok(JsValue::undefined());
        }
        if *side == Side::Request {
            state.open_request(|_| ())?;
        }
    }
    with(this, work)?;
    Ok(JsValue::undefined())
}

/// How many header fields a message may have. Those who read it take far fewer.
const MOST: usize = 10_000;

/// # Errors
/// When a message has as many header fields as it may.
pub(super) fn look_at_count(count: usize, context: &Context) -> JsResult<()> {
    if count < MOST {
        return Ok(());
    }
    let message = format!("more header fields than a message may have ({MOST})");
    Err(refused(LimitKind::List, message, context))
}

/// All values of a name, as one.
fn joined(map: &HeaderMap, name: &HeaderName) -> Option<JsValue> {
    message::joined(map, name).map(|value| latin1(&value).into())
}

/// Names in order, with their values; cookies that are set stay apart.
fn entries(map: &HeaderMap) -> Vec<(HeaderName, JsValue)> {
    let mut names: Vec<&HeaderName> = map.keys().collect();
    names.sort_by_key(|name| name.as_str());
    let mut entries = Vec::new();
    for name in names {
        if *name == header::SET_COOKIE {
            for value in map.get_all(name) {
                entries.push((name.clone(), latin1(value.as_bytes()).into()));
            }
        } else if let Some(value) = joined(map, name) {
            entries.push((name.clone(), value));
        }
    }
    entries
}

pub(super) fn prototype(context: &mut Context) -> JsResult<JsObject> {
    define::prototype(
        &[
            Member::Method("get", 1, |this, arguments, context| {
                at_least("get", 1, arguments)?;
                let name = header_name(&argument(arguments, 0), context)?;
                with(this, |map| joined(map, &name).unwrap_or_else(JsValue::null))
            }),
            Member::Method("has", 1, |this, arguments, context| {
                at_least("has", 1, arguments)?;
                let name = header_name(&argument(arguments, 0), context)?;
                with(this, |map| map.contains_key(&name).into())
            }),
            Member::Method("set", 2, |this, arguments, context| {
                at_least("set", 2, arguments)?;
                let name = header_name(&argument(arguments, 0), context)?;
                let value = header_value(&argument(arguments, 1), context)?;
                look_at_count(with(this, |map| map.len())?, context)?;
                change(this, &name.clone(), |map| drop(map.insert(name, value)))
            }),
            Member::Method("append", 2, append),
            Member::Method("add", 2, append),
            Member::Method("delete", 1, delete),
            Member::Method("del", 1, delete),
            Member::Method("values", 1, values),
            Member::Method("getSetCookie", 0, |this, _, context| {
                let found: Vec<JsValue> = with(this, |map| {
                    map.get_all(header::SET_COOKIE).iter().map(|v| latin1(v.as_bytes()).into()).collect()
                })?;
                Ok(JsArray::from_iter(found, context).into())
            }),
            Member::Method("forEach", 1, for_each),
            Member::Method("entries", 0, |this, _, context| iterate(this, Part::Entries, context)),
            Member::Method("keys", 0, |this, _, context| iterate(this, Part::Keys, context)),
            Member::Method("toJSON", 0, |this, _, context| {
                let entries = with(this, |map| entries(map))?;
                let object = JsObject::with_object_proto(context.intrinsics());
                for (name, value) in entries {
                    object.create_data_property_or_throw(latin1(name.as_str().as_bytes()), value, context)?;
                }
                Ok(object.into())
            }),
        ],
        context,
    )
}

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let prototype = prototypes(context).headers.prototype.clone();
    let entries = prototype.get(js_string!("entries"), context)?;
    prototype.create_data_property_or_throw(JsSymbol::iterator(), entries, context)?;
    define::class("Headers", 0, construct, &prototype, context)?;
    Ok(())
}

fn construct(new_target: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    if new_target.is_undefined() {
        return Err(JsNativeError::typ().with_message("`Headers` needs `new`").into());
    }
    let init = argument(arguments, 0);
    Ok(of_map(read_init(&init, context)?, context).into())
}

/// Headers of what `new Headers(init)` takes.
pub(super) fn read_init(init: &JsValue, context: &mut Context) -> JsResult<HeaderMap> {
    if init.is_undefined() {
        return Ok(HeaderMap::new());
    }
    if let Some(copy) = copy_of(init) {
        return Ok(copy);
    }
    let Some(object) = init.as_object() else {
        return Err(JsNativeError::typ().with_message("headers are an object or a list of pairs").into());
    };
    let mut map = HeaderMap::new();
    let mut add = |name: &JsValue, value: &JsValue, context: &mut Context| -> JsResult<()> {
        let name = header_name(name, context)?;
        let value = header_value(value, context)?;
        look_at_count(map.len(), context)?;
        map.append(name, value);
        Ok(())
    };
    for pair in pairs(&object, context)? {
        add(&pair.0, &pair.1, context)?;
    }
    Ok(map)
}

/// The pairs of an iterable of pairs, or the properties of an object.
pub(super) fn pairs(object: &JsObject, context: &mut Context) -> JsResult<Vec<(JsValue, JsValue)>> {
    let mut found = Vec::new();
    if object.has_property(JsSymbol::iterator(), context)? {
        let array = context.intrinsics().constructors().array().constructor();
        let from = array.get(js_string!("from"), context)?;
        let from = from.as_callable().ok_or_else(|| JsNativeError::typ().with_message("no `Array.from`"))?;
        let list = from.call(&array.clone().into(), &[object.clone().into()], context)?;
        let list = JsArray::from_object(list.to_object(context)?)?;
        for index in 0..list.length(context)? {
            let pair = list.get(index, context)?;
            let no_pair = || JsNativeError::typ().with_message("each entry must be a pair");
            let pair = pair
                .as_object()
                .filter(|pair| pair.has_property(JsSymbol::iterator(), context).unwrap_or(false))
                .ok_or_else(no_pair)?;
            let pair = from.call(&array.clone().into(), &[pair.into()], context)?.to_object(context)?;
            if pair.get(js_string!("length"), context)?.to_length(context)? != 2 {
                return Err(no_pair().into());
            }
            found.push((pair.get(0, context)?, pair.get(1, context)?));
        }
        return Ok(found);
    }
    // What is not enumerable is not the object's content.
    let is_enumerable = context.intrinsics().constructors().object().prototype();
    let is_enumerable = is_enumerable.get(js_string!("propertyIsEnumerable"), context)?;
    for key in object.own_property_keys(context)? {
        let asked = is_enumerable
            .as_callable()
            .map(|is| is.call(&object.clone().into(), &[key.clone().into()], context));
        if !asked.transpose()?.is_none_or(|is| is.to_boolean()) {
            continue;
        }
        if matches!(key, boa_engine::property::PropertyKey::Symbol(_)) {
            return Err(JsNativeError::typ().with_message("a name is a text, not a symbol").into());
        }
        let value = object.get(key.clone(), context)?;
        found.push((key.into(), value));
    }
    Ok(found)
}

fn append(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    at_least("append", 2, arguments)?;
    let name = header_name(&argument(arguments, 0), context)?;
    let value: HeaderValue = header_value(&argument(arguments, 1), context)?;
    look_at_count(with(this, |map| map.len())?, context)?;
    change(this, &name.clone(), |map| {
        map.append(name, value);
    })
}

fn delete(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    at_least("delete", 1, arguments)?;
    let name = header_name(&argument(arguments, 0), context)?;
    change(this, &name, |map| drop(map.remove(&name)))
}

/// With a name its values, one by one; without one what WHATWG says.
fn values(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let name = argument(arguments, 0);
    if name.is_undefined() {
        return iterate(this, Part::Values, context);
    }
    let name = header_name(&name, context)?;
    let found: Vec<JsValue> =
        with(this, |map| map.get_all(&name).iter().map(|v| latin1(v.as_bytes()).into()).collect())?;
    Ok(JsArray::from_iter(found, context).into())
}

fn for_each(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let callback = argument(arguments, 0);
    let callback = callback
        .as_callable()
        .ok_or_else(|| JsNativeError::typ().with_message("`forEach` needs a function"))?;
    for (name, value) in with(this, |map| entries(map))? {
        let name = latin1(name.as_str().as_bytes());
        callback.call(&argument(arguments, 1), &[value, name.into(), this.clone()], context)?;
    }
    Ok(JsValue::undefined())
}

#[derive(Clone, Copy)]
pub(super) enum Part {
    Entries,
    Keys,
    Values,
}

fn iterate(this: &JsValue, part: Part, context: &mut Context) -> JsResult<JsValue> {
    let entries = with(this, |map| entries(map))?;
    let entries = entries.into_iter().map(|(name, value)| (latin1(name.as_str().as_bytes()).into(), value));
    iterator(entries.collect(), part, context)
}

/// An iterator over pairs.
pub(super) fn iterator(
    pairs: Vec<(JsValue, JsValue)>,
    part: Part,
    context: &mut Context,
) -> JsResult<JsValue> {
    let mut list = Vec::with_capacity(pairs.len());
    for (name, value) in pairs {
        list.push(match part {
            Part::Keys => name,
            Part::Values => value,
            Part::Entries => JsArray::from_iter([name, value], context).into(),
        });
    }
    let list: JsObject = JsArray::from_iter(list, context).into();
    let values = list.get(js_string!("values"), context)?;
    let values = values.as_callable().ok_or_else(|| JsNativeError::typ().with_message("no iterator"))?;
    values.call(&list.into(), &[], context)
}
