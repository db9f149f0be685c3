//! What has changed, or would.

use dgate_core::apply::Outcome;
use dgate_core::store::Author;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::Difference;

/// What a change set does, or would do.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Plan {
    /// Whether nothing was changed because only a plan was asked for.
    pub dry_run: bool,
    /// How many resources are new.
    pub created: usize,
    /// How many are other than before.
    pub updated: usize,
    /// How many are as before.
    pub unchanged: usize,
    /// How many are gone.
    pub deleted: usize,
    /// What happens to each.
    pub changes: Vec<Change>,
}

/// What happens to one resource.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Change {
    /// The resource, as `kind/namespace/name`.
    pub resource: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace; absent for namespaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name; for documents `collection/id`.
    pub name: String,
    /// What happens to it.
    #[schemars(with = "Done")]
    pub outcome: Outcome,
    /// What is different; left out when nothing is, and in lists of the changelog.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub diff: Vec<Difference>,
}

/// What happens to a resource.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes `Outcome`, which belongs to another crate")]
#[derive(Debug)]
pub enum Done {
    /// It is new.
    Created,
    /// It is other than before.
    Updated,
    /// It is as before.
    Unchanged,
    /// It is gone.
    Deleted,
}

/// What was deleted.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Deleted {
    /// Each resource that is gone, as `kind/namespace/name`.
    pub deleted: Vec<String>,
}

/// One revision, in short.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ChangelogSummary {
    /// The revision.
    pub revision: u64,
    /// When it was made.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: jiff::Timestamp,
    /// Who made it, from where, and why.
    #[serde(flatten)]
    #[schemars(with = "AuthorSchema")]
    pub author: Author,
    /// What it changed.
    pub changes: Vec<Change>,
}

/// One revision with everything that is known about it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ChangelogEntry {
    /// The revision itself.
    #[serde(flatten)]
    pub summary: ChangelogSummary,
    /// Each changed resource before and after, secrets as fingerprints.
    pub resources: Vec<BeforeAfter>,
}

/// One resource before and after a revision.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct BeforeAfter {
    /// The resource, as `kind/namespace/name`.
    pub resource: String,
    /// What it was; absent when it was new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it became; absent when it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// Who made a revision.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "describes `Author`, which belongs to another crate")]
struct AuthorSchema {
    /// Who: a user, or a part of the gateway such as `config-file`.
    who: String,
    /// From which address.
    #[schemars(default)]
    from: Option<String>,
    /// The request that made it.
    #[schemars(default)]
    request_id: Option<String>,
    /// What it is for.
    #[schemars(default)]
    message: Option<String>,
}
