//! `access_log`.

use dgate_core::units::Percent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line for each request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccessLog {
    /// How a line looks.
    pub format: AccessLogFormat,
    /// The file it goes to; standard output when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The share of requests that is logged.
    pub sample: Percent,
}

impl Default for AccessLog {
    fn default() -> Self {
        Self { format: AccessLogFormat::Json, path: None, sample: Percent::whole(100) }
    }
}

/// How a line of the access log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccessLogFormat {
    /// One JSON object.
    Json,
    /// As web servers write it, with referer and user agent.
    Common,
    /// There are no lines.
    Off,
}
