//! What a file of declarations says there is.

use std::collections::{BTreeMap, BTreeSet};

use oxc::allocator::Allocator;
use oxc::ast::ast::{ClassElement, Declaration, PropertyKey, Statement, TSSignature, VariableDeclaration};
use oxc::parser::Parser;
use oxc::span::SourceType;

/// Names of members, by what they belong to.
type Members = BTreeMap<String, BTreeSet<String>>;

/// What a file of declarations says there is.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    /// What modules export, types left out.
    pub(crate) modules: Members,
    /// Members of interfaces and classes; static ones begin with `static `.
    pub(crate) members: Members,
    /// Values and classes that are global.
    pub(crate) globals: BTreeSet<String>,
}

/// Reads a file of declarations.
pub(crate) fn read(source: &str) -> Declared {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, source, SourceType::d_ts()).parse();
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let mut declared = Declared::default();
    for statement in &parsed.program.body {
        if let Some(declaration) = statement.as_declaration() {
            declared.global(declaration);
        }
    }
    declared
}

impl Declared {
    fn global(&mut self, declaration: &Declaration<'_>) {
        match declaration {
            Declaration::TSExternalModuleDeclaration(module) => {
                let exports = self.modules.entry(module.id.value.to_string()).or_default();
                for statement in module.body.iter().flat_map(|block| &block.body) {
                    exported(statement, exports);
                }
            }
            Declaration::TSInterfaceDeclaration(interface) => {
                let members = self.members.entry(interface.id.name.to_string()).or_default();
                members.extend(interface.body.body.iter().filter_map(signature));
            }
            Declaration::ClassDeclaration(class) => {
                let name = class.id.as_ref().map(|id| id.name.to_string()).unwrap_or_default();
                let members = self.members.entry(name.clone()).or_default();
                members.extend(class.body.body.iter().filter_map(element));
                self.globals.insert(name);
            }
            Declaration::FunctionDeclaration(function) => {
                self.globals.extend(function.id.as_ref().map(|id| id.name.to_string()));
            }
            Declaration::VariableDeclaration(variables) => self.globals.extend(names(variables)),
            _ => {}
        }
    }
}

fn exported(statement: &Statement<'_>, exports: &mut BTreeSet<String>) {
    match statement {
        Statement::ExportDeclaration(export) => match &export.declaration {
            Declaration::FunctionDeclaration(function) => {
                exports.extend(function.id.as_ref().map(|id| id.name.to_string()));
            }
            Declaration::VariableDeclaration(variables) => exports.extend(names(variables)),
            _ => {}
        },
        Statement::ExportNamedDeclaration(export) => {
            exports.extend(export.specifiers.iter().map(|specifier| specifier.exported.name().to_string()));
        }
        _ => {}
    }
}

fn names(variables: &VariableDeclaration<'_>) -> Vec<String> {
    let ids = variables.declarations.iter().filter_map(|variable| variable.id.get_identifier_name());
    ids.map(|name| name.to_string()).collect()
}

fn key(key: &PropertyKey<'_>) -> Option<String> {
    key.static_name().map(|name| name.to_string())
}

fn signature(signature: &TSSignature<'_>) -> Option<String> {
    match signature {
        TSSignature::TSPropertySignature(property) => key(&property.key),
        TSSignature::TSMethodSignature(method) => key(&method.key),
        _ => None,
    }
}

fn element(element: &ClassElement<'_>) -> Option<String> {
    let (name, is_static) = match element {
        ClassElement::MethodDefinition(method) => (key(&method.key)?, method.r#static),
        ClassElement::PropertyDefinition(property) => (key(&property.key)?, property.r#static),
        _ => return None,
    };
    if name == "constructor" {
        return None;
    }
    Some(if is_static { format!("static {name}") } else { name })
}
