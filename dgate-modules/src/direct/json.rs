//! JSON of objects and lists as they stand in a hook. They are written right away; there are no objects.

use super::code::Json;
use super::run::{Outcome, Run, throw, too_large};
use super::value::{Value, number_text};
use crate::json::quote;
use crate::typescript::Place;

impl<'c> Run<'c, '_, '_> {
    /// Something as JSON; nothing for `undefined`.
    pub(super) fn json(&mut self, json: &'c Json, place: Place) -> Outcome<Option<Vec<u8>>> {
        let mut out = Vec::with_capacity(128);
        let is_some = self.write_json(json, place, &mut out)?;
        self.work(out.len())?;
        if let Ok(text) = std::str::from_utf8(&out) {
            self.fits(text, place)?;
        }
        Ok(is_some.then_some(out))
    }

    /// Writes it; `false` for `undefined`, of which nothing is written.
    fn write_json(&mut self, json: &'c Json, place: Place, out: &mut Vec<u8>) -> Outcome<bool> {
        match json {
            Json::Ready(text) => out.extend_from_slice(text.as_bytes()),
            Json::Value(node) => {
                let (value, begin) = (self.eval(node)?, out.len());
                let is_some = write_value(&value, self.longest_json(), out);
                self.spend(out.len() - begin)?;
                self.bounded(out, place)?;
                return Ok(is_some);
            }
            Json::Slot(slot) => {
                let before = out.len();
                if let Value::Text(text) = self.variable(*slot) {
                    out.extend_from_slice(text.as_bytes());
                }
                self.work(out.len() - before)?;
                self.bounded(out, place)?;
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
                    if !self.write_json(value, place, out)? {
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
                    if !self.write_json(element, place, out)? {
                        out.extend_from_slice(b"null");
                    }
                }
                out.push(b']');
            }
        }
        Ok(true)
    }

    /// How many bytes JSON may have before anybody counts its characters, of which each has three at most.
    fn longest_json(&self) -> usize {
        self.scene.capabilities.limits.string.saturating_mul(3)
    }

    fn bounded(&self, out: &[u8], place: Place) -> Outcome<()> {
        if out.len() > self.longest_json() {
            return throw(place, too_large(self.scene.capabilities.limits.string as f64));
        }
        Ok(())
    }
}

/// Writes it; `false` for `undefined`, of which nothing is written. What is longer than `most` is left off.
fn write_value(value: &Value<'_>, most: usize, out: &mut Vec<u8>) -> bool {
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
                if out.len() > most {
                    break;
                }
                if index > 0 {
                    out.push(b',');
                }
                if !write_value(element, most, out) {
                    out.extend_from_slice(b"null");
                }
            }
            out.push(b']');
        }
    }
    true
}
