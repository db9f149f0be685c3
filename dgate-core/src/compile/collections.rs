//! Collections and their documents.

use jsonschema::{Draft, PatternOptions, Retrieve, Uri, Validator};
use serde_json::Value;

use crate::key::name_fault;
use crate::resource::{Collection, Document, Resource};
use crate::{Problem, Problems};

/// The draft of JSON Schema that schemas are written in.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

pub(super) fn check(spec: &Collection, problems: &mut Problems) {
    if let Some(Err(problem)) = spec.schema.as_ref().map(validator) {
        problems.push(problem);
    }
}

/// Checks the documents of a collection. Made once for many of them, as the schema has to be compiled.
#[derive(Debug)]
pub struct DocumentCheck {
    validator: Option<Validator>,
}

impl DocumentCheck {
    /// A check for documents of this collection.
    ///
    /// # Errors
    /// When its schema is not valid.
    pub fn new(collection: &Collection) -> Result<Self, Problems> {
        let validator = collection.schema.as_ref().map(validator).transpose();
        match validator {
            Ok(validator) => Ok(Self { validator }),
            Err(problem) => Err(problem.about(&collection.key()).into()),
        }
    }

    /// Says what is wrong with a document.
    ///
    /// ```
    /// use dgate_core::compile::DocumentCheck;
    /// use dgate_core::resource::{Collection, Document};
    /// use serde_json::json;
    /// let schema = json!({ "type": "object", "required": ["url"] });
    /// let links: Collection = dgate_core::decode(json!({ "name": "links", "schema": schema })).unwrap();
    /// let link: Document = dgate_core::decode(json!({ "id": "a", "collection": "links", "data": {} })).unwrap();
    /// let problems = DocumentCheck::new(&links).unwrap().check(&link).unwrap_err();
    /// assert_eq!(problems.to_string(), "document/default/links/a /data: \"url\" is a required property");
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(&self, document: &Document) -> Result<(), Problems> {
        let mut problems = Problems::new();
        let id = &document.id;
        if id.is_empty() || id.len() > 512 || id.chars().any(char::is_control) {
            problems
                .push(Problem::error("/id", "an identifier has 1 to 512 bytes and no control characters"));
        }
        if let Some(fault) = name_fault(&document.collection) {
            problems.push(Problem::error("/collection", format!("name `{}` {fault}", document.collection)));
        }
        if document.ttl.is_some_and(|ttl| ttl.get().is_zero()) {
            problems.push(Problem::error("/ttl", "`ttl` must be longer than zero"));
        }
        for error in self.validator.iter().flat_map(|validator| validator.iter_errors(&document.data)) {
            problems.push(Problem::error(format!("/data{}", error.instance_path()), error.to_string()));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.about(&document.key())) }
    }
}

/// A validator that never looks outside of the schema itself, and whose patterns match in linear time.
fn validator(schema: &Value) -> Result<Validator, Problem> {
    struct NoRetrieval;

    impl Retrieve for NoRetrieval {
        fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
            Err(format!("`$ref` to `{uri}` leads outside of the schema").into())
        }
    }

    if let Some(other) = schema.get("$schema").filter(|draft| draft.as_str() != Some(DRAFT)) {
        return Err(Problem::error("/schema/$schema", format!("the draft {other} is not supported"))
            .with_help(format!("write `{DRAFT}`, or leave it out")));
    }
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_retriever(NoRetrieval)
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .map_err(|error| {
            let at = format!("/schema{}", error.instance_path());
            Problem::error(at, format!("the schema is not valid: {error}"))
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problem(schema: &Value) -> String {
        validator(schema).unwrap_err().to_string()
    }

    #[test]
    fn documents_satisfy_the_schema() {
        let collection: Collection = crate::decode(json!({
            "name": "links",
            "schema": {
                "$schema": DRAFT,
                "type": "object",
                "required": ["url"],
                "properties": { "url": { "type": "string", "pattern": "^https?://" } },
            },
        }))
        .unwrap();
        let check = DocumentCheck::new(&collection).unwrap();
        let document = |data: Value| -> Document {
            crate::decode(json!({ "id": "a", "collection": "links", "data": data })).unwrap()
        };
        assert!(check.check(&document(json!({ "url": "http://x" }))).is_ok());
        for wrong in [json!({ "url": 7 }), json!({ "url": "ftp://x" })] {
            let problems = check.check(&document(wrong)).unwrap_err().to_string();
            assert!(problems.contains("document/default/links/a /data/url: "), "{problems}");
        }
    }

    #[test]
    fn remote_references_are_refused() {
        for uri in ["https://example.com/schema.json", "file:///etc/passwd"] {
            assert!(problem(&json!({ "$ref": uri })).contains("leads outside of the schema"), "{uri}");
        }
        assert!(problem(&json!({ "$ref": "other.json" })).contains("the schema is not valid"));
        let own = json!({ "$ref": "#/$defs/a", "$defs": { "a": { "type": "object" } } });
        assert!(validator(&own).is_ok());
    }

    #[test]
    fn schemas_that_are_none_are_refused() {
        assert!(problem(&json!({ "type": "nonsense" })).starts_with("/schema/type: the schema is not valid"));
        assert!(problem(&json!({ "pattern": "(?=a)" })).contains("the schema is not valid"));
        let old = problem(&json!({ "$schema": "http://json-schema.org/draft-07/schema#" }));
        assert!(old.starts_with("/schema/$schema: the draft"), "{old}");
    }
}
