//! Active and passive health checks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_default;
use crate::units::{HumanDuration, Percent};

/// How the health of endpoints is found out. Requests only go to healthy endpoints; when none is left, to the least
/// bad ones, unless `fail_closed`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HealthCheck {
    /// Ask the endpoints at intervals. Off when absent.
    #[serde(skip_serializing_if = "is_default")]
    pub active: Option<ActiveHealth>,
    /// Watch how they answer real requests.
    #[serde(skip_serializing_if = "is_default")]
    pub passive: PassiveHealth,
    /// Answer 502 when no endpoint is healthy, instead of using the least bad ones.
    #[serde(skip_serializing_if = "is_default")]
    pub fail_closed: bool,
    /// After recovery an endpoint's share grows to its full weight over this time; off when absent.
    #[serde(skip_serializing_if = "is_default")]
    pub slow_start: Option<HumanDuration>,
}

/// Asks each endpoint at intervals. Exactly one of `path`, `tcp` and `grpc` says how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActiveHealth {
    /// `GET` this path.
    #[serde(default, skip_serializing_if = "is_default")]
    pub path: Option<String>,
    /// Just connect.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tcp: bool,
    /// Call `grpc.health.v1.Health/Check` for this service name (`""` for the whole server).
    #[serde(default, skip_serializing_if = "is_default")]
    pub grpc: Option<String>,
    /// Time between two checks of an endpoint.
    #[serde(default = "ActiveHealth::default_interval")]
    pub interval: HumanDuration,
    /// How long one check may take.
    #[serde(default = "ActiveHealth::default_timeout")]
    pub timeout: HumanDuration,
    /// So many good checks in a row make an endpoint healthy.
    #[serde(default = "ActiveHealth::default_healthy_after")]
    pub healthy_after: u32,
    /// So many bad checks in a row make it unhealthy.
    #[serde(default = "ActiveHealth::default_unhealthy_after")]
    pub unhealthy_after: u32,
    /// Statuses that count as good: `"200"`, `"200-299"`.
    #[serde(default = "ActiveHealth::default_expect")]
    pub expect: Vec<String>,
}

impl ActiveHealth {
    const fn default_interval() -> HumanDuration {
        HumanDuration::from_secs(5)
    }

    const fn default_timeout() -> HumanDuration {
        HumanDuration::from_secs(2)
    }

    const fn default_healthy_after() -> u32 {
        2
    }

    const fn default_unhealthy_after() -> u32 {
        3
    }

    fn default_expect() -> Vec<String> {
        vec!["200-399".to_owned()]
    }

    /// The accepted statuses as inclusive ranges, or the entry that is none.
    ///
    /// # Errors
    /// The text of the first entry that is neither a status nor a range of statuses.
    pub fn expected_statuses(&self) -> Result<Vec<(u16, u16)>, String> {
        let parse = |entry: &String| {
            let (from, to) = entry.split_once('-').unwrap_or((entry, entry));
            let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
            (100 <= from && from <= to && to < 600).then_some((from, to))
        };
        self.expect.iter().map(|entry| parse(entry).ok_or_else(|| entry.clone())).collect()
    }
}

/// Takes endpoints out of rotation that keep failing real requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PassiveHealth {
    /// So many failures within `window` eject an endpoint; 0 turns passive checks off.
    pub max_failures: u32,
    /// The time within which failures are counted.
    pub window: HumanDuration,
    /// For how long an endpoint is ejected; doubled for each ejection in a row, up to ten times as long.
    pub eject_for: HumanDuration,
    /// At most this share of a service's endpoints is ejected at a time.
    pub max_ejected_percent: Percent,
}

impl Default for PassiveHealth {
    fn default() -> Self {
        Self {
            max_failures: 5,
            window: HumanDuration::from_secs(10),
            eject_for: HumanDuration::from_secs(10),
            max_ejected_percent: Percent::whole(50),
        }
    }
}
