//! Lists: loops over them, and their methods.

use oxc::ast::ast::{
    ArrayExpression, ArrowFunctionBody, ArrowFunctionExpression, BindingPattern, Expression, ForOfStatement,
    ForStatementLeft, VariableDeclarationKind,
};
use oxc::span::GetSpan;

use super::function::{Kind, Translator, Typed};
use super::json::json;
use super::{Result, refuse};
use crate::direct::code::{self, EachMethod, Json, ListCall, ListMethod, Loop, Node};

impl<'a, 'p> Translator<'a, 'p, '_> {
    /// A list of values, or JSON if objects are in it.
    pub(super) fn array(&mut self, array: &'p ArrayExpression<'a>) -> Result<Typed> {
        let mut elements = Vec::with_capacity(array.elements.len());
        for element in &array.elements {
            let Some(value) = element.as_expression() else {
                return refuse(element.span().start, "`...`, or an element that is left out");
            };
            let typed = self.expression(value)?;
            if matches!(typed.kind, Kind::Host(_)) {
                return refuse(value.span().start, "JSON of this");
            }
            elements.push(typed);
        }
        if elements.iter().all(|element| element.kind == Kind::Value) {
            return Ok(Typed::list(Node::List(elements.into_iter().map(|element| element.node).collect())));
        }
        let elements = elements.into_iter().map(json).collect();
        let place = self.place(array.span.start);
        Ok(Typed { kind: Kind::Json, node: Node::Json(Box::new(Json::Array(elements)), place) })
    }

    /// The list that an expression is.
    fn list(&mut self, expression: &'p Expression<'a>) -> Result<Node> {
        match self.expression(expression)? {
            Typed { kind: Kind::List, node } => Ok(node),
            _ => refuse(expression.span().start, "a loop over this"),
        }
    }

    /// `for (const x of list)`.
    pub(super) fn for_of(&mut self, turns: &'p ForOfStatement<'a>) -> Result<code::Statement> {
        let offset = turns.span.start;
        let ForStatementLeft::VariableDeclaration(variables) = &turns.left else {
            return refuse(offset, "a loop that assigns to a variable");
        };
        if turns.r#await {
            return refuse(offset, "`for await`");
        }
        if variables.kind == VariableDeclarationKind::Var {
            return refuse(variables.span.start, "`var`");
        }
        let list = self.list(&turns.right)?;
        let Some(variable) = variables.declarations.first() else { return refuse(offset, "a loop") };
        let jumps = self.changed_at_jump.replace(false);
        let made = self.repeated(list, &variable.id, offset, |this, body| {
            match &turns.body {
                oxc::ast::ast::Statement::BlockStatement(block) => body.extend(this.block(&block.body)?),
                statement => this.statement(statement, body)?,
            }
            Ok(())
        })?;
        self.changed |= std::mem::replace(&mut self.changed_at_jump, jumps).unwrap_or_default();
        Ok(code::Statement::ForOf(made))
    }

    /// `break` and `continue` of a loop.
    pub(super) fn jump(&mut self, jump: code::Statement, offset: u32) -> Result<code::Statement> {
        let Some(changed) = &mut self.changed_at_jump else { return refuse(offset, "`break` within a case") };
        *changed |= self.changed;
        Ok(jump)
    }

    /// What is done for each element of a list.
    fn repeated(
        &mut self,
        list: Node,
        pattern: &'p BindingPattern<'a>,
        offset: u32,
        body: impl FnOnce(&mut Self, &mut Vec<code::Statement>) -> Result<()>,
    ) -> Result<Loop> {
        let narrow = self.is_narrow(&list);
        let (before, nodes) = (self.changed, self.nodes);
        let doubt = std::mem::take(&mut self.doubt);
        let mut statements = Vec::new();
        let slot = self.unnamed(narrow);
        self.given(pattern, Typed::value(Node::Slot(slot)), None, &mut statements)?;
        body(self, &mut statements)?;
        // What a turn changes was changed when the next one begins.
        let changes = (self.changed || self.changed_at_jump == Some(true)) && !before;
        if changes && self.doubt.values {
            return refuse(offset, "a loop that changes something and may need the engine");
        }
        self.doubt.shares_late |= changes && self.doubt.shares;
        self.doubt.shares |= doubt.shares;
        self.doubt.shares_late |= doubt.shares_late;
        self.doubt.values |= doubt.values;
        self.changed |= before;
        Ok(Loop { list, slot, body: statements, nodes: self.nodes - nodes + 1 })
    }

    /// `list.name(…)`.
    pub(super) fn list_method(
        &mut self,
        list: Node,
        name: &str,
        arguments: &[&'p Expression<'a>],
        offset: u32,
    ) -> Result<Typed> {
        if let (Some(method), [Expression::ArrowFunctionExpression(arrow)]) =
            (EachMethod::named(name), arguments)
        {
            let turns = self.callback(method, list, arrow)?;
            let node = Node::Each(method, Box::new(turns));
            return Ok(if method.makes_list() { Typed::list(node) } else { Typed::value(node) });
        }
        let Some(method) = ListMethod::named(name, arguments.len()) else {
            return refuse(offset, format!("`{name}` of a list"));
        };
        let arguments = arguments.iter().map(|argument| self.value(argument)).collect::<Result<Vec<_>>>()?;
        let node = Node::ListCall(Box::new(ListCall { method, list, arguments, place: self.place(offset) }));
        Ok(if method.makes_list() { Typed::list(node) } else { Typed::value(node) })
    }

    /// A function that stands where it is called for each element.
    fn callback(
        &mut self,
        method: EachMethod,
        list: Node,
        arrow: &'p ArrowFunctionExpression<'a>,
    ) -> Result<Loop> {
        let offset = arrow.span.start;
        let [parameter] = arrow.params.items.as_slice() else {
            return refuse(offset, "a function of other than one parameter within the hook");
        };
        if arrow.r#async || arrow.params.rest.is_some() || parameter.initializer.is_some() {
            return refuse(offset, "a function of this kind within the hook");
        }
        // It returns to the list's method, and nothing jumps out of it.
        let at_return = std::mem::take(&mut self.changed_at_return);
        let at_jump = self.changed_at_jump.take();
        self.depth += 1;
        let made = self.repeated(list, &parameter.pattern, offset, |this, body| {
            match &arrow.body {
                ArrowFunctionBody::FunctionBody(inner) => body.extend(this.block(&inner.statements)?),
                inner => match inner.as_expression() {
                    Some(value) if method == EachMethod::ForEach => {
                        let effect = this.effect(value)?;
                        body.push(code::Statement::Run(effect));
                    }
                    Some(value) => {
                        let value = this.value(value)?;
                        body.push(code::Statement::Return(value));
                    }
                    None => return refuse(offset, "a function without a body"),
                },
            }
            this.changed |= this.changed_at_return;
            Ok(())
        })?;
        self.depth -= 1;
        (self.changed_at_return, self.changed_at_jump) = (at_return, at_jump);
        Ok(made)
    }
}
