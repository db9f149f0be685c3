//! `collection`: a named set of documents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{default_namespace, is_default, named_resource};

/// A named set of documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// The name, unique in its namespace.
    pub name: String,
    /// The namespace it belongs to.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// A JSON Schema (2020-12) that every document must satisfy. References to other documents are refused.
    #[serde(default, skip_serializing_if = "is_default")]
    pub schema: Option<Value>,
    /// Who may read its documents.
    #[serde(default, skip_serializing_if = "is_default")]
    pub visibility: Visibility,
    /// Labels and conditions.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
}

named_resource!(Collection);

/// Who may read a collection's documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Modules of its own namespace.
    #[default]
    Private,
    /// Modules of every namespace.
    Public,
}
