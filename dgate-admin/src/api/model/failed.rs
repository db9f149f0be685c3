//! Failures.

use std::fmt;

use dgate_core::Problem;
use schemars::JsonSchema;
use serde::Serialize;

/// Why a request has failed: problem details (RFC 9457), with `success` and `error` for those who know DGate 1.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Failed {
    /// What went wrong, as a stable name: `urn:dgate:error:not_found`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What went wrong with this request.
    pub detail: String,
    /// Each thing that is wrong with what was sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub errors: Vec<Fault>,
    /// Always `false`.
    pub success: bool,
    /// The same as `detail`.
    pub error: String,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fault {
    /// The resource it is about, as `kind/namespace/name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Where in that resource, or in the body when no resource is named: a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong.
    pub detail: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        let Problem { key, pointer, message, help, .. } = problem;
        Self { resource: key.map(|key| key.to_string()), pointer, detail: message, help }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.resource, self.pointer.as_str()) {
            (Some(resource), "") => write!(f, "{resource}: ")?,
            (Some(resource), pointer) => write!(f, "{resource} {pointer}: ")?,
            (None, "") => {}
            (None, pointer) => write!(f, "{pointer}: ")?,
        }
        f.write_str(&self.detail)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}
