//! `job`: a module that runs on a schedule or on events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{default_namespace, is_default, named_resource};
use crate::units::HumanDuration;

/// A module that runs on a schedule or on events. Exactly one of `schedule` and `on` is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The name, unique in its namespace.
    pub name: String,
    /// The namespace it belongs to.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// `@every 1m`, `@cron 0 3 * * *`, `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub schedule: Option<String>,
    /// Event names, `*` at the end matches the rest: `resource.route.*`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on: Vec<String>,
    /// IANA time zone of the schedule.
    #[serde(default = "Job::utc")]
    pub timezone: String,
    /// The module; exports `job` (schedule) or `event` (events).
    pub module: String,
    /// Where a scheduled run happens.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scope: JobScope,
    /// What happens when the last run has not ended yet.
    #[serde(default, skip_serializing_if = "is_default")]
    pub overlap: OverlapPolicy,
    /// What happens when nobody could run it at the scheduled instant.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missed: MissedRun,
    /// Delay each run by a random time up to this.
    #[serde(default, skip_serializing_if = "is_default")]
    pub jitter: Option<HumanDuration>,
    /// How long a run may take.
    #[serde(default = "Job::default_timeout")]
    pub timeout: HumanDuration,
    /// How often a failed run is tried again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retries: u32,
    /// Do not run it for now.
    #[serde(default, skip_serializing_if = "is_default")]
    pub paused: bool,
    /// Run before the thing happens, able to change or refuse it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub intercept: bool,
    /// Order among intercepting jobs; higher first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: i32,
    /// Labels and conditions.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
}

named_resource!(Job);

impl Job {
    fn utc() -> String {
        "UTC".to_owned()
    }

    const fn default_timeout() -> HumanDuration {
        HumanDuration::from_secs(60)
    }
}

/// Where a scheduled run happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobScope {
    /// On one node of the cluster.
    #[default]
    Cluster,
    /// On every node.
    Node,
}

/// What happens when the last run has not ended yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverlapPolicy {
    /// This run is left out.
    #[default]
    Skip,
    /// One run waits.
    Queue,
    /// Both run.
    Allow,
}

/// What happens when nobody could run the job at the scheduled instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissedRun {
    /// It is left out.
    #[default]
    Skip,
    /// It runs once, as soon as somebody can.
    RunOnce,
}
