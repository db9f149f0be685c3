//! From a JSON value to a typed value, with all that is wrong reported at once.
//!
//! The JSON Schema of the type is the one source for three things: which other spellings are accepted
//! (`spelling`), what is wrong with a value that does not fit (`diagnose`), and what editors show.

mod diagnose;
mod public;
mod schema;
mod shape;
mod spelling;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Problem, Problems};
use schema::Root;

pub use public::{public, reveal};
pub use schema::json_schema;

/// Decodes a value, accepting the spellings of DGate 1 and 2 (`stripPath`, `connect_timeout_ms: 250`).
///
/// ```
/// use dgate_core::resource::Route;
/// let written = serde_json::json!({ "name": "r", "paths": ["/a"], "stripPath": true, "servise": "s" });
/// let problems = dgate_core::decode::<Route>(written).unwrap_err();
/// assert_eq!(problems.to_string(), "/servise: unknown field `servise` (did you mean `service`?)");
/// ```
///
/// # Errors
/// Everything that is wrong with the value, each with its place in it.
pub fn decode<T: DeserializeOwned + JsonSchema>(mut value: Value) -> Result<T, Problems> {
    let root = Root::of::<T>();
    // Serde would take a list for a mapping, its fields in order.
    let is_shaped = shape::fits(&value, root.node());
    if is_shaped && let Ok(decoded) = T::deserialize(&value) {
        return Ok(decoded);
    }
    let mut problems = spelling::canonicalize(&mut value, root.node());
    let decoded = serde_path_to_error::deserialize::<_, T>(&value);
    if decoded.is_err() || !is_shaped {
        problems.extend(diagnose::diagnose(&value, root.node()));
    }
    match decoded {
        Ok(decoded) if problems.is_empty() => return Ok(decoded),
        // The schema is content, the type is not: the type's own words are the best there is.
        Err(error) if problems.is_empty() => {
            problems.push(Problem::error(pointer_of(error.path()), error.inner().to_string()));
        }
        _ => {}
    }
    Err(problems)
}

/// The spelling DGate writes for a value of type `T`, in place: `stripPath` becomes `strip_path`.
///
/// # Errors
/// What is written twice, in different spellings.
pub fn canonicalize<T: JsonSchema>(value: &mut Value) -> Result<(), Problems> {
    spelling::canonicalize(value, Root::of::<T>().node()).or(()).map(drop)
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escape(key)),
            Segment::Enum { variant } => format!("/{}", escape(variant)),
            Segment::Unknown => String::new(),
        })
        .collect()
}

/// Escapes one token of a JSON pointer (RFC 6901, section 3).
pub fn escape(token: &str) -> std::borrow::Cow<'_, str> {
    if token.contains(['~', '/']) { token.replace('~', "~0").replace('/', "~1").into() } else { token.into() }
}

/// The JSON types that the schema of `T` allows at a JSON pointer; none when nothing is known about it.
pub fn types_at<T: JsonSchema>(pointer: &str) -> Vec<String> {
    let root = Root::of::<T>();
    let tokens = pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"));
    spelling::find(root.node(), tokens).map_or_else(Vec::new, |node| node.all_types())
}
