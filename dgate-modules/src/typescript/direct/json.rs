//! Objects and lists as they stand in a hook, which become JSON.

use std::sync::Arc;

use oxc::ast::ast::{Expression, ObjectExpression, ObjectPropertyKind, PropertyKey, PropertyKind};
use oxc::span::GetSpan;

use super::function::{Kind, Translator, Typed};
use super::{Result, refuse};
use crate::direct::code::{Constant, Json, Node};

impl<'a, 'p> Translator<'a, 'p, '_> {
    /// JSON of an expression.
    pub(super) fn json_of(&mut self, value: &'p Expression<'a>) -> Result<Json> {
        let typed = self.expression(value)?;
        match typed.kind {
            Kind::Host(_) => refuse(value.span().start, "JSON of this"),
            Kind::Value | Kind::Json | Kind::List => Ok(json(typed)),
        }
    }

    /// An object.
    pub(super) fn object(&mut self, object: &'p ObjectExpression<'a>) -> Result<Typed> {
        let mut members: Vec<(Box<str>, Json)> = Vec::new();
        for property in &object.properties {
            let ObjectPropertyKind::ObjectProperty(property) = property else {
                return refuse(property.span().start, "`...`");
            };
            let offset = property.span.start;
            let is_whole = !matches!(&property.key, PropertyKey::StringLiteral(key) if key.lone_surrogates);
            let name = property.key.static_name().filter(|_| !property.computed);
            let is_plain = property.kind == PropertyKind::Init && !property.method && is_whole;
            let Some(name) = name.filter(|_| is_plain) else {
                return refuse(offset, "a member whose name is computed, or that is a function");
            };
            // Numbers come first whatever the order; these two mean something.
            if name.starts_with(|c: char| c.is_ascii_digit()) || matches!(&*name, "__proto__" | "toJSON") {
                return refuse(offset, format!("a member of the name `{name}`"));
            }
            let mut key = Vec::new();
            crate::json::quote(&name, &mut key);
            key.push(b':');
            let key = String::from_utf8_lossy(&key).into_owned().into_boxed_str();
            if members.iter().any(|(known, _)| *known == key) {
                return refuse(offset, "a member that is there twice");
            }
            members.push((key, self.json_of(&property.value)?));
        }
        let place = self.place(object.span.start);
        Ok(Typed { kind: Kind::Json, node: Node::Json(Box::new(Json::Object(members)), place) })
    }
}

/// JSON of what is nothing of the gateway's.
pub(super) fn json(typed: Typed) -> Json {
    match (typed.kind, typed.node) {
        (Kind::Json, Node::Json(json, _)) => *json,
        (Kind::Json, Node::Slot(slot)) => Json::Slot(slot),
        (Kind::List, Node::List(elements)) => Json::Array(elements.into_iter().map(of_value).collect()),
        (_, node) => of_value(node),
    }
}

fn of_value(node: Node) -> Json {
    match node {
        Node::Constant(constant) => {
            ready(&constant).map_or_else(|| Json::Value(Node::Constant(constant)), Json::Ready)
        }
        node => Json::Value(node),
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
