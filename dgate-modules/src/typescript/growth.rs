//! What can make values grow without a loop: `+` of texts, templates, `...`, and the names that `for … in` gathers first.
//!
//! The engine does not ask how long a text becomes: forty times `s += s` is more memory than any machine has. Where neither
//! side is known to be short, the result is looked at.

use oxc::ast::ast::{BinaryExpression, Expression, TemplateLiteral};
use oxc::syntax::operator::{BinaryOperator, UnaryOperator};

/// Called with a text that was put together.
pub(super) const TEXT: &str = "__dgate_text(";
/// Called with a list that is spread.
pub(super) const LIST: &str = "__dgate_list(";
/// Called with what `for … in` goes through.
pub(super) const NAMES: &str = "__dgate_names(";
/// How many texts may be put together at once before the result is looked at.
pub(super) const MOST_PARTS: usize = 16;

/// Whether a sum may be a long text although none of its parts need be: at least two of them may be texts of any length.
pub(super) fn grows(sum: &BinaryExpression<'_>) -> bool {
    sum.operator == BinaryOperator::Addition && unknown_parts(sum) > 1
}

/// The same for `left += right`.
pub(super) fn grows_by(right: &Expression<'_>) -> bool {
    may_be_long(right)
}

/// The same for a template.
pub(super) fn template_grows(template: &TemplateLiteral<'_>) -> bool {
    template.expressions.iter().filter(|part| may_be_long(part)).count() > 1
}

/// Whether a sum within a sum is looked at by itself, because there are many parts.
pub(super) fn is_part_enough(sum: &BinaryExpression<'_>) -> bool {
    unknown_parts(sum).is_multiple_of(MOST_PARTS)
}

fn unknown_parts(sum: &BinaryExpression<'_>) -> usize {
    let mut unknown = usize::from(may_be_long(&sum.right));
    let mut left = &sum.left;
    // Sums are nested on the left; as deep as the source is long.
    while let Expression::BinaryExpression(inner) = left
        && inner.operator == BinaryOperator::Addition
    {
        unknown += usize::from(may_be_long(&inner.right));
        left = &inner.left;
    }
    unknown + usize::from(may_be_long(left))
}

/// Whether something may be a text of any length: not what stands there as it is, nor numbers.
fn may_be_long(expression: &Expression<'_>) -> bool {
    match expression {
        Expression::StringLiteral(_)
        | Expression::NumericLiteral(_)
        | Expression::BooleanLiteral(_)
        | Expression::NullLiteral(_)
        | Expression::UpdateExpression(_) => false,
        Expression::TemplateLiteral(template) => template.expressions.iter().any(may_be_long),
        Expression::UnaryExpression(unary) => !matches!(
            unary.operator,
            UnaryOperator::UnaryNegation
                | UnaryOperator::UnaryPlus
                | UnaryOperator::BitwiseNot
                | UnaryOperator::LogicalNot
                | UnaryOperator::Typeof
                | UnaryOperator::Void
        ),
        Expression::BinaryExpression(binary) => {
            binary.operator == BinaryOperator::Addition && unknown_parts(binary) > 0
        }
        Expression::ParenthesizedExpression(inner) => may_be_long(&inner.expression),
        _ => true,
    }
}
