//! Methods of texts.

use std::borrow::Cow;

use super::code::{TextCall, TextMethod};
use super::run::{Outcome, Run, throw};
use super::text;
use super::value::Value;
use crate::thrown::Thrown;

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
        let mut arguments = arguments.into_iter().map(Value::into_text);
        let mut first = || arguments.next().unwrap_or("undefined".into());
        Ok(match call.method {
            TextMethod::Length => (text::length(&receiver) as f64).into(),
            TextMethod::ToLowerCase => Value::text(receiver.to_lowercase()),
            TextMethod::ToUpperCase => Value::text(receiver.to_uppercase()),
            TextMethod::Trim => match receiver {
                Cow::Borrowed(text) => Value::text(text::trim(text)),
                Cow::Owned(text) => Value::text(text::trim(&text).to_owned()),
            },
            TextMethod::StartsWith => receiver.starts_with(&*first()).into(),
            TextMethod::EndsWith => receiver.ends_with(&*first()).into(),
            TextMethod::Includes => receiver.contains(&*first()).into(),
            TextMethod::IndexOf => text::index_of(&receiver, &first()).into(),
            TextMethod::Concat => {
                let mut whole = receiver.into_owned();
                arguments.for_each(|part| whole.push_str(&part));
                self.made(whole, call.place)?
            }
            TextMethod::ToString => Value::Text(receiver),
        })
    }
}
