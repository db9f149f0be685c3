//! Where errors are said to come from.
//!
//! The engine knows the places of calls, assignments and a few other expressions. When a method is called on something
//! that is not there, it only knows what is around the call: often no more than the function. The same goes for `await`. So
//! they are assigned to a variable that nobody reads. What is there beyond doubt, such as `ctx.request()`, is left as it is.

use oxc::ast::ast::{
    ArrowFunctionExpression, AwaitExpression, CallExpression, Expression, Function, MemberExpression,
};
use oxc::ast_visit::{Visit, walk};
use oxc::syntax::scope::ScopeFlags;

/// The variable of a function, or of a module's top level, that takes what nobody reads.
pub(super) const DECLARATION: &str = "let __dgate_at;";
/// What is put before a value; a `)` comes after it.
pub(super) const VALUE: &str = "(__dgate_at=";
/// The same before a statement, which must not go on with the one before it.
pub(super) const STATEMENT: &str = "__dgate_at=(";

/// What is there beyond doubt.
const SURE: [&str; 12] = [
    "ctx", "console", "JSON", "Math", "Object", "Array", "Number", "String", "Promise", "Date", "Response",
    "crypto",
];
/// Members of `ctx` and of what they return that are there beyond doubt.
const SURE_MEMBERS: [&str; 8] =
    ["request", "response", "query", "headers", "status", "location", "cookie", "setHeader"];

/// Whether the engine would not know where an expression fails.
pub(super) fn is_vague(expression: &Expression<'_>) -> bool {
    let mut calls = Calls { vague: false };
    calls.visit_expression(expression);
    calls.vague
}

struct Calls {
    vague: bool,
}

impl<'a> Visit<'a> for Calls {
    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        if let Some(member) = call.callee.as_member_expression()
            && !is_sure(member.object())
        {
            self.vague = true;
        }
        walk::walk_call_expression(self, call);
    }

    /// What comes of waiting is thrown where it goes on.
    fn visit_await_expression(&mut self, _: &AwaitExpression<'a>) {
        self.vague = true;
    }

    // Functions have places of their own.
    fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}

    fn visit_arrow_function_expression(&mut self, _: &ArrowFunctionExpression<'a>) {}
}

fn is_sure(object: &Expression<'_>) -> bool {
    let is_sure_member = |member: &MemberExpression<'_>| {
        member.static_property_name().is_some_and(|name| SURE_MEMBERS.contains(&name))
            && is_sure(member.object())
    };
    match object {
        Expression::Identifier(id) => SURE.contains(&id.name.as_str()),
        Expression::CallExpression(call) => call.callee.as_member_expression().is_some_and(is_sure_member),
        Expression::StaticMemberExpression(_) => object.as_member_expression().is_some_and(is_sure_member),
        Expression::ThisExpression(_)
        | Expression::NewExpression(_)
        | Expression::ArrayExpression(_)
        | Expression::StringLiteral(_)
        | Expression::TemplateLiteral(_)
        | Expression::RegExpLiteral(_) => true,
        _ => false,
    }
}
