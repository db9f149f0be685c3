//! Lists, and what is done with them.

use std::rc::Rc;

use super::arithmetic::{relative, same_value_zero, to_integer};
use super::code::{ListCall, ListMethod, Node};
use super::method::part;
use super::run::{Outcome, Run, throw};
use super::text;
use super::value::{Value, joined};
use crate::thrown::Thrown;
use crate::typescript::Place;

impl<'c> Run<'c, '_, '_> {
    /// A list, whose place counts as text does, and the texts in it once more: they may be copies.
    pub(super) fn list_of(&mut self, elements: Vec<Value<'c>>) -> Outcome<Value<'c>> {
        let texts: usize = elements.iter().map(length_of).sum();
        self.work(texts + elements.len() * size_of::<Value<'_>>())?;
        Ok(Value::List(elements.into()))
    }

    /// The value of an expression that is a list.
    pub(super) fn list(&mut self, node: &'c Node) -> Outcome<Rc<[Value<'c>]>> {
        Ok(match self.eval(node)? {
            Value::List(list) => list,
            _ => Rc::default(),
        })
    }

    pub(super) fn list_call(&mut self, call: &'c ListCall) -> Outcome<Value<'c>> {
        let list = self.list(&call.list)?;
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(self.eval(argument)?);
        }
        let mut arguments = arguments.into_iter();
        let mut next = || arguments.next().unwrap_or(Value::Undefined);
        self.spend(list.len())?;
        Ok(match call.method {
            ListMethod::Length => (list.len() as f64).into(),
            ListMethod::At => {
                let index = to_integer(next().to_number());
                element(&list, if index < 0.0 { index + list.len() as f64 } else { index })
            }
            ListMethod::Includes => {
                let wanted = next();
                list.iter().any(|element| same_value_zero(element, &wanted)).into()
            }
            ListMethod::IndexOf => {
                let wanted = next();
                list.iter().position(|element| *element == wanted).map_or(-1.0, |at| at as f64).into()
            }
            ListMethod::Join => {
                let between = match next() {
                    Value::Undefined => ",".into(),
                    value => value.into_text(),
                };
                // It may become long: so it is looked at before.
                let length = list.iter().map(length_of).sum::<usize>() + between.len() * list.len();
                self.work(length)?;
                self.made(joined(&list, &between), call.place)?
            }
            ListMethod::Slice => {
                let (from, to) = (relative(next().to_number(), list.len()), next());
                let to =
                    if to == Value::Undefined { list.len() } else { relative(to.to_number(), list.len()) };
                self.list_of(list.get(from..to).unwrap_or_default().to_vec())?
            }
        })
    }

    /// `x[number]`.
    pub(super) fn index(&mut self, both: &'c [Node; 2], place: Place) -> Outcome<Value<'c>> {
        let (of, index) = (self.eval(&both[0])?, self.eval(&both[1])?.to_number());
        match of {
            Value::List(list) => Ok(element(&list, index)),
            Value::Text(text)
                if index.fract() == 0.0 && (0.0..text::length(&text) as f64).contains(&index) =>
            {
                part(text, index as usize, index as usize + 1)
            }
            Value::Undefined | Value::Null => {
                throw(place, Thrown::typ("cannot convert 'null' or 'undefined' to object"))
            }
            _ => Ok(Value::Undefined),
        }
    }
}

/// How long the text is that a value is.
pub(super) fn length_of(value: &Value<'_>) -> usize {
    if let Value::Text(text) = value { text.len() } else { 0 }
}

/// The element of an index; nothing is there for what is no index.
fn element<'c>(list: &[Value<'c>], index: f64) -> Value<'c> {
    let is_index = index.fract() == 0.0 && (0.0..list.len() as f64).contains(&index);
    if is_index { list[index as usize].clone() } else { Value::Undefined }
}
