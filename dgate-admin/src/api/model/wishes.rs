//! What may be asked for.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Resources that shall be there, all or none.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// The resources: an object of lists as in a configuration file (`{"services": […], "routes": […]}`), or one list of
    /// objects that each say their `kind`.
    #[schemars(schema_with = "resources")]
    pub resources: Value,
    /// What shall not be there any more, in the same change: `route/default/hello`, `namespace/shop`.
    #[serde(default)]
    pub delete: Vec<String>,
    /// Whether resources that are not listed stay.
    #[serde(default)]
    pub mode: ApplyMode,
    /// Whose the resources become. Resources of other owners are left alone. `sync` needs it.
    #[serde(default)]
    pub owner: Option<String>,
    /// Say what would change, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// What it is for; kept in the changelog.
    #[serde(default)]
    pub message: Option<String>,
    /// Fail with 409 unless the configuration is at this revision.
    #[serde(default)]
    pub expect_revision: Option<u64>,
    /// What refers to something that goes, goes as well.
    #[serde(default)]
    pub cascade: bool,
}

fn resources(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "anyOf": [
            { "type": "object", "additionalProperties": { "type": "array", "items": { "type": "object" } } },
            { "type": "array", "items": { "type": "object", "required": ["kind"] } },
        ],
    })
}

/// Whether resources that are not listed stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApplyMode {
    /// They stay.
    #[default]
    Apply,
    /// Those of the same owner are deleted.
    Sync,
}

/// The name of a resource.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its namespace.
    #[serde(default)]
    pub namespace: Option<String>,
}

/// The name of a namespace.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct NamedNamespace {
    /// Its name.
    pub name: String,
}

/// The name of a document.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct NamedDocument {
    /// Its identifier.
    pub id: String,
    /// Its collection.
    pub collection: String,
    /// Its namespace.
    #[serde(default)]
    pub namespace: Option<String>,
}

/// What a rollback is for.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rollback {
    /// What it is for; kept in the changelog.
    pub message: Option<String>,
    /// Roll back documents as well. Without it, only those come back that went with their collection.
    pub documents: bool,
    /// Fail with 409 unless the configuration is at this revision.
    pub expect_revision: Option<u64>,
}
