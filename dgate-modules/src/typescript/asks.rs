//! What a module will ask permission for, as far as its text tells.

use std::collections::HashMap;

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    Argument, CallExpression, Expression, ImportDeclaration, ImportDeclarationSpecifier, ObjectPropertyKind,
    StaticMemberExpression,
};
use oxc::ast_visit::{Visit, walk};
use oxc::parser::Parser;
use oxc::span::SourceType;

use super::Place;
use super::positions::place;
use crate::stack::with_room;

/// Something that a module will ask permission for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) permission: &'static str,
    /// What for, when it stands there as it is.
    pub(crate) scope: Option<String>,
    /// Whether there is a scope at all, known or not.
    pub(crate) has_scope: bool,
    pub(crate) place: Place,
}

/// Where the scope of a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    None,
    /// In the argument of this number.
    Argument(usize),
    /// In this property of the first argument.
    Property(&'static str),
    /// It is the host of the URL that is the first argument.
    Host,
}

/// Functions that need a permission: module, export, permission, and where the scope stands.
const FUNCTIONS: [(&str, &str, &str, Scope); 20] = [
    ("dgate/http", "fetch", "os:net:http", Scope::Host),
    ("dgate/state", "getDocument", "resource:document:read", Scope::Argument(1)),
    ("dgate/state", "getDocuments", "resource:document:read", Scope::Property("collection")),
    ("dgate/state", "addDocument", "resource:document:write", Scope::Property("collection")),
    ("dgate/state", "deleteDocument", "resource:document:write", Scope::Property("collection")),
    ("dgate/state", "getCollection", "resource:collection:read", Scope::Argument(0)),
    ("dgate/state", "addCollection", "resource:collection:write", Scope::Property("name")),
    ("dgate/state", "deleteCollection", "resource:collection:write", Scope::Argument(0)),
    ("dgate/storage", "getCache", "cache", Scope::None),
    ("dgate/storage", "setCache", "cache", Scope::None),
    ("dgate/storage", "deleteCache", "cache", Scope::None),
    ("dgate/storage", "increment", "cache", Scope::None),
    ("dgate/secrets", "getSecret", "resource:secret:read", Scope::Argument(0)),
    ("dgate/events", "emit", "event:emit", Scope::Argument(0)),
    ("dgate/upstream", "endpoints", "resource:service:health", Scope::Argument(0)),
    ("dgate/upstream", "setHealth", "resource:service:health", Scope::Argument(0)),
    ("dgate/upstream", "setWeight", "resource:service:health", Scope::Argument(0)),
    ("dgate/fs", "readFile", "os:file:read", Scope::Argument(0)),
    // Methods of `ctx` in the script dialect.
    ("ctx", "getDocument", "resource:document:read", Scope::Argument(0)),
    ("ctx", "setDocument", "resource:document:write", Scope::Argument(0)),
];

/// What a source asks for; nothing when it does not compile.
pub(crate) fn asks(source: &str, typescript: bool) -> Vec<Asked> {
    with_room(|| asks_here(source, typescript))
}

fn asks_here(source: &str, typescript: bool) -> Vec<Asked> {
    let allocator = Allocator::default();
    let language = if typescript { SourceType::ts() } else { SourceType::mjs() };
    let parsed = Parser::new(&allocator, source, language).parse();
    let is_script = !parsed.module_record.has_module_syntax && !typescript;
    let mut asks =
        Asks { source, is_script, names: HashMap::new(), spaces: HashMap::new(), found: Vec::new() };
    asks.names.insert("fetch".to_owned(), ("dgate/http", "fetch"));
    asks.visit_program(&parsed.program);
    asks.found
}

struct Asks<'s> {
    source: &'s str,
    is_script: bool,
    /// Local names of what is imported: module and export.
    names: HashMap<String, (&'static str, &'static str)>,
    /// Local names of modules that are imported as a whole.
    spaces: HashMap<String, &'static str>,
    found: Vec<Asked>,
}

impl Asks<'_> {
    fn add(&mut self, permission: &'static str, scope: Option<String>, has_scope: bool, at: u32) {
        let place = place(self.source, at as usize);
        self.found.push(Asked { permission, scope, has_scope, place });
    }

    /// The function that a callee means.
    fn callee(&self, callee: &Expression<'_>) -> Option<(&'static str, &'static str)> {
        match callee {
            Expression::Identifier(name) => self.names.get(name.name.as_str()).copied(),
            Expression::StaticMemberExpression(member) => {
                let Expression::Identifier(object) = &member.object else { return None };
                let space = match self.spaces.get(object.name.as_str()) {
                    Some(space) => *space,
                    None if self.is_script => "ctx",
                    None => return None,
                };
                let name = member.property.name.as_str();
                FUNCTIONS.iter().find(|f| f.0 == space && f.1 == name).map(|f| (f.0, f.1))
            }
            _ => None,
        }
    }
}

impl<'a> Visit<'a> for Asks<'_> {
    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        let module = it.source.value.as_str();
        for specifier in it.specifiers.iter().flatten() {
            match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(import) => {
                    let name = import.imported.name();
                    if let Some(found) = FUNCTIONS.iter().find(|f| f.0 == module && f.1 == name.as_str()) {
                        self.names.insert(import.local.name.to_string(), (found.0, found.1));
                    }
                }
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(import) => {
                    if let Some(found) = FUNCTIONS.iter().find(|f| f.0 == module) {
                        self.spaces.insert(import.local.name.to_string(), found.0);
                    }
                }
                ImportDeclarationSpecifier::ImportDefaultSpecifier(_) => {}
            }
        }
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        if let Some((module, name)) = self.callee(&it.callee)
            && let Some((_, _, permission, scope)) = FUNCTIONS.iter().find(|f| f.0 == module && f.1 == name)
        {
            let text = match *scope {
                Scope::None => None,
                Scope::Argument(index) => it.arguments.get(index).and_then(text_of),
                Scope::Property(name) => it.arguments.first().and_then(|first| property(first, name)),
                Scope::Host => it.arguments.first().and_then(beginning).and_then(|url| host(&url)),
            };
            self.add(permission, text, *scope != Scope::None, it.span.start);
        }
        walk::walk_call_expression(self, it);
    }

    fn visit_static_member_expression(&mut self, it: &StaticMemberExpression<'a>) {
        if let Expression::StaticMemberExpression(env) = &it.object
            && env.property.name == "env"
            && matches!(&env.object, Expression::Identifier(object) if object.name == "process")
        {
            self.add("os:env:read", Some(it.property.name.to_string()), true, it.span.start);
        }
        walk::walk_static_member_expression(self, it);
    }
}

fn text_of(argument: &Argument<'_>) -> Option<String> {
    literal(argument.as_expression()?)
}

fn literal(expression: &Expression<'_>) -> Option<String> {
    match expression {
        Expression::StringLiteral(text) => Some(text.value.to_string()),
        Expression::TemplateLiteral(text) if text.expressions.is_empty() => {
            text.quasis.first().map(|part| part.value.raw.to_string())
        }
        _ => None,
    }
}

/// How a text begins, even if not all of it is known.
fn beginning(argument: &Argument<'_>) -> Option<String> {
    match argument.as_expression()? {
        Expression::TemplateLiteral(text) => text.quasis.first().map(|part| part.value.raw.to_string()),
        other => literal(other),
    }
}

fn property(argument: &Argument<'_>, name: &str) -> Option<String> {
    let Expression::ObjectExpression(object) = argument.as_expression()? else { return None };
    object.properties.iter().find_map(|property| match property {
        ObjectPropertyKind::ObjectProperty(property) => {
            let is_it = property.key.static_name().is_some_and(|key| key == name);
            is_it.then(|| literal(&property.value)).flatten()
        }
        ObjectPropertyKind::SpreadProperty(_) => None,
    })
}

/// The host of a URL of which the path may be missing, with its port.
fn host(url: &str) -> Option<String> {
    let rest = url.split_once("://")?.1;
    let (authority, _) = rest.split_once(['/', '?', '#'])?;
    let parsed = url::Url::parse(&format!("{}://{authority}", url.split_once("://")?.0)).ok()?;
    Some(format!("{}:{}", parsed.host_str()?, parsed.port_or_known_default()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str, typescript: bool) -> Vec<String> {
        let mut found: Vec<String> = asks(source, typescript)
            .into_iter()
            .map(|asked| match asked.scope {
                Some(scope) => format!("{}={scope}", asked.permission),
                None => asked.permission.to_owned(),
            })
            .collect();
        found.sort();
        found
    }

    #[test]
    fn what_stands_there_is_told() {
        let source = "import { getDocument as get, addDocument } from 'dgate/state';
            import * as cache from 'dgate/storage';
            export async function requestHandler(ctx) {
              await get('a', 'links'); await addDocument({ id: 'a', collection: 'notes', data: 1 });
              cache.increment('n'); fetch(`https://api.example/users/${ctx.id}`); fetch(ctx.env.URL);
              return process.env.HOME;
            }";
        assert_eq!(
            found(source, true),
            [
                "cache",
                "os:env:read=HOME",
                "os:net:http",
                "os:net:http=api.example:443",
                "resource:document:read=links",
                "resource:document:write=notes",
            ]
        );
        let script = "function requestHandler(ctx) { ctx.setDocument('links', 'a', 1); }";
        assert_eq!(found(script, false), ["resource:document:write=links"]);
    }

    #[test]
    fn a_host_that_is_cut_off_is_not_one() {
        assert_eq!(host("https://api."), None);
        assert_eq!(host("http://a:81/x").as_deref(), Some("a:81"));
    }
}
