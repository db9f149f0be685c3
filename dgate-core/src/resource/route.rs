//! `route`: which requests go where.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{default_namespace, is_default, is_true, named_resource};
use crate::units::{ByteSize, HumanDuration, Percent};

/// Which requests go where, and through which modules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The name, unique in its namespace.
    pub name: String,
    /// The namespace it belongs to.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// Path patterns: `/users/{id}`, `/img-{name}.png`, `/{n:[0-9]+}`, `/api/**`.
    pub paths: Vec<String>,
    /// Methods in upper case, or `["*"]` for all.
    #[serde(default = "Route::all_methods", deserialize_with = "upper_case")]
    pub methods: Vec<String>,
    /// Further conditions on headers and query.
    #[serde(default, rename = "match", skip_serializing_if = "is_default")]
    pub matches: RouteMatch,
    /// Where requests go. Without a service a module has to answer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub service: Option<String>,
    /// Modules whose hooks run, in this order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub modules: Vec<String>,
    /// Remove the literal part before the wildcard (without wildcard: the whole path) before passing the path on.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strip_path: bool,
    /// Pass the client's `Host` on instead of the endpoint's.
    #[serde(default, skip_serializing_if = "is_default")]
    pub preserve_host: bool,
    /// Higher priorities are tried first, before any other rule of precedence.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: i32,
    /// How long all attempts together may take until the response head; unlimited when absent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub timeout: Option<HumanDuration>,
    /// Largest request body; the gateway's own limit when absent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub max_body: Option<ByteSize>,
    /// Copy a share of the requests to another service, whose answers are thrown away.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mirror: Option<Mirror>,
    /// Allow WebSocket and other upgrades.
    #[serde(default = "Route::default_websocket", skip_serializing_if = "is_true")]
    pub websocket: bool,
    /// Labels and conditions.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
}

named_resource!(Route);

impl Route {
    /// A route for all methods of one path pattern, in the namespace `default`.
    ///
    /// ```
    /// use dgate_core::resource::Route;
    /// let mut route = Route::new("hello", "/hello/**");
    /// route.service = Some("echo".into());
    /// ```
    pub fn new(name: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            namespace: default_namespace(),
            paths: vec![path.into()],
            methods: Self::all_methods(),
            matches: RouteMatch::default(),
            service: None,
            modules: Vec::new(),
            strip_path: false,
            preserve_host: false,
            priority: 0,
            timeout: None,
            max_body: None,
            mirror: None,
            websocket: true,
            tags: Vec::new(),
        }
    }

    /// The same route, leading to a service.
    #[must_use]
    pub fn to_service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    fn all_methods() -> Vec<String> {
        vec!["*".to_owned()]
    }

    const fn default_websocket() -> bool {
        true
    }
}

fn upper_case<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let mut names = Vec::<String>::deserialize(deserializer)?;
    names.iter_mut().for_each(|name| name.make_ascii_uppercase());
    Ok(names)
}

/// Conditions besides path and method. All of them must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RouteMatch {
    /// By header name.
    #[serde(skip_serializing_if = "is_default")]
    pub headers: BTreeMap<String, Condition>,
    /// By query parameter name.
    #[serde(skip_serializing_if = "is_default")]
    pub query: BTreeMap<String, Condition>,
}

/// What a header or query value must be. A bare string means `exact`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "WrittenCondition")]
pub enum Condition {
    /// The whole value.
    Exact(String),
    /// How the value begins.
    Prefix(String),
    /// A regular expression that matches the whole value.
    Regex(String),
    /// Whether there is a value at all.
    Present(bool),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ConditionObject")]
enum ConditionObject {
    /// The whole value.
    Exact(String),
    /// How the value begins.
    Prefix(String),
    /// A regular expression that matches the whole value.
    Regex(String),
    /// Whether there is a value at all.
    Present(bool),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenCondition {
    Text(String),
    Object(ConditionObject),
}

impl From<WrittenCondition> for Condition {
    fn from(written: WrittenCondition) -> Self {
        match written {
            WrittenCondition::Text(value) | WrittenCondition::Object(ConditionObject::Exact(value)) => {
                Self::Exact(value)
            }
            WrittenCondition::Object(ConditionObject::Prefix(value)) => Self::Prefix(value),
            WrittenCondition::Object(ConditionObject::Regex(value)) => Self::Regex(value),
            WrittenCondition::Object(ConditionObject::Present(value)) => Self::Present(value),
        }
    }
}

impl Serialize for Condition {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.clone() {
            Self::Exact(value) => serializer.serialize_str(&value),
            Self::Prefix(value) => ConditionObject::Prefix(value).serialize(serializer),
            Self::Regex(value) => ConditionObject::Regex(value).serialize(serializer),
            Self::Present(value) => ConditionObject::Present(value).serialize(serializer),
        }
    }
}

impl JsonSchema for Condition {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let object = generator.subschema_for::<ConditionObject>();
        schemars::json_schema!({
            "description": "A bare string means `exact`.",
            "anyOf": [{ "type": "string" }, object],
        })
    }
}

/// A share of the requests copied to another service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mirror {
    /// Where the copies go.
    pub service: String,
    /// How many of the requests are copied.
    #[serde(default = "Mirror::everything")]
    pub percent: Percent,
}

impl Mirror {
    const fn everything() -> Percent {
        Percent::whole(100)
    }
}
