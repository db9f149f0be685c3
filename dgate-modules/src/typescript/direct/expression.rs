//! Expressions.

use oxc::ast::ast::{
    BinaryExpression, ChainElement, Expression, IdentifierReference, LogicalExpression, TemplateLiteral,
    UnaryExpression,
};
use oxc::span::GetSpan;
use oxc::syntax::operator::{BinaryOperator, LogicalOperator, UnaryOperator};
use oxc::syntax::symbol::SymbolId;

use super::function::{Binding, Kind, Translator, Typed};
use super::narrow::is_number;
use super::{Result, literal, refuse};
use crate::direct::code::{Arithmetic, Constant, Node, Read, Relation, TextCall, TextMethod};

impl<'a, 'p> Translator<'a, 'p, '_> {
    /// An expression that has a value.
    pub(super) fn value(&mut self, expression: &'p Expression<'a>) -> Result<Node> {
        match self.expression(expression)? {
            Typed { kind: Kind::Value, node } => Ok(node),
            _ => refuse(expression.span().start, "an object used as a value"),
        }
    }

    /// An expression.
    pub(super) fn expression(&mut self, expression: &'p Expression<'a>) -> Result<Typed> {
        self.nested(expression.span().start, |this| this.any_expression(expression))
    }

    fn any_expression(&mut self, expression: &'p Expression<'a>) -> Result<Typed> {
        let offset = expression.span().start;
        if let Some(constant) = literal::constant(expression) {
            return self.constant(constant, offset);
        }
        match expression {
            Expression::ParenthesizedExpression(inner) => self.bracketed(&inner.expression),
            Expression::TSAsExpression(inner) => self.bracketed(&inner.expression),
            Expression::TSSatisfiesExpression(inner) => self.bracketed(&inner.expression),
            // The one that does not end a `?.`: it is gone when the engine sees it.
            Expression::TSNonNullExpression(inner) => self.expression(&inner.expression),
            Expression::TemplateLiteral(template) => self.template(template),
            Expression::Identifier(name) => self.identifier(name),
            Expression::UnaryExpression(unary) => self.unary(unary),
            Expression::BinaryExpression(binary) => self.binary(binary),
            Expression::LogicalExpression(logical) => self.logical(logical),
            Expression::ConditionalExpression(choice) => {
                let test = self.value(&choice.test)?;
                let then = self.value(&choice.consequent)?;
                let otherwise = self.value(&choice.alternate)?;
                Ok(Typed::value(Node::Choose(Box::new([test, then, otherwise]))))
            }
            Expression::AssignmentExpression(assignment) => self.assignment(assignment),
            Expression::UpdateExpression(update) => self.update(update, update.prefix).map(Typed::value),
            Expression::ObjectExpression(object) => self.object(object),
            Expression::ArrayExpression(array) => self.array(array),
            Expression::StaticMemberExpression(member) => {
                let receiver = self.expression(&member.object)?;
                self.member(receiver, &member.property.name, member.optional, member.property.span.start)
            }
            Expression::ComputedMemberExpression(member) => {
                let receiver = self.expression(&member.object)?;
                if let Some(Constant::Text(name)) = literal::constant(&member.expression) {
                    return self.member(receiver, &name, member.optional, offset);
                }
                self.index(receiver, &member.expression, member.optional, offset)
            }
            Expression::CallExpression(call) => self.call(call, false),
            Expression::AwaitExpression(awaited) => match &awaited.argument {
                Expression::CallExpression(call) => self.call(call, true),
                argument => self.bracketed(argument),
            },
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::CallExpression(call) => within_chain(self.call(call, false)?, offset),
                ChainElement::StaticMemberExpression(member) => {
                    let receiver = within_chain(self.expression(&member.object)?, offset)?;
                    let offset = member.property.span.start;
                    let member = self.member(receiver, &member.property.name, member.optional, offset)?;
                    within_chain(member, offset)
                }
                _ => refuse(offset, "`?.` of this"),
            },
            Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_) => {
                refuse(offset, "a function within the hook")
            }
            Expression::NewExpression(new) => self.new_object(new),
            Expression::RegExpLiteral(_) => refuse(offset, "a regular expression"),
            Expression::ImportExpression(_) => refuse(offset, "`import`"),
            Expression::ThisExpression(_) => refuse(offset, "`this`"),
            _ => refuse(offset, "an expression of this kind"),
        }
    }

    /// A value that is known beforehand.
    fn constant(&mut self, constant: Constant, offset: u32) -> Result<Typed> {
        if let Constant::Text(text) = &constant {
            self.count(text.len() / TEXT_OF_A_NODE, offset)?;
        }
        Ok(Typed::constant(constant))
    }

    /// What stands in brackets, or as if: a `?.` in there ends there.
    fn bracketed(&mut self, inner: &'p Expression<'a>) -> Result<Typed> {
        let Typed { kind, node } = self.expression(inner)?;
        let node = match node {
            Node::Text(_) | Node::Read(_) => Node::Then(Box::new([Node::undefined(), node])),
            node => node,
        };
        Ok(Typed { kind, node })
    }

    fn template(&mut self, template: &'p TemplateLiteral<'a>) -> Result<Typed> {
        let offset = template.span.start;
        let Some(texts) = literal::parts(template) else {
            return refuse(offset, "a text with half of a character");
        };
        let mut parts = Vec::with_capacity(texts.len() * 2);
        let mut expressions = template.expressions.iter();
        for text in texts {
            self.count(text.len() / TEXT_OF_A_NODE, offset)?;
            if !text.is_empty() {
                parts.push(Node::Constant(Constant::Text(text)));
            }
            if let Some(expression) = expressions.next() {
                parts.push(self.value(expression)?);
            }
        }
        Ok(Typed::value(Node::Template(parts, self.place(offset))))
    }

    /// The symbol of a name; nothing for what is global.
    pub(super) fn symbol(&self, name: &IdentifierReference<'_>) -> Option<SymbolId> {
        self.module.scoping.get_reference(name.reference_id.get()?).symbol_id()
    }

    pub(super) fn is_constant(&self, name: &IdentifierReference<'_>) -> bool {
        let flags = self.symbol(name).map(|symbol| self.module.scoping.symbol_flags(symbol));
        flags.is_some_and(|flags| flags.is_const_variable())
    }

    /// Whether a name is that of something global.
    pub(super) fn is_global(&self, name: &IdentifierReference<'_>) -> bool {
        name.reference_id.get().is_some() && self.symbol(name).is_none()
    }

    pub(super) fn identifier(&mut self, name: &IdentifierReference<'a>) -> Result<Typed> {
        let offset = name.span.start;
        let Some(symbol) = self.symbol(name) else {
            return match name.name.as_str() {
                "undefined" => Ok(Typed::constant(Constant::Undefined)),
                "NaN" => Ok(Typed::constant(Constant::Number(f64::NAN))),
                "Infinity" => Ok(Typed::constant(Constant::Number(f64::INFINITY))),
                other => refuse(offset, format!("`{other}`")),
            };
        };
        match self.names.get(&symbol) {
            Some(Binding::Slot(slot)) => Ok(Typed::value(Node::Slot(*slot))),
            Some(Binding::List(slot)) => Ok(Typed::list(Node::Slot(*slot))),
            Some(Binding::Json(slot)) => Ok(Typed { kind: Kind::Json, node: Node::Slot(*slot) }),
            Some(Binding::Host(host)) => Ok(Typed::host(*host)),
            None => match (self.module.constant(symbol), self.module.list(symbol)) {
                (Some(constant), _) => self.constant(constant, offset),
                (None, Some(list)) => {
                    self.count(list.len(), offset)?;
                    Ok(Typed::list(Node::ConstantList(list)))
                }
                (None, None) => {
                    refuse(offset, format!("`{}`, which the hook does not make itself", name.name))
                }
            },
        }
    }

    fn unary(&mut self, unary: &'p UnaryExpression<'a>) -> Result<Typed> {
        if unary.operator == UnaryOperator::Void {
            let Typed { node, .. } = self.expression(&unary.argument)?;
            return Ok(Typed::value(Node::Then(Box::new([node, Node::undefined()]))));
        }
        let node = self.value(&unary.argument)?;
        let node = Box::new(node);
        Ok(Typed::value(match unary.operator {
            UnaryOperator::LogicalNot => Node::Not(node),
            UnaryOperator::UnaryNegation => Node::Negate(node),
            UnaryOperator::UnaryPlus => Node::ToNumber(node),
            UnaryOperator::Typeof => Node::TypeOf(node),
            _ => return refuse(unary.span.start, format!("`{}`", unary.operator.as_str())),
        }))
    }

    fn binary(&mut self, binary: &'p BinaryExpression<'a>) -> Result<Typed> {
        let offset = binary.span.start;
        let sides = [self.value(&binary.left)?, self.value(&binary.right)?];
        let is_nothing = |node: &Node| matches!(node, Node::Constant(Constant::Null | Constant::Undefined));
        let sides = match (binary.operator, sides) {
            (BinaryOperator::Equality | BinaryOperator::Inequality, [left, right]) => {
                let value = if is_nothing(&right) {
                    left
                } else if is_nothing(&left) {
                    right
                } else {
                    return refuse(offset, "`==` of other things than null");
                };
                let node = Node::IsNullish(Box::new(value));
                let is_not = binary.operator == BinaryOperator::Inequality;
                return Ok(Typed::value(if is_not { Node::Not(Box::new(node)) } else { node }));
            }
            (_, sides) => Box::new(sides),
        };
        Ok(Typed::value(match binary.operator {
            BinaryOperator::StrictEquality => Node::Same(sides),
            BinaryOperator::StrictInequality => Node::Not(Box::new(Node::Same(sides))),
            BinaryOperator::Addition => Node::Add(sides, self.place(offset)),
            BinaryOperator::Subtraction => Node::Arithmetic(Arithmetic::Subtract, sides),
            BinaryOperator::Multiplication => Node::Arithmetic(Arithmetic::Multiply, sides),
            BinaryOperator::Division => Node::Arithmetic(Arithmetic::Divide, sides),
            BinaryOperator::Remainder => Node::Arithmetic(Arithmetic::Remainder, sides),
            BinaryOperator::BitwiseAnd => Node::Arithmetic(Arithmetic::BitAnd, sides),
            BinaryOperator::BitwiseOR => Node::Arithmetic(Arithmetic::BitOr, sides),
            BinaryOperator::BitwiseXOR => Node::Arithmetic(Arithmetic::BitXor, sides),
            BinaryOperator::ShiftLeft => Node::Arithmetic(Arithmetic::ShiftLeft, sides),
            BinaryOperator::ShiftRight => Node::Arithmetic(Arithmetic::ShiftRight, sides),
            BinaryOperator::ShiftRightZeroFill => Node::Arithmetic(Arithmetic::ShiftRightUnsigned, sides),
            BinaryOperator::LessThan => Node::Compare(Relation::Less, sides),
            BinaryOperator::LessEqualThan => Node::Compare(Relation::LessOrEqual, sides),
            BinaryOperator::GreaterThan => Node::Compare(Relation::Greater, sides),
            BinaryOperator::GreaterEqualThan => Node::Compare(Relation::GreaterOrEqual, sides),
            operator => return refuse(offset, format!("`{}`", operator.as_str())),
        }))
    }

    fn logical(&mut self, logical: &'p LogicalExpression<'a>) -> Result<Typed> {
        let left = self.value(&logical.left)?;
        // Of `x && ctx.response().status(404)` nobody needs the value, but somebody might take it.
        let sides = Box::new([left, self.value(&logical.right)?]);
        Ok(Typed::value(match logical.operator {
            LogicalOperator::And => Node::And(sides),
            LogicalOperator::Or => Node::Or(sides),
            LogicalOperator::Coalesce => Node::Coalesce(sides),
        }))
    }

    /// `object.name`.
    fn member(&mut self, receiver: Typed, name: &str, optional: bool, offset: u32) -> Result<Typed> {
        match receiver.kind {
            Kind::Host(host) => {
                let member = self.host_member(host, name, optional, offset)?;
                Ok(after(receiver.node, member))
            }
            Kind::Value if name == "length" => Ok(Typed::value(Node::Text(Box::new(TextCall {
                method: TextMethod::Length,
                receiver: receiver.node,
                arguments: Vec::new(),
                optional,
                place: self.place(offset),
            })))),
            Kind::List if name == "length" => self.list_method(receiver.node, name, &[], offset),
            _ => refuse(offset, format!("the member `{name}`")),
        }
    }

    /// `object[number]`.
    fn index(
        &mut self,
        receiver: Typed,
        index: &'p Expression<'a>,
        optional: bool,
        offset: u32,
    ) -> Result<Typed> {
        let number = self.value(index)?;
        if optional || !is_number(&number) || !matches!(receiver.kind, Kind::Value | Kind::List) {
            return refuse(offset, "a member whose name is computed");
        }
        if !self.is_narrow(&receiver.node) && receiver.kind == Kind::Value {
            self.may_halve(offset)?;
        }
        let both = Box::new([receiver.node, number]);
        Ok(Typed::value(Node::Index(both, self.place(offset))))
    }
}

/// A text of so many bytes is as large as a node.
const TEXT_OF_A_NODE: usize = 512;

/// Something after what led to it was done for its effect.
pub(super) fn after(first: Node, typed: Typed) -> Typed {
    let Typed { kind, node } = typed;
    let node = match first {
        Node::Constant(_) => node,
        first => Node::Then(Box::new([first, node])),
    };
    Typed { kind, node }
}

/// What stands behind a `?.` is nothing when that was nothing, as long as no method makes nothing of something.
fn within_chain(mut typed: Typed, offset: u32) -> Result<Typed> {
    fn receivers(node: &mut Node, offset: u32) -> Result<bool> {
        Ok(match node {
            Node::Text(call) => {
                let behind = receivers(&mut call.receiver, offset)?;
                let may_be_nothing = matches!(&call.receiver, Node::Text(before)
                    if matches!(before.method, TextMethod::At | TextMethod::Length));
                if behind && may_be_nothing {
                    return refuse(offset, "`?.` before what may be nothing by itself");
                }
                call.optional |= behind;
                call.optional
            }
            Node::Read(Read::Service { optional, .. }) => *optional,
            _ => false,
        })
    }
    let is_optional = receivers(&mut typed.node, offset)?;
    if is_optional && typed.kind == Kind::List {
        return refuse(offset, "`?.` of what may be a list");
    }
    Ok(typed)
}
