//! Texts without characters of two units: these can be taken apart wherever one likes.

use super::function::Translator;
use crate::direct::code::{Constant, NativeFunction, Node, Operation, Read, TextMethod};

impl Translator<'_, '_, '_> {
    /// Whether a value is such a text, or none; or a list of these.
    pub(super) fn is_narrow(&self, node: &Node) -> bool {
        match node {
            Node::Constant(Constant::Text(text)) => is_narrow_text(text),
            Node::ConstantList(list) => list.iter().all(|constant| match constant {
                Constant::Text(text) => is_narrow_text(text),
                _ => true,
            }),
            Node::Slot(slot) => self.narrow.contains(slot),
            Node::Template(parts, _) | Node::List(parts) => parts.iter().all(|part| self.is_narrow(part)),
            Node::Add(sides, _)
            | Node::And(sides)
            | Node::Or(sides)
            | Node::Coalesce(sides)
            | Node::Default(sides) => sides.iter().all(|side| self.is_narrow(side)),
            Node::Choose(parts) => parts[1..].iter().all(|part| self.is_narrow(part)),
            Node::Then(both) => self.is_narrow(&both[1]),
            Node::Assign(_, value) | Node::ToText(value) | Node::Element(value, _) | Node::Rest(value, _) => {
                self.is_narrow(value)
            }
            Node::Index(both, _) => self.is_narrow(&both[0]),
            Node::Text(call) => {
                let with = match call.method {
                    TextMethod::Concat | TextMethod::PadEnd | TextMethod::PadStart => {
                        call.arguments.as_slice()
                    }
                    TextMethod::Replace | TextMethod::ReplaceAll => &call.arguments[1..],
                    _ => &[],
                };
                call.method.is_number()
                    || (self.is_narrow(&call.receiver) && with.iter().all(|node| self.is_narrow(node)))
            }
            Node::ListCall(call) => {
                self.is_narrow(&call.list) && call.arguments.iter().all(|node| self.is_narrow(node))
            }
            Node::Read(read) => is_narrow_read(read),
            // Headers have a character for each byte.
            Node::Operation(operation, _) => matches!(
                **operation,
                Operation::GetHeader(..) | Operation::HasHeader(..) | Operation::HasQuery(_)
            ),
            Node::Native(call, _) => call.function != NativeFunction::GetCache,
            Node::Json(..) | Node::Call(_) | Node::MakeUrl(..) => false,
            Node::Constant(_)
            | Node::Arithmetic(..)
            | Node::Compare(..)
            | Node::Same(_)
            | Node::IsNullish(_)
            | Node::Not(_)
            | Node::Negate(_)
            | Node::ToNumber(_)
            | Node::TypeOf(_)
            | Node::Math(..)
            | Node::Now
            | Node::Encode(..)
            | Node::UrlPart(..)
            | Node::FromBase64(_)
            | Node::ToBase64(_)
            | Node::Digest(_)
            | Node::OneOf(..) => true,
        }
    }
}

fn is_narrow_text(text: &str) -> bool {
    text.chars().all(|character| character.len_utf16() == 1)
}

/// What the gateway itself makes sure of: targets of requests have been parsed.
fn is_narrow_read(read: &Read) -> bool {
    !matches!(read, Read::Env(_) | Read::ErrorMessage | Read::NodeId)
}

/// Whether a value is a number for certain.
pub(super) fn is_number(node: &Node) -> bool {
    match node {
        Node::Constant(Constant::Number(_))
        | Node::Arithmetic(..)
        | Node::Negate(_)
        | Node::ToNumber(_)
        | Node::Math(..)
        | Node::Now => true,
        Node::Add(sides, _) => sides.iter().all(is_number),
        Node::Text(call) => call.method.is_number() && !call.optional && call.method != TextMethod::Length,
        _ => false,
    }
}
