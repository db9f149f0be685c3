//! The JSON Schema of the configuration file.

use serde_json::Value;

use super::model::Config;

/// The JSON Schema (draft 2020-12) of the configuration file, for editors. It describes the canonical spelling; the
/// server also accepts others (`stripPath`, `connect_timeout_ms`).
pub fn schema() -> Value {
    let mut schema = dgate_core::decode::json_schema::<Config>();
    schema["title"] = "DGate configuration".into();
    schema
}
