//! `runtime` and `shutdown`.

use dgate_core::units::HumanDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How work is spread over threads. Changes need a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Runtime {
    /// By which means.
    pub flavor: RuntimeFlavor,
    /// How many threads serve; as many as the machine has cores when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<usize>,
}

/// The means by which work is spread over threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuntimeFlavor {
    /// Each thread accepts and serves connections of its own: nothing crosses threads.
    #[default]
    PerCore,
    /// All threads share all work: better when few connections do very uneven work.
    WorkStealing,
}

/// How the server comes to an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Shutdown {
    /// How long it goes on serving after it says that it is not ready any more, so that load balancers notice.
    pub drain_delay: HumanDuration,
    /// How long requests may then take to end.
    pub timeout: HumanDuration,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { drain_delay: HumanDuration::from_secs(0), timeout: HumanDuration::from_secs(30) }
    }
}
