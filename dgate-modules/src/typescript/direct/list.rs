//! Lists, and their methods.

use oxc::ast::ast::{ArrayExpression, Expression};
use oxc::span::GetSpan;

use super::function::{Kind, Translator, Typed};
use super::json::json;
use super::{Result, refuse};
use crate::direct::code::{Json, ListCall, ListMethod, Node};

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

    /// `list.name(…)`.
    pub(super) fn list_method(
        &mut self,
        list: Node,
        name: &str,
        arguments: &[&'p Expression<'a>],
        offset: u32,
    ) -> Result<Typed> {
        let Some(method) = ListMethod::named(name, arguments.len()) else {
            return refuse(offset, format!("`{name}` of a list"));
        };
        let arguments = arguments.iter().map(|argument| self.value(argument)).collect::<Result<Vec<_>>>()?;
        let node = Node::ListCall(Box::new(ListCall { method, list, arguments, place: self.place(offset) }));
        Ok(if method.makes_list() { Typed::list(node) } else { Typed::value(node) })
    }
}
