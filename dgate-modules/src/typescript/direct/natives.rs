//! Calls of the gateway's own modules, as far as they take and give nothing but texts and numbers, at once.

use std::time::Duration;

use dgate_core::units::HumanDuration;
use oxc::ast::ast::{CallExpression, Expression, ObjectPropertyKind, PropertyKind};
use oxc::span::GetSpan;

use super::function::{Translator, Typed};
use super::{Result, literal, refuse};
use crate::bytes_text::encode_text;
use crate::direct::code::{Constant, Digest, NativeCall, NativeFunction, Node};
use crate::{hash, native};

impl<'a, 'p> Translator<'a, 'p, '_> {
    /// A call of what was imported.
    pub(super) fn native_call(
        &mut self,
        (module, name): (&'static str, &'static str),
        arguments: &[&'p Expression<'a>],
        offset: u32,
    ) -> Result<Typed> {
        let (function, given) = match (module, name, arguments) {
            ("dgate/util", "base64Encode", [_]) => (NativeFunction::Base64Encode, 1),
            ("dgate/util" | "dgate/crypto", "hexEncode", [_]) => (NativeFunction::HexEncode, 1),
            ("dgate/util", "uuid", []) | ("dgate/crypto", "randomUUID", []) => {
                (NativeFunction::RandomUuid, 0)
            }
            ("dgate/util", "ipInRange", [_, _]) => (NativeFunction::IpInRange, 2),
            ("dgate/crypto", "timingSafeEqual", [_, _]) => (NativeFunction::TimingSafeEqual, 2),
            ("dgate/crypto", "hmac", [algorithm, _, _, encoding]) => {
                (NativeFunction::Hmac(hash_named(algorithm)?, encoding_named(encoding)?), 3)
            }
            ("dgate/crypto", name, [_, encoding])
                if let Some(hash) = hash::NAMES.into_iter().find(|known| *known == name) =>
            {
                (NativeFunction::Digest(hash, encoding_named(encoding)?), 1)
            }
            ("dgate/storage", "getCache", [_]) => (NativeFunction::GetCache, 1),
            ("dgate/storage", "deleteCache", [_]) => (NativeFunction::DeleteCache, 1),
            ("dgate/storage", "setCache", [_, _]) => (NativeFunction::SetCache(None), 2),
            ("dgate/storage", "setCache", [_, _, options]) => (NativeFunction::SetCache(ttl(options)?), 2),
            ("dgate/storage", "increment", [_] | [_, _]) => {
                (NativeFunction::Increment(None), arguments.len())
            }
            ("dgate/storage", "increment", [_, _, options]) => (NativeFunction::Increment(ttl(options)?), 2),
            _ => return refuse(offset, format!("`{name}` of `{module}`, called like this")),
        };
        let values =
            arguments[..given].iter().map(|argument| self.value(argument)).collect::<Result<Vec<_>>>()?;
        if function == NativeFunction::GetCache {
            self.may_need_engine("the cache", offset)?;
        }
        self.needs.cache |= module == "dgate/storage";
        self.changed |= module == "dgate/storage" && name != "getCache";
        let call = NativeCall { function, name, needs: native::needs(module, name), arguments: values };
        Ok(Typed::value(Node::Native(Box::new(call), self.place(offset))))
    }

    /// `createHash(…).update(…).digest(…)`, if that is what it is.
    pub(super) fn digest(&mut self, call: &'p CallExpression<'a>) -> Result<Option<Typed>> {
        let Some(("digest", mut of, _)) = method(call) else { return Ok(None) };
        let mut parts = Vec::new();
        while let Some(("update", object, offset)) = method(of) {
            parts.push((of, offset));
            of = object;
        }
        let Expression::Identifier(name) = &of.callee else { return Ok(None) };
        let Some(("dgate/crypto", name @ ("createHash" | "createHmac"))) = self.native(name) else {
            return Ok(None);
        };
        let encoding = encoding_named(one(call)?)?;
        let arguments: Vec<_> = of.arguments.iter().filter_map(|argument| argument.as_expression()).collect();
        let (hash, key) = match (name, arguments.as_slice()) {
            ("createHash", [hash]) => (hash_named(hash)?, None),
            ("createHmac", [hash, key]) => {
                (hash_named(hash)?, Some((self.value(key)?, self.place(of.span.start))))
            }
            _ => return refuse(of.span.start, format!("`{name}`, called like this")),
        };
        let mut texts = Vec::with_capacity(parts.len());
        for (part, offset) in parts.into_iter().rev() {
            texts.push((self.value(one(part)?)?, self.place(offset)));
        }
        Ok(Some(Typed::value(Node::Digest(Box::new(Digest { hash, key, parts: texts, encoding })))))
    }
}

/// The method that is called, of what other call, and where its name stands.
fn method<'p, 'a>(call: &'p CallExpression<'a>) -> Option<(&'p str, &'p CallExpression<'a>, u32)> {
    let Expression::StaticMemberExpression(member) = &call.callee else { return None };
    let Expression::CallExpression(of) = &member.object else { return None };
    let is_plain = !call.optional && !member.optional;
    is_plain.then_some((member.property.name.as_str(), &**of, member.property.span.start))
}

/// The only argument of a call.
fn one<'p, 'a>(call: &'p CallExpression<'a>) -> Result<&'p Expression<'a>> {
    match call.arguments.as_slice() {
        [argument] if let Some(value) = argument.as_expression() => Ok(value),
        _ => refuse(call.span.start, "a call with other than one argument"),
    }
}

fn text(value: &Expression<'_>) -> Option<std::sync::Arc<str>> {
    match literal::constant(value) {
        Some(Constant::Text(text)) => Some(text),
        _ => None,
    }
}

fn hash_named(value: &Expression<'_>) -> Result<&'static str> {
    let hash = text(value).and_then(|name| hash::named(&name));
    hash.map_or_else(|| refuse(value.span().start, "a hash that is not known beforehand"), Ok)
}

fn encoding_named(value: &Expression<'_>) -> Result<Box<str>> {
    let known = text(value).filter(|name| encode_text(b"", name).is_some());
    // Others can make what is no text of its own.
    let known = known.filter(|name| matches!(&**name, "hex") || name.contains("64"));
    known.map_or_else(
        || refuse(value.span().start, "an encoding that is not known beforehand"),
        |name| Ok((*name).into()),
    )
}

/// `{ ttl: … }`, in seconds or as text.
fn ttl(options: &Expression<'_>) -> Result<Option<Duration>> {
    let refused = || refuse(options.span().start, "a time to live that is not known beforehand");
    let Expression::ObjectExpression(object) = options else { return refused() };
    let [ObjectPropertyKind::ObjectProperty(property)] = object.properties.as_slice() else {
        return refused();
    };
    if property.kind != PropertyKind::Init || property.key.static_name().is_none_or(|name| name != "ttl") {
        return refused();
    }
    match literal::constant(&property.value) {
        Some(Constant::Number(seconds)) if (0.0..1e6).contains(&seconds) => {
            Ok(Some(Duration::from_secs_f64(seconds)))
        }
        Some(Constant::Text(text)) => match text.parse::<HumanDuration>() {
            Ok(time) => Ok(Some(time.get())),
            Err(_) => refused(),
        },
        _ => refused(),
    }
}
