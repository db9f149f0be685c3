//! How deeply a source may be nested.
//!
//! The compiler and the engine call themselves for whatever lies within something else. The engine takes up to 34 KB of
//! stack for an expression within another, and would end the process with its stack.

use oxc::ast::AstKind;
use oxc::ast::ast::Program;
use oxc::ast_visit::Visit;
use oxc::span::GetSpan;

use super::{Fault, Place, positions};

/// How many things may lie within one another.
const DEEPEST: usize = 1_000;
/// How many links of a chain weigh as much as one thing within another: `a + b + c` and `a.b.c` take little each.
const LINKS: usize = 20;
/// Brackets within one another; more are refused before they are parsed.
const MOST_BRACKETS: usize = 4 * DEEPEST;
/// What the compiler takes of the stack for a level that is one byte of source, and for all that is no nesting, in bytes.
/// Those for brackets, which take most, are bounded by [`MOST_BRACKETS`].
const STACK_PER_BYTE: usize = if cfg!(debug_assertions) { 2 << 10 } else { 512 };
const STACK_PER_BRACKET: usize = if cfg!(debug_assertions) { 16 << 10 } else { 4 << 10 };
const STACK: usize = if cfg!(debug_assertions) { 32 << 20 } else { 8 << 20 };

/// Compiles on a thread whose stack lasts for whatever a source of that length can hold.
pub(super) fn with_room<R: Send>(
    source: &str,
    compile: impl FnOnce() -> Result<R, Vec<Fault>> + Send,
) -> Result<R, Vec<Fault>> {
    look_at_brackets(source)?;
    let stack = STACK + source.len() * STACK_PER_BYTE + source.len().min(MOST_BRACKETS) * STACK_PER_BRACKET;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("modules-compile".to_owned()).stack_size(stack);
        let thread = thread.spawn_scoped(scope, compile).map_err(|error| {
            let message = format!("no thread could be started to compile it: {error}");
            vec![Fault { place: Place { line: 1, column: 1 }, message, help: None }]
        })?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Refuses what has far too many brackets, wherever they stand.
fn look_at_brackets(source: &str) -> Result<(), Vec<Fault>> {
    let mut open = 0_usize;
    for (at, byte) in source.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MOST_BRACKETS {
            return Err(vec![too_deep(source, at)]);
        }
    }
    Ok(())
}

/// Refuses what the engine could not compile.
pub(super) fn check(source: &str, program: &Program<'_>) -> Result<(), Vec<Fault>> {
    let mut depth = Depth { weight: 0, too_deep: None };
    depth.visit_program(program);
    depth.too_deep.map_or(Ok(()), |at| Err(vec![too_deep(source, at)]))
}

fn too_deep(source: &str, at: usize) -> Fault {
    Fault {
        place: positions::place(source, at),
        message: format!("the source is nested too deeply here: more than {DEEPEST} levels"),
        help: Some("give parts of it names of their own".to_owned()),
    }
}

struct Depth {
    weight: usize,
    /// The offset of the first thing that lies too deep.
    too_deep: Option<usize>,
}

/// What a thing adds to the depth of what lies in it.
fn weight(kind: &AstKind<'_>) -> usize {
    match kind {
        AstKind::BinaryExpression(_)
        | AstKind::LogicalExpression(_)
        | AstKind::StaticMemberExpression(_)
        | AstKind::ComputedMemberExpression(_) => 1,
        _ => LINKS,
    }
}

impl<'a> Visit<'a> for Depth {
    fn enter_node(&mut self, kind: AstKind<'a>) {
        self.weight += weight(&kind);
        if self.weight > DEEPEST * LINKS && self.too_deep.is_none() {
            self.too_deep = Some(kind.span().start as usize);
        }
    }

    fn leave_node(&mut self, kind: AstKind<'a>) {
        self.weight -= weight(&kind);
    }
}
