//! Functions.

use std::collections::HashMap;
use std::sync::Arc;

use oxc::ast::ast::{ArrowFunctionBody, BindingPattern, Expression, FormalParameters};
use oxc::span::GetSpan;
use oxc::syntax::symbol::SymbolId;

use super::host::Host;
use super::{Item, Module, Result, refuse};
use crate::direct::MOST_NODES;
use crate::direct::code::{Constant, Doubt, Function, Json, Needs, Node};
use crate::hook::Hook;
use crate::typescript::Place;

/// Functions within functions, at most.
const DEEPEST: usize = 16;

/// Expressions and statements within one another, at most: whatever walks a tree needs a stack for it.
const MOST_NESTED: usize = 200;

/// What an expression is, besides what computes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A value.
    Value,
    /// An object or a list as it stands in the source: good for JSON only.
    Json,
    /// Something of the gateway's, known by what it is. What computes it has no value.
    Host(Host),
}

/// An expression, translated.
#[derive(Debug)]
pub(super) struct Typed {
    pub(super) kind: Kind,
    pub(super) node: Node,
}

impl Typed {
    pub(super) fn value(node: Node) -> Self {
        Self { kind: Kind::Value, node }
    }

    pub(super) fn constant(constant: Constant) -> Self {
        Self::value(Node::Constant(constant))
    }

    pub(super) fn host(host: Host) -> Self {
        Self { kind: Kind::Host(host), node: Node::undefined() }
    }
}

/// What a name of a function stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Binding {
    Slot(usize),
    /// A variable that holds JSON.
    Json(usize),
    Host(Host),
}

/// Translates a hook, and what it calls.
pub(super) struct Translator<'a, 'p, 'm> {
    pub(super) module: &'m Module<'a, 'p>,
    pub(super) hook: Hook,
    pub(super) names: HashMap<SymbolId, Binding>,
    slots: usize,
    /// Of how many nodes the tree is.
    nodes: usize,
    /// How many of them within one another.
    nesting: usize,
    /// How many functions deep.
    pub(super) depth: usize,
    pub(super) needs: Needs,
    pub(super) reads_query: bool,
    pub(super) sets_path: bool,
    pub(super) doubt: Doubt,
    /// Whether something may have been changed by the time that what comes next runs.
    pub(super) changed: bool,
    /// The same where the function that is translated returns.
    pub(super) changed_at_return: bool,
}

impl<'a, 'p, 'm> Translator<'a, 'p, 'm> {
    pub(super) fn new(module: &'m Module<'a, 'p>, hook: Hook) -> Self {
        let names = HashMap::new();
        Self {
            module,
            hook,
            names,
            slots: 0,
            nodes: 0,
            nesting: 0,
            depth: 0,
            needs: Needs::default(),
            reads_query: false,
            sets_path: false,
            doubt: Doubt::default(),
            changed: false,
            changed_at_return: false,
        }
    }

    /// Translates a hook.
    pub(super) fn hook(mut self, item: Item<'a, 'p>) -> Result<Function> {
        let given = [
            Some(Kind::Host(Host::Context)),
            (self.hook == Hook::ErrorHandler).then_some(Kind::Host(Host::Error)),
        ];
        self.function(self.hook.name(), item, &given)
    }

    /// Translates a function that is called with such arguments.
    pub(super) fn function(
        &mut self,
        name: &str,
        item: Item<'a, 'p>,
        given: &[Option<Kind>],
    ) -> Result<Function> {
        let (parameters, generator, span) = match item {
            Item::Function(function) => (&function.params, function.generator, function.span),
            Item::Arrow(arrow) => (&arrow.params, false, arrow.span),
            Item::Value(value) => return refuse(value.span().start, "what is not a function"),
        };
        if generator {
            return refuse(span.start, "a generator");
        }
        if self.depth == DEEPEST {
            return refuse(span.start, "a function that calls itself, or many within one another");
        }
        self.depth += 1;
        let slots = std::mem::take(&mut self.slots);
        let changed_at_return = std::mem::take(&mut self.changed_at_return);
        self.parameters(parameters, given)?;
        let body = match item {
            Item::Function(function) => match &function.body {
                Some(body) => self.block(&body.statements)?,
                None => return refuse(span.start, "a function without a body"),
            },
            Item::Arrow(arrow) => match &arrow.body {
                ArrowFunctionBody::FunctionBody(body) => self.block(&body.statements)?,
                body => match body.as_expression() {
                    Some(value) => self.returned(value)?,
                    None => return refuse(span.start, "a function without a body"),
                },
            },
            Item::Value(_) => Vec::new(),
        };
        let slots = std::mem::replace(&mut self.slots, slots);
        self.depth -= 1;
        self.changed |= std::mem::replace(&mut self.changed_at_return, changed_at_return);
        Ok(Function { name: name.into(), slots, body, needs: self.needs, doubt: self.doubt })
    }

    fn parameters(&mut self, parameters: &FormalParameters<'a>, given: &[Option<Kind>]) -> Result<()> {
        if let Some(rest) = &parameters.rest {
            return refuse(rest.span.start, "a rest parameter");
        }
        let mut given = given.iter().copied();
        for parameter in &parameters.items {
            let BindingPattern::BindingIdentifier(id) = &parameter.pattern else {
                return refuse(parameter.span.start, "a parameter that is taken apart");
            };
            if let Some(value) = &parameter.initializer {
                return refuse(value.span().start, "a default value");
            }
            let binding = match given.next().flatten() {
                Some(Kind::Host(host)) => Binding::Host(host),
                Some(Kind::Json) => return refuse(parameter.span.start, "an object that is handed on"),
                Some(Kind::Value) | None => Binding::Slot(self.slot()),
            };
            self.bind(id.symbol_id.get(), binding, id.span.start)?;
        }
        Ok(())
    }

    /// A new variable.
    pub(super) fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    pub(super) fn bind(&mut self, symbol: Option<SymbolId>, binding: Binding, offset: u32) -> Result<()> {
        let Some(symbol) = symbol else { return refuse(offset, "a name that cannot be followed") };
        self.names.insert(symbol, binding);
        Ok(())
    }

    /// Translates a node of the tree, which is counted.
    pub(super) fn nested<T>(
        &mut self,
        offset: u32,
        translate: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.count(1, offset)?;
        if self.nesting == MOST_NESTED {
            return refuse(offset, "what is nested this deeply");
        }
        self.nesting += 1;
        let translated = translate(self);
        self.nesting -= 1;
        translated
    }

    /// Counts nodes of the tree, or what is as large.
    pub(super) fn count(&mut self, nodes: usize, offset: u32) -> Result<()> {
        self.nodes += nodes;
        if self.nodes > MOST_NODES { refuse(offset, "a hook that is this long") } else { Ok(()) }
    }

    pub(super) fn place(&self, offset: u32) -> Place {
        self.module.place(offset)
    }

    /// JSON of an expression.
    pub(super) fn json_of(&mut self, value: &'p Expression<'a>) -> Result<Json> {
        let Typed { kind, node } = self.expression(value)?;
        match (kind, node) {
            (Kind::Json, Node::Json(json, _)) => Ok(*json),
            (Kind::Json, Node::Slot(slot)) => Ok(Json::Slot(slot)),
            (Kind::Value, Node::Constant(constant)) => {
                Ok(ready(&constant).map_or_else(|| Json::Value(Node::Constant(constant)), Json::Ready))
            }
            (Kind::Value, node) => Ok(Json::Value(node)),
            _ => refuse(value.span().start, "JSON of this"),
        }
    }
}

/// JSON of a constant, if it has some.
fn ready(constant: &Constant) -> Option<Arc<str>> {
    Some(match constant {
        Constant::Null => "null".into(),
        Constant::Bool(value) => value.to_string().into(),
        Constant::Text(text) => {
            let mut out = Vec::new();
            crate::json::quote(text, &mut out);
            String::from_utf8(out).ok()?.into()
        }
        Constant::Number(_) | Constant::Undefined => return None,
    })
}
