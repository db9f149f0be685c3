//! Tests over the public surface of the crate.

#![allow(clippy::unwrap_used, missing_docs)]

mod apply;
mod compile;
mod decode;
mod draft;
mod explain;
mod gauges;
mod tags;

use dgate_core::resource::AnyResource;
use serde_json::Value;

/// A resource from JSON, as people write it.
fn resource(kind: dgate_core::Kind, value: Value) -> AnyResource {
    dgate_core::with_kind!(kind, R => dgate_core::decode::<R>(value).unwrap().into())
}
