//! How two JSON values differ.

use dgate_core::decode::escape;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// One place where two values differ.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Difference {
    /// Where: a JSON pointer (RFC 6901), empty for the whole.
    pub pointer: String,
    /// What stands there before; absent when nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What stands there after; absent when nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// Where two values differ. Objects are compared field by field, everything else as a whole.
pub(crate) fn differences(before: Option<&Value>, after: Option<&Value>) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(before, after, "", &mut found);
    found
}

fn compare(before: Option<&Value>, after: Option<&Value>, at: &str, found: &mut Vec<Difference>) {
    match (before, after) {
        _ if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            for name in names(before, after) {
                compare(before.get(name), after.get(name), &format!("{at}/{}", escape(name)), found);
            }
        }
        _ => {
            found.push(Difference { pointer: at.to_owned(), before: before.cloned(), after: after.cloned() });
        }
    }
}

fn names<'v>(
    before: &'v Map<String, Value>,
    after: &'v Map<String, Value>,
) -> impl Iterator<Item = &'v String> {
    before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)))
}

/// Applies a merge patch (RFC 7396) to a value.
pub(crate) fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(&name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_differ_in_fields_and_everything_else_as_a_whole() {
        let before = json!({ "a": 1, "b": { "c": [1, 2], "d": "x" }, "e/f": true });
        let after = json!({ "a": 1, "b": { "c": [2, 1], "d": "x" }, "g": null });
        let found = differences(Some(&before), Some(&after));
        let places: Vec<_> = found.iter().map(|difference| difference.pointer.as_str()).collect();
        assert_eq!(places, ["/b/c", "/e~1f", "/g"]);
        assert_eq!(found[0].before, Some(json!([1, 2])));
        assert_eq!((&found[1].after, &found[2].before), (&None, &None));
        assert!(differences(Some(&after), Some(&after)).is_empty());
        assert_eq!(differences(None, Some(&after))[0].pointer, "");
    }

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn merge_patches_do_what_their_description_says() {
        for (target, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, patch.clone());
            assert_eq!(merged, result, "{target} with {patch}");
        }
    }
}
