//! TypeScript and JavaScript source, made ready for the engine. Nothing else names the compiler.
//!
//! Three steps, all of them on text: find out what kind of module it is, put *ticks* into loops and functions (see
//! [`ticks`]), and strip what is TypeScript. Positions in the result lead back to the written source.

/// Characters of a regular expression, at most: the engine takes the square of that to compile one.
const LONGEST_PATTERN: usize = 1 << 16;
/// Alternatives in it, at most.
const MOST_ALTERNATIVES: usize = 3_000;

/// What is wrong with a regular expression of so many characters and `|`, if it is too large.
pub(crate) fn too_large(characters: usize, bars: usize) -> Option<String> {
    (characters > LONGEST_PATTERN || bars > MOST_ALTERNATIVES).then(|| {
        format!(
            "a regular expression has at most {LONGEST_PATTERN} characters and {MOST_ALTERNATIVES} `|`, this one {characters} and {bars}"
        )
    })
}

mod asks;
mod classify;
mod commonjs;
#[cfg(test)]
pub(crate) mod declared;
mod diagnose;
mod direct;
mod growth;
mod links;
mod nesting;
mod places;
mod positions;
mod ticks;
mod weave;

use std::path::Path;

use oxc::allocator::Allocator;
use oxc::codegen::{Codegen, CodegenOptions, CommentOptions};
use oxc::parser::Parser;
use oxc::semantic::SemanticBuilder;
use oxc::span::SourceType;
use oxc::transformer::{TransformOptions, Transformer};

use crate::direct::Translated;

pub(crate) use asks::asks;
pub(crate) use classify::Dialect;
pub(crate) use direct::Obstacle;
pub(crate) use links::{Import, Imported, ReExport};
pub(crate) use positions::{Place, Positions};

/// Source that the engine can run.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// An ES module in JavaScript.
    pub(crate) code: String,
    /// Where things stood in the source.
    pub(crate) positions: Positions,
    /// What was written.
    pub(crate) dialect: Dialect,
    /// What it imports from other modules, in order.
    pub(crate) imports: Vec<Import>,
    /// What it exports by name.
    pub(crate) exports: Vec<String>,
    /// What it exports of other modules as a whole (`export * from`).
    pub(crate) reexports: Vec<ReExport>,
    /// Its hooks, as far as they need no engine.
    pub(crate) translated: Translated,
}

impl Compiled {
    /// Whether it imports the default export of another module, as such or among everything.
    pub(crate) fn takes_default(&self) -> bool {
        self.imports.iter().any(|import| {
            let is_default = match &import.name {
                Imported::Name(name) => name == "default",
                Imported::Everything => true,
            };
            is_default && crate::native::find(&import.specifier, true).is_none()
        })
    }
}

/// Something is wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) place: Place,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// Compiles a module. `typescript` says whether types are allowed.
///
/// # Errors
/// Everything the parser complains about, and what is nested too deeply.
pub(crate) fn compile(source: &str, typescript: bool) -> Result<Compiled, Vec<Fault>> {
    nesting::with_room(source, || compile_here(source, typescript))
}

fn compile_here(source: &str, typescript: bool) -> Result<Compiled, Vec<Fault>> {
    let language = if typescript { SourceType::ts() } else { SourceType::mjs() };
    let (instrumented, translated) = {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, source, language).parse();
        if !parsed.diagnostics.is_empty() {
            return Err(diagnose::faults(parsed.diagnostics, source, None));
        }
        let program = &parsed.program;
        nesting::check(source, program)?;
        let checked =
            SemanticBuilder::new().with_build_nodes(true).with_check_syntax_error(true).build(program);
        if !checked.diagnostics.is_empty() {
            return Err(diagnose::faults(checked.diagnostics, source, None));
        }
        let scoping = checked.semantic.scoping();
        let has_module_syntax = parsed.module_record.has_module_syntax;
        let dialect = classify::classify(program, scoping, has_module_syntax, typescript);
        let translated = direct::translate(source, program, &checked.semantic, dialect);
        (ticks::instrument(source, program, scoping, dialect)?, translated)
    };

    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, &instrumented.text, language).parse();
    let inserted = Some(&instrumented.inserted);
    if !parsed.diagnostics.is_empty() {
        return Err(diagnose::faults(parsed.diagnostics, source, inserted));
    }
    let mut program = parsed.program;
    if typescript {
        let scoping = SemanticBuilder::new()
            .with_excess_capacity(2.0)
            .with_enum_eval(true)
            .build(&program)
            .semantic
            .into_scoping();
        let transformed = Transformer::new(&allocator, Path::new("module.ts"), &TransformOptions::default())
            .build_with_scoping(scoping, &mut program);
        if !transformed.diagnostics.is_empty() {
            return Err(diagnose::faults(transformed.diagnostics, source, inserted));
        }
    }
    let options = CodegenOptions {
        source_map_path: Some("module".into()),
        comments: CommentOptions::disabled(),
        ..CodegenOptions::default()
    };
    let printed = Codegen::new().with_options(options).build(&program);
    let map = printed.map.iter().flat_map(|map| map.get_tokens()).map(|token| {
        ((token.get_dst_line(), token.get_dst_col()), (token.get_src_line(), token.get_src_col()))
    });
    let positions = Positions::new(map, &instrumented, source);
    let links = links::read(&printed.code, &positions);
    Ok(Compiled {
        code: printed.code,
        positions,
        dialect: instrumented.dialect,
        imports: links.imports,
        exports: links.exports,
        reexports: links.reexports,
        translated,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_go_and_positions_stay() {
        let source = "type A = { x: number };\ninterface B {}\nexport function requestModifier(ctx: any): void {\n  const a: A = { x: 1 };\n  throw new Error(`no ${a.x}`);\n}\n";
        let compiled = compile(source, true).unwrap();
        assert!(!compiled.code.contains("interface"), "{}", compiled.code);
        assert_eq!(compiled.exports, ["requestModifier"]);
        assert_eq!(compiled.dialect, Dialect::Module);
        let line = compiled.code.lines().position(|line| line.contains("throw")).unwrap() as u32 + 1;
        assert_eq!(compiled.positions.source(line, 2).map(|place| (place.line, place.column)), Some((5, 3)));
    }

    #[test]
    fn faults_have_places() {
        let faults = compile("export const a = 1;\nexport const b = ;\n", true).unwrap_err();
        assert_eq!((faults[0].place.line, faults[0].place.column), (2, 18));
        let faults = compile("let a = 1;\nlet a = 2;\nexport { a };", false).unwrap_err();
        assert_eq!(faults[0].place.line, 2, "{faults:?}");
    }

    #[test]
    fn imports_and_exports_are_known() {
        let source = "import type { T } from './types';\nimport { a, b as c } from './auth';\nimport d from 'x';\nimport * as e from 'dgate';\nexport * from './more';\nexport { f } from './f';\nexport default { fetch: () => [a, c, d, e] };";
        let compiled = compile(source, true).unwrap();
        let imports: Vec<_> = compiled.imports.iter().map(|i| (i.specifier.as_str(), &i.name)).collect();
        assert_eq!(
            imports,
            [
                ("./auth", &Imported::Name("a".into())),
                ("./auth", &Imported::Name("b".into())),
                ("x", &Imported::Name("default".into())),
                ("dgate", &Imported::Everything),
                ("./f", &Imported::Name("f".into())),
            ]
        );
        assert_eq!(compiled.reexports[0].specifier, "./more");
        assert_eq!(compiled.exports, ["default", "f"]);
        assert_eq!(compiled.imports[0].place.line, 2);
    }

    #[test]
    fn every_function_and_loop_ticks() {
        let source = "export const f = (x) => ({ x });\nexport function g() { 'use strict'; for (;;) g(); while (1) { g() } do g(); while (0) }\nclass C { m() {} get p() { return 1 } static { while (0); } }\nconst h = () => { for (;;) { function i() { return 1 } } };\nlabel: for (const a of []) continue label;\n";
        let compiled = compile(source, false).unwrap();
        // Six functions and methods; the loop of the static block and that outside of functions.
        assert_eq!(compiled.code.matches("--__dgate_fuel").count(), 8, "{}", compiled.code);
        // The loops of `g` and `h`, which have a variable of their own for them.
        assert_eq!(compiled.code.matches("--__dgate_left").count(), 4, "{}", compiled.code);
        assert_eq!(compiled.code.matches("let __dgate_left").count(), 2, "{}", compiled.code);
        let (directive, after) = compiled.code.split_once("\"use strict\"").unwrap();
        assert!(directive.ends_with("{\n\t") && after.contains("--__dgate_fuel"), "{}", compiled.code);
    }

    #[test]
    fn ticks_cannot_be_tampered_with() {
        for source in ["__dgate_fuel = 1e9;", "let \\u005f_dgate_tick = 0;", "export function __dgate_x() {}"]
        {
            let faults = compile(source, false).unwrap_err();
            assert!(faults[0].message.contains("__dgate_"), "{faults:?}");
        }
    }

    #[test]
    fn commonjs_and_scripts_become_modules() {
        let common =
            "const h = require('dgate/http');\nexports.requestHandler = function (ctx) { return h; };\n";
        let compiled = compile(common, false).unwrap();
        assert_eq!(compiled.dialect, Dialect::CommonJs);
        assert_eq!(compiled.exports, ["default", "requestHandler"]);
        assert_eq!(compiled.imports[0].specifier, "dgate/http");
        let script = "function requestHandler(ctx) { ctx.json({}); }\n";
        let compiled = compile(script, false).unwrap();
        assert_eq!(compiled.dialect, Dialect::Script);
        assert_eq!(compiled.exports, ["requestHandler"]);
        assert_eq!(compile(script, true).unwrap().dialect, Dialect::Module, "the dialect is JavaScript");
    }
}
