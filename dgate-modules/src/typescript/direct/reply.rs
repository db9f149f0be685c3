//! A `Response` that a hook returns.

use oxc::ast::ast::{Argument, Expression, ObjectExpression, ObjectPropertyKind, PropertyKind};
use oxc::span::GetSpan;

use super::function::Translator;
use super::{Result, refuse};
use crate::direct::code::{Node, Operation, Reply, ReplyBody, ReplyOption};

impl<'a, 'p> Translator<'a, 'p, '_> {
    /// Makes a `Response` the answer; nothing for what is none.
    pub(super) fn reply(&mut self, value: &'p Expression<'a>) -> Result<Option<Node>> {
        let (method, arguments, offset) = match value {
            Expression::NewExpression(new) => match &new.callee {
                Expression::Identifier(name) if self.is_global(name) && name.name == "Response" => {
                    ("new", &new.arguments, new.span.start)
                }
                _ => return Ok(None),
            },
            Expression::CallExpression(call) => match &call.callee {
                Expression::StaticMemberExpression(member) => match &member.object {
                    Expression::Identifier(name) if self.is_global(name) && name.name == "Response" => {
                        (&*member.property.name, &call.arguments, member.property.span.start)
                    }
                    _ => return Ok(None),
                },
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        let Some(arguments) = arguments.iter().map(Argument::as_expression).collect::<Option<Vec<_>>>()
        else {
            return refuse(offset, "`...`");
        };
        let (body, options) = match (method, arguments.as_slice()) {
            ("new", []) => (ReplyBody::Text(Node::undefined()), None),
            ("new", [body]) => (ReplyBody::Text(self.value(body)?), None),
            ("new", [body, options]) => (ReplyBody::Text(self.value(body)?), Some(options)),
            ("json", [body]) => (ReplyBody::Json(self.json_of(body)?), None),
            ("json", [body, options]) => (ReplyBody::Json(self.json_of(body)?), Some(options)),
            ("redirect", [url]) => (ReplyBody::Redirect(self.value(url)?), None),
            ("redirect", [url, status]) => {
                let body = ReplyBody::Redirect(self.value(url)?);
                let reply = Reply { body, options: vec![(ReplyOption::Status, self.value(status)?)] };
                return Ok(Some(self.replied(reply, offset)));
            }
            _ => return refuse(offset, format!("`Response.{method}`")),
        };
        let options = match options {
            None => Vec::new(),
            Some(Expression::ObjectExpression(options)) => self.reply_options(options)?,
            Some(other) => return refuse(other.span().start, "options that do not stand in the call"),
        };
        Ok(Some(self.replied(Reply { body, options }, offset)))
    }

    fn replied(&mut self, reply: Reply, offset: u32) -> Node {
        self.needs.answer = true;
        self.operation(Operation::Reply(Box::new(reply)), offset)
    }

    fn reply_options(&mut self, object: &'p ObjectExpression<'a>) -> Result<Vec<(ReplyOption, Node)>> {
        let mut options = Vec::new();
        let mut seen = Vec::new();
        for (name, value, offset) in plain_members(object)? {
            if seen.contains(&name) {
                return refuse(offset, "a member that is there twice");
            }
            match (name.as_str(), value) {
                ("status", value) => options.push((ReplyOption::Status, self.value(value)?)),
                ("headers", Expression::ObjectExpression(headers)) => {
                    self.reply_headers(headers, &mut options)?;
                }
                _ => return refuse(offset, format!("the option `{name}`")),
            }
            seen.push(name);
        }
        Ok(options)
    }

    fn reply_headers(
        &mut self,
        headers: &'p ObjectExpression<'a>,
        options: &mut Vec<(ReplyOption, Node)>,
    ) -> Result<()> {
        let mut seen = Vec::new();
        for (name, value, offset) in plain_members(headers)? {
            // Numbers come first whatever the order.
            let is_odd = name == "__proto__" || name.starts_with(|c: char| c.is_ascii_digit());
            if is_odd || seen.contains(&name) {
                return refuse(offset, format!("a header `{name}`"));
            }
            let header =
                Self::header_name(Node::Constant(crate::direct::code::Constant::Text(name.as_str().into())));
            options.push((ReplyOption::Header(header), self.value(value)?));
            seen.push(name);
        }
        Ok(())
    }
}

type Member<'a, 'p> = (String, &'p Expression<'a>, u32);

/// The members of an object that has nothing but names and values.
fn plain_members<'a, 'p>(object: &'p ObjectExpression<'a>) -> Result<Vec<Member<'a, 'p>>> {
    let member = |property: &'p ObjectPropertyKind<'a>| {
        let offset = property.span().start;
        let ObjectPropertyKind::ObjectProperty(property) = property else { return refuse(offset, "`...`") };
        let name = property.key.static_name().filter(|_| !property.computed);
        match name.filter(|_| property.kind == PropertyKind::Init && !property.method) {
            Some(name) => Ok((name.into_owned(), &property.value, offset)),
            None => refuse(offset, "a member whose name is computed, or that is a function"),
        }
    };
    object.properties.iter().map(member).collect()
}
