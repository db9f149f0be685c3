//! JSON of objects and lists as they stand in a hook. They are written right away; there are no objects.

use super::code::Json;
use super::run::{Outcome, Run};
use super::value::{Value, number_text};
use crate::json::quote;
use crate::typescript::Place;

impl<'c> Run<'c, '_, '_> {
    /// Something as JSON; nothing for `undefined`.
    pub(super) fn json(&mut self, json: &'c Json, place: Place) -> Outcome<Option<Vec<u8>>> {
        let mut out = Vec::with_capacity(128);
        let is_some = self.write_json(json, &mut out)?;
        self.work(out.len())?;
        if let Ok(text) = std::str::from_utf8(&out) {
            self.fits(text, place)?;
        }
        Ok(is_some.then_some(out))
    }

    /// Writes it; `false` for `undefined`, of which nothing is written.
    fn write_json(&mut self, json: &'c Json, out: &mut Vec<u8>) -> Outcome<bool> {
        match json {
            Json::Ready(text) => out.extend_from_slice(text.as_bytes()),
            Json::Value(node) => return Ok(write_value(&self.eval(node)?, out)),
            Json::Slot(slot) => {
                let before = out.len();
                if let Value::Text(text) = self.variable(*slot) {
                    out.extend_from_slice(text.as_bytes());
                }
                self.work(out.len() - before)?;
            }
            Json::Object(members) => {
                out.push(b'{');
                let begin = out.len();
                for (key, value) in members {
                    let before = out.len();
                    if before > begin {
                        out.push(b',');
                    }
                    out.extend_from_slice(key.as_bytes());
                    if !self.write_json(value, out)? {
                        out.truncate(before);
                    }
                }
                out.push(b'}');
            }
            Json::Array(elements) => {
                out.push(b'[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    if !self.write_json(element, out)? {
                        out.extend_from_slice(b"null");
                    }
                }
                out.push(b']');
            }
        }
        Ok(true)
    }
}

fn write_value(value: &Value<'_>, out: &mut Vec<u8>) -> bool {
    match value {
        Value::Undefined => return false,
        Value::Number(number) if !number.is_finite() => out.extend_from_slice(b"null"),
        Value::Number(number) => out.extend_from_slice(number_text(*number).as_bytes()),
        Value::Text(text) => quote(text, out),
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Url(url) => quote(url.as_str(), out),
        Value::List(list) => {
            out.push(b'[');
            for (index, element) in list.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                if !write_value(element, out) {
                    out.extend_from_slice(b"null");
                }
            }
            out.push(b']');
        }
    }
    true
}
