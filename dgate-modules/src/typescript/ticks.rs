//! Ticks: what keeps a module from running for ever.
//!
//! The engine cannot be interrupted. So every function and every loop begins with `if(--fuel<0)fuel=tick()`: every so
//! often the gateway gets control, looks at the clock, and may end the call with an error that no `catch` sees. Functions
//! also have it look at how deep calls are (`enter()`). The
//! variable of functions belongs to the module's own scope; that of loops to the function they are in, because the engine
//! keeps such variables in registers. It begins low, so that many short loops cannot go without a look for long. No module
//! may use names like these.
//!
//! Everything is put in without line breaks, so lines stay what they are.

mod parts;

use std::fmt::Write as _;

use oxc::ast::ast::{
    ArrowFunctionBody, ArrowFunctionExpression, AssignmentOperator, BigIntLiteral, BinaryExpression,
    BindingIdentifier, CallExpression, DoWhileStatement, Expression, ExpressionStatement, ForInStatement,
    ForOfStatement, ForStatement, Function, FunctionBody, IdentifierReference, Program, PropertyDefinition,
    RegExpLiteral, ReturnStatement, SpreadElement, Statement, TaggedTemplateExpression, TemplateLiteral,
    VariableDeclarator, WhileStatement,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::Scoping;
use oxc::span::GetSpan;
use oxc::syntax::scope::ScopeFlags;

use super::Fault;
use super::classify::{Dialect, global_hooks};
use super::commonjs::Common;
use super::growth::{self, LIST, NAMES, TEXT};
use super::places;
use super::positions::Inserted;
use super::weave::woven;

/// Names that belong to the gateway.
const RESERVED: &str = "__dgate_";
const TICK: &str = "if(--__dgate_fuel<0)__dgate_fuel=__dgate_enter();";
/// What a function with loops begins with, and its loops.
const LEFT: &str = "let __dgate_left=8;";
const LOOP_TICK: &str = "if(--__dgate_left<0)__dgate_left=__dgate_tick();";
const TICK_EXPRESSION: &str = "(--__dgate_fuel<0&&(__dgate_fuel=__dgate_enter()),";

/// What looks global but belongs to each module, because it carries the module's permissions or name.
const OWN_GLOBALS: [&str; 3] = ["fetch", "console", "process"];

/// What scripts call without `await`.
const DOCUMENT_CALLS: [&str; 3] = ["getDocument", "setDocument", "deleteDocument"];

/// A source with ticks.
#[derive(Debug)]
pub(super) struct Instrumented {
    pub(super) text: String,
    pub(super) inserted: Inserted,
    pub(super) dialect: Dialect,
}

/// Puts ticks into a source, and around it what its dialect needs.
pub(super) fn instrument(
    source: &str,
    program: &Program<'_>,
    scoping: &Scoping,
    dialect: Dialect,
) -> Result<Instrumented, Vec<Fault>> {
    let mut ticks = Ticks {
        source,
        insertions: Vec::new(),
        faults: Vec::new(),
        common: Common::default(),
        function: None,
        has_vague: false,
        in_sum: false,
        script: (dialect == Dialect::Script).then(ScriptHook::default),
    };
    ticks.visit_program(program);
    if !ticks.faults.is_empty() {
        return Err(ticks.faults);
    }

    let mut before = String::from("let __dgate_fuel=0;");
    before.push_str(if ticks.has_vague { places::DECLARATION } else { "" });
    let free = scoping.root_unresolved_references();
    let own: Vec<&str> = OWN_GLOBALS.into_iter().filter(|name| free.contains_key(*name)).collect();
    if !own.is_empty() {
        let _ = write!(before, "import{{{}}}from\"dgate:own\";", own.join(","));
    }
    let mut after = String::new();
    match dialect {
        Dialect::Module => {}
        Dialect::CommonJs => ticks.common.wrap(&mut before, &mut after),
        Dialect::Script => {
            let _ = write!(after, "\nexport{{{}}};", global_hooks(program).join(","));
        }
    }
    // A hash-bang line has to stay the first.
    let begin = program.hashbang.as_ref().map_or(0, |line| line.span.end as usize);
    let before = if begin == 0 { before } else { format!("\n{before}") };
    let mut insertions = ticks.insertions;
    insertions.push((begin, before));
    insertions.push((source.len(), after));
    let (text, inserted) = woven(source, insertions);
    Ok(Instrumented { text, inserted, dialect })
}

struct Ticks<'s> {
    source: &'s str,
    insertions: Vec<(usize, String)>,
    faults: Vec<Fault>,
    common: Common,
    /// The function that is looked at, if any is.
    function: Option<Frame>,
    /// The same as [`Frame::has_vague`], outside of functions.
    has_vague: bool,
    /// Whether what is looked at is the left side of a sum that is looked at as a whole.
    in_sum: bool,
    script: Option<ScriptHook>,
}

/// A function that is being looked at.
struct Frame {
    /// The insertion that it begins with.
    begin: usize,
    has_loops: bool,
    /// Whether something in it needs [`places::DECLARATION`].
    has_vague: bool,
}

/// The hook of a script that is being looked at. In scripts documents are read without `await`; it is put in here.
#[derive(Default)]
struct ScriptHook {
    /// How many functions deep; 1 is a hook.
    depth: usize,
    awaits: bool,
}

impl Ticks<'_> {
    fn put(&mut self, at: u32, text: &str) {
        self.insertions.push((at as usize, text.to_owned()));
    }

    /// Whether an expression needs to be put where the engine knows its place.
    fn is_vague(&mut self, expression: &Expression<'_>) -> bool {
        let is_vague = places::is_vague(expression);
        let frame = self.function.as_mut().map_or(&mut self.has_vague, |function| &mut function.has_vague);
        *frame |= is_vague;
        is_vague
    }

    /// A value at the end of a statement.
    fn value(&mut self, value: &Expression<'_>) {
        let is_vague = self.is_vague(value);
        if is_vague {
            self.put(value.span().start, places::VALUE);
        }
        self.visit_expression(value);
        if is_vague {
            self.put(value.span().end, ")");
        }
    }

    fn body(&mut self, body: &Statement<'_>) {
        let tick = match &mut self.function {
            Some(function) => {
                function.has_loops = true;
                LOOP_TICK
            }
            None => TICK,
        };
        if let Statement::BlockStatement(block) = body {
            self.put(block.span.start + 1, tick);
        } else {
            self.put(body.span().start, &format!("{{{tick}"));
        }
    }

    fn end(&mut self, body: &Statement<'_>) {
        if !matches!(body, Statement::BlockStatement(_)) {
            self.put(body.span().end, "}");
        }
    }

    fn check(&mut self, name: &str, at: u32) {
        if name.starts_with(RESERVED) {
            self.faults.push(Fault::at(
                self.source,
                at as usize,
                format!("`{name}`: names that begin with `{RESERVED}` belong to the gateway"),
            ));
        }
    }
}

impl<'a> Visit<'a> for Ticks<'_> {
    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        if let Some(script) = &mut self.script {
            script.depth += 1;
        }
        walk::walk_function(self, function, flags);
        if let Some(script) = &mut self.script {
            script.depth -= 1;
            if script.depth == 0 && std::mem::take(&mut script.awaits) && !function.r#async {
                self.put(function.span.start, "async ");
            }
        }
    }

    fn visit_function_body(&mut self, body: &FunctionBody<'a>) {
        let at = body.directives.last().map_or(body.span.start + 1, |directive| directive.span.end);
        // A directive may go without its semicolon.
        let separator = if body.directives.is_empty() { "" } else { ";" };
        let frame = Frame { begin: self.insertions.len(), has_loops: false, has_vague: false };
        self.put(at, &format!("{separator}{TICK}"));
        let outer = self.function.replace(frame);
        walk::walk_function_body(self, body);
        if let Some(Frame { begin, has_loops, has_vague }) = std::mem::replace(&mut self.function, outer) {
            let text = &mut self.insertions[begin].1;
            text.push_str(if has_loops { LEFT } else { "" });
            text.push_str(if has_vague { places::DECLARATION } else { "" });
        }
    }

    fn visit_arrow_function_expression(&mut self, arrow: &ArrowFunctionExpression<'a>) {
        let depth = self.script.as_mut().map(|script| script.depth += 1);
        if let ArrowFunctionBody::FunctionBody(_) = &arrow.body {
            walk::walk_arrow_function_expression(self, arrow);
        } else {
            let span = arrow.body.span();
            self.put(span.start, TICK_EXPRESSION);
            walk::walk_arrow_function_expression(self, arrow);
            self.put(span.end, ")");
        }
        if let (Some(()), Some(script)) = (depth, &mut self.script) {
            script.depth -= 1;
        }
    }

    fn visit_expression_statement(&mut self, it: &ExpressionStatement<'a>) {
        let is_vague = self.is_vague(&it.expression);
        if is_vague {
            self.put(it.expression.span().start, places::STATEMENT);
        }
        walk::walk_expression_statement(self, it);
        if is_vague {
            self.put(it.expression.span().end, ")");
        }
    }

    fn visit_return_statement(&mut self, it: &ReturnStatement<'a>) {
        it.argument.iter().for_each(|value| self.value(value));
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        self.visit_binding_pattern(&it.id);
        it.init.iter().for_each(|value| self.value(value));
    }

    fn visit_while_statement(&mut self, it: &WhileStatement<'a>) {
        self.body(&it.body);
        walk::walk_while_statement(self, it);
        self.end(&it.body);
    }

    fn visit_do_while_statement(&mut self, it: &DoWhileStatement<'a>) {
        self.body(&it.body);
        walk::walk_do_while_statement(self, it);
        self.end(&it.body);
    }

    fn visit_for_statement(&mut self, it: &ForStatement<'a>) {
        self.body(&it.body);
        walk::walk_for_statement(self, it);
        self.end(&it.body);
    }

    fn visit_for_in_statement(&mut self, it: &ForInStatement<'a>) {
        self.body(&it.body);
        let span = it.right.span();
        self.put(span.start, NAMES);
        walk::walk_for_in_statement(self, it);
        self.put(span.end, ")");
        self.end(&it.body);
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        self.body(&it.body);
        walk::walk_for_of_statement(self, it);
        self.end(&it.body);
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        self.check(&it.name, it.span.start);
    }

    fn visit_binding_identifier(&mut self, it: &BindingIdentifier<'a>) {
        self.check(&it.name, it.span.start);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        if let Expression::Identifier(callee) = &it.callee
            && callee.name == "require"
            && let Some(Expression::StringLiteral(text)) =
                it.arguments.first().and_then(|argument| argument.as_expression())
            && !self.common.required.iter().any(|known| known == text.value.as_str())
        {
            self.common.required.push(text.value.to_string());
        }
        let awaits = match (&mut self.script, &it.callee) {
            (Some(script), Expression::StaticMemberExpression(callee))
                if script.depth == 1 && DOCUMENT_CALLS.contains(&callee.property.name.as_str()) =>
            {
                script.awaits = true;
                true
            }
            _ => false,
        };
        if awaits {
            self.put(it.span.start, "(await ");
        }
        walk::walk_call_expression(self, it);
        if awaits {
            self.put(it.span.end, ")");
        }
    }

    fn visit_binary_expression(&mut self, it: &BinaryExpression<'a>) {
        self.sum(it);
    }

    fn visit_template_literal(&mut self, it: &TemplateLiteral<'a>) {
        self.template(it);
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        // A function gets its name from where it stands, and does nothing there.
        let value = it
            .value
            .as_ref()
            .filter(|value| !value.is_function() && !matches!(value, Expression::ClassExpression(_)));
        if let Some(value) = value {
            self.put(value.span().start, TICK_EXPRESSION);
        }
        walk::walk_property_definition(self, it);
        if let Some(value) = value {
            self.put(value.span().end, ")");
        }
    }

    fn visit_reg_exp_literal(&mut self, it: &RegExpLiteral<'a>) {
        self.pattern(it);
    }

    fn visit_tagged_template_expression(&mut self, it: &TaggedTemplateExpression<'a>) {
        self.visit_expression(&it.tag);
        it.quasi.expressions.iter().for_each(|expression| self.visit_expression(expression));
    }

    fn visit_spread_element(&mut self, it: &SpreadElement<'a>) {
        let span = it.argument.span();
        self.put(span.start, LIST);
        walk::walk_spread_element(self, it);
        self.put(span.end, ")");
    }

    fn visit_big_int_literal(&mut self, it: &BigIntLiteral<'a>) {
        let message = "BigInt is not there for modules: nothing bounds how long it computes";
        self.faults.push(Fault::at(self.source, it.span.start as usize, message));
    }

    fn visit_expression(&mut self, it: &Expression<'a>) {
        // Whatever stands between a sum and its parts ends the sum.
        if !matches!(it, Expression::BinaryExpression(_)) {
            self.in_sum = false;
        }
        walk::walk_expression(self, it);
    }

    fn visit_assignment_expression(&mut self, it: &oxc::ast::ast::AssignmentExpression<'a>) {
        let grows = it.operator == AssignmentOperator::Addition && growth::grows_by(&it.right);
        if grows {
            self.put(it.span.start, TEXT);
        }
        if let Some(name) = it.left.as_member_expression().and_then(Common::exported_name)
            && name != "default"
            && !self.common.exported.contains(&name)
        {
            self.common.exported.push(name);
        }
        walk::walk_assignment_expression(self, it);
        if grows {
            self.put(it.span.end, ")");
        }
    }
}
