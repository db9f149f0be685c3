//! What a compiled module imports and exports.

use oxc::allocator::Allocator;
use oxc::parser::Parser;
use oxc::span::SourceType;
use oxc::syntax::module_record::{ExportExportName, ExportImportName, ImportImportName};

use super::positions::{self, Place, Positions};

/// One thing that a module imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    /// From where, as written.
    pub(crate) specifier: String,
    pub(crate) name: Imported,
    pub(crate) place: Place,
}

/// What is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Imported {
    Name(String),
    /// `import * as`, or an import for its effect alone.
    Everything,
}

/// `export * from`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReExport {
    pub(crate) specifier: String,
    pub(crate) place: Place,
}

#[derive(Debug, Default)]
pub(super) struct Links {
    pub(super) imports: Vec<Import>,
    pub(super) exports: Vec<String>,
    pub(super) reexports: Vec<ReExport>,
}

/// Reads them off the generated code: imports of types alone are gone from it.
pub(super) fn read(code: &str, map: &Positions) -> Links {
    let allocator = Allocator::default();
    let record = Parser::new(&allocator, code, SourceType::mjs()).parse().module_record;
    let place = |offset: u32| {
        let generated = positions::place(code, offset as usize);
        map.source(generated.line, generated.column).unwrap_or(Place { line: 1, column: 1 })
    };
    let mut links = Links::default();
    let mut named: Vec<String> = Vec::new();
    for entry in &record.import_entries {
        let name = match &entry.import_name {
            ImportImportName::Name(name) => Imported::Name(name.name.to_string()),
            ImportImportName::Default(_) => Imported::Name("default".to_owned()),
            ImportImportName::NamespaceObject => Imported::Everything,
        };
        let specifier = entry.module_request.name.to_string();
        named.push(specifier.clone());
        links.imports.push(Import { specifier, name, place: place(entry.statement_span.start) });
    }
    for entry in &record.indirect_export_entries {
        let Some(request) = &entry.module_request else { continue };
        let name = match &entry.import_name {
            ExportImportName::Name(name) => Imported::Name(name.name.to_string()),
            _ => Imported::Everything,
        };
        let specifier = request.name.to_string();
        named.push(specifier.clone());
        links.imports.push(Import { specifier, name, place: place(entry.statement_span.start) });
    }
    for entry in &record.star_export_entries {
        let Some(request) = &entry.module_request else { continue };
        let specifier = request.name.to_string();
        named.push(specifier.clone());
        links.reexports.push(ReExport { specifier, place: place(entry.statement_span.start) });
    }
    // For its effect alone.
    for (specifier, requests) in &record.requested_modules {
        if !named.iter().any(|known| known == specifier.as_str()) {
            let at = requests.first().map_or(0, |request| request.statement_span.start);
            let specifier = specifier.to_string();
            links.imports.push(Import { specifier, name: Imported::Everything, place: place(at) });
        }
    }
    links.imports.sort_by_key(|import| import.place);
    let exported = record.local_export_entries.iter().chain(record.indirect_export_entries.iter());
    for entry in exported {
        match &entry.export_name {
            ExportExportName::Name(name) => links.exports.push(name.name.to_string()),
            ExportExportName::Default(_) => links.exports.push("default".to_owned()),
            ExportExportName::Null => {}
        }
    }
    links.exports.retain(|name| !name.starts_with("__dgate_"));
    links.exports.sort();
    links
}
