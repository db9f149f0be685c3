//! Numbers, and what comes before what.

use super::code::{Arithmetic, Relation};
use super::text;
use super::value::Value;

pub(super) fn arithmetic(operator: Arithmetic, left: f64, right: f64) -> f64 {
    let by = || to_int32(right) as u32 & 31;
    match operator {
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => left % right,
        Arithmetic::BitAnd => f64::from(to_int32(left) & to_int32(right)),
        Arithmetic::BitOr => f64::from(to_int32(left) | to_int32(right)),
        Arithmetic::BitXor => f64::from(to_int32(left) ^ to_int32(right)),
        Arithmetic::ShiftLeft => f64::from(to_int32(left) << by()),
        Arithmetic::ShiftRight => f64::from(to_int32(left) >> by()),
        Arithmetic::ShiftRightUnsigned => f64::from(to_int32(left) as u32 >> by()),
    }
}

/// A number as bits: its whole part modulo 2^32.
fn to_int32(number: f64) -> i32 {
    const ALL: f64 = 4_294_967_296.0;
    if !number.is_finite() {
        return 0;
    }
    (number.trunc().rem_euclid(ALL) as u32).cast_signed()
}

/// A number as a place in a text or list: whole, and 0 for what is none.
pub(super) fn to_integer(number: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number.trunc() }
}

/// Where `slice` begins or ends: negative numbers count from the end.
pub(super) fn relative(index: f64, length: usize) -> usize {
    let (index, length) = (to_integer(index), length as f64);
    let index = if index < 0.0 { (length + index).max(0.0) } else { index.min(length) };
    index as usize
}

pub(super) fn compare(relation: Relation, left: &Value<'_>, right: &Value<'_>) -> bool {
    use std::cmp::Ordering;
    let order = match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(text::compare(left, right)),
        _ => left.to_number().partial_cmp(&right.to_number()),
    };
    match relation {
        Relation::Less => order == Some(Ordering::Less),
        Relation::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Relation::Greater => order == Some(Ordering::Greater),
        Relation::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

/// What `includes` of a list means by equal.
pub(super) fn same_value_zero(a: &Value<'_>, b: &Value<'_>) -> bool {
    a == b || matches!((a, b), (Value::Number(a), Value::Number(b)) if a.is_nan() && b.is_nan())
}
