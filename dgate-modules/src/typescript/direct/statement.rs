//! Statements.

use oxc::ast::ast::{Expression, Statement, VariableDeclaration, VariableDeclarationKind};
use oxc::span::GetSpan;
use oxc::syntax::operator::LogicalOperator;

use super::function::{Kind, Translator, Typed};
use super::{Result, refuse};
use crate::direct::code::{self, Constant, Node};
use crate::hook::Hook;
use crate::thrown::ErrorClass;

impl<'a, 'p> Translator<'a, 'p, '_> {
    pub(super) fn block(&mut self, statements: &'p [Statement<'a>]) -> Result<Vec<code::Statement>> {
        let mut block = Vec::with_capacity(statements.len());
        for statement in statements {
            self.statement(statement, &mut block)?;
        }
        Ok(block)
    }

    pub(super) fn statement(
        &mut self,
        statement: &'p Statement<'a>,
        block: &mut Vec<code::Statement>,
    ) -> Result<()> {
        self.nested(statement.span().start, |this| this.any_statement(statement, block))
    }

    fn any_statement(
        &mut self,
        statement: &'p Statement<'a>,
        block: &mut Vec<code::Statement>,
    ) -> Result<()> {
        match statement {
            Statement::EmptyStatement(_)
            | Statement::TSTypeAliasDeclaration(_)
            | Statement::TSInterfaceDeclaration(_) => {}
            Statement::ExpressionStatement(statement) => {
                let node = self.effect(&statement.expression)?;
                block.push(code::Statement::Run(node));
            }
            Statement::BlockStatement(inner) => block.extend(self.block(&inner.body)?),
            Statement::VariableDeclaration(variables) => self.variables(variables, block)?,
            Statement::IfStatement(statement) => {
                let test = self.value(&statement.test)?;
                let (mut then, mut otherwise) = (Vec::new(), Vec::new());
                let before = self.changed;
                self.statement(&statement.consequent, &mut then)?;
                let after = std::mem::replace(&mut self.changed, before) && !leaves(&then);
                if let Some(alternate) = &statement.alternate {
                    self.statement(alternate, &mut otherwise)?;
                }
                self.changed = (self.changed && !leaves(&otherwise)) || after;
                block.push(code::Statement::If { test, then, otherwise });
            }
            Statement::ReturnStatement(statement) => match &statement.argument {
                Some(value) => block.extend(self.returned(value)?),
                None => {
                    self.changed_at_return |= self.changed;
                    block.push(code::Statement::Return(Node::undefined()));
                }
            },
            Statement::SwitchStatement(switch) => self.switch(switch, block)?,
            Statement::ThrowStatement(statement) => block.push(self.thrown(&statement.argument)?),
            Statement::BreakStatement(jump) => return refuse(jump.span.start, "`break` within a case"),
            Statement::ForStatement(_)
            | Statement::ForOfStatement(_)
            | Statement::ForInStatement(_)
            | Statement::WhileStatement(_)
            | Statement::DoWhileStatement(_) => return refuse(statement.span().start, "a loop"),
            Statement::TryStatement(_) => return refuse(statement.span().start, "`try`"),
            _ => return refuse(statement.span().start, "a statement of this kind"),
        }
        Ok(())
    }

    /// An expression whose value nobody takes.
    pub(super) fn effect(&mut self, expression: &'p Expression<'a>) -> Result<Node> {
        match expression {
            Expression::LogicalExpression(logical) => self.nested(logical.span.start, |this| {
                let sides = Box::new([this.value(&logical.left)?, this.effect(&logical.right)?]);
                Ok(match logical.operator {
                    LogicalOperator::And => Node::And(sides),
                    LogicalOperator::Or => Node::Or(sides),
                    LogicalOperator::Coalesce => Node::Coalesce(sides),
                })
            }),
            Expression::ConditionalExpression(choice) => self.nested(choice.span.start, |this| {
                let (test, then) = (this.value(&choice.test)?, this.effect(&choice.consequent)?);
                Ok(Node::Choose(Box::new([test, then, this.effect(&choice.alternate)?])))
            }),
            Expression::UpdateExpression(update) => self.update(update, true),
            expression => Ok(self.expression(expression)?.node),
        }
    }

    /// What a function returns.
    pub(super) fn returned(&mut self, value: &'p Expression<'a>) -> Result<Vec<code::Statement>> {
        if self.depth == 1
            && self.hook.answers()
            && let Some(reply) = self.reply(value)?
        {
            return Ok(vec![code::Statement::Run(reply), code::Statement::Return(Node::undefined())]);
        }
        let Typed { kind, node } = self.expression(value)?;
        self.changed_at_return |= self.changed;
        match kind {
            Kind::Value => Ok(vec![code::Statement::Return(node)]),
            // Nobody looks at what the hook returned; what led to it was for its effect.
            Kind::Host(_) if self.depth == 1 && self.hook != Hook::FetchUpstream => {
                Ok(vec![code::Statement::Run(node), code::Statement::Return(Node::undefined())])
            }
            _ => refuse(value.span().start, "an object that is returned"),
        }
    }

    fn thrown(&mut self, value: &'p Expression<'a>) -> Result<code::Statement> {
        let offset = value.span().start;
        let Expression::NewExpression(new) = value else { return refuse(offset, "`throw` of this") };
        let class = match &new.callee {
            Expression::Identifier(name) if self.is_global(name) => match name.name.as_str() {
                "Error" => ErrorClass::Error,
                "TypeError" => ErrorClass::Type,
                "RangeError" => ErrorClass::Range,
                _ => return refuse(offset, "`throw` of this"),
            },
            _ => return refuse(offset, "`throw` of this"),
        };
        let message = match new.arguments.as_slice() {
            [message] => message.as_expression(),
            _ => None,
        };
        let Some(message) = message else { return refuse(offset, "an error without a message") };
        let message = self.value(message)?;
        // `undefined` is no message, and nothing else can be told here.
        if !matches!(message, Node::Template(..) | Node::Add(..) | Node::Constant(Constant::Text(_))) {
            return refuse(offset, "an error whose message may be missing");
        }
        Ok(code::Statement::Throw { class, message, place: self.place(offset) })
    }

    fn variables(
        &mut self,
        variables: &'p VariableDeclaration<'a>,
        block: &mut Vec<code::Statement>,
    ) -> Result<()> {
        match variables.kind {
            VariableDeclarationKind::Let | VariableDeclarationKind::Const => {}
            // It is there in the whole function, also where it was not given a value.
            VariableDeclarationKind::Var => return refuse(variables.span.start, "`var`"),
            _ => return refuse(variables.span.start, "`using`"),
        }
        for variable in &variables.declarations {
            let value = match &variable.init {
                Some(value) => self.expression(value)?,
                None => Typed::value(Node::undefined()),
            };
            self.given(&variable.id, value, None, block)?;
        }
        Ok(())
    }
}

/// Whether nothing after these statements runs.
pub(super) fn leaves(statements: &[code::Statement]) -> bool {
    match statements.last() {
        Some(code::Statement::Return(_) | code::Statement::Throw { .. }) => true,
        Some(code::Statement::If { then, otherwise, .. }) => leaves(then) && leaves(otherwise),
        _ => false,
    }
}
