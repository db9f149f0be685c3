//! Methods of texts.

use std::borrow::Cow;

use super::arithmetic::{relative, to_integer};
use super::code::{TextCall, TextMethod};
use super::run::{Outcome, Run, Stop, throw, too_large};
use super::text;
use super::value::Value;
use crate::failure::LimitKind;
use crate::thrown::Thrown;
use crate::typescript::Place;

impl<'c> Run<'c, '_, '_> {
    pub(super) fn text_call(&mut self, call: &'c TextCall) -> Outcome<Value<'c>> {
        let receiver = self.eval(&call.receiver)?;
        if receiver.is_nullish() {
            if call.optional {
                return Ok(Value::Undefined);
            }
            return throw(call.place, Thrown::typ("cannot convert 'null' or 'undefined' to object"));
        }
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(self.eval(argument)?);
        }
        let Value::Text(receiver) = receiver else {
            return match call.method {
                TextMethod::Length => Ok(Value::Undefined),
                TextMethod::ToString => Ok(Value::Text(receiver.into_text())),
                _ => throw(call.place, Thrown::typ("not a callable function")),
            };
        };
        self.text_method(call.method, receiver, arguments, call.place)
    }

    fn text_method(
        &mut self,
        method: TextMethod,
        receiver: Cow<'c, str>,
        arguments: Vec<Value<'c>>,
        place: Place,
    ) -> Outcome<Value<'c>> {
        let mut arguments = arguments.into_iter();
        let mut next = || arguments.next().unwrap_or(Value::Undefined);
        Ok(match method {
            TextMethod::Length => (text::length(&receiver) as f64).into(),
            TextMethod::ToLowerCase => Value::text(receiver.to_lowercase()),
            TextMethod::ToUpperCase => Value::text(receiver.to_uppercase()),
            TextMethod::Trim => within(receiver, text::trim),
            TextMethod::TrimStart => within(receiver, text::trim_start),
            TextMethod::TrimEnd => within(receiver, text::trim_end),
            TextMethod::StartsWith => receiver.starts_with(&*next().into_text()).into(),
            TextMethod::EndsWith => receiver.ends_with(&*next().into_text()).into(),
            TextMethod::Includes => receiver.contains(&*next().into_text()).into(),
            TextMethod::IndexOf => {
                let (wanted, from) = (next().into_text(), next());
                text::index_of(&receiver, &wanted, to_integer(from.to_number())).into()
            }
            TextMethod::LastIndexOf => text::last_index_of(&receiver, &next().into_text()).into(),
            TextMethod::Concat => {
                let mut whole = receiver.into_owned();
                arguments.for_each(|part| whole.push_str(&part.into_text()));
                self.made(whole, place)?
            }
            TextMethod::ToString => Value::Text(receiver),
            TextMethod::At => {
                let index = to_integer(next().to_number());
                let length = text::length(&receiver) as f64;
                let index = if index < 0.0 { index + length } else { index };
                if !(0.0..length).contains(&index) {
                    return Ok(Value::Undefined);
                }
                part(receiver, index as usize, index as usize + 1)?
            }
            TextMethod::CharAt => {
                let index = to_integer(next().to_number());
                if !(0.0..text::length(&receiver) as f64).contains(&index) {
                    return Ok(Value::text(""));
                }
                part(receiver, index as usize, index as usize + 1)?
            }
            TextMethod::CharCodeAt => {
                let index = to_integer(next().to_number());
                let unit = if index < 0.0 { None } else { text::unit(&receiver, index as usize) };
                unit.map_or(f64::NAN, f64::from).into()
            }
            TextMethod::Slice => {
                let length = text::length(&receiver);
                let (from, to) = (relative(next().to_number(), length), next());
                let to = if to == Value::Undefined { length } else { relative(to.to_number(), length) };
                part(receiver, from, to)?
            }
            TextMethod::Substring => {
                let length = text::length(&receiver);
                let clamped = |number: f64| to_integer(number).clamp(0.0, length as f64) as usize;
                let (from, to) = (clamped(next().to_number()), next());
                let to = if to == Value::Undefined { length } else { clamped(to.to_number()) };
                part(receiver, from.min(to), from.max(to))?
            }
            TextMethod::PadStart | TextMethod::PadEnd => {
                let (length, filler) = (next().to_number(), next());
                let filler = if filler == Value::Undefined { " ".into() } else { filler.into_text() };
                self.padded(receiver, length, &filler, method == TextMethod::PadStart, place)?
            }
            TextMethod::Replace => {
                let (wanted, by) = (next().into_text(), next().into_text());
                self.replaced(receiver, &wanted, &by, 1, place)?
            }
            TextMethod::ReplaceAll => {
                let (wanted, by) = (next().into_text(), next().into_text());
                self.replaced(receiver, &wanted, &by, usize::MAX, place)?
            }
            TextMethod::Split => {
                let by = next().into_text();
                self.split(receiver, &by, place)?
            }
        })
    }

    fn padded(
        &mut self,
        receiver: Cow<'c, str>,
        length: f64,
        filler: &str,
        is_before: bool,
        place: Place,
    ) -> Outcome<Value<'c>> {
        let most = self.scene.capabilities.limits.string as f64;
        if length > most {
            return throw(place, too_large(most));
        }
        let missing = to_integer(length).max(0.0) as usize;
        let missing = missing.saturating_sub(text::length(&receiver));
        if missing == 0 || filler.is_empty() {
            return Ok(Value::Text(receiver));
        }
        self.work(missing)?;
        // What fills has one unit for each character: the translator sees to that.
        let filling = filler.chars().cycle().take(missing);
        let whole: String = if is_before {
            filling.chain(receiver.chars()).collect()
        } else {
            receiver.chars().chain(filling).collect()
        };
        self.made(whole, place)
    }

    /// Replaces a text, the first times that it is there.
    fn replaced(
        &mut self,
        receiver: Cow<'c, str>,
        wanted: &str,
        by: &str,
        times: usize,
        place: Place,
    ) -> Outcome<Value<'c>> {
        if !receiver.contains(wanted) {
            return Ok(Value::Text(receiver));
        }
        let mut whole = String::with_capacity(receiver.len());
        let mut end = 0;
        for (at, _) in receiver.match_indices(wanted).take(times) {
            whole.push_str(&receiver[end..at]);
            end = at + wanted.len();
            // What it comes to is known before it is there: it may be many times as long as both.
            let added: usize = text::substitutes(by, &receiver, at, end).map(str::len).sum();
            self.work(by.len() + added)?;
            whole.extend(text::substitutes(by, &receiver, at, end));
        }
        whole.push_str(&receiver[end..]);
        self.made(whole, place)
    }

    /// What stands between the places where a text, which is not empty, is found.
    fn split(&mut self, receiver: Cow<'c, str>, by: &str, place: Place) -> Outcome<Value<'c>> {
        let (count, most) = (receiver.matches(by).count() + 1, self.scene.capabilities.limits.list);
        if count > most {
            let message = format!("more parts than modules may have ({most})");
            return throw(place, Thrown::limit(LimitKind::List, message));
        }
        self.work(receiver.len() + count * size_of::<Value<'_>>())?;
        let parts: Vec<_> = match receiver {
            Cow::Borrowed(text) => text.split(by).map(Value::text).collect(),
            Cow::Owned(text) => text.split(by).map(|part| Value::text(part.to_owned())).collect(),
        };
        self.list_of(parts)
    }
}

/// A part of a text, which lies where the text lay.
fn within(whole: Cow<'_, str>, part: impl FnOnce(&str) -> &str) -> Value<'_> {
    match whole {
        Cow::Borrowed(whole) => Value::text(part(whole)),
        Cow::Owned(whole) => Value::text(part(&whole).to_owned()),
    }
}

/// A part of a text, by its units. Half of a character is the engine's.
pub(super) fn part(whole: Cow<'_, str>, from: usize, to: usize) -> Outcome<Value<'_>> {
    if from >= to {
        return Ok(Value::text(""));
    }
    let (Some(from), Some(to)) = (text::byte(&whole, from), text::byte(&whole, to)) else {
        return Err(Box::new(Stop::NeedsEngine));
    };
    Ok(within(whole, |whole| &whole[from..to]))
}
