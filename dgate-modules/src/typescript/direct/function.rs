//! Functions.

use std::collections::{HashMap, HashSet};

use oxc::ast::ast::{ArrowFunctionBody, FormalParameters};
use oxc::span::GetSpan;
use oxc::syntax::symbol::SymbolId;

use super::host::Host;
use super::{Item, Module, Result, refuse};
use crate::direct::MOST_NODES;
use crate::direct::code::{self, Constant, Doubt, Function, Needs, Node, Read};
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
    /// An object as it stands in the source, or a list with some: good for JSON only.
    Json,
    /// A list of values.
    List,
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

    pub(super) fn list(node: Node) -> Self {
        Self { kind: Kind::List, node }
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
    /// A variable that holds a list.
    List(usize),
    Host(Host),
}

/// What a function is given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given {
    pub(super) kind: Kind,
    /// Whether it is a text without characters of two units, or no text.
    pub(super) narrow: bool,
}

/// Translates a hook, and what it calls.
pub(super) struct Translator<'a, 'p, 'm> {
    pub(super) module: &'m Module<'a, 'p>,
    pub(super) hook: Hook,
    pub(super) names: HashMap<SymbolId, Binding>,
    slots: usize,
    /// Those that hold no characters of two units.
    pub(super) narrow: HashSet<usize>,
    /// Those that were given a value, and no name yet.
    pub(super) unnamed: HashSet<usize>,
    /// Of how many nodes the tree is.
    pub(super) nodes: usize,
    /// How many of them within one another.
    nesting: usize,
    /// How many functions deep.
    pub(super) depth: usize,
    pub(super) needs: Needs,
    pub(super) reads_query: bool,
    pub(super) sets_path: bool,
    pub(super) doubt: Doubt,
    /// Whether it is a fetch-style handler.
    pub(super) is_fetch: bool,
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
            narrow: HashSet::new(),
            unnamed: HashSet::new(),
            nodes: 0,
            nesting: 0,
            depth: 0,
            needs: Needs::default(),
            reads_query: false,
            sets_path: false,
            doubt: Doubt::default(),
            is_fetch: false,
            changed: false,
            changed_at_return: false,
        }
    }

    /// Translates a fetch-style handler.
    pub(super) fn fetch(mut self, item: Item<'a, 'p>) -> Result<Function> {
        let given = [Host::FetchRequest, Host::Env, Host::Context]
            .map(|host| Given { kind: Kind::Host(host), narrow: true });
        // The engine refuses what no `Request` can be.
        (self.is_fetch, self.needs.request, self.doubt.values) = (true, true, true);
        self.function("fetch", item, &given)
    }

    /// Translates a hook.
    pub(super) fn hook(mut self, item: Item<'a, 'p>) -> Result<Function> {
        let host = |host| Given { kind: Kind::Host(host), narrow: true };
        let given = [host(Host::Context), host(Host::Error)];
        let count = if self.hook == Hook::ErrorHandler { 2 } else { 1 };
        self.function(self.hook.name(), item, &given[..count])
    }

    /// Translates a function that is called with such arguments.
    pub(super) fn function(&mut self, name: &str, item: Item<'a, 'p>, given: &[Given]) -> Result<Function> {
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
        let narrow = std::mem::take(&mut self.narrow);
        let changed_at_return = std::mem::take(&mut self.changed_at_return);
        let unnamed = std::mem::take(&mut self.unnamed);
        let mut body = Vec::new();
        if self.is_fetch && self.depth == 1 {
            // It is the first one: FETCH_URL.
            let url = Node::Assign(self.slot(), Box::new(Node::Read(Read::FetchUrl)));
            body.push(code::Statement::Run(url));
        }
        body.extend(self.parameters(parameters, given)?);
        body.extend(match item {
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
        });
        let slots = std::mem::replace(&mut self.slots, slots);
        (self.narrow, self.unnamed) = (narrow, unnamed);
        self.depth -= 1;
        self.changed |= std::mem::replace(&mut self.changed_at_return, changed_at_return);
        Ok(Function { name: name.into(), slots, body, needs: self.needs, doubt: self.doubt })
    }

    /// Binds what a function is given; what is taken apart is so before anything else.
    fn parameters(
        &mut self,
        parameters: &'p FormalParameters<'a>,
        given: &[Given],
    ) -> Result<Vec<code::Statement>> {
        if let Some(rest) = &parameters.rest {
            return refuse(rest.span.start, "a rest parameter");
        }
        let mut given = given.iter().copied();
        let mut values = Vec::with_capacity(parameters.items.len());
        for _ in &parameters.items {
            let none = Given { kind: Kind::Value, narrow: false };
            let Given { kind, narrow } = given.next().unwrap_or(none);
            values.push(match kind {
                Kind::Host(host) => Typed::host(host),
                kind => Typed { kind, node: Node::Slot(self.unnamed(narrow)) },
            });
        }
        let mut first = Vec::new();
        for (parameter, value) in parameters.items.iter().zip(values) {
            let default = parameter.initializer.as_deref();
            self.given(&parameter.pattern, value, default, &mut first)?;
        }
        // What was taken apart, or has another value in its place, has no name; nothing else may have its variable.
        self.unnamed.clear();
        Ok(first)
    }

    /// A new variable for a value that is there before it has a name.
    fn unnamed(&mut self, narrow: bool) -> usize {
        let slot = self.slot();
        self.unnamed.insert(slot);
        if narrow {
            self.narrow.insert(slot);
        }
        slot
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
}
