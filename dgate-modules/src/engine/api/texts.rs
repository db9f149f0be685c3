//! Methods that make long texts of short ones, or walk through all of a text.
//!
//! What is no text yet becomes one once: what was measured is what is used.

use boa_engine::object::builtins::JsFunction;
use boa_engine::string::{JsStr, JsStrVariant};
use boa_engine::{Context, JsObject, JsResult, JsString, JsValue, js_string};

use super::bounds::Most;
use super::define;
use crate::engine::depth::look;
use crate::engine::host::Host;
use crate::engine::values::argument;

/// Methods of texts, and how many characters they make of one, at most.
const METHODS: [(&str, f64); 6] = [
    ("isWellFormed", 0.0),
    ("normalize", 18.0),
    ("toLowerCase", 3.0),
    ("toUpperCase", 3.0),
    ("toWellFormed", 1.0),
    ("trim", 1.0),
];
/// The same of functions.
const FUNCTIONS: [(&str, f64); 2] = [("encodeURI", 9.0), ("encodeURIComponent", 9.0)];
/// Results that are so much longer than texts may be are made, measured, and refused then.
const OVER: f64 = 4.0;

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let string = context.intrinsics().constructors().string().clone();
    let prototype = string.prototype();
    for (name, factor) in METHODS {
        define::instead(
            &prototype,
            JsString::from(name),
            move |this, arguments, own, context| match text_of(this, context)? {
                Some(text) => {
                    bounded(&text, factor, context)?;
                    result(own.call(&text.into(), arguments, context)?, context)
                }
                None => own.call(this, arguments, context),
            },
            context,
        )?;
    }
    let global = context.global_object();
    for (name, factor) in FUNCTIONS {
        define::instead(
            &global,
            JsString::from(name),
            move |this, arguments, own, context| {
                let text = argument(arguments, 0).to_string(context)?;
                bounded(&text, factor, context)?;
                result(own.call(this, &[text.into()], context)?, context)
            },
            context,
        )?;
    }
    define::instead(&prototype, js_string!("repeat"), repeat, context)?;
    define::instead(&prototype, js_string!("concat"), concat, context)?;
    for name in ["padStart", "padEnd"] {
        define::instead(&prototype, JsString::from(name), pad, context)?;
    }
    define::instead(
        &string.constructor(),
        js_string!("raw"),
        |_, arguments, _, context| raw(arguments, context),
        context,
    )
}

/// What a method of texts is called on as a text, unless it has none; then the engine's own throws.
fn text_of(this: &JsValue, context: &mut Context) -> JsResult<Option<JsString>> {
    if this.is_null_or_undefined() { Ok(None) } else { this.to_string(context).map(Some) }
}

fn bounded(text: &JsString, factor: f64, context: &Context) -> JsResult<()> {
    let host = Host::of(context);
    let most = Most::text(&host);
    Most { size: most.size * OVER, ..most }.bounds(text.len() as f64 * factor, context)?;
    host.look_at_clock_after(text.len() as f64)
}

/// # Errors
/// When a result is longer than texts may be.
fn result(value: JsValue, context: &Context) -> JsResult<JsValue> {
    Most::text(&Host::of(context)).bounds(super::bounds::text_length(&value), context)?;
    Ok(value)
}

/// A length that a text is to have.
fn long(length: f64, context: &Context) -> JsResult<()> {
    let host = Host::of(context);
    Most::text(&host).bounds(length, context)?;
    host.look_at_clock_after(length.max(0.0))
}

/// ECMA-262, 22.1.3.18. The engine's own makes a list of as many texts first.
fn repeat(
    this: &JsValue,
    arguments: &[JsValue],
    own: &JsFunction,
    context: &mut Context,
) -> JsResult<JsValue> {
    let Some(text) = text_of(this, context)? else { return own.call(this, arguments, context) };
    let times = argument(arguments, 0).to_number(context)?;
    // What is no number of times is told by the engine's own.
    if !(0.0..f64::INFINITY).contains(&times) {
        return own.call(&text.into(), &[times.into()], context);
    }
    long(text.len() as f64 * times.trunc(), context)?;
    Ok(repeated(&text, times as usize).into())
}

fn repeated(text: &JsString, times: usize) -> JsString {
    if text.is_empty() {
        return JsString::default();
    }
    match text.as_str().variant() {
        JsStrVariant::Latin1(bytes) => JsString::from(JsStr::latin1(&bytes.repeat(times))),
        JsStrVariant::Utf16(units) => JsString::from(JsStr::utf16(&units.repeat(times))),
    }
}

/// ECMA-262, 22.1.3.17 (StringPad).
fn pad(this: &JsValue, arguments: &[JsValue], own: &JsFunction, context: &mut Context) -> JsResult<JsValue> {
    let Some(text) = text_of(this, context)? else { return own.call(this, arguments, context) };
    let length = argument(arguments, 0).to_number(context)?;
    if length.is_nan() || length <= text.len() as f64 {
        return Ok(text.into());
    }
    let filler = argument(arguments, 1);
    let filler = if filler.is_undefined() { js_string!(" ") } else { filler.to_string(context)? };
    if filler.is_empty() {
        return Ok(text.into());
    }
    long(length, context)?;
    // As long as is wanted, so that the engine needs one only.
    let missing = (length as usize).saturating_sub(text.len());
    let filler = repeated(&filler, missing.div_ceil(filler.len()).max(1));
    own.call(&text.into(), &[length.into(), filler.into()], context)
}

fn concat(
    this: &JsValue,
    arguments: &[JsValue],
    own: &JsFunction,
    context: &mut Context,
) -> JsResult<JsValue> {
    let Some(text) = text_of(this, context)? else { return own.call(this, arguments, context) };
    let mut length = text.len() as f64;
    let mut others = Vec::with_capacity(arguments.len());
    for other in arguments {
        look(context)?;
        let other = other.to_string(context)?;
        length += other.len() as f64;
        Most::text(&Host::of(context)).bounds(length, context)?;
        others.push(other.into());
    }
    long(length, context)?;
    own.call(&text.into(), &others, context)
}

/// `String.raw`. ECMA-262, 22.1.2.4.
fn raw(arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let cooked = argument(arguments, 0).to_object(context)?;
    let literals = cooked.get(js_string!("raw"), context)?.to_object(context)?;
    let count = count(&literals, context)?;
    let mut parts = Parts::default();
    for index in 0..count {
        look(context)?;
        let literal = literals.get(index, context)?.to_string(context)?;
        parts.push(literal, context)?;
        let next = usize::try_from(index).ok().filter(|_| index + 1 < count);
        if let Some(substitution) = next.and_then(|index| arguments.get(index + 1)) {
            let substitution = substitution.to_string(context)?;
            parts.push(substitution, context)?;
        }
    }
    Ok(parts.joined(&JsString::default()).into())
}

fn count(list: &JsObject, context: &mut Context) -> JsResult<u64> {
    let length = list.get(js_string!("length"), context)?.to_length(context)?;
    Most::list(&Host::of(context)).bounds(length as f64, context)?;
    Ok(length)
}

/// Texts that become one.
#[derive(Default)]
pub(super) struct Parts {
    parts: Vec<JsString>,
    length: f64,
}

impl Parts {
    /// # Errors
    /// When all of it would be longer than texts may be.
    pub(super) fn push(&mut self, part: JsString, context: &Context) -> JsResult<()> {
        self.length += part.len() as f64;
        Most::text(&Host::of(context)).bounds(self.length, context)?;
        self.parts.push(part);
        Ok(())
    }

    /// All of it, with something between each two.
    pub(super) fn joined(&self, between: &JsString) -> JsString {
        let mut all = Vec::with_capacity(self.parts.len() * 2);
        for part in &self.parts {
            if !all.is_empty() && !between.is_empty() {
                all.push(between.as_str());
            }
            all.push(part.as_str());
        }
        JsString::concat_array(&all)
    }
}
