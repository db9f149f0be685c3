//! A JSON Schema as the decoder reads it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

/// The JSON Schema (draft 2020-12) of a type.
pub fn json_schema<T: JsonSchema>() -> Value {
    SchemaGenerator::default().into_root_schema_for::<T>().to_value()
}

/// A whole schema document.
#[derive(Clone)]
pub(super) struct Root(Arc<Value>);

impl Root {
    /// The schema of `T`; made once, as decoding ten thousand routes would make it ten thousand times.
    pub(super) fn of<T: JsonSchema>() -> Self {
        static MADE: OnceLock<Mutex<HashMap<&'static str, Arc<Value>>>> = OnceLock::new();
        let name = std::any::type_name::<T>();
        let mut made = MADE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        Self(made.entry(name).or_insert_with(|| Arc::new(json_schema::<T>())).clone())
    }

    pub(super) fn node(&self) -> Node<'_> {
        Node { root: &self.0, here: &self.0 }.resolved()
    }
}

/// One schema in a document.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    root: &'a Value,
    here: &'a Value,
}

impl<'a> Node<'a> {
    fn resolved(mut self) -> Self {
        while let Some(reference) = self.here.get("$ref").and_then(Value::as_str) {
            match reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)) {
                Some(target) => self.here = target,
                None => break,
            }
        }
        self
    }

    fn sub(self, here: &'a Value) -> Self {
        Self { root: self.root, here }.resolved()
    }

    pub(super) fn get(self, keyword: &str) -> Option<&'a Value> {
        self.here.get(keyword)
    }

    pub(super) fn text(self, keyword: &str) -> Option<&'a str> {
        self.get(keyword)?.as_str()
    }

    /// The alternatives of `anyOf` or `oneOf`.
    pub(super) fn alternatives(self) -> Option<Vec<Self>> {
        let list = self.get("anyOf").or_else(|| self.get("oneOf"))?.as_array()?;
        Some(list.iter().map(|alternative| self.sub(alternative)).collect())
    }

    /// The JSON types it allows; none stands for any.
    pub(super) fn types(self) -> Vec<&'a str> {
        match self.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it allows values of a JSON type.
    pub(super) fn allows_type(self, found: &str) -> bool {
        let types = self.types();
        types.is_empty()
            || types.iter().any(|name| *name == found || (*name == "number" && found == "integer"))
    }

    /// Whether nobody may see its values.
    pub(super) fn is_write_only(self) -> bool {
        self.get("writeOnly") == Some(&Value::Bool(true))
    }

    /// The JSON types that it or one of its alternatives allows.
    pub(super) fn all_types(self) -> Vec<String> {
        let own = self.types().into_iter().map(str::to_owned);
        let others = self.alternatives().into_iter().flatten().flat_map(Self::all_types);
        own.chain(others).collect()
    }

    fn properties(self) -> Option<&'a Map<String, Value>> {
        self.get("properties")?.as_object()
    }

    /// The names of its fields.
    pub(super) fn fields(self) -> impl Iterator<Item = &'a str> {
        self.properties().into_iter().flat_map(Map::keys).map(String::as_str)
    }

    /// The schema of a field.
    pub(super) fn field(self, name: &str) -> Option<Self> {
        self.properties()?.get(name).map(|schema| self.sub(schema))
    }

    /// Whether fields besides the named ones are refused.
    pub(super) fn is_closed(self) -> bool {
        self.get("additionalProperties") == Some(&Value::Bool(false))
    }

    /// The schema of the values, when it is a map.
    pub(super) fn map_values(self) -> Option<Self> {
        self.get("additionalProperties").filter(|schema| schema.is_object()).map(|schema| self.sub(schema))
    }

    /// The schema of the items, when it is a list.
    pub(super) fn items(self) -> Option<Self> {
        self.get("items").filter(|schema| schema.is_object()).map(|schema| self.sub(schema))
    }

    pub(super) fn required(self) -> impl Iterator<Item = &'a str> {
        self.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// The only values it allows, when they are listed: `const` or `enum`, also in all of its alternatives.
    pub(super) fn listed_values(self) -> Option<Vec<&'a Value>> {
        if let Some(value) = self.get("const") {
            return Some(vec![value]);
        }
        if let Some(values) = self.get("enum").and_then(Value::as_array) {
            return Some(values.iter().collect());
        }
        None
    }

    /// The alternative that a value was meant for: same JSON type, and for objects the most fields in common.
    pub(super) fn alternative_for(self, value: &Value) -> Option<Self> {
        let fits = |node: &Self| node.types().is_empty() || node.types().contains(&type_name(value));
        let common = |node: &Self| {
            value
                .as_object()
                .map_or(0, |object| object.keys().filter(|name| node.field(name).is_some()).count())
        };
        self.alternatives()?.into_iter().filter(fits).max_by_key(common)
    }
}

/// The JSON type of a value, as schemas name it.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
