//! A value without what nobody may see.

use schemars::JsonSchema;
use serde_json::Value;

use super::schema::Node;
use super::{Root, escape};
use crate::{Problem, Problems};

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

/// Puts back what [`public`] left out: in place of each fingerprint, the value that has it in `current`.
///
/// What was read can so be written back, although nobody has seen the secrets in it.
///
/// ```
/// use dgate_core::{decode, resource::Secret};
/// let fingerprint = |secret: &str| format!("{} characters", secret.len());
/// let current = serde_json::json!({ "name": "token", "data": "hunter2" });
/// let mut value = serde_json::json!({ "name": "token", "data_fingerprint": "7 characters", "tags": ["a"] });
/// let problems = decode::reveal::<Secret>(&mut value, Some(&current), &fingerprint);
/// assert!(problems.is_empty());
/// assert_eq!(value, serde_json::json!({ "name": "token", "tags": ["a"], "data": "hunter2" }));
/// ```
///
/// Returns a problem for each fingerprint of a value that is not there.
pub fn reveal<T: JsonSchema>(
    value: &mut Value,
    current: Option<&Value>,
    fingerprint: &dyn Fn(&str) -> String,
) -> Problems {
    let mut problems = Problems::new();
    put_back(value, current, Root::of::<T>().node(), "", fingerprint, &mut problems);
    problems
}

fn put_back(
    value: &mut Value,
    current: Option<&Value>,
    schema: Node<'_>,
    at: &str,
    fingerprint: &dyn Fn(&str) -> String,
    problems: &mut Problems,
) {
    if let Some(meant) = schema.alternative_for(value) {
        return put_back(value, current, meant, at, fingerprint, problems);
    }
    match value {
        Value::Array(items) => {
            let Some(schema) = schema.items() else { return };
            for (index, item) in items.iter_mut().enumerate() {
                let current = current.and_then(|current| current.get(index));
                put_back(item, current, schema, &format!("{at}/{index}"), fingerprint, problems);
            }
        }
        Value::Object(object) => {
            let hidden = schema.fields().filter(|name| schema.field(name).is_some_and(Node::is_write_only));
            for name in hidden {
                let Some(given) = object.remove(&format!("{name}_fingerprint")) else { continue };
                if object.contains_key(name) {
                    continue;
                }
                let known = current.and_then(|current| current.get(name)?.as_str());
                match known.filter(|known| given.as_str() == Some(&fingerprint(known))) {
                    Some(known) => drop(object.insert(name.to_owned(), known.into())),
                    None => problems.push(
                        Problem::error(
                            format!("{at}/{}_fingerprint", escape(name)),
                            "no value with this fingerprint is stored here",
                        )
                        .with_help(format!("give the value itself as `{name}`")),
                    ),
                }
            }
            for (name, value) in object.iter_mut() {
                if let Some(schema) = schema.field(name).or_else(|| schema.map_values()) {
                    let current = current.and_then(|current| current.get(name));
                    put_back(
                        value,
                        current,
                        schema,
                        &format!("{at}/{}", escape(name)),
                        fingerprint,
                        problems,
                    );
                }
            }
        }
        _ => {}
    }
}
