//! `namespace`: a world of its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Resource, is_default};
use crate::Kind;

/// A world of its own: resources of one namespace refer only to resources of the same one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Namespace {
    /// The name, unique on this gateway.
    pub name: String,
    /// Labels, and conditions under which the namespace and all its contents apply.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
    /// Tags that every server carries inside of this namespace, besides its own: a canary of one of its routes, for
    /// example, as in `canary@1%:v2`. Conditions of the namespace itself and of its domains do not see them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub server_tags: Vec<String>,
}

impl Namespace {
    /// A namespace without tags.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), tags: Vec::new(), server_tags: Vec::new() }
    }
}

impl Resource for Namespace {
    const KIND: Kind = Kind::Namespace;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn namespace(&self) -> &str {
        ""
    }

    fn tags(&self) -> &[String] {
        &self.tags
    }
}
