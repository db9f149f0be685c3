//! Lists: what is done for each element, and with them.

use std::rc::Rc;

use super::arithmetic::{relative, same_value_zero, to_integer};
use super::code::{EachMethod, ListCall, ListMethod, Loop, Node};
use super::method::part;
use super::run::{Flow, Outcome, Run, throw};
use super::text;
use super::value::{Value, joined};
use crate::thrown::Thrown;
use crate::typescript::Place;

/// Walking a node takes as long as so many bytes of text.
const NODE: usize = 64;

impl<'c> Run<'c, '_, '_> {
    /// A list, whose place counts as text does.
    pub(super) fn list_of(&mut self, elements: Vec<Value<'c>>) -> Outcome<Value<'c>> {
        self.work(elements.len() * size_of::<Value<'_>>())?;
        Ok(Value::List(elements.into()))
    }

    /// The value of an expression that is a list.
    pub(super) fn list(&mut self, node: &'c Node) -> Outcome<Rc<[Value<'c>]>> {
        Ok(match self.eval(node)? {
            Value::List(list) => list,
            _ => Rc::default(),
        })
    }

    pub(super) fn for_of(&mut self, turns: &'c Loop) -> Outcome<Flow<'c>> {
        for element in &*self.list(&turns.list)? {
            match self.turn(turns, element.clone())? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => break,
                flow @ Flow::Return(_) => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    /// What is done for an element.
    fn turn(&mut self, turns: &'c Loop, element: Value<'c>) -> Outcome<Flow<'c>> {
        self.spend(turns.nodes * NODE)?;
        self.assign(turns.slot, element);
        self.block(&turns.body)
    }

    /// Calls a function for each element.
    pub(super) fn each(&mut self, method: EachMethod, turns: &'c Loop) -> Outcome<Value<'c>> {
        let list = self.list(&turns.list)?;
        let mut made = Vec::new();
        for (index, element) in list.iter().enumerate() {
            let value = match self.turn(turns, element.clone())? {
                Flow::Return(value) => value,
                _ => Value::Undefined,
            };
            match method {
                EachMethod::Every if !value.is_true() => return Ok(false.into()),
                EachMethod::Some if value.is_true() => return Ok(true.into()),
                EachMethod::Find if value.is_true() => return Ok(element.clone()),
                EachMethod::FindIndex if value.is_true() => return Ok((index as f64).into()),
                EachMethod::Filter if value.is_true() => made.push(element.clone()),
                EachMethod::Map => made.push(value),
                _ => {}
            }
        }
        Ok(match method {
            EachMethod::Every => true.into(),
            EachMethod::Some => false.into(),
            EachMethod::FindIndex => (-1.0).into(),
            EachMethod::Find | EachMethod::ForEach => Value::Undefined,
            EachMethod::Filter | EachMethod::Map => self.list_of(made)?,
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
                let text = |element: &Value<'_>| if let Value::Text(text) = element { text.len() } else { 0 };
                let length = list.iter().map(text).sum::<usize>() + between.len() * list.len();
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

/// The element of an index; nothing is there for what is no index.
fn element<'c>(list: &[Value<'c>], index: f64) -> Value<'c> {
    let is_index = index.fract() == 0.0 && (0.0..list.len() as f64).contains(&index);
    if is_index { list[index as usize].clone() } else { Value::Undefined }
}
