//! Names that are given values, and values that are taken apart for them.

use oxc::ast::ast::{ArrayPattern, BindingIdentifier, BindingPattern, Expression, ObjectPattern};
use oxc::span::GetSpan;

use super::function::{Binding, Kind, Translator, Typed};
use super::host::Host;
use super::{Result, refuse};
use crate::direct::code::{self, Node};

impl<'a, 'p> Translator<'a, 'p, '_> {
    /// A pattern is given a value, or another one where that is `undefined`.
    pub(super) fn given(
        &mut self,
        pattern: &'p BindingPattern<'a>,
        value: Typed,
        default: Option<&'p Expression<'a>>,
        block: &mut Vec<code::Statement>,
    ) -> Result<()> {
        let value = match (default, value) {
            (Some(default), Typed { kind: Kind::Value, node }) => {
                let other = self.value(default)?;
                Typed::value(Node::Default(Box::new([node, other])))
            }
            (Some(default), _) => {
                return refuse(default.span().start, "a default value of what is always there");
            }
            (None, value) => value,
        };
        match pattern {
            BindingPattern::BindingIdentifier(id) => self.named(id, value, block),
            BindingPattern::ObjectPattern(pattern) => self.members(pattern, value, block),
            BindingPattern::ArrayPattern(pattern) => self.elements(pattern, value, block),
            BindingPattern::AssignmentPattern(inner) => {
                self.given(&inner.left, value, Some(&inner.right), block)
            }
        }
    }

    fn named(
        &mut self,
        id: &BindingIdentifier<'a>,
        value: Typed,
        block: &mut Vec<code::Statement>,
    ) -> Result<()> {
        let symbol = id.symbol_id.get();
        let changes = symbol.is_none_or(|symbol| self.module.scoping.symbol_is_mutated(symbol));
        let Typed { kind, node } = value;
        if changes && kind != Kind::Value {
            return refuse(id.span.start, "an object in a variable that changes");
        }
        if let Kind::Host(host) = kind {
            block.push(code::Statement::Run(node));
            return self.bind(symbol, Binding::Host(host), id.span.start);
        }
        let narrow = !changes && self.is_narrow(&node);
        let slot = match node {
            Node::Slot(slot) if self.unnamed.remove(&slot) => slot,
            node => {
                let slot = self.slot();
                block.push(code::Statement::Run(Node::Assign(slot, Box::new(node))));
                slot
            }
        };
        if narrow {
            self.narrow.insert(slot);
        } else {
            self.narrow.remove(&slot);
        }
        let binding = match kind {
            Kind::Json => Binding::Json(slot),
            Kind::List => Binding::List(slot),
            Kind::Value | Kind::Host(_) => Binding::Slot(slot),
        };
        self.bind(symbol, binding, id.span.start)
    }

    /// Members of something of the gateway's.
    fn members(
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
            let Some(name) = name else { return refuse(offset, what) };
            let member = self.host_member(host, &name, false, offset)?;
            self.given(&property.value, member, None, block)?;
        }
        Ok(())
    }

    /// Elements of a list.
    fn elements(
        &mut self,
        pattern: &'p ArrayPattern<'a>,
        from: Typed,
        block: &mut Vec<code::Statement>,
    ) -> Result<()> {
        if from.kind != Kind::List {
            return refuse(pattern.span.start, "a value that is taken apart");
        }
        let slot = self.slot();
        if self.is_narrow(&from.node) {
            self.narrow.insert(slot);
        }
        block.push(code::Statement::Run(Node::Assign(slot, Box::new(from.node))));
        let list = || Box::new(Node::Slot(slot));
        for (index, element) in pattern.elements.iter().enumerate() {
            let Some(element) = element else { continue };
            self.count(1, element.span().start)?;
            self.given(element, Typed::value(Node::Element(list(), index)), None, block)?;
        }
        if let Some(rest) = &pattern.rest {
            let elements = Node::Rest(list(), pattern.elements.len());
            self.given(&rest.argument, Typed::list(elements), None, block)?;
        }
        Ok(())
    }
}
