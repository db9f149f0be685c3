//! Lists of the module that nobody changes.

use std::sync::Arc;

use oxc::ast::AstKind;
use oxc::ast::ast::Expression;
use oxc::syntax::node::NodeId;
use oxc::syntax::symbol::SymbolId;

use super::{Item, Module, literal};
use crate::direct::code::Constant;

impl Module<'_, '_> {
    /// The elements of a list of the module, if all of the module only looks at it.
    pub(super) fn list(&self, symbol: SymbolId) -> Option<Arc<[Constant]>> {
        let Item::Value(Expression::ArrayExpression(array)) = self.item(Some(symbol))? else { return None };
        let mut references = self.scoping.get_resolved_reference_ids(symbol).iter();
        let is_looked_at = !self.exported.contains(&symbol)
            && references.all(|reference| self.only_looks(self.scoping.get_reference(*reference).node_id()));
        if is_looked_at { literal::list(array) } else { None }
    }

    /// Whether what is done with a list where it is named leaves it as it is, and hands it on to nobody.
    fn only_looks(&self, name: NodeId) -> bool {
        let parent = self.nodes.parent_id(name);
        match self.nodes.kind(parent) {
            AstKind::StaticMemberExpression(member) => match self.nodes.parent_kind(parent) {
                AstKind::CallExpression(_) => {
                    matches!(&*member.property.name, "at" | "includes" | "indexOf" | "join")
                }
                AstKind::BinaryExpression(_) => member.property.name == "length",
                _ => false,
            },
            _ => false,
        }
    }
}
