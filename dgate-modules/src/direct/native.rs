//! Functions of the gateway's own modules.

use serde_json::Value as Json;

use super::code::{Digest, NativeCall, NativeFunction, Node};
use super::run::{Outcome, Run, Stop, placed};
use super::value::Value;
use crate::bytes_text::{base64, encode_text};
use crate::permission::{Granted, Wanted};
use crate::random::{hex, uuid};
use crate::thrown::Thrown;
use crate::typescript::Place;
use crate::{hash, ip_range, message};

impl<'c> Run<'c, '_, '_> {
    pub(super) fn native(&mut self, call: &'c NativeCall) -> Outcome<Value<'c>> {
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(self.eval(argument)?);
        }
        for (name, argument) in call.needs.iter().zip(&arguments) {
            let (name, may_be_null) = name.strip_suffix('?').map_or((*name, false), |name| (name, true));
            match argument {
                Value::Undefined => return Err(message::missing(call.name, name, "undefined").into()),
                Value::Null if !may_be_null => return Err(message::missing(call.name, name, "null").into()),
                _ => {}
            }
        }
        let mut arguments = arguments.into_iter();
        let mut next = || arguments.next().unwrap_or(Value::Undefined);
        Ok(match &call.function {
            NativeFunction::Base64Encode => Value::text(base64(next().into_text().as_bytes())),
            NativeFunction::HexEncode => Value::text(hex(next().into_text().as_bytes())),
            NativeFunction::RandomUuid => Value::text(uuid()),
            NativeFunction::TimingSafeEqual => {
                hash::is_same(next().into_text().as_bytes(), next().into_text().as_bytes()).into()
            }
            NativeFunction::IpInRange => {
                let (ip, range) = (next().into_text(), next().into_text());
                ip_range::contains(&range, &ip)?.into()
            }
            NativeFunction::Digest(name, encoding) => {
                encoded(hash::digest(name, next().into_text().as_bytes()), encoding)
            }
            NativeFunction::Hmac(name, encoding) => {
                let (_, key, data) = (next(), next().into_text(), next().into_text());
                encoded(hash::keyed(name, key.as_bytes(), data.as_bytes()), encoding)
            }
            NativeFunction::GetCache
            | NativeFunction::SetCache(_)
            | NativeFunction::DeleteCache
            | NativeFunction::Increment(_) => {
                let granted = self.module.permissions.check(&Wanted { name: "cache", scope: None });
                let granted = granted.map_err(|_| Stop::NeedsEngine)?;
                self.cached(&call.function, &next().into_text(), next(), granted)?
            }
        })
    }

    /// Something with what is kept under a key.
    fn cached(
        &mut self,
        function: &NativeFunction,
        key: &str,
        value: Value<'c>,
        _granted: Granted,
    ) -> Outcome<Value<'c>> {
        let cache = &self.scene.capabilities.cache;
        let namespace = &self.scene.info.matched.namespace.name;
        Ok(match function {
            NativeFunction::SetCache(ttl) => {
                if !cache.set(namespace, key, to_json(value), *ttl) {
                    return Err(Thrown::range("the value is too large for the cache").into());
                }
                Value::Undefined
            }
            NativeFunction::DeleteCache => cache.delete(namespace, key).into(),
            NativeFunction::Increment(ttl) => {
                let by = match value {
                    Value::Undefined => Some(1.0),
                    Value::Number(by) if by.is_finite() => Some(by),
                    _ => None,
                };
                let by = by.ok_or_else(|| Thrown::typ("`increment` needs a number to add"))?;
                let after = cache.increment(namespace, key, by, *ttl);
                after.ok_or_else(|| Thrown::typ(format!("`{key}` in the cache is no number")))?.into()
            }
            _ => match cache.get(namespace, key) {
                None | Some(Json::Null) => Value::Null,
                Some(Json::Bool(value)) => value.into(),
                Some(Json::Number(number)) => number.as_f64().unwrap_or(f64::NAN).into(),
                Some(Json::String(text)) => Value::text(text),
                Some(Json::Array(_) | Json::Object(_)) => return Err(Box::new(Stop::NeedsEngine)),
            },
        })
    }

    /// `createHash(name).update(…).digest(encoding)`.
    pub(super) fn digest(&mut self, digest: &'c Digest) -> Outcome<Value<'c>> {
        let key = match &digest.key {
            Some((key, place)) => {
                let key = self.eval(key)?.given("createHmac", "key");
                Some(placed(key.map_err(Into::into), *place)?.into_text())
            }
            None => None,
        };
        let mut whole = String::new();
        for (part, place) in &digest.parts {
            whole.push_str(&self.hashed(part, *place)?);
        }
        Ok(encoded(
            match key {
                Some(key) => hash::keyed(digest.hash, key.as_bytes(), whole.as_bytes()),
                None => hash::digest(digest.hash, whole.as_bytes()),
            },
            &digest.encoding,
        ))
    }

    fn hashed(&mut self, part: &'c Node, place: Place) -> Outcome<std::borrow::Cow<'c, str>> {
        let value = self.eval(part)?;
        if value.is_nullish() {
            let message = format!("text or a buffer is needed, not {}", value.type_of());
            return placed(Err(Thrown::typ(message).into()), place);
        }
        Ok(value.into_text())
    }
}

/// A digest in an encoding that there is: the translator sees to that.
fn encoded<'c>(digest: Option<Vec<u8>>, encoding: &str) -> Value<'c> {
    Value::text(encode_text(&digest.unwrap_or_default(), encoding).unwrap_or_default())
}

/// A value as the cache keeps it.
fn to_json(value: Value<'_>) -> Json {
    match value {
        Value::Undefined | Value::Null => Json::Null,
        Value::Bool(value) => value.into(),
        Value::Number(number) => number.into(),
        value => value.into_text().into_owned().into(),
    }
}
