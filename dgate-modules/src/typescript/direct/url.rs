//! `new URL(…)`, and what such an object has.

use oxc::ast::ast::{Expression, NewExpression};

use super::function::{Translator, Typed};
use super::host::Host;
use super::{Result, refuse};
use crate::direct::code::{MadeUrl, Node, Operation, UrlPart};

impl<'a, 'p> Translator<'a, 'p, '_> {
    pub(super) fn new_object(&mut self, new: &'p NewExpression<'a>) -> Result<Typed> {
        let offset = new.span.start;
        let is_url =
            matches!(&new.callee, Expression::Identifier(name) if self.is_global(name) && name.name == "URL");
        let arguments: Option<Vec<_>> =
            new.arguments.iter().map(|argument| argument.as_expression()).collect();
        let (input, base) = match arguments.as_deref() {
            Some([input]) if is_url => (self.value(input)?, None),
            Some([input, base]) if is_url => (self.value(input)?, Some(self.value(base)?)),
            _ => return refuse(offset, "`new`"),
        };
        // What a URL is written as is that URL.
        if let (Node::UrlPart(slot, UrlPart::Href), None) = (&input, &base) {
            return Ok(Typed::host(Host::Url(*slot)));
        }
        let slot = self.slot();
        let made = Node::MakeUrl(Box::new(MadeUrl { input, base }), self.place(offset));
        Ok(Typed { node: Node::Assign(slot, Box::new(made)), ..Typed::host(Host::Url(slot)) })
    }

    /// A call of a method of a URL, or of its query.
    pub(super) fn url_call(
        &mut self,
        host: Host,
        name: &str,
        arguments: &[&'p Expression<'a>],
        offset: u32,
    ) -> Result<Typed> {
        let operation = match (host, name, arguments) {
            (Host::Url(slot), "toString", []) => {
                return Ok(Typed::value(Node::UrlPart(slot, UrlPart::Href)));
            }
            (Host::UrlQuery(slot), "get", [name]) => Operation::UrlQuery(slot, self.value(name)?),
            (Host::UrlQuery(slot), "has", [name]) => Operation::HasUrlQuery(slot, self.value(name)?),
            _ => return refuse(offset, format!("`{name}` of a URL")),
        };
        Ok(self.done(operation, offset))
    }
}

/// A part of a URL.
pub(super) fn url_member(slot: usize, name: &str, offset: u32) -> Result<Typed> {
    if name == "searchParams" {
        return Ok(Typed::host(Host::UrlQuery(slot)));
    }
    match UrlPart::named(name) {
        Some(part) => Ok(Typed::value(Node::UrlPart(slot, part))),
        None => refuse(offset, format!("the member `{name}`")),
    }
}
