//! What kind of module a source is.

use oxc::ast::ast::{BindingPattern, Program, Statement};
use oxc::semantic::Scoping;

use crate::hook::HOOKS;

/// What a module was written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// An ES module.
    Module,
    /// `exports.x = …`, `require(…)`.
    CommonJs,
    /// Neither imports nor exports, but global functions named like hooks; JavaScript only.
    Script,
}

/// Says what a source is. `has_module_syntax`: it imports or exports.
pub(super) fn classify(
    program: &Program<'_>,
    scoping: &Scoping,
    has_module_syntax: bool,
    typescript: bool,
) -> Dialect {
    if has_module_syntax {
        return Dialect::Module;
    }
    let free = scoping.root_unresolved_references();
    if ["exports", "module", "require"].iter().any(|name| free.contains_key(*name)) {
        return Dialect::CommonJs;
    }
    if !typescript && !global_hooks(program).is_empty() { Dialect::Script } else { Dialect::Module }
}

/// The hooks among the global functions of a script.
pub(super) fn global_hooks(program: &Program<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for statement in &program.body {
        match statement {
            Statement::FunctionDeclaration(function) => {
                found.extend(function.id.as_ref().map(|id| id.name.to_string()));
            }
            Statement::VariableDeclaration(variables) => {
                for variable in &variables.declarations {
                    if let BindingPattern::BindingIdentifier(id) = &variable.id {
                        found.push(id.name.to_string());
                    }
                }
            }
            _ => {}
        }
    }
    found.retain(|name| HOOKS.contains(&name.as_str()));
    found.dedup();
    found
}
