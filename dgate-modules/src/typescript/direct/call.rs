//! Calls.

use oxc::ast::ast::{CallExpression, Expression};
use oxc::span::GetSpan;

use super::expression::after;
use super::function::{Kind, Translator, Typed};
use super::{Item, Result, literal, refuse};
use crate::direct::code::{Call, Node, TextCall, TextMethod};

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
                if let Some(list) = self.list(&member.object) {
                    let ("includes", [value]) = (name, &*arguments) else {
                        return refuse(offset, format!("`{name}` of a list"));
                    };
                    self.count(list.len(), offset)?;
                    return Ok(Typed::value(Node::OneOf(list, Box::new(self.value(value)?))));
                }
                let receiver = self.expression(&member.object)?;
                match receiver.kind {
                    Kind::Host(host) => {
                        let called = self.host_call(host, name, &arguments, offset)?;
                        Ok(after(receiver.node, called))
                    }
                    Kind::Value => self.text_call(receiver.node, name, &arguments, member.optional, offset),
                    Kind::Json => refuse(offset, format!("`{name}` of an object")),
                }
            }
            callee => refuse(callee.span().start, "a call of this"),
        }
    }

    /// A list of values that are known beforehand: as it stands, or as a variable of the module.
    fn list(
        &self,
        expression: &'p Expression<'a>,
    ) -> Option<std::sync::Arc<[crate::direct::code::Constant]>> {
        match expression {
            Expression::ArrayExpression(array) => literal::list(array),
            Expression::Identifier(name) => {
                let symbol = self.symbol(name).filter(|symbol| !self.names.contains_key(symbol));
                match self.module.item(symbol)? {
                    // Somebody might put something into it.
                    Item::Value(Expression::ArrayExpression(array)) if self.module.is_used_once(symbol?) => {
                        literal::list(array)
                    }
                    _ => None,
                }
            }
            _ => None,
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
        let method = TextMethod::named(name).filter(|method| method.takes(arguments.len()));
        let Some(method) = method else { return refuse(offset, format!("the method `{name}`")) };
        let arguments = arguments.iter().map(|argument| self.value(argument)).collect::<Result<Vec<_>>>()?;
        let place = self.place(offset);
        Ok(Typed::value(Node::Text(Box::new(TextCall { method, receiver, arguments, optional, place }))))
    }

    fn function_call(
        &mut self,
        name: &str,
        item: Item<'a, 'p>,
        arguments: &[&'p Expression<'a>],
        offset: u32,
    ) -> Result<Typed> {
        let (mut values, mut kinds) = (Vec::new(), Vec::new());
        for argument in arguments {
            let Typed { kind, node } = self.expression(argument)?;
            match kind {
                Kind::Value => values.push(node),
                Kind::Host(_) if matches!(node, Node::Constant(_)) => {}
                _ => return refuse(argument.span().start, "an object that is handed on"),
            }
            kinds.push(Some(kind));
        }
        let parameters = match item {
            Item::Function(function) => function.params.items.len(),
            Item::Arrow(arrow) => arrow.params.items.len(),
            Item::Value(_) => 0,
        };
        if kinds.len() > parameters {
            return refuse(offset, "a call with more arguments than the function takes");
        }
        let function = std::sync::Arc::new(self.function(name, item, &kinds)?);
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
