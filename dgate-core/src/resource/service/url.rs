//! An endpoint's URL, with or without weight.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// One endpoint: a URL, or an object when it also has a weight, a priority or tags.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "Written")]
pub struct UpstreamUrl {
    /// `scheme://host[:port][/path]`; the path is put before every request path.
    pub url: String,
    /// Its share of the requests, relative to the other endpoints; 0 takes it out of rotation.
    pub weight: u32,
    /// Endpoints of a higher priority are used as long as one of them is healthy.
    pub priority: i32,
    /// Labels and conditions.
    pub tags: Vec<String>,
}

impl<S: Into<String>> From<S> for UpstreamUrl {
    fn from(url: S) -> Self {
        Self { url: url.into(), weight: 1, priority: 0, tags: Vec::new() }
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UpstreamUrlObject")]
struct Object {
    /// `scheme://host[:port][/path]`; the path is put before every request path.
    url: String,
    /// Its share of the requests, relative to the other endpoints; 0 takes it out of rotation.
    #[serde(default = "one")]
    weight: u32,
    /// Endpoints of a higher priority are used as long as one of them is healthy.
    #[serde(default)]
    priority: i32,
    /// Labels and conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

fn one() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Object(Object),
}

impl From<Written> for UpstreamUrl {
    fn from(written: Written) -> Self {
        match written {
            Written::Text(url) => url.into(),
            Written::Object(Object { url, weight, priority, tags }) => Self { url, weight, priority, tags },
        }
    }
}

impl Serialize for UpstreamUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { url, weight, priority, tags } = self.clone();
        if weight == 1 && priority == 0 && tags.is_empty() {
            return serializer.serialize_str(&url);
        }
        Object { url, weight, priority, tags }.serialize(serializer)
    }
}

impl JsonSchema for UpstreamUrl {
    fn schema_name() -> Cow<'static, str> {
        "UpstreamUrl".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let object = generator.subschema_for::<Object>();
        json_schema!({
            "description": "One endpoint: a URL, or an object with a weight, a priority or tags.",
            "anyOf": [{ "type": "string" }, object],
        })
    }
}
