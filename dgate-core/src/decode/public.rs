//! A value without what nobody may see.

use schemars::JsonSchema;
use serde_json::Value;

use super::Root;
use super::schema::Node;

/// What may be shown of a value of type `T`: in place of each field that its schema marks as `writeOnly` (secrets,
/// private keys), there is a fingerprint under the name of the field with `_fingerprint`.
///
/// ```
/// use dgate_core::{decode, resource::Secret};
/// let mut value = serde_json::json!({ "name": "token", "data": "hunter2" });
/// decode::public::<Secret>(&mut value, &|secret| format!("{} characters", secret.len()));
/// assert_eq!(value, serde_json::json!({ "name": "token", "data_fingerprint": "7 characters" }));
/// ```
pub fn public<T: JsonSchema>(value: &mut Value, fingerprint: &dyn Fn(&str) -> String) {
    hide(value, Root::of::<T>().node(), fingerprint);
}

fn hide(value: &mut Value, schema: Node<'_>, fingerprint: &dyn Fn(&str) -> String) {
    if let Some(meant) = schema.alternative_for(value) {
        return hide(value, meant, fingerprint);
    }
    match value {
        Value::Array(items) => {
            if let Some(schema) = schema.items() {
                items.iter_mut().for_each(|item| hide(item, schema, fingerprint));
            }
        }
        Value::Object(object) => {
            for (name, mut value) in std::mem::take(object) {
                match schema.field(&name).or_else(|| schema.map_values()) {
                    Some(field) if field.is_write_only() => {
                        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                        object.insert(format!("{name}_fingerprint"), fingerprint(&text).into());
                    }
                    field => {
                        if let Some(schema) = field {
                            hide(&mut value, schema, fingerprint);
                        }
                        object.insert(name, value);
                    }
                }
            }
        }
        _ => {}
    }
}
