//! Texts that are put together of parts, and patterns that are made of alternatives.

use oxc::ast::ast::{BinaryExpression, RegExpLiteral, TemplateLiteral};
use oxc::ast_visit::{Visit as _, walk};
use oxc::syntax::operator::BinaryOperator;

use super::super::growth::{self, MOST_PARTS, TEXT};
use super::super::too_large;
use super::{Fault, Ticks};

impl Ticks<'_> {
    /// A sum, of which the result may be long.
    pub(super) fn sum(&mut self, it: &BinaryExpression<'_>) {
        let is_sum = it.operator == BinaryOperator::Addition;
        let in_sum = std::mem::replace(&mut self.in_sum, is_sum);
        let looked_at = growth::grows(it) && (!in_sum || growth::is_part_enough(it));
        if looked_at {
            self.put(it.span.start, TEXT);
        }
        self.visit_expression(&it.left);
        self.in_sum = false;
        self.visit_expression(&it.right);
        if looked_at {
            self.put(it.span.end, ")");
        }
    }

    /// A template.
    pub(super) fn template(&mut self, it: &TemplateLiteral<'_>) {
        let looked_at = growth::template_grows(it);
        if looked_at {
            self.put(it.span.start, TEXT);
            // One with many parts becomes a sum of several, which is looked at on the way.
            for quasi in it.quasis.iter().skip(MOST_PARTS).step_by(MOST_PARTS) {
                self.put(it.span.start, TEXT);
                self.put(quasi.span.start, "`)+`");
            }
        }
        walk::walk_template_literal(self, it);
        if looked_at {
            self.put(it.span.end, ")");
        }
    }

    /// A regular expression, which the engine compiles in the square of its length.
    pub(super) fn pattern(&mut self, it: &RegExpLiteral<'_>) {
        let text = it.regex.pattern.text.as_str();
        if let Some(message) = too_large(text.len(), text.matches('|').count()) {
            self.faults.push(Fault::at(self.source, it.span.start as usize, message));
        }
    }
}
