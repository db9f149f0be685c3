//! Calls.

use oxc::ast::ast::{CallExpression, Expression, IdentifierReference};
use oxc::span::GetSpan;

use super::expression::after;
use super::function::{Given, Kind, Translator, Typed};
use super::{Item, Result, refuse};
use crate::direct::code::{Call, Constant, Node, TextCall, TextMethod};

impl<'a, 'p> Translator<'a, 'p, '_> {
    /// A call, awaited or not.
    pub(super) fn call(&mut self, call: &'p CallExpression<'a>, awaited: bool) -> Result<Typed> {
        let offset = call.span.start;
        if call.optional {
            return refuse(offset, "a call of what may not be there");
        }
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            let Some(expression) = argument.as_expression() else {
                return refuse(argument.span().start, "`...`");
            };
            arguments.push(expression);
        }
        match &call.callee {
            Expression::Identifier(name) if self.is_global(name) => {
                self.global_call(&name.name, &arguments, offset)
            }
            Expression::Identifier(name) if let Some(native) = self.native(name) => {
                self.native_call(native, &arguments, offset)
            }
            Expression::Identifier(name) => {
                let symbol = self.symbol(name).filter(|symbol| !self.names.contains_key(symbol));
                let Some(item) = self.module.item(symbol) else {
                    return refuse(offset, format!("`{}`, which is no function of the module", name.name));
                };
                let is_async = match item {
                    Item::Function(function) => function.r#async,
                    Item::Arrow(arrow) => arrow.r#async,
                    Item::Value(_) => false,
                };
                if is_async && !awaited {
                    return refuse(offset, format!("`{}`, which is not waited for", name.name));
                }
                self.function_call(&name.name, item, &arguments, offset)
            }
            Expression::StaticMemberExpression(member) => {
                let name = member.property.name.as_str();
                let offset = member.property.span.start;
                if let Expression::Identifier(object) = &member.object
                    && self.is_global(object)
                    && self.identifier(object).is_err()
                {
                    return self.global_method(&object.name, name, &arguments, offset);
                }
                if name == "digest"
                    && let Some(digest) = self.digest(call)?
                {
                    return Ok(digest);
                }
                let receiver = self.expression(&member.object)?;
                match receiver.kind {
                    Kind::Host(host) => {
                        let called = self.host_call(host, name, &arguments, offset)?;
                        Ok(after(receiver.node, called))
                    }
                    Kind::Value => self.text_call(receiver.node, name, &arguments, member.optional, offset),
                    Kind::List => match (name, receiver.node, &*arguments) {
                        ("includes", Node::ConstantList(list), [value]) => {
                            Ok(Typed::value(Node::OneOf(list, Box::new(self.value(value)?))))
                        }
                        (_, list, arguments) => self.list_method(list, name, arguments, offset),
                    },
                    Kind::Json => refuse(offset, format!("`{name}` of an object")),
                }
            }
            callee => refuse(callee.span().start, "a call of this"),
        }
    }

    fn text_call(
        &mut self,
        receiver: Node,
        name: &str,
        arguments: &[&'p Expression<'a>],
        optional: bool,
        offset: u32,
    ) -> Result<Typed> {
        let Some(method) = TextMethod::named(name, arguments.len()) else {
            return refuse(offset, format!("the method `{name}`"));
        };
        let arguments = arguments.iter().map(|argument| self.value(argument)).collect::<Result<Vec<_>>>()?;
        let is_split = method == TextMethod::Split;
        match (method, arguments.first()) {
            // Between all units, that would be.
            (TextMethod::Split | TextMethod::ReplaceAll, argument) if !matches!(argument, Some(Node::Constant(Constant::Text(text))) if !text.is_empty()) =>
            {
                return refuse(offset, format!("`{name}` of a text that is not known beforehand"));
            }
            _ if is_split && optional => return refuse(offset, "`?.` of what may be a list"),
            (TextMethod::PadEnd | TextMethod::PadStart, _)
                if !arguments.get(1).is_none_or(|filler| self.is_narrow(filler)) =>
            {
                return refuse(offset, format!("`{name}` with characters of two units"));
            }
            _ if method.halves() && !self.is_narrow(&receiver) => self.may_halve(offset)?,
            _ => {}
        }
        let place = self.place(offset);
        let node = Node::Text(Box::new(TextCall { method, receiver, arguments, optional, place }));
        Ok(if is_split { Typed::list(node) } else { Typed::value(node) })
    }

    /// Half of a character may come up, which only the engine can have.
    pub(super) fn may_halve(&mut self, offset: u32) -> Result<()> {
        self.may_need_engine("a text that is taken apart", offset)
    }

    /// The engine may have to take over, which it can as long as nothing was changed.
    pub(super) fn may_need_engine(&mut self, what: &str, offset: u32) -> Result<()> {
        if self.changed {
            return refuse(offset, format!("{what} after something was changed"));
        }
        self.doubt.values = true;
        Ok(())
    }

    /// What a name stands for that is imported from one of the gateway's own modules.
    pub(super) fn native(&self, name: &IdentifierReference<'a>) -> Option<(&'static str, &'static str)> {
        self.module.natives.get(&self.symbol(name)?).copied()
    }

    fn function_call(
        &mut self,
        name: &str,
        item: Item<'a, 'p>,
        arguments: &[&'p Expression<'a>],
        offset: u32,
    ) -> Result<Typed> {
        let (mut values, mut given) = (Vec::new(), Vec::new());
        for argument in arguments {
            let Typed { kind, node } = self.expression(argument)?;
            given.push(Given { kind, narrow: self.is_narrow(&node) });
            match kind {
                Kind::Value | Kind::List => values.push(node),
                Kind::Host(host) if host.can_be_given() && matches!(node, Node::Constant(_)) => {}
                _ => return refuse(argument.span().start, "an object that is handed on"),
            }
        }
        let parameters = match item {
            Item::Function(function) => function.params.items.len(),
            Item::Arrow(arrow) => arrow.params.items.len(),
            Item::Value(_) => 0,
        };
        if given.len() > parameters {
            return refuse(offset, "a call with more arguments than the function takes");
        }
        let function = std::sync::Arc::new(self.function(name, item, &given)?);
        let place = self.place(offset);
        Ok(Typed::value(Node::Call(Box::new(Call { function, arguments: values, place }))))
    }

    /// The only argument.
    pub(super) fn one<'e>(arguments: &[&'e Expression<'a>], offset: u32) -> Result<&'e Expression<'a>> {
        match arguments {
            [one] => Ok(one),
            _ => refuse(offset, "a call with other than one argument"),
        }
    }
}
