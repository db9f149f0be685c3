//! What a hook does with answers: its own, and the upstream's.

use oxc::ast::ast::{Expression, ObjectPropertyKind, PropertyKind};
use oxc::span::GetSpan;

use super::function::{Kind, Translator, Typed};
use super::host::Host;
use super::json::json;
use super::{Result, refuse};
use crate::cookies::SetCookie;
use crate::direct::code::{Cookie, Node, Operation, Side};

impl<'a, 'p> Translator<'a, 'p, '_> {
    pub(super) fn response_call(
        &mut self,
        name: &str,
        arguments: &[&'p Expression<'a>],
        offset: u32,
    ) -> Result<Typed> {
        let side = Side::Response;
        let operation = match (name, arguments) {
            ("status", [code]) => Operation::Status(side, self.value(code)?),
            ("json", [body]) => Operation::AnswerJson(self.json_of(body)?),
            ("send" | "end", []) => sent(name, Typed::value(Node::undefined()), offset)?,
            ("send" | "end" | "write", [body]) => {
                let body = self.expression(body)?;
                sent(name, body, offset)?
            }
            ("redirect", [url]) => Operation::Redirect(side, self.value(url)?, None),
            ("redirect", [url, code]) => Operation::Redirect(side, self.value(url)?, Some(self.value(code)?)),
            ("redirectPermanent", [url]) => Operation::RedirectPermanently(side, self.value(url)?),
            ("location", [url]) => Operation::Location(self.value(url)?),
            ("cookie", [name, value, options @ ..]) => {
                Operation::Cookie(side, Box::new(self.cookie(name, value, options, offset)?))
            }
            ("getCookie", [name]) => {
                let name = self.value(name)?;
                self.needs.request = true;
                return Ok(self.done(Operation::GetCookie(name), offset));
            }
            _ => return refuse(offset, format!("`response().{name}`")),
        };
        Ok(self.itself(Host::Response, operation, offset))
    }

    pub(super) fn upstream_call(
        &mut self,
        name: &str,
        arguments: &[&'p Expression<'a>],
        offset: u32,
    ) -> Result<Typed> {
        let side = Side::Upstream;
        let operation = match (name, arguments) {
            ("status", [code]) => Operation::Status(side, self.value(code)?),
            ("writeJson", [body]) => Operation::WriteJson(side, self.json_of(body)?),
            ("writeBody", [body]) => self.written_to(side, body)?,
            ("redirect", [url]) => Operation::Redirect(side, self.value(url)?, None),
            ("redirect", [url, code]) => Operation::Redirect(side, self.value(url)?, Some(self.value(code)?)),
            ("redirectPermanent", [url]) => Operation::RedirectPermanently(side, self.value(url)?),
            ("cookie", [name, value, options @ ..]) => {
                Operation::Cookie(side, Box::new(self.cookie(name, value, options, offset)?))
            }
            _ => return refuse(offset, format!("`upstream().{name}`")),
        };
        Ok(self.itself(Host::Upstream, operation, offset))
    }

    /// `writeBody` of a text.
    pub(super) fn written_to(&mut self, side: Side, body: &'p Expression<'a>) -> Result<Operation> {
        Ok(Operation::WriteText(side, self.value(body)?))
    }

    fn cookie(
        &mut self,
        name: &'p Expression<'a>,
        value: &'p Expression<'a>,
        options: &[&'p Expression<'a>],
        offset: u32,
    ) -> Result<Cookie> {
        let mut cookie = Cookie { name: self.value(name)?, value: self.value(value)?, options: Vec::new() };
        let object = match options {
            [] => return Ok(cookie),
            [Expression::ObjectExpression(object)] => object,
            _ => return refuse(offset, "options that do not stand in the call"),
        };
        for property in &object.properties {
            let ObjectPropertyKind::ObjectProperty(property) = property else {
                return refuse(property.span().start, "`...`");
            };
            let offset = property.span.start;
            let name = property.key.static_name().filter(|_| !property.computed);
            let Some(name) = name.filter(|_| property.kind == PropertyKind::Init && !property.method) else {
                return refuse(offset, "an option whose name is computed, or that is a function");
            };
            let is_option = SetCookie::TEXTS.iter().chain(&SetCookie::FLAGS).any(|(known, _)| *known == name);
            if !is_option && name != "expires" || cookie.options.iter().any(|(known, _)| **known == *name) {
                return refuse(offset, format!("the option `{name}`"));
            }
            cookie.options.push((name.into(), self.value(&property.value)?));
        }
        Ok(cookie)
    }
}

/// `send`, `end` and `write`.
fn sent(name: &str, body: Typed, offset: u32) -> Result<Operation> {
    Ok(match (body.kind, name) {
        (Kind::Json | Kind::List, "write") => Operation::WriteMoreJson(json(body)),
        (Kind::Json | Kind::List, _) => Operation::AnswerJson(json(body)),
        (Kind::Value, "send") => Operation::Send(body.node),
        (Kind::Value, "end") => Operation::End(body.node),
        (Kind::Value, _) => Operation::WriteMore(body.node),
        (Kind::Host(_), _) => return refuse(offset, "an object of the gateway's as a body"),
    })
}
