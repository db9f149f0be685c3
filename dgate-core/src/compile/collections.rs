//! Collections and their documents.

use serde_json::Value;

use crate::key::name_fault;
use crate::resource::{Collection, Document, Resource};
use crate::{Problem, Problems};

pub(super) fn check(spec: &Collection, problems: &mut Problems) {
    if let Some(Err(error)) = spec.schema.as_ref().map(validator) {
        problems.push(Problem::error("/schema", error));
    }
}

/// Says what is wrong with a document of a collection.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check_document(collection: &Collection, document: &Document) -> Result<(), Problems> {
    let mut problems = Problems::new();
    if document.id.is_empty() || document.id.len() > 512 || document.id.chars().any(char::is_control) {
        problems.push(Problem::error("/id", "an identifier has 1 to 512 bytes and no control characters"));
    }
    if let Some(fault) = name_fault(&document.collection) {
        problems.push(Problem::error("/collection", format!("name `{}` {fault}", document.collection)));
    }
    if let Some(Ok(validator)) = collection.schema.as_ref().map(validator) {
        for error in validator.iter_errors(&document.data) {
            problems.push(Problem::error(format!("/data{}", error.instance_path()), error.to_string()));
        }
    }
    problems.about(&document.key()).or(()).map(drop)
}

/// A validator that never looks outside the schema itself.
fn validator(schema: &Value) -> Result<jsonschema::Validator, String> {
    struct NoRetrieval;

    impl jsonschema::Retrieve for NoRetrieval {
        fn retrieve(
            &self,
            uri: &jsonschema::Uri<String>,
        ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
            Err(format!("`$ref` to `{uri}` leads outside of the schema").into())
        }
    }

    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .with_retriever(NoRetrieval)
        .build(schema)
        .map_err(|error| format!("the schema is not valid: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_satisfy_the_schema() {
        let collection: Collection = crate::decode(serde_json::json!({
            "name": "links",
            "schema": { "type": "object", "required": ["url"], "properties": { "url": { "type": "string" } } },
        }))
        .unwrap();
        let document = |data: Value| -> Document {
            crate::decode(serde_json::json!({ "id": "a", "collection": "links", "data": data })).unwrap()
        };
        assert!(check_document(&collection, &document(serde_json::json!({ "url": "x" }))).is_ok());
        let problems = check_document(&collection, &document(serde_json::json!({ "url": 7 }))).unwrap_err();
        assert!(
            problems.to_string().contains("document/default/links/a /data/url: 7 is not of type"),
            "{problems}"
        );
    }

    #[test]
    fn remote_references_are_refused() {
        for schema in [
            serde_json::json!({ "$ref": "https://example.com/schema.json" }),
            serde_json::json!({ "$ref": "file:///etc/passwd" }),
            serde_json::json!({ "type": "nonsense" }),
        ] {
            assert!(validator(&schema).is_err(), "{schema}");
        }
    }
}
