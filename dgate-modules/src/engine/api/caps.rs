//! Built-ins that could run, or grow, for ever in one go, made to look at the size first, and at the clock.
//!
//! The engine's own code has no ticks. What is not wrapped here is bounded by the texts, buffers and lists that it can be
//! given (see [`crate::typescript`] for what the compiler adds). Regular expressions are looked after in `regexp.rs`, searches
//! for texts in `search.rs`.

use boa_engine::object::builtins::{JsArray, JsMap, JsSet, JsTypedArray};
use boa_engine::{Context, JsObject, JsResult, JsString, JsValue, js_string};

use super::define;
use crate::engine::depth;
use crate::engine::host::Host;
use crate::engine::limits::refused;
use crate::engine::values::argument;
use crate::failure::LimitKind;

/// Methods of lists that walk through all of it.
const LIST: [&str; 27] = [
    "concat",
    "every",
    "fill",
    "filter",
    "find",
    "findIndex",
    "findLast",
    "findLastIndex",
    "flat",
    "flatMap",
    "forEach",
    "includes",
    "indexOf",
    "join",
    "lastIndexOf",
    "map",
    "reduce",
    "reduceRight",
    "reverse",
    "shift",
    "slice",
    "some",
    "sort",
    "splice",
    "toReversed",
    "toSorted",
    "unshift",
];
/// The same of typed arrays, whose length is bounded by that of buffers.
const TYPED: [&str; 10] =
    ["copyWithin", "fill", "includes", "indexOf", "join", "lastIndexOf", "reverse", "set", "slice", "sort"];
/// How much longer than the text a result may be, at most.
const STRING: [(&str, f64); 6] = [
    ("normalize", 18.0),
    ("toLowerCase", 3.0),
    ("toUpperCase", 3.0),
    ("toWellFormed", 1.0),
    ("trim", 1.0),
    ("isWellFormed", 1.0),
];
const GLOBAL: [(&str, f64); 4] =
    [("encodeURI", 9.0), ("encodeURIComponent", 9.0), ("escape", 6.0), ("unescape", 1.0)];
/// What is smaller is done before anybody could look at the clock.
const LONG: f64 = 4096.0;

/// How large a call would be.
type Size = fn(&JsValue, &[JsValue], &mut Context) -> JsResult<f64>;

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let host = Host::of(context);
    let (longest_text, longest_list) = (Most::text(&host), Most::list(&host));
    let constructors = context.intrinsics().constructors();
    let array = constructors.array().clone();
    let string = constructors.string().prototype();
    let typed = constructors.typed_array().prototype();
    for name in LIST.into_iter().filter(|name| !matches!(*name, "flat" | "join")) {
        wrap(&array.prototype(), name, |this, _, context| length(this, context), longest_list, context)?;
    }
    wrap(&array.prototype(), "flat", flattened, longest_list, context)?;
    wrap(&array.prototype(), "join", joined, longest_text, context)?;
    for name in TYPED {
        wrap(
            &typed,
            name,
            |this, _, context| length(this, context),
            Most { size: f64::INFINITY, ..longest_list },
            context,
        )?;
    }
    wrap(
        &array.constructor(),
        "from",
        |_, arguments, context| length(&argument(arguments, 0), context),
        longest_list,
        context,
    )?;
    wrap(&string, "repeat", repeated, longest_text, context)?;
    wrap(&string, "concat", |this, arguments, _| Ok(concatenated(this, arguments)), longest_text, context)?;
    wrap(&string, "split", |this, arguments, _| Ok(parts(this, arguments)), longest_list, context)?;
    for name in ["replace", "replaceAll"] {
        let size: Size = |this, arguments, _| Ok(replaced(this, arguments));
        wrap(&string, name, size, longest_text.times(4.0), context)?;
    }
    for name in ["padStart", "padEnd"] {
        let padded: Size = |_, arguments, context| argument(arguments, 0).to_number(context);
        wrap(&string, name, padded, longest_text, context)?;
    }
    for (name, factor) in STRING {
        let most = longest_text.times(4.0 / factor);
        wrap(&string, name, |this, _, _| Ok(text_length(this)), most, context)?;
    }
    let global = context.global_object();
    for (name, factor) in GLOBAL {
        let given: Size = |_, arguments, _| Ok(text_length(&argument(arguments, 0)));
        wrap(&global, name, given, longest_text.times(4.0 / factor), context)?;
    }
    let json = context.intrinsics().objects().json();
    wrap(&json, "stringify", written, longest_text, context)?;
    wrap(&json, "parse", |_, arguments, _| Ok(text_length(&argument(arguments, 0))), longest_text, context)?;
    // Each element gets handlers, before anybody looks.
    let promises = Most { size: host.capabilities.limits.promises as f64, limit: LimitKind::Promises };
    let promise = context.intrinsics().constructors().promise().constructor();
    for name in ["all", "allSettled", "any", "race"] {
        wrap(
            &promise,
            name,
            |_, arguments, context| size(&argument(arguments, 0), context),
            promises,
            context,
        )?;
    }
    // Nothing bounds how long they compute.
    for name in ["BigInt", "BigInt64Array", "BigUint64Array"] {
        global.delete_property_or_throw(JsString::from(name), context)?;
    }
    let view = context.intrinsics().constructors().data_view().prototype();
    for name in ["getBigInt64", "getBigUint64", "setBigInt64", "setBigUint64"] {
        view.delete_property_or_throw(JsString::from(name), context)?;
    }
    define::function("__dgate_text", 1, text, context)?;
    define::function("__dgate_list", 1, list, context)
}

/// How large something may be, and which limit says so.
#[derive(Clone, Copy)]
struct Most {
    size: f64,
    limit: LimitKind,
}

impl Most {
    fn text(host: &Host) -> Self {
        Self { size: host.longest_text(), limit: LimitKind::String }
    }

    fn list(host: &Host) -> Self {
        Self { size: host.longest_list(), limit: LimitKind::List }
    }

    fn times(self, factor: f64) -> Self {
        Self { size: self.size * factor, ..self }
    }

    /// # Errors
    /// When something is larger.
    fn bounds(self, size: f64, context: &Context) -> JsResult<()> {
        if size > self.size {
            let message = format!("larger than modules may have it ({})", self.size);
            return Err(refused(self.limit, message, context));
        }
        Ok(())
    }
}

/// A text that was put together, if it is not too long.
fn text(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let value = argument(arguments, 0);
    let length = text_length(&value);
    if length > LONG {
        let host = Host::of(context);
        Most::text(&host).bounds(length, context)?;
        host.look_at_clock()?;
    }
    Ok(value)
}

/// A list that is spread, if it is not too long.
fn list(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let value = argument(arguments, 0);
    let size = size(&value, context)?;
    if size > LONG {
        let host = Host::of(context);
        Most::list(&host).bounds(size, context)?;
        host.look_at_clock()?;
    }
    Ok(value)
}

/// How many elements a value has that is walked through by a built-in, without code of the module's own.
fn size(value: &JsValue, context: &mut Context) -> JsResult<f64> {
    let Some(object) = value.as_object() else { return Ok(text_length(value)) };
    Ok(if let Ok(array) = JsArray::from_object(object.clone()) {
        array.length(context)? as f64
    } else if let Ok(array) = JsTypedArray::from_object(object.clone()) {
        array.length(context)? as f64
    } else if let Ok(set) = JsSet::from_object(object.clone()) {
        set.size() as f64
    } else if let Ok(map) = JsMap::from_object(object) {
        map.get_size(context)?.as_number().unwrap_or_default()
    } else {
        0.0
    })
}

fn wrap(object: &JsObject, name: &str, size: Size, most: Most, context: &mut Context) -> JsResult<()> {
    define::instead(
        object,
        JsString::from(name),
        move |this, arguments, own, context| {
            let size = size(this, arguments, context)?;
            most.bounds(size, context)?;
            Host::of(context).look_at_clock_after(size)?;
            let result = own.call(this, arguments, context)?;
            Most::text(&Host::of(context)).bounds(text_length(&result), context)?;
            Ok(result)
        },
        context,
    )
}

fn text_length(value: &JsValue) -> f64 {
    value.as_string().map_or(0.0, |text| text.len() as f64)
}

/// # Errors
/// When a list is longer than modules may have it.
pub(super) fn look_at_length(list: &JsValue, context: &mut Context) -> JsResult<()> {
    let most = Most::list(&Host::of(context));
    most.bounds(length(list, context)?, context)
}

/// The length of a list. Other values have none.
fn length(value: &JsValue, context: &mut Context) -> JsResult<f64> {
    let Some(object) = value.as_object() else { return Ok(0.0) };
    let length = object.get(js_string!("length"), context)?;
    Ok(length.as_number().unwrap_or(0.0))
}

/// The texts in a list, and what comes between them.
fn joined(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<f64> {
    let count = length(this, context)?;
    Most::list(&Host::of(context)).bounds(count, context)?;
    let between = argument(arguments, 0);
    let mut sum = count * if between.is_undefined() { 1.0 } else { text_length(&between) };
    let Some(object) = this.as_object() else { return Ok(sum) };
    // What is no array of plain values tells its length when it is joined.
    let Ok(array) = JsArray::from_object(object) else { return Ok(sum) };
    for index in 0..count as u64 {
        sum += text_length(&array.get(index, context)?);
    }
    Ok(sum)
}

fn repeated(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<f64> {
    Ok(text_length(this) * argument(arguments, 0).to_number(context)?)
}

fn concatenated(this: &JsValue, arguments: &[JsValue]) -> f64 {
    text_length(this) + arguments.iter().map(text_length).sum::<f64>()
}

/// How many parts a text has.
fn parts(this: &JsValue, arguments: &[JsValue]) -> f64 {
    let (Some(text), Some(by)) = (this.as_string(), argument(arguments, 0).as_string()) else { return 0.0 };
    if by.is_empty() {
        return text.len() as f64;
    }
    // Texts are split elsewhere; this is what there is at least.
    0.0
}

/// At most so long: every character may be replaced, and `$'` stands for the rest of the text.
fn replaced(this: &JsValue, arguments: &[JsValue]) -> f64 {
    let (pattern, by) = (argument(arguments, 0), argument(arguments, 1));
    let Some(by) = by.as_string() else { return text_length(this) };
    let (length, each) = (text_length(this), by.len() as f64);
    let text = by.to_std_string_lossy();
    let rest = if text.contains("$'") || text.contains("$`") { length } else { 0.0 };
    let times = match pattern.as_string() {
        Some(pattern) => length / (pattern.len().max(1) as f64),
        None => length,
    };
    length + (times + 1.0) * (each + rest)
}

/// How much JSON of a value there is at least.
fn written(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<f64> {
    if argument(arguments, 1).is_callable() {
        return Ok(0.0);
    }
    let longest = Host::of(context).longest_text();
    depth::written(&argument(arguments, 0), longest, context)
}

/// How many elements `flat` makes of a list.
fn flattened(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<f64> {
    let levels = argument(arguments, 0);
    let levels = if levels.is_undefined() { 1.0 } else { levels.to_number(context)? };
    let longest = Host::of(context).longest_list();
    let count = length(this, context)?;
    Ok(count.max(depth::flattened(this, levels, longest, context)?))
}
