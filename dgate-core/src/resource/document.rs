//! `document`: one JSON value of a collection.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Resource, default_namespace, is_default};
use crate::Kind;
use crate::units::HumanDuration;

/// One JSON value of a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The identifier, unique in its collection.
    pub id: String,
    /// The namespace it belongs to.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// The collection it belongs to.
    pub collection: String,
    /// Any JSON value that satisfies the collection's schema.
    pub data: Value,
    /// It disappears so long after it was last written; never when absent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ttl: Option<HumanDuration>,
}

impl Resource for Document {
    const KIND: Kind = Kind::Document;

    fn name(&self) -> String {
        format!("{}/{}", self.collection, self.id)
    }

    fn namespace(&self) -> &str {
        &self.namespace
    }

    fn tags(&self) -> &[String] {
        &[]
    }
}
