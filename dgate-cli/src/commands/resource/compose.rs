//! From words to a resource.

use dgate_core::{Kind, Problem, Problems, decode, with_kind};
use serde_json::{Map, Value};

use super::assignment::Word;
use super::coerce::Types;
use super::identity::{Identity, Parts};
use crate::context::Context;
use crate::failure::Failure;

/// Which resource is meant, and its fields as they were given, in canonical spelling.
///
/// # Errors
/// When words contradict each other or cannot be read.
pub(super) fn compose(kind: Kind, words: &[String], context: &Context) -> Result<(Identity, Value), Failure> {
    let mut fields = Value::Object(Map::new());
    let mut parts = Parts::default();
    for word in words {
        match Word::parse(word)? {
            Word::Bare(path) => parts.path(kind, path)?,
            Word::Assignment(assignment) => {
                let pointer = assignment.pointer();
                let value = assignment.value(&Types::of(kind, &pointer))?;
                put(&mut fields, assignment.key, value)?;
            }
        }
    }
    with_kind!(kind, R => decode::canonicalize::<R>(&mut fields)).map_err(|problems| refused(&problems))?;
    let name_field = if kind == Kind::Document { "id" } else { "name" };
    for (field, part) in [
        (name_field, &mut parts.name),
        ("collection", &mut parts.collection),
        ("namespace", &mut parts.namespace),
    ] {
        if field == "collection" && kind != Kind::Document {
            continue;
        }
        match (fields.get(field).and_then(Value::as_str), part.as_deref()) {
            (Some(given), Some(named)) if given != named => {
                let message = format!("the {field} is given twice, as `{named}` and as `{given}`");
                return Err(Failure::usage(message));
            }
            (Some(given), _) => *part = Some(given.to_owned()),
            (None, Some(named)) => fields[field] = named.into(),
            (None, None) => {}
        }
    }
    let identity = parts.finish(kind, context)?;
    if kind != Kind::Namespace {
        fields["namespace"] = identity.namespace.clone().into();
    }
    Ok((identity, fields))
}

/// What is wrong with a whole resource, told by its keys on the command line.
///
/// # Errors
/// Everything that is wrong.
pub(super) fn check(identity: &Identity, fields: &Value) -> Result<(), Failure> {
    let decoded = with_kind!(identity.kind, R => decode::<R>(fields.clone()).map(drop));
    decoded.map_err(|problems| {
        let mut failure = refused(&problems);
        failure.message = format!("this is no valid {}", identity.kind);
        failure.with_help(format!("`dgate-cli {} create --help` lists all fields", identity.kind))
    })
}

fn refused(problems: &Problems) -> Failure {
    let by_key = problems.iter().map(|problem| Problem {
        pointer: problem.pointer.trim_start_matches('/').replace('/', "."),
        ..problem.clone()
    });
    Failure::invalid("these fields make no sense", &by_key.collect())
}

/// Puts a value where dots lead to. What is on the way there is made.
fn put(fields: &mut Value, key: &str, value: Value) -> Result<(), Failure> {
    let mut here = fields;
    for name in key.split('.') {
        let Value::Object(object) = here else {
            return Err(Failure::usage(format!("`{key}`: what it should be a part of is given as well")));
        };
        here = object.entry(name).or_insert_with(|| Value::Object(Map::new()));
    }
    if *here != Value::Object(Map::new()) {
        return Err(Failure::usage(format!("`{key}` is given twice")));
    }
    *here = value;
    Ok(())
}
