//! `switch`.

use oxc::ast::ast::{Statement, SwitchStatement};
use oxc::span::GetSpan;

use super::function::Translator;
use super::statement::leaves;
use super::{Result, refuse};
use crate::direct::code::{self, Node};

/// Cases of a `switch`, at most.
const MOST_CASES: usize = 50;

impl<'a, 'p> Translator<'a, 'p, '_> {
    /// A `switch` of which no case falls through: `if` after `if`.
    pub(super) fn switch(
        &mut self,
        switch: &'p SwitchStatement<'a>,
        block: &mut Vec<code::Statement>,
    ) -> Result<()> {
        // They become `if` within `if`.
        if switch.cases.len() > MOST_CASES {
            return refuse(switch.span.start, "a `switch` with this many cases");
        }
        let slot = self.slot();
        let value = self.value(&switch.discriminant)?;
        block.push(code::Statement::Run(Node::Assign(slot, Box::new(value))));
        let mut cases: Vec<(Node, Vec<code::Statement>)> = Vec::new();
        let mut default = Vec::new();
        let mut waiting: Option<Node> = None;
        let mut changed = false;
        for (index, case) in switch.cases.iter().enumerate() {
            let is_last = index + 1 == switch.cases.len();
            let offset = case.span.start;
            let Some(test) = &case.test else {
                if !is_last || waiting.is_some() {
                    return refuse(offset, "a default that is not the last case by itself");
                }
                default = self.case(&case.consequent, true, offset, &mut changed)?;
                break;
            };
            let test = Node::Same(Box::new([Node::Slot(slot), self.value(test)?]));
            let test = match waiting.take() {
                Some(before) => Node::Or(Box::new([before, test])),
                None => test,
            };
            if case.consequent.is_empty() && !is_last {
                waiting = Some(test);
            } else {
                cases.push((test, self.case(&case.consequent, is_last, offset, &mut changed)?));
            }
        }
        let whole = cases
            .into_iter()
            .rev()
            .fold(default, |otherwise, (test, then)| vec![code::Statement::If { test, then, otherwise }]);
        block.extend(whole);
        self.changed |= changed;
        Ok(())
    }

    /// A case, which ends with `break` or `return`; and whether it changes something for what comes after the `switch`.
    fn case(
        &mut self,
        statements: &'p [Statement<'a>],
        is_last: bool,
        offset: u32,
        changed: &mut bool,
    ) -> Result<Vec<code::Statement>> {
        let before = self.changed;
        let case = self.case_statements(statements, is_last, offset)?;
        *changed |= std::mem::replace(&mut self.changed, before) && !leaves(&case);
        Ok(case)
    }

    fn case_statements(
        &mut self,
        statements: &'p [Statement<'a>],
        is_last: bool,
        offset: u32,
    ) -> Result<Vec<code::Statement>> {
        let statements = match statements {
            // A case in braces.
            [Statement::BlockStatement(block)] => &*block.body,
            statements => match statements.iter().find(|s| matches!(s, Statement::VariableDeclaration(_))) {
                // Other cases could see it, before it has a value.
                Some(variable) => {
                    return refuse(variable.span().start, "a variable of a case without braces");
                }
                None => statements,
            },
        };
        match statements.split_last() {
            Some((Statement::BreakStatement(last), before)) if last.label.is_none() => self.block(before),
            Some((Statement::ReturnStatement(_) | Statement::ThrowStatement(_), _)) => self.block(statements),
            _ if is_last => self.block(statements),
            _ => refuse(offset, "a case that falls through"),
        }
    }
}
