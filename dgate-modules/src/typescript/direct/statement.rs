//! Statements.

use oxc::ast::ast::{
    BindingPattern, Expression, ObjectPattern, Statement, VariableDeclaration, VariableDeclarationKind,
};
use oxc::span::GetSpan;
use oxc::syntax::operator::LogicalOperator;

use super::function::{Binding, Kind, Translator, Typed};
use super::host::Host;
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

    fn statement(&mut self, statement: &'p Statement<'a>, block: &mut Vec<code::Statement>) -> Result<()> {
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
            Statement::ForStatement(_)
            | Statement::ForInStatement(_)
            | Statement::ForOfStatement(_)
            | Statement::WhileStatement(_)
            | Statement::DoWhileStatement(_) => return refuse(statement.span().start, "a loop"),
            Statement::TryStatement(_) => return refuse(statement.span().start, "`try`"),
            Statement::BreakStatement(_) => return refuse(statement.span().start, "`break` within a case"),
            _ => return refuse(statement.span().start, "a statement of this kind"),
        }
        Ok(())
    }

    /// An expression whose value nobody takes.
    fn effect(&mut self, expression: &'p Expression<'a>) -> Result<Node> {
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
            expression => Ok(self.expression(expression)?.node),
        }
    }

    /// What a function returns.
    pub(super) fn returned(&mut self, value: &'p Expression<'a>) -> Result<Vec<code::Statement>> {
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
            let init = match &variable.init {
                Some(value) => self.expression(value)?,
                None => Typed::value(Node::undefined()),
            };
            match &variable.id {
                BindingPattern::BindingIdentifier(id) => {
                    let symbol = id.symbol_id.get();
                    let changes = symbol.is_none_or(|symbol| self.module.scoping.symbol_is_mutated(symbol));
                    let binding = match init.kind {
                        Kind::Value => {
                            let slot = self.slot();
                            block.push(code::Statement::Run(Node::Assign(slot, Box::new(init.node))));
                            Binding::Slot(slot)
                        }
                        _ if changes => return refuse(id.span.start, "an object in a variable that changes"),
                        Kind::Json => {
                            let slot = self.slot();
                            block.push(code::Statement::Run(Node::Assign(slot, Box::new(init.node))));
                            Binding::Json(slot)
                        }
                        Kind::Host(host) => {
                            block.push(code::Statement::Run(init.node));
                            Binding::Host(host)
                        }
                    };
                    self.bind(symbol, binding, id.span.start)?;
                }
                BindingPattern::ObjectPattern(pattern) => self.taken_apart(pattern, init, block)?,
                pattern => return refuse(pattern.span().start, "a value that is taken apart"),
            }
        }
        Ok(())
    }

    /// Members of something of the gateway's, each in a variable of its own.
    fn taken_apart(
        &mut self,
        pattern: &'p ObjectPattern<'a>,
        from: Typed,
        block: &mut Vec<code::Statement>,
    ) -> Result<()> {
        let what = "a value that is taken apart";
        let host = match from.kind {
            // The service may not be there.
            Kind::Host(host) if host != Host::Service => host,
            _ => return refuse(pattern.span.start, what),
        };
        if let Some(rest) = &pattern.rest {
            return refuse(rest.span.start, what);
        }
        block.push(code::Statement::Run(from.node));
        for property in &pattern.properties {
            let offset = property.span.start;
            let name = property.key.static_name().filter(|_| !property.computed);
            let (Some(name), BindingPattern::BindingIdentifier(id)) = (name, &property.value) else {
                return refuse(offset, what);
            };
            let symbol = id.symbol_id.get();
            if symbol.is_none_or(|symbol| self.module.scoping.symbol_is_mutated(symbol)) {
                return refuse(offset, "a variable that is taken from an object and changes");
            }
            let member = self.host_member(host, &name, false, offset)?;
            let binding = match member.kind {
                Kind::Host(host) => Binding::Host(host),
                _ => {
                    let slot = self.slot();
                    block.push(code::Statement::Run(Node::Assign(slot, Box::new(member.node))));
                    Binding::Slot(slot)
                }
            };
            self.bind(symbol, binding, offset)?;
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
