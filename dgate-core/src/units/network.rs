//! Addresses and networks, as the schema describes them. What they are read into are the types of the standard library
//! and of `ipnet`: `#[schemars(with = "Address")]`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// How an IP address is described.
#[derive(Debug)]
pub enum Address {}

impl JsonSchema for Address {
    fn schema_name() -> Cow<'static, str> {
        "Address".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "ip",
            "description": "an IP address, such as \"127.0.0.1\" or \"::1\"",
        })
    }
}

/// How a network is described.
#[derive(Debug)]
pub enum Network {}

impl JsonSchema for Network {
    fn schema_name() -> Cow<'static, str> {
        "Network".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "cidr",
            "description": "a network in CIDR notation, such as \"10.0.0.0/8\" or \"192.0.2.7/32\"",
        })
    }
}
