//! Values in the gateway's own messages.
//!
//! The engine shows a value with everything in it: without end when much lies within one another, and on its own stack.

use boa_engine::{Context, JsError, JsValue};

use super::depth::parts;

/// How many parts a value may have that is shown.
const PARTS: usize = 200;

/// A value as the engine shows it; of a large one only what it is.
pub(super) fn shown(value: &JsValue, context: &mut Context) -> String {
    if is_small(value, context) {
        return value.display().to_string();
    }
    let is_list = value.as_object().is_some_and(|object| object.is_array());
    if is_list { "a large list".to_owned() } else { "a large object".to_owned() }
}

/// An error with the engine's stack, as far as it can be told.
pub(super) fn told(error: &JsError, context: &mut Context) -> String {
    match error.as_opaque() {
        Some(value) if !is_small(value, context) => String::new(),
        _ => error.to_string(),
    }
}

/// Whether a value has few parts, each counted as often as it would be shown.
fn is_small(value: &JsValue, context: &mut Context) -> bool {
    let mut seen = 0;
    let mut left = vec![value.clone()];
    while let Some(value) = left.pop() {
        seen += 1;
        if seen + left.len() > PARTS {
            return false;
        }
        if let Some(object) = value.as_object() {
            let Ok(parts) = parts(&object, context) else { return false };
            left.extend(parts);
        }
    }
    true
}
