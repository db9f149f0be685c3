//! Methods of texts that look for other texts. The engine compares at each place anew, and begins each time where the text
//! begins: what may take long that way is refused, and `split` is done here.

use boa_engine::object::builtins::{JsArray, JsFunction, JsRegExp};
use boa_engine::string::JsStrVariant;
use boa_engine::{Context, JsNativeError, JsResult, JsString, JsSymbol, JsValue};

use super::bounds::{Most, text_length};
use super::define;
use super::matcher::matcher;
use super::replacing::replacement;
use crate::engine::host::Host;
use crate::engine::limits::refused;
use crate::engine::values::argument;
use crate::failure::LimitKind;

/// How many characters may be compared, at worst: about a second.
const MOST_COMPARED: f64 = (1_u64 << 29) as f64;
/// How many parts are made between two looks at the clock.
const PARTS_PER_LOOK: usize = 1_024;

/// What is done to the engine's own function.
type Instead = fn(&JsValue, &[JsValue], &JsFunction, &mut Context) -> JsResult<JsValue>;

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let string = context.intrinsics().constructors().string().prototype();
    let all: [(&str, Instead); 6] = [
        ("indexOf", find),
        ("lastIndexOf", find),
        ("includes", includes),
        ("replace", replace),
        ("replaceAll", replace_all),
        ("split", split),
    ];
    for (name, instead) in all {
        define::instead(&string, JsString::from(name), instead, context)?;
    }
    let regexp = context.intrinsics().constructors().regexp().prototype();
    define::instead(
        &regexp,
        JsSymbol::replace(),
        |this, arguments, own, context| {
            let Some(object) = this.as_object() else { return own.call(this, arguments, context) };
            let text = argument(arguments, 0).to_string(context)?;
            let by = replacement(&argument(arguments, 1), &text, context)?;
            own.call(&matcher(object, context)?, &[text.into(), by], context)
        },
        context,
    )?;
    for symbol in [JsSymbol::r#match(), JsSymbol::match_all(), JsSymbol::search(), JsSymbol::split()] {
        define::instead(
            &regexp,
            symbol,
            |this, arguments, own, context| match this.as_object() {
                Some(object) => own.call(&matcher(object, context)?, arguments, context),
                None => own.call(this, arguments, context),
            },
            context,
        )?;
    }
    Ok(())
}

/// The text, and what is looked for in it. What is no text becomes one once, so that what was measured is what is used.
fn texts(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<(JsString, JsString)> {
    Ok((this.to_string(context)?, argument(arguments, 0).to_string(context)?))
}

fn bounded(times: f64, text: &JsString, wanted: &JsString, context: &Context) -> JsResult<()> {
    let compared = times * text.len() as f64 * wanted.len().max(1) as f64;
    if compared > MOST_COMPARED {
        let message = format!(
            "looking for a text of {} characters in one of {} would take too long",
            wanted.len(),
            text.len()
        );
        return Err(refused(LimitKind::String, message, context));
    }
    Ok(())
}

fn find(
    this: &JsValue,
    arguments: &[JsValue],
    original: &JsFunction,
    context: &mut Context,
) -> JsResult<JsValue> {
    if this.is_null_or_undefined() {
        return original.call(this, arguments, context);
    }
    let (text, wanted) = texts(this, arguments, context)?;
    let rest = arguments.iter().skip(1).cloned();
    let arguments: Vec<JsValue> = std::iter::once(wanted.clone().into()).chain(rest).collect();
    bounded(1.0, &text, &wanted, context)?;
    Host::of(context).look_at_clock_after(text.len() as f64)?;
    original.call(&text.into(), &arguments, context)
}

fn includes(
    this: &JsValue,
    arguments: &[JsValue],
    original: &JsFunction,
    context: &mut Context,
) -> JsResult<JsValue> {
    // What says that it is a regular expression is none that `includes` takes. ECMA-262, 7.2.6 (IsRegExp).
    if let Some(object) = argument(arguments, 0).as_object() {
        let says = object.get(JsSymbol::r#match(), context)?;
        let is_one =
            if says.is_undefined() { JsRegExp::from_object(object).is_ok() } else { says.to_boolean() };
        if is_one {
            let message = "`includes` looks for texts, not for regular expressions";
            return Err(JsNativeError::typ().with_message(message).into());
        }
    }
    find(this, arguments, original, context)
}

/// Whether what is looked for looks for itself, as regular expressions do.
fn has_own(arguments: &[JsValue], symbol: JsSymbol, context: &mut Context) -> JsResult<bool> {
    match argument(arguments, 0).as_object() {
        Some(object) => Ok(!object.get(symbol, context)?.is_null_or_undefined()),
        None => Ok(false),
    }
}

fn replace(
    this: &JsValue,
    arguments: &[JsValue],
    original: &JsFunction,
    context: &mut Context,
) -> JsResult<JsValue> {
    if this.is_null_or_undefined() || has_own(arguments, JsSymbol::replace(), context)? {
        return original.call(this, arguments, context);
    }
    let (text, wanted) = texts(this, arguments, context)?;
    bounded(1.0, &text, &wanted, context)?;
    let by = replacement(&argument(arguments, 1), &text, context)?;
    let result = original.call(&text.into(), &[wanted.into(), by], context)?;
    Most::text(&Host::of(context)).bounds(text_length(&result), context)?;
    Ok(result)
}

fn replace_all(
    this: &JsValue,
    arguments: &[JsValue],
    original: &JsFunction,
    context: &mut Context,
) -> JsResult<JsValue> {
    if this.is_null_or_undefined() || has_own(arguments, JsSymbol::replace(), context)? {
        return original.call(this, arguments, context);
    }
    let (text, wanted) = texts(this, arguments, context)?;
    bounded(1.0, &text, &wanted, context)?;
    let by = replacement(&argument(arguments, 1), &text, context)?;
    let mut found = 0_usize;
    each(&text, &wanted, usize::MAX, &mut |_| {
        found += 1;
        Ok(())
    })?;
    // It goes through the text from the beginning for each.
    bounded(found.max(1) as f64 / wanted.len().max(1) as f64, &text, &wanted, context)?;
    let result = original.call(&text.into(), &[wanted.into(), by], context)?;
    Most::text(&Host::of(context)).bounds(text_length(&result), context)?;
    Ok(result)
}

fn split(
    this: &JsValue,
    arguments: &[JsValue],
    original: &JsFunction,
    context: &mut Context,
) -> JsResult<JsValue> {
    let by = argument(arguments, 0);
    if this.is_null_or_undefined() || by.is_undefined() || has_own(arguments, JsSymbol::split(), context)? {
        return original.call(this, arguments, context);
    }
    let text = this.to_string(context)?;
    let most = argument(arguments, 1);
    let most = if most.is_undefined() { u32::MAX } else { most.to_u32(context)? };
    let by = by.to_string(context)?;
    if by.is_empty() || most == 0 {
        Most::list(&Host::of(context)).bounds(text.len().min(most as usize) as f64, context)?;
        return original.call(&text.into(), &[by.into(), most.into()], context);
    }
    bounded(1.0, &text, &by, context)?;
    let host = Host::of(context);
    let (mut parts, mut begin, longest) = (Vec::new(), 0, host.longest_list());
    let part = |begin: usize, end: usize| {
        text.as_str().get(begin..end).map_or_else(JsString::default, JsString::from)
    };
    each(&text, &by, most as usize, &mut |at| {
        parts.push(JsValue::from(part(begin, at)));
        begin = at + by.len();
        if parts.len() as f64 >= longest {
            let message = format!("more parts than modules may have ({longest})");
            return Err(refused(LimitKind::List, message, context));
        }
        if parts.len().is_multiple_of(PARTS_PER_LOOK) {
            host.look_at_clock()?;
        }
        Ok(())
    })?;
    if parts.len() < most as usize {
        parts.push(part(begin, text.len()).into());
    }
    Ok(JsArray::from_iter(parts, context).into())
}

/// Tells where a text is found in another, the first `most` times.
fn each(
    text: &JsString,
    wanted: &JsString,
    most: usize,
    tell: &mut dyn FnMut(usize) -> JsResult<()>,
) -> JsResult<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    if let (JsStrVariant::Latin1(text), JsStrVariant::Latin1(wanted)) =
        (text.as_str().variant(), wanted.as_str().variant())
    {
        return memchr::memmem::find_iter(text, wanted).take(most).try_for_each(tell);
    }
    let (text, wanted): (Vec<u16>, Vec<u16>) = (text.iter().collect(), wanted.iter().collect());
    let mut at = 0;
    for _ in 0..most {
        let Some(rest) = text.get(at..) else { break };
        let Some(found) = rest.windows(wanted.len()).position(|part| part == wanted) else { break };
        tell(at + found)?;
        at += found + wanted.len();
    }
    Ok(())
}
