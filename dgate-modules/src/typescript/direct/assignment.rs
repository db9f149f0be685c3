//! Assignments.

use oxc::ast::ast::{AssignmentExpression, AssignmentTarget, SimpleAssignmentTarget, UpdateExpression};
use oxc::syntax::operator::{AssignmentOperator, UpdateOperator};

use super::expression::after;
use super::function::{Binding, Kind, Translator, Typed};
use super::{Result, refuse};
use crate::direct::code::{Arithmetic, Constant, Node};

impl<'a, 'p> Translator<'a, 'p, '_> {
    pub(super) fn assignment(&mut self, assignment: &'p AssignmentExpression<'a>) -> Result<Typed> {
        let offset = assignment.span.start;
        match &assignment.left {
            AssignmentTarget::AssignmentTargetIdentifier(name) => {
                let binding = self.symbol(name).and_then(|symbol| self.names.get(&symbol).copied());
                let Some(Binding::Slot(slot)) = binding.filter(|_| !self.is_constant(name)) else {
                    return refuse(offset, format!("an assignment to `{}`", name.name));
                };
                let right = self.value(&assignment.right)?;
                let assign = |value| Node::Assign(slot, Box::new(value));
                let slot = Node::Slot(slot);
                Ok(Typed::value(match assignment.operator {
                    AssignmentOperator::LogicalAnd => Node::And(Box::new([slot, assign(right)])),
                    AssignmentOperator::LogicalOr => Node::Or(Box::new([slot, assign(right)])),
                    AssignmentOperator::LogicalNullish => Node::Coalesce(Box::new([slot, assign(right)])),
                    operator => assign(self.combined(operator, slot, right, offset)?),
                }))
            }
            AssignmentTarget::StaticMemberExpression(member) => {
                let receiver = self.expression(&member.object)?;
                let name = &*member.property.name;
                let Kind::Host(host) = receiver.kind else {
                    return refuse(offset, "an assignment to a member");
                };
                let before = match assignment.operator {
                    AssignmentOperator::Assign => Node::undefined(),
                    _ => self.host_member(host, name, false, offset)?.node,
                };
                let right = self.value(&assignment.right)?;
                let value = self.combined(assignment.operator, before, right, offset)?;
                let set = self.host_assign(host, name, value, offset)?;
                Ok(after(receiver.node, Typed::value(set)))
            }
            _ => refuse(offset, "an assignment to this"),
        }
    }

    /// `x++` and the like. Of what stands behind, its value before is not kept.
    pub(super) fn update(&mut self, update: &'p UpdateExpression<'a>, is_new_value: bool) -> Result<Node> {
        let offset = update.span.start;
        let SimpleAssignmentTarget::AssignmentTargetIdentifier(name) = &update.argument else {
            return refuse(offset, "an assignment to this");
        };
        let binding = self.symbol(name).and_then(|symbol| self.names.get(&symbol).copied());
        let Some(Binding::Slot(slot)) = binding.filter(|_| !self.is_constant(name)) else {
            return refuse(offset, format!("an assignment to `{}`", name.name));
        };
        if !is_new_value {
            return refuse(offset, format!("the value of `{}{}`", name.name, update.operator.as_str()));
        }
        // It makes a number of what was there, as `+` would not.
        let by = if update.operator == UpdateOperator::Increment { -1.0 } else { 1.0 };
        let sides = Box::new([Node::Slot(slot), Node::Constant(Constant::Number(by))]);
        Ok(Node::Assign(slot, Box::new(Node::Arithmetic(Arithmetic::Subtract, sides))))
    }

    /// What an assignment assigns.
    fn combined(&self, operator: AssignmentOperator, before: Node, right: Node, offset: u32) -> Result<Node> {
        let operator = match operator {
            AssignmentOperator::Assign => return Ok(right),
            AssignmentOperator::Addition => {
                return Ok(Node::Add(Box::new([before, right]), self.place(offset)));
            }
            AssignmentOperator::Subtraction => Arithmetic::Subtract,
            AssignmentOperator::Multiplication => Arithmetic::Multiply,
            AssignmentOperator::Division => Arithmetic::Divide,
            AssignmentOperator::Remainder => Arithmetic::Remainder,
            AssignmentOperator::BitwiseAnd => Arithmetic::BitAnd,
            AssignmentOperator::BitwiseOR => Arithmetic::BitOr,
            AssignmentOperator::BitwiseXOR => Arithmetic::BitXor,
            AssignmentOperator::ShiftLeft => Arithmetic::ShiftLeft,
            AssignmentOperator::ShiftRight => Arithmetic::ShiftRight,
            AssignmentOperator::ShiftRightZeroFill => Arithmetic::ShiftRightUnsigned,
            operator => return refuse(offset, format!("`{}`", operator.as_str())),
        };
        Ok(Node::Arithmetic(operator, Box::new([before, right])))
    }
}
