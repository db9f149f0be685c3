//! Values that stand in the source as they are.

use std::sync::Arc;

use oxc::ast::ast::{ArrayExpression, Expression, StringLiteral, TemplateLiteral};
use oxc::syntax::operator::UnaryOperator;

use crate::direct::code::Constant;

/// A value that stands there as it is.
pub(super) fn constant(expression: &Expression<'_>) -> Option<Constant> {
    Some(match expression {
        Expression::StringLiteral(literal) => text(literal)?,
        Expression::NumericLiteral(literal) => Constant::Number(literal.value),
        Expression::BooleanLiteral(literal) => Constant::Bool(literal.value),
        Expression::NullLiteral(_) => Constant::Null,
        Expression::TemplateLiteral(template) if template.expressions.is_empty() => {
            let [only] = &*parts(template)? else { return None };
            Constant::Text(only.clone())
        }
        Expression::UnaryExpression(unary) if unary.operator == UnaryOperator::UnaryNegation => {
            match &unary.argument {
                Expression::NumericLiteral(literal) => Constant::Number(-literal.value),
                _ => return None,
            }
        }
        _ => return None,
    })
}

/// A text; not one with halves of surrogate pairs.
pub(super) fn text(literal: &StringLiteral<'_>) -> Option<Constant> {
    (!literal.lone_surrogates).then(|| Constant::Text(literal.value.as_str().into()))
}

/// The texts between the expressions of a template.
pub(super) fn parts(template: &TemplateLiteral<'_>) -> Option<Vec<Arc<str>>> {
    let text = |part: &oxc::ast::ast::TemplateElement<'_>| {
        let cooked = part.value.cooked.as_ref().filter(|_| !part.lone_surrogates)?;
        Some(Arc::from(cooked.as_str()))
    };
    template.quasis.iter().map(text).collect()
}

/// A list of such values.
pub(super) fn list(array: &ArrayExpression<'_>) -> Option<Arc<[Constant]>> {
    array.elements.iter().map(|element| constant(element.as_expression()?)).collect()
}
