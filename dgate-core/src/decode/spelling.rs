//! Other spellings: `stripPath`, `connect_timeout_ms: 250`, `moduleType`, and numbers where a unit is plain.

use serde_json::{Map, Value};

use super::schema::Node;

/// Names of DGate 1 and 2 that are more than another spelling of ours.
const RENAMED: [(&str, &str); 1] = [("moduletype", "type")];

/// Rewrites a value to the canonical spelling of its schema, in place. What it does not know it leaves alone.
pub(super) fn canonicalize(value: &mut Value, schema: Node<'_>) {
    if let Some(alternative) = schema.alternative_for(value) {
        canonicalize(value, alternative);
        return;
    }
    match value {
        Value::Object(object) => canonicalize_object(object, schema),
        Value::Array(items) => {
            if let Some(item_schema) = schema.items() {
                items.iter_mut().for_each(|item| canonicalize(item, item_schema));
            }
        }
        Value::Number(number) if unit(schema) == Some("percent") => {
            *value = Value::String(format!("{number}%"));
        }
        _ => {}
    }
}

fn canonicalize_object(object: &mut Map<String, Value>, schema: Node<'_>) {
    if schema.is_closed() {
        let written = std::mem::take(object);
        for (name, mut value) in written {
            let name = canonical_name(name, &mut value, schema);
            object.insert(name, value);
        }
    }
    for (name, value) in object.iter_mut() {
        if let Some(field_schema) = schema.field(name).or_else(|| schema.map_values()) {
            canonicalize(value, field_schema);
        }
    }
}

fn canonical_name(name: String, value: &mut Value, schema: Node<'_>) -> String {
    if schema.field(&name).is_some() {
        return name;
    }
    let plain = plain(&name);
    if let Some(field) = schema.fields().find(|field| self::plain(field) == plain) {
        return field.to_owned();
    }
    if let Some((_, field)) = RENAMED.iter().find(|(old, new)| *old == plain && schema.field(new).is_some()) {
        return (*field).to_owned();
    }
    let millis = plain.strip_suffix("ms").zip(value.as_u64());
    if let Some((stem, millis)) = millis
        && let Some(field) = schema.fields().find(|field| self::plain(field) == stem)
        && schema.field(field).is_some_and(|field_schema| unit(field_schema) == Some("duration"))
    {
        *value = Value::String(format!("{millis}ms"));
        return field.to_owned();
    }
    name
}

/// The schema at a path, whichever spelling its names have.
pub(super) fn find(mut schema: Node<'_>, tokens: impl Iterator<Item = String>) -> Option<Node<'_>> {
    for token in tokens {
        let wanted = plain(&token);
        schema = step(schema, &wanted)
            .or_else(|| schema.alternatives()?.into_iter().find_map(|node| step(node, &wanted)))?;
    }
    Some(schema)
}

fn step<'a>(node: Node<'a>, wanted: &str) -> Option<Node<'a>> {
    let field = node.fields().find(|field| plain(field) == wanted).and_then(|field| node.field(field));
    field.or_else(|| node.map_values()).or_else(|| node.items())
}

/// The quantity a schema stands for, also when it may be absent.
fn unit(schema: Node<'_>) -> Option<&str> {
    schema
        .text("x-dgate-unit")
        .or_else(|| schema.alternatives()?.into_iter().find_map(|one| one.text("x-dgate-unit")))
}

/// A name without case and separators: `hideDGateHeaders` and `hide_dgate_headers` are the same.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect()
}
