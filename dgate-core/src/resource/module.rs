//! `module`: code that runs in the request path.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{default_namespace, is_default, named_resource};
use crate::units::{ByteSize, HumanDuration};

/// TypeScript or JavaScript that runs in the request path, in jobs or on events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// The name, unique in its namespace; other modules import it by this name.
    pub name: String,
    /// The namespace it belongs to.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// The source, base64; line breaks in it are allowed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub payload: Option<String>,
    /// The source as plain text.
    #[serde(default, skip_serializing_if = "is_default")]
    pub payload_raw: Option<String>,
    /// File with the source; relative to the file that names it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub payload_file: Option<String>,
    /// The language.
    #[serde(default, rename = "type", skip_serializing_if = "is_default")]
    pub module_type: ModuleType,
    /// What the module may do, such as `os:net:http=api.example.com`. Nothing by default.
    #[serde(default, skip_serializing_if = "is_default")]
    pub permissions: Vec<String>,
    /// How much it may use for one call.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: ModuleLimits,
    /// What happens to a request when the module fails.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_failure: FailurePolicy,
    /// Values the module may read as `ctx.env`: a text, or `{ secret: NAME }` for the value of a secret.
    #[serde(default, skip_serializing_if = "is_default")]
    pub env: BTreeMap<String, EnvValue>,
    /// Labels and conditions.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
}

named_resource!(Module);

impl Module {
    /// A TypeScript module of the default namespace, without permissions.
    pub fn new(name: impl Into<String>, source: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            namespace: default_namespace(),
            payload: None,
            payload_raw: Some(source.into()),
            payload_file: None,
            module_type: ModuleType::default(),
            permissions: Vec::new(),
            limits: ModuleLimits::default(),
            on_failure: FailurePolicy::default(),
            env: BTreeMap::new(),
            tags: Vec::new(),
        }
    }
}

/// A value that a module may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenEnvValue", into = "WrittenEnvValue")]
pub enum EnvValue {
    /// This text.
    Text(String),
    /// What the secret of this name holds.
    Secret(String),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "EnvValue")]
enum WrittenEnvValue {
    /// A text.
    Text(String),
    /// The value of a secret.
    Secret(SecretReference),
}

/// The value of a secret.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SecretReference {
    /// The secret's name.
    secret: String,
}

impl From<WrittenEnvValue> for EnvValue {
    fn from(written: WrittenEnvValue) -> Self {
        match written {
            WrittenEnvValue::Text(text) => Self::Text(text),
            WrittenEnvValue::Secret(SecretReference { secret }) => Self::Secret(secret),
        }
    }
}

impl From<EnvValue> for WrittenEnvValue {
    fn from(value: EnvValue) -> Self {
        match value {
            EnvValue::Text(text) => Self::Text(text),
            EnvValue::Secret(secret) => Self::Secret(SecretReference { secret }),
        }
    }
}

impl JsonSchema for EnvValue {
    fn schema_name() -> Cow<'static, str> {
        "EnvValue".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        WrittenEnvValue::json_schema(generator)
    }
}

/// The language of a module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModuleType {
    /// TypeScript; types are stripped, not checked.
    #[default]
    Typescript,
    /// JavaScript, as it is.
    Javascript,
}

/// How much a module may use for one call. What is absent is as the server has it for all modules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModuleLimits {
    /// Computing time, without waiting; 50 ms when neither module nor server say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<HumanDuration>,
    /// Time by the clock, with waiting; 30 s when neither module nor server say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<HumanDuration>,
    /// Largest body it may read; 1 MiB when neither module nor server say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<ByteSize>,
}

/// What happens to a request when a module fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailurePolicy {
    /// The request fails.
    #[default]
    Closed,
    /// The module is skipped.
    Open,
}
