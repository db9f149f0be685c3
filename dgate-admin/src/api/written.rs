//! From what somebody wrote to a resource.

use dgate_core::key::DEFAULT_NAMESPACE;
use dgate_core::resource::AnyResource;
use dgate_core::stored::StoredAny;
use dgate_core::{Key, Kind, Problem, Problems, decode, with_kind};
use serde_json::{Map, Value};

use super::failure::Failure;
use super::state::State;

/// What the store adds to a resource. It may be sent back, and is not heeded.
pub(crate) const READ_ONLY: [&str; 6] =
    ["revision", "created_at", "updated_at", "owner", "createdAt", "updatedAt"];

/// Reads a resource of a kind. What [`State::show`] shows can be sent back: secrets are found again by their fingerprints.
pub(crate) async fn resource(state: &State, kind: Kind, mut value: Value) -> Result<AnyResource, Failure> {
    let Value::Object(object) = &mut value else {
        let problem = Problem::error("", format!("a {kind} is an object, not {}", type_of(&value)));
        return Err(Failure::invalid(problem.into()));
    };
    READ_ONLY.iter().for_each(|name| drop(object.remove(*name)));
    let current = match named(kind, object) {
        Some(key) if hides_something(&value) => state.find(&key).await?,
        _ => None,
    };
    Ok(reveal(state, kind, value, current.as_ref())?)
}

/// Reads a resource, given the stored one that it replaces.
pub(crate) fn reveal(
    state: &State,
    kind: Kind,
    mut value: Value,
    current: Option<&StoredAny>,
) -> Result<AnyResource, Problems> {
    let fingerprint = |secret: &str| state.context.fingerprints.of(secret);
    let current = current.map(|stored| serde_json::to_value(&stored.spec).unwrap_or_default());
    with_kind!(kind, R => {
        let mut problems = decode::reveal::<R>(&mut value, current.as_ref(), &fingerprint);
        match decode::decode::<R>(value) {
            Ok(resource) if problems.is_empty() => Ok(resource.into()),
            Ok(_) => Err(problems),
            Err(found) => {
                problems.extend(found);
                Err(problems)
            }
        }
    })
}

/// Puts the parts of a key into an object, or refuses one that says otherwise.
pub(crate) fn identify(value: &mut Value, key: &Key) -> Result<(), Failure> {
    let Value::Object(object) = value else { return Ok(()) };
    let mut problems = Problems::new();
    for (field, expected) in parts(key) {
        match object.get(field) {
            None => drop(object.insert(field.to_owned(), expected.into())),
            Some(Value::String(given)) if *given == expected => {}
            Some(given) => problems.push(
                Problem::error(
                    format!("/{field}"),
                    format!("it is {given} here, and `{expected}` in the path"),
                )
                .with_help("resources cannot be renamed: create another one, and delete this"),
            ),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::invalid(problems)) }
}

/// The fields that make up a key.
fn parts(key: &Key) -> Vec<(&'static str, String)> {
    let namespace = ("namespace", key.namespace.to_string());
    match (key.kind, key.name.split_once('/')) {
        (Kind::Namespace, _) => vec![("name", key.name.to_string())],
        (Kind::Document, Some((collection, id))) => {
            vec![namespace, ("collection", collection.to_owned()), ("id", id.to_owned())]
        }
        _ => vec![namespace, ("name", key.name.to_string())],
    }
}

/// The key that an object's fields make up, if they are there.
fn named(kind: Kind, object: &Map<String, Value>) -> Option<Key> {
    let text = |field: &str| object.get(field).and_then(Value::as_str);
    let namespace = text("namespace").unwrap_or(DEFAULT_NAMESPACE);
    Some(match kind {
        Kind::Namespace => Key::new(kind, "", text("name")?),
        Kind::Document => Key::new(kind, namespace, format!("{}/{}", text("collection")?, text("id")?)),
        kind => Key::new(kind, namespace, text("name")?),
    })
}

/// Whether a fingerprint stands in place of something.
fn hides_something(value: &Value) -> bool {
    match value {
        Value::Object(object) => {
            object.iter().any(|(name, value)| name.ends_with("_fingerprint") || hides_something(value))
        }
        Value::Array(items) => items.iter().any(hides_something),
        _ => false,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
