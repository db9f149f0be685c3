//! `proxy.canary`.

use std::fmt;
use std::str::FromStr;

use http::HeaderName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Who gets the canary tags of this server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Canary {
    /// What identifies a client, so that it gets the same answer each time: `none`, `ip`, `header:NAME` or `cookie:NAME`.
    pub sticky: Sticky,
    /// Whose `X-DGate-Canary` header is heard.
    #[serde(rename = "override")]
    pub forced_by: ForcedBy,
}

/// What identifies a client to canary tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sticky(pub dgate_proxy::CanarySticky);

/// Whose `X-DGate-Canary` header is heard: `name:value` or `!name:value` settles for a request what it carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForcedBy {
    /// Nobody's.
    Off,
    /// That of clients in `proxy.trusted_proxies`.
    #[default]
    Trusted,
    /// Everybody's.
    Any,
}

impl From<ForcedBy> for dgate_proxy::CanaryOverride {
    fn from(forced_by: ForcedBy) -> Self {
        match forced_by {
            ForcedBy::Off => Self::Off,
            ForcedBy::Trusted => Self::Trusted,
            ForcedBy::Any => Self::Any,
        }
    }
}

impl FromStr for Sticky {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use dgate_proxy::CanarySticky as Key;
        let key = match text.split_once(':') {
            None if text == "none" => Some(Key::None),
            None if text == "ip" => Some(Key::Ip),
            Some(("header", name)) => HeaderName::from_bytes(name.as_bytes()).ok().map(Key::Header),
            Some(("cookie", name)) if !name.is_empty() => Some(Key::Cookie(name.to_owned())),
            _ => None,
        };
        key.map(Self).ok_or_else(|| format!("`{text}` is none of `none`, `ip`, `header:NAME`, `cookie:NAME`"))
    }
}

impl fmt::Display for Sticky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use dgate_proxy::CanarySticky as Key;
        match &self.0 {
            Key::None => f.write_str("none"),
            Key::Ip => f.write_str("ip"),
            Key::Header(name) => write!(f, "header:{name}"),
            Key::Cookie(name) => write!(f, "cookie:{name}"),
        }
    }
}

impl Serialize for Sticky {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sticky {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Sticky {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CanarySticky".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(none|ip|header:[!#$%&'*+.^_`|~0-9A-Za-z-]+|cookie:.+)$",
            "description": "`none`, `ip`, `header:NAME` or `cookie:NAME`",
        })
    }
}
