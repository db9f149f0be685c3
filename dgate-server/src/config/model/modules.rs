//! `modules`.

use dgate_core::units::HumanDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How modules are run. Changes need a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Modules {
    /// What every module may do besides its own permissions, such as `os:net:http=api.example.com`.
    pub default_permissions: Vec<String>,
    /// How runtimes are kept.
    pub pool: ModulePool,
}

/// How runtimes are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModulePool {
    /// Most threads for modules that compute for long, and for all of them when work moves between threads; as many as
    /// the machine has cores when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_threads: Option<usize>,
    /// A runtime that was not used for so long is given up.
    pub idle_timeout: HumanDuration,
    /// A runtime that began so many calls is replaced.
    pub max_calls: u64,
    /// How many calls may wait for a thread.
    pub mailbox: usize,
}

impl Default for ModulePool {
    fn default() -> Self {
        Self {
            max_threads: None,
            idle_timeout: HumanDuration::from_secs(60),
            max_calls: 1_000_000,
            mailbox: 1_024,
        }
    }
}
