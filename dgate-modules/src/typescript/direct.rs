//! Finds the hooks of a module that need no engine, and translates them (see [`crate::direct`]).
//!
//! What is translated: functions whose statements are declarations, assignments to their own variables, `if`,
//! `switch` without falling through, `for … of` over lists, `return` and `throw new Error(…)`; expressions of
//! literals, templates, operators, methods of texts and lists, functions of the same module that do not call
//! themselves, `URL`, what `ctx` has, a `Response` that is returned, and functions of the gateway's own modules that
//! take and give texts and numbers. Whatever else stands in a hook is an [`Obstacle`]: the engine runs it.

mod answer;
mod assignment;
mod call;
mod expression;
mod function;
mod global;
mod host;
mod json;
mod list;
mod literal;
mod narrow;
mod natives;
mod pattern;
mod reply;
mod statement;
mod switch;
mod table;
mod url;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use oxc::ast::ast::{
    ArrowFunctionExpression, BindingIdentifier, BindingPattern, Declaration, ExportDefaultDeclarationKind,
    Expression, Function, ImportDeclaration, ImportDeclarationSpecifier, ModuleExportName, ObjectProperty,
    ObjectPropertyKind, Program, PropertyKind, Statement, VariableDeclaration,
};
use oxc::semantic::{AstNodes, Scoping, Semantic};
use oxc::syntax::symbol::SymbolId;

use self::function::Translator;
use super::classify::Dialect;
use super::positions::{Lines, Place};
use crate::direct::code::Constant;
use crate::direct::{Translated, Translation};
use crate::hook::Hook;
use crate::native;

/// Why a hook needs the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Obstacle {
    /// Where that stands.
    pub(crate) place: Place,
    /// What it is, as in "… runs in the engine".
    pub(crate) what: String,
}

/// The same, before its place is looked up.
#[derive(Debug)]
struct Refusal {
    offset: u32,
    what: String,
}

type Result<T> = std::result::Result<T, Refusal>;

/// Something that cannot be translated.
fn refuse<T>(offset: u32, what: impl Into<String>) -> Result<T> {
    Err(Refusal { offset, what: what.into() })
}

/// Something that stands at the top level of a module.
#[derive(Clone, Copy)]
enum Item<'a, 'p> {
    Function(&'p Function<'a>),
    Arrow(&'p ArrowFunctionExpression<'a>),
    Value(&'p Expression<'a>),
}

/// The top level of a module.
struct Module<'a, 'p> {
    lines: Lines<'p>,
    scoping: &'p Scoping,
    nodes: &'p AstNodes<'a>,
    items: HashMap<SymbolId, Item<'a, 'p>>,
    /// Functions of the gateway's own modules that it imports: of which module, and what.
    natives: HashMap<SymbolId, (&'static str, &'static str)>,
    /// What other modules can see.
    exported: HashSet<SymbolId>,
}

/// Translates the hooks of a module, as far as they need no engine.
pub(super) fn translate<'a>(
    source: &str,
    program: &Program<'a>,
    semantic: &Semantic<'a>,
    dialect: Dialect,
) -> Translated {
    let (scoping, nodes) = (semantic.scoping(), semantic.nodes());
    let lines = Lines::new(source);
    let (items, natives, exported) = (HashMap::new(), HashMap::new(), HashSet::new());
    let mut module = Module { lines, scoping, nodes, items, natives, exported };
    let exported = (dialect == Dialect::Module).then(|| module.exports(program)).flatten();
    let of_default = exported.iter().flatten().any(|(_, (_, is_default), _)| *is_default);
    let hooks = exported.map(|exported| {
        let mut hooks: [Translation; Hook::ALL.len()] = Default::default();
        for (hook, rank, item) in exported {
            hooks[hook as usize] = module.hook(hook, rank == FETCH, item);
        }
        hooks
    });
    Translated { hooks, of_default }
}

/// Which of several exports is the hook, least first: by its names in their order, itself before what stands in the default
/// export; a fetch-style handler is the last resort.
type Rank = (usize, bool);

/// That of a fetch-style handler.
const FETCH: Rank = (usize::MAX, true);

/// What is exported as a hook: an item, or what stands at an offset and cannot be followed.
type Exported<'a, 'p> = std::result::Result<Item<'a, 'p>, u32>;

impl<'a, 'p> Module<'a, 'p> {
    /// The hooks that are exported. Nothing when that is found out only by running the module.
    fn exports(&mut self, program: &'p Program<'a>) -> Option<Vec<(Hook, Rank, Exported<'a, 'p>)>> {
        program.body.iter().for_each(|statement| self.declare(statement));
        let mut found: Vec<(Hook, Rank, Exported<'a, 'p>)> = Vec::new();
        let mut add = |name: &str, is_default: bool, exported: Exported<'a, 'p>| {
            for hook in Hook::ALL {
                if let Some(rank) = hook.exports().iter().position(|known| *known == name) {
                    found.push((hook, (rank, is_default), exported));
                }
            }
            if is_default && name == "fetch" {
                found.push((Hook::RequestHandler, FETCH, exported));
            }
        };
        for statement in &program.body {
            match statement {
                Statement::ExportDeclaration(export) => {
                    if !is_followed(&export.declaration) {
                        return None;
                    }
                    for id in names(&export.declaration) {
                        self.exported.extend(id.symbol_id.get());
                        add(&id.name, false, self.item(id.symbol_id.get()).ok_or(id.span.start));
                    }
                }
                Statement::ExportNamedDeclaration(export) => {
                    for specifier in &export.specifiers {
                        if specifier.exported.name() == "default" {
                            return None;
                        }
                        let symbol = match &specifier.local {
                            ModuleExportName::IdentifierReference(local) => {
                                let reference = local.reference_id.get()?;
                                self.scoping.get_reference(reference).symbol_id()
                            }
                            _ => None,
                        };
                        add(&specifier.exported.name(), false, self.item(symbol).ok_or(specifier.span.start));
                    }
                }
                Statement::ExportDefaultDeclaration(export) => {
                    let ExportDefaultDeclarationKind::ObjectExpression(object) = &export.declaration else {
                        return None;
                    };
                    for property in &object.properties {
                        let ObjectPropertyKind::ObjectProperty(property) = property else { return None };
                        let name = property.key.static_name()?;
                        // What it inherits counts as well.
                        if name == "__proto__" {
                            return None;
                        }
                        add(&name, true, self.member(property).ok_or(property.span.start));
                    }
                }
                Statement::ExportFromDeclaration(export) => {
                    for specifier in &export.specifiers {
                        if specifier.exported.name() == "default" {
                            return None;
                        }
                        add(&specifier.exported.name(), false, Err(specifier.span.start));
                    }
                }
                Statement::ExportAllDeclaration(_)
                | Statement::TSExportAssignment(_)
                | Statement::TSImportEqualsDeclaration(_) => return None,
                _ => {}
            }
        }
        found.sort_by_key(|(hook, rank, _)| (*hook as usize, *rank));
        found.dedup_by_key(|(hook, ..)| *hook);
        Some(found)
    }

    /// What a member of the default export is, for ever: nobody in this module has a name for that object.
    fn member(&self, property: &'p ObjectProperty<'a>) -> Option<Item<'a, 'p>> {
        match &property.value {
            _ if property.kind != PropertyKind::Init => None,
            Expression::FunctionExpression(function) => Some(Item::Function(function)),
            Expression::ArrowFunctionExpression(arrow) => Some(Item::Arrow(arrow)),
            Expression::Identifier(name) => {
                let reference = name.reference_id.get()?;
                self.item(self.scoping.get_reference(reference).symbol_id())
            }
            _ => None,
        }
    }

    fn declare(&mut self, statement: &'p Statement<'a>) {
        match statement {
            Statement::ImportDeclaration(import) => self.declare_imports(import),
            Statement::FunctionDeclaration(function) => self.declare_function(function),
            Statement::VariableDeclaration(variables) => self.declare_variables(variables),
            Statement::ExportDeclaration(export) => match &export.declaration {
                Declaration::FunctionDeclaration(function) => self.declare_function(function),
                Declaration::VariableDeclaration(variables) => self.declare_variables(variables),
                _ => {}
            },
            _ => {}
        }
    }

    fn declare_imports(&mut self, import: &ImportDeclaration<'a>) {
        let Some(module) = native::find(&import.source.value, false) else { return };
        for specifier in import.specifiers.iter().flatten() {
            let ImportDeclarationSpecifier::ImportSpecifier(specifier) = specifier else { continue };
            let name = specifier.imported.name();
            let export = native::exports(module).iter().find(|export| **export == &*name);
            if let (Some(symbol), Some(export)) = (specifier.local.symbol_id.get(), export) {
                self.natives.insert(symbol, (module, *export));
            }
        }
    }

    fn declare_function(&mut self, function: &'p Function<'a>) {
        let symbol = function.id.as_ref().and_then(|id| id.symbol_id.get());
        if let Some(symbol) = symbol.filter(|_| function.body.is_some()) {
            self.items.insert(symbol, Item::Function(function));
        }
    }

    fn declare_variables(&mut self, variables: &'p VariableDeclaration<'a>) {
        for variable in &variables.declarations {
            let BindingPattern::BindingIdentifier(id) = &variable.id else { continue };
            let (Some(symbol), Some(value)) = (id.symbol_id.get(), &variable.init) else { continue };
            let item = match value {
                Expression::ArrowFunctionExpression(arrow) => Item::Arrow(arrow),
                Expression::FunctionExpression(function) => Item::Function(function),
                value => Item::Value(value),
            };
            self.items.insert(symbol, item);
        }
    }

    /// What a symbol stands for, now and for ever.
    fn item(&self, symbol: Option<SymbolId>) -> Option<Item<'a, 'p>> {
        let symbol = symbol?;
        let is_sure =
            !self.scoping.symbol_is_mutated(symbol) && self.scoping.symbol_redeclarations(symbol).is_empty();
        self.items.get(&symbol).copied().filter(|_| is_sure)
    }

    fn hook(&self, hook: Hook, is_fetch: bool, exported: Exported<'a, 'p>) -> Translation {
        let translated = match exported {
            Ok(item) if is_fetch => Translator::new(self, hook).fetch(item),
            Ok(item) => Translator::new(self, hook).hook(item),
            Err(offset) => refuse(offset, "what is not exported as a function of the module"),
        };
        match translated {
            Ok(function) => Translation::Direct(Arc::new(function)),
            Err(Refusal { offset, what }) => {
                Translation::Engine(Obstacle { place: self.place(offset), what })
            }
        }
    }

    fn place(&self, offset: u32) -> Place {
        self.lines.place(offset as usize)
    }

    /// The value of a variable of the module that never changes.
    fn constant(&self, symbol: SymbolId) -> Option<Constant> {
        match self.item(Some(symbol))? {
            Item::Value(value) => literal::constant(value),
            _ => None,
        }
    }
}

/// Whether it is known what a declaration exports.
fn is_followed(declaration: &Declaration<'_>) -> bool {
    matches!(
        declaration,
        Declaration::FunctionDeclaration(_)
            | Declaration::VariableDeclaration(_)
            | Declaration::TSTypeAliasDeclaration(_)
            | Declaration::TSInterfaceDeclaration(_)
    )
}

fn names<'a, 'p>(declaration: &'p Declaration<'a>) -> Vec<&'p BindingIdentifier<'a>> {
    match declaration {
        Declaration::FunctionDeclaration(function) => function.id.as_ref().into_iter().collect(),
        Declaration::VariableDeclaration(variables) => {
            variables.declarations.iter().flat_map(|variable| variable.id.get_binding_identifiers()).collect()
        }
        _ => Vec::new(),
    }
}
