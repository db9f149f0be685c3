//! Whether lists stand only where lists are expected.

use serde_json::Value;

use super::schema::{Node, type_name};

/// Whether every list and mapping in a value stands where its schema expects one.
pub(super) fn fits(value: &Value, schema: Node<'_>) -> bool {
    if !matches!(value, Value::Array(_) | Value::Object(_)) {
        return true;
    }
    if schema.alternatives().is_some() {
        return schema.alternative_for(value).is_some_and(|meant| fits(value, meant));
    }
    match value {
        _ if !schema.allows_type(type_name(value)) => false,
        Value::Array(items) => {
            schema.items().is_none_or(|schema| items.iter().all(|item| fits(item, schema)))
        }
        Value::Object(object) => object.iter().all(|(name, value)| {
            let field = || schema.field(name).or_else(|| schema.map_values());
            !matches!(value, Value::Array(_) | Value::Object(_))
                || field().is_none_or(|schema| fits(value, schema))
        }),
        _ => true,
    }
}
