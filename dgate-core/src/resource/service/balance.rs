//! How an endpoint is chosen.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// How an endpoint is chosen among the healthy ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// In turn, smoothly by weight.
    #[default]
    RoundRobin,
    /// The less busy of two random ones (power of two choices).
    LeastRequest,
    /// The one of two random ones that answered faster of late, weighed by what it has in flight.
    Ewma,
    /// At random, by weight.
    Random,
    /// The same endpoint for the same key (Maglev), with few moves when endpoints come and go.
    Hash(HashOptions),
}

/// What the hash balancer hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HashOptions {
    /// `ip`, `path`, `header:NAME` or `cookie:NAME`.
    pub on: HashKey,
}

/// The part of a request that identifies its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashKey {
    /// The client's address.
    Ip,
    /// The request path.
    Path,
    /// The value of a header.
    Header(String),
    /// The value of a cookie.
    Cookie(String),
}

/// The text names nothing that can be hashed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{0}` is none of `ip`, `path`, `header:NAME`, `cookie:NAME`")]
pub struct HashKeyError(String);

impl FromStr for HashKey {
    type Err = HashKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "ip" => Ok(Self::Ip),
            None if text == "path" => Ok(Self::Path),
            Some(("header", name)) if http::HeaderName::from_bytes(name.as_bytes()).is_ok() => {
                Ok(Self::Header(name.to_owned()))
            }
            Some(("cookie", name)) if !name.is_empty() => Ok(Self::Cookie(name.to_owned())),
            _ => Err(HashKeyError(text.to_owned())),
        }
    }
}

impl fmt::Display for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip => f.write_str("ip"),
            Self::Path => f.write_str("path"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
        }
    }
}

impl Serialize for HashKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HashKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for HashKey {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HashKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(ip|path|header:[!#$%&'*+.^_`|~0-9A-Za-z-]+|cookie:.+)$",
            "description": "`ip`, `path`, `header:NAME` or `cookie:NAME`",
        })
    }
}
