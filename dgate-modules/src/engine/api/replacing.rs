//! What `replace` puts in the place of what it finds, counted as it grows.
//!
//! The engine puts all of it together before anybody could measure it: a text of a million characters may come in for each
//! match, from a function or a template. So where that could be too much, the engine is given a function of the gateway's
//! own, which makes each part and counts.

use boa_engine::{Context, JsObject, JsResult, JsString, JsValue, NativeFunction, js_string};
use boa_gc::{Finalize, GcRefCell, Trace};

use super::bounds::Most;
use super::texts::Parts;
use crate::engine::host::Host;

/// What a module says to put in.
#[derive(Clone, Trace, Finalize)]
enum By {
    Function(JsObject),
    Template(JsString),
}

/// What to give to the engine for what a module gave, if the text is so long.
///
/// # Errors
/// When it cannot be made a text.
pub(super) fn replacement(by: &JsValue, text: &JsString, context: &mut Context) -> JsResult<JsValue> {
    let by = match by.as_object().filter(JsObject::is_callable) {
        Some(function) => By::Function(function),
        None => {
            let template = by.to_string(context)?;
            let length = text.len() as f64;
            let each =
                template.len() as f64 + if template.iter().any(|unit| unit == DOLLAR) { length } else { 0.0 };
            if (length + 1.0) * each <= Host::of(context).longest_text() {
                return Ok(template.into());
            }
            By::Template(template)
        }
    };
    let counting = NativeFunction::from_copy_closure_with_captures(
        |_, arguments, (by, sum): &(By, GcRefCell<f64>), context| {
            let part = match by {
                By::Function(function) => {
                    function.call(&JsValue::undefined(), arguments, context)?.to_string(context)?
                }
                By::Template(template) => Match::of(arguments, context)?.fill_in(template, context)?,
            };
            let length = part.len() as f64;
            let so_far = *sum.borrow() + length;
            *sum.borrow_mut() = so_far;
            let host = Host::of(context);
            Most::text(&host).bounds(so_far, context)?;
            host.look_at_clock_after(length)?;
            Ok(part.into())
        },
        (by, GcRefCell::new(0.0)),
    );
    Ok(counting.to_js_function(context.realm()).into())
}

const DOLLAR: u16 = b'$' as u16;

/// A match, as functions are told of it.
struct Match<'a> {
    matched: JsString,
    captures: &'a [JsValue],
    position: usize,
    text: JsString,
    groups: Option<JsObject>,
}

impl<'a> Match<'a> {
    fn of(arguments: &'a [JsValue], context: &mut Context) -> JsResult<Self> {
        let count = arguments.len();
        let is = |from_end: usize, is: fn(&JsValue) -> bool| {
            count.checked_sub(from_end).and_then(|index| arguments.get(index)).is_some_and(is)
        };
        // The place and the text come before the named groups, if there are any.
        let has_groups = is(2, JsValue::is_string) && is(3, JsValue::is_number);
        let last = count - usize::from(has_groups);
        let groups = if has_groups { Some(arguments[last].to_object(context)?) } else { None };
        let text_at = |index: usize| arguments.get(index).and_then(JsValue::as_string).unwrap_or_default();
        Ok(Self {
            matched: text_at(0),
            captures: arguments.get(1..last - 2).unwrap_or_default(),
            position: arguments[last - 2].as_number().unwrap_or_default() as usize,
            text: text_at(last - 1),
            groups,
        })
    }

    /// ECMA-262, 22.1.3.19.1 (GetSubstitution).
    fn fill_in(&self, template: &JsString, context: &mut Context) -> JsResult<JsString> {
        let units: Vec<u16> = template.iter().collect();
        let mut parts = Parts::default();
        let mut at = 0;
        while at < units.len() {
            let end =
                units[at..].iter().position(|unit| *unit == DOLLAR).map_or(units.len(), |found| at + found);
            if end > at {
                parts.push(slice(template, at, end), context)?;
                at = end;
                continue;
            }
            let (part, length) = self.reference(template, &units[at..], at, context)?;
            parts.push(part, context)?;
            at += length;
        }
        Ok(parts.joined(&JsString::default()))
    }

    /// What a `$` stands for, and how long it is in the template.
    fn reference(
        &self,
        template: &JsString,
        units: &[u16],
        at: usize,
        context: &mut Context,
    ) -> JsResult<(JsString, usize)> {
        let next = units.get(1).and_then(|unit| u8::try_from(*unit).ok());
        let whole = self.text.len();
        Ok(match next {
            Some(b'$') => (js_string!("$"), 2),
            Some(b'&') => (self.matched.clone(), 2),
            Some(b'`') => (slice(&self.text, 0, self.position.min(whole)), 2),
            Some(b'\'') => (slice(&self.text, (self.position + self.matched.len()).min(whole), whole), 2),
            Some(b'0'..=b'9') => {
                let digit = |index: usize| {
                    let unit = units.get(index).and_then(|unit| char::from_u32(u32::from(*unit)))?;
                    unit.to_digit(10).map(|digit| digit as usize)
                };
                let one = digit(1).unwrap_or(0);
                let two = digit(2).map(|second| one * 10 + second);
                let captures = 1..=self.captures.len();
                match two.filter(|two| captures.contains(two)) {
                    Some(two) => (self.capture(two, context)?, 3),
                    None if captures.contains(&one) => (self.capture(one, context)?, 2),
                    None => (js_string!("$"), 1),
                }
            }
            Some(b'<') => {
                let end = units.iter().position(|unit| *unit == u16::from(b'>'));
                match (&self.groups, end) {
                    (Some(groups), Some(end)) => {
                        let value = groups.get(slice(template, at + 2, at + end), context)?;
                        let text = if value.is_undefined() {
                            JsString::default()
                        } else {
                            value.to_string(context)?
                        };
                        (text, end + 1)
                    }
                    _ => (js_string!("$"), 1),
                }
            }
            _ => (js_string!("$"), 1),
        })
    }

    fn capture(&self, number: usize, context: &mut Context) -> JsResult<JsString> {
        let value = &self.captures[number - 1];
        if value.is_undefined() { Ok(JsString::default()) } else { value.to_string(context) }
    }
}

fn slice(text: &JsString, begin: usize, end: usize) -> JsString {
    text.as_str().get(begin..end).map_or_else(JsString::default, JsString::from)
}
