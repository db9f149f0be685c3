//! From a text to a JSON value, as the type of its field wants it. Nothing is guessed: `name=007` is a text.

use base64::Engine;
use dgate_core::{Kind, decode, with_kind};
use serde_json::Value;

/// The JSON types that a field allows, and those of its items if it is a list. None stands for any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Types {
    pub(super) field: Vec<String>,
    pub(super) items: Vec<String>,
}

impl Types {
    /// Those of the field of a kind that a JSON pointer leads to.
    pub(super) fn of(kind: Kind, pointer: &str) -> Self {
        let at = |pointer: &str| with_kind!(kind, R => decode::types_at::<R>(pointer));
        let mut field = at(pointer);
        // As in DGate 2: `request_timeout_ms=250`.
        let stem = pointer.strip_suffix("ms").or_else(|| pointer.strip_suffix("Ms"));
        let is_of_resource = pointer.matches('/').count() == 1;
        if field.is_empty() && is_of_resource && stem.is_some_and(|stem| !at(stem).is_empty()) {
            field = vec!["integer".to_owned()];
        }
        Self { field, items: at(&format!("{pointer}/0")) }
    }
}

/// Reads a text as one of the types.
///
/// A text that fits none of them stays a text: the schema says what is wrong with it.
pub(super) fn coerce(text: &str, types: &Types) -> Result<Value, String> {
    if allows(&types.field, "array") && !text.starts_with('[') {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        return Ok(items.map(|item| scalar(item, &types.items)).collect());
    }
    let is_json = text.starts_with(['{', '[']);
    if is_json && ["array", "object"].iter().any(|name| allows(&types.field, name)) {
        return serde_json::from_str(text).map_err(|error| format!("this is no JSON: {error}"));
    }
    // A field of any type, such as a document's data: what is certainly JSON is meant so.
    if is_json && types.field.is_empty() {
        return Ok(serde_json::from_str(text).unwrap_or_else(|_| text.into()));
    }
    Ok(scalar(text, &types.field))
}

/// Reads a file: base64 of its bytes for `payload`, else its text as the field's type wants it.
pub(super) fn coerce_file(bytes: &[u8], key: &str, types: &Types) -> Result<Value, String> {
    if key == "payload" {
        return Ok(base64::engine::general_purpose::STANDARD.encode(bytes).into());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "the file is no text (UTF-8)".to_owned())?;
    if allows(&types.field, "string") || text.is_empty() {
        return Ok(text.into());
    }
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(_) if types.field.is_empty() => Ok(text.into()),
        Err(error) => Err(format!("the file holds no JSON: {error}")),
    }
}

fn scalar(text: &str, types: &[String]) -> Value {
    if text.is_empty() && allows(types, "null") {
        return Value::Null;
    }
    let as_flag = || text.parse::<bool>().ok().map(Value::from);
    let as_number = || text.parse::<i64>().ok().map(Value::from);
    let as_fraction = || text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from);
    let found = if allows(types, "string") {
        None
    } else if allows(types, "boolean") {
        as_flag()
    } else if allows(types, "integer") {
        as_number()
    } else if allows(types, "number") {
        as_number().or_else(as_fraction)
    } else {
        None
    };
    found.unwrap_or_else(|| text.into())
}

fn allows(types: &[String], name: &str) -> bool {
    types.iter().any(|allowed| allowed == name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(kind: Kind, pointer: &str, text: &str) -> Value {
        coerce(text, &Types::of(kind, pointer)).unwrap()
    }

    #[test]
    fn the_schema_decides() {
        for (kind, pointer, text, expected) in [
            (Kind::Route, "/name", "007", json!("007")),
            (Kind::Route, "/paths", "/a,/b", json!(["/a", "/b"])),
            (Kind::Route, "/paths", "/a", json!(["/a"])),
            (Kind::Route, "/paths", r#"["/a,b"]"#, json!(["/a,b"])),
            (Kind::Route, "/modules", "", json!([])),
            (Kind::Route, "/strip_path", "true", json!(true)),
            (Kind::Route, "/stripPath", "false", json!(false)),
            (Kind::Route, "/strip_path", "maybe", json!("maybe")),
            (Kind::Route, "/priority", "-5", json!(-5)),
            (Kind::Route, "/service", "", json!(null)),
            (Kind::Route, "/service", "true", json!("true")),
            (Kind::Route, "/timeout", "30s", json!("30s")),
            (Kind::Service, "/request_timeout_ms", "250", json!(250)),
            (Kind::Document, "/data/items", "5", json!("5")),
            (Kind::Route, "/match/headers/x", "1", json!("1")),
            (Kind::Service, "/urls", "http://a:1,http://b:2", json!(["http://a:1", "http://b:2"])),
            (Kind::Service, "/urls", r#"[{"url":"http://a"}]"#, json!([{ "url": "http://a" }])),
            (Kind::Service, "/tls/skip_verify", "true", json!(true)),
            (Kind::Service, "/retries", "3", json!(3)),
            (Kind::Document, "/data", r#"{"a": 1}"#, json!({ "a": 1 })),
            (Kind::Document, "/data", "{not json", json!("{not json")),
            (Kind::Document, "/data", "5", json!("5")),
            (Kind::Secret, "/data", "{\"a\":1}", json!("{\"a\":1}")),
            (Kind::Module, "/env", r#"{"A":"b"}"#, json!({ "A": "b" })),
        ] {
            assert_eq!(read(kind, pointer, text), expected, "{kind} {pointer}={text}");
        }
    }

    #[test]
    fn files_are_texts_payloads_and_json() {
        let file =
            |kind, key: &str, bytes: &[u8]| coerce_file(bytes, key, &Types::of(kind, &format!("/{key}")));
        assert_eq!(file(Kind::Module, "payload", b"\xffx").unwrap(), json!("/3g="));
        assert_eq!(file(Kind::Secret, "data", b"{\"a\":1}\n").unwrap(), json!("{\"a\":1}\n"));
        assert_eq!(file(Kind::Document, "data", b"{\"a\":1}\n").unwrap(), json!({ "a": 1 }));
        assert_eq!(file(Kind::Document, "data", b"text").unwrap(), json!("text"));
        assert_eq!(file(Kind::Route, "paths", b"[\"/a\"]").unwrap(), json!(["/a"]));
        assert!(file(Kind::Route, "paths", b"/a").unwrap_err().contains("no JSON"));
        assert!(file(Kind::Secret, "data", b"\xff").unwrap_err().contains("UTF-8"));
    }
}
