//! What is there without being made or imported: `String(…)`, `JSON.stringify(…)`, `Math.floor(…)`.

use oxc::ast::ast::Expression;

use super::function::{Translator, Typed};
use super::{Result, refuse};
use crate::direct::code::{MathFunction, Node};

impl<'a, 'p> Translator<'a, 'p, '_> {
    /// A call of a global function.
    pub(super) fn global_call(
        &mut self,
        name: &str,
        arguments: &[&'p Expression<'a>],
        offset: u32,
    ) -> Result<Typed> {
        if !matches!(name, "atob" | "btoa" | "String" | "Number" | "Boolean" | "encodeURIComponent") {
            return refuse(offset, format!("`{name}`"));
        }
        let [argument] = arguments else {
            return refuse(offset, format!("`{name}` with other than one argument"));
        };
        let value = Box::new(self.value(argument)?);
        if matches!(name, "atob" | "btoa") {
            self.may_need_engine(&format!("`{name}`"), offset)?;
        }
        Ok(Typed::value(match name {
            "String" => Node::ToText(value),
            "Number" => Node::ToNumber(value),
            "atob" => Node::FromBase64(value),
            "btoa" => Node::ToBase64(value),
            "Boolean" => Node::Not(Box::new(Node::Not(value))),
            _ => Node::Encode(value, self.place(offset)),
        }))
    }

    /// A call of a method of a global object.
    pub(super) fn global_method(
        &mut self,
        object: &str,
        name: &str,
        arguments: &[&'p Expression<'a>],
        offset: u32,
    ) -> Result<Typed> {
        let node = match (object, name, arguments) {
            ("JSON", "stringify", [value]) => {
                let json = self.json_of(value)?;
                Node::Json(Box::new(json), self.place(offset))
            }
            ("Date", "now", []) => Node::Now,
            ("crypto", "randomUUID", []) => {
                return self.native_call(("dgate/crypto", "randomUUID"), arguments, offset);
            }
            ("Math", name, arguments) if let Some(function) = MathFunction::named(name, arguments.len()) => {
                let numbers = arguments.iter().map(|number| self.value(number)).collect::<Result<_>>()?;
                Node::Math(function, numbers)
            }
            _ => return refuse(offset, format!("`{object}.{name}`")),
        };
        Ok(Typed::value(node))
    }
}
