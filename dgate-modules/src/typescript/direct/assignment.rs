//! Assignments.

use oxc::ast::ast::{AssignmentExpression, AssignmentTarget};
use oxc::syntax::operator::AssignmentOperator;

use super::expression::after;
use super::function::{Binding, Kind, Translator, Typed};
use super::{Result, refuse};
use crate::direct::code::{Arithmetic, Node};

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
            operator => return refuse(offset, format!("`{}`", operator.as_str())),
        };
        Ok(Node::Arithmetic(operator, Box::new([before, right])))
    }
}
