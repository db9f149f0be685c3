//! Which failures are tried again.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A failure that may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryOn {
    /// No connection could be made in time: resolution, timeout, TLS handshake.
    Connect,
    /// The endpoint refused the connection.
    Refused,
    /// The connection broke before the response head was complete.
    Reset,
    /// The endpoint was too slow to answer.
    Timeout,
    /// The endpoint answered with this status (400–599).
    Status(u16),
}

impl RetryOn {
    const NAMES: [(&'static str, Self); 4] = [
        ("connect", Self::Connect),
        ("refused", Self::Refused),
        ("reset", Self::Reset),
        ("timeout", Self::Timeout),
    ];

    /// What is tried again when nothing is said: `connect, reset, refused, 502, 503, 504`.
    pub fn defaults() -> Vec<Self> {
        vec![
            Self::Connect,
            Self::Reset,
            Self::Refused,
            Self::Status(502),
            Self::Status(503),
            Self::Status(504),
        ]
    }

    pub(super) fn is_defaults(list: &[Self]) -> bool {
        list == Self::defaults()
    }

    fn from_status(status: u64) -> Option<Self> {
        (400..600).contains(&status).then_some(Self::Status(status as u16))
    }

    fn from_text(text: &str) -> Option<Self> {
        let named = Self::NAMES.iter().find(|(name, _)| *name == text).map(|(_, retry)| *retry);
        named.or_else(|| Self::from_status(text.parse().ok()?))
    }
}

impl fmt::Display for RetryOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            named => {
                f.write_str(Self::NAMES.iter().find(|(_, retry)| retry == named).map_or("", |(name, _)| name))
            }
        }
    }
}

impl Serialize for RetryOn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Status(status) => serializer.serialize_u16(*status),
            named => serializer.collect_str(named),
        }
    }
}

impl<'de> Deserialize<'de> for RetryOn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = RetryOn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`connect`, `refused`, `reset`, `timeout` or a status from 400 to 599")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RetryOn, E> {
                RetryOn::from_text(text)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }

            fn visit_u64<E: serde::de::Error>(self, status: u64) -> Result<RetryOn, E> {
                RetryOn::from_status(status)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Unsigned(status), &self))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for RetryOn {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RetryOn".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "`connect`, `refused`, `reset`, `timeout` or a status from 400 to 599",
            "anyOf": [
                {
                    "type": "string",
                    "description": "`connect`, `refused`, `reset`, `timeout` or a status from 400 to 599",
                    "pattern": "^(connect|refused|reset|timeout|[45][0-9][0-9])$",
                },
                { "type": "integer", "minimum": 400, "maximum": 599 },
            ],
        })
    }
}
