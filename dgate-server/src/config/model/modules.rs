//! `modules`.

use dgate_core::units::{ByteSize, HumanDuration};
use dgate_core::{Problem, Problems};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How modules are run. Changes need a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Modules {
    /// What every module may do besides its own permissions, such as `os:net:http=api.example.com`.
    pub default_permissions: Vec<String>,
    /// What they may use.
    pub limits: ModuleBounds,
    /// How runtimes are kept.
    pub pool: ModulePool,
    /// Whether simple hooks run without the engine (`dgate-cli module check` tells which), which does the same at a
    /// fraction of the cost. `false` runs everything in the engine.
    pub direct_hooks: bool,
}

impl Default for Modules {
    fn default() -> Self {
        Self {
            default_permissions: Vec::new(),
            limits: ModuleBounds::default(),
            pool: ModulePool::default(),
            direct_hooks: true,
        }
    }
}

/// What modules may use: by default, at most, and whatever they say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModuleBounds {
    /// Computing time for one call, without waiting, of modules that do not say.
    pub cpu: HumanDuration,
    /// Time by the clock for one call, with waiting, of modules that do not say.
    pub timeout: HumanDuration,
    /// Largest body that modules may read which do not say.
    pub body: ByteSize,
    /// The most that a module may say for `cpu`; no bounds when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cpu: Option<HumanDuration>,
    /// The most that a module may say for `timeout`; no bounds when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_timeout: Option<HumanDuration>,
    /// The most that a module may say for `body`; no bounds when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_body: Option<ByteSize>,
    /// Calls within calls, from 32 to 4000.
    pub recursion: usize,
    /// Longest text that built-ins make, in characters, up to 67108864.
    pub string: usize,
    /// Longest list that built-ins walk through, up to 10000000.
    pub list: usize,
    /// Operations that one call may wait for at the same time (fetches, timers, reads), up to 10000.
    pub operations: usize,
    /// Handlers of promises that one call may have waiting, from 16 to 1000000: functions that were given to `then` and have
    /// not run yet; `await` has two of them.
    pub promises: usize,
}

impl Default for ModuleBounds {
    fn default() -> Self {
        Self {
            cpu: HumanDuration::from_millis(50),
            timeout: HumanDuration::from_secs(30),
            body: ByteSize::new(1 << 20),
            max_cpu: None,
            max_timeout: None,
            max_body: None,
            recursion: 1_000,
            string: 16 << 20,
            list: 1_000_000,
            operations: 256,
            promises: 10_000,
        }
    }
}

impl Modules {
    /// What is wrong with it.
    pub(in crate::config) fn check(&self, problems: &mut Problems) {
        let (limits, pool) = (&self.limits, &self.pool);
        let is_zero = |time: Option<HumanDuration>| time.is_some_and(|time| time.get().is_zero());
        for (at, is_wrong, reason) in [
            ("limits/cpu", is_zero(Some(limits.cpu)), "must be longer than zero"),
            ("limits/timeout", is_zero(Some(limits.timeout)), "must be longer than zero"),
            ("limits/max_cpu", is_zero(limits.max_cpu), "must be longer than zero"),
            ("limits/max_timeout", is_zero(limits.max_timeout), "must be longer than zero"),
            ("limits/cpu", limits.max_cpu.is_some_and(|most| most < limits.cpu), "is more than `max_cpu`"),
            (
                "limits/timeout",
                limits.max_timeout.is_some_and(|most| most < limits.timeout),
                "is more than `max_timeout`",
            ),
            (
                "limits/body",
                limits.max_body.is_some_and(|most| most.bytes() < limits.body.bytes()),
                "is more than `max_body`",
            ),
            ("limits/recursion", !(32..=4_000).contains(&limits.recursion), "must be between 32 and 4000"),
            (
                "limits/string",
                !(1_024..=64 << 20).contains(&limits.string),
                "must be between 1024 and 67108864",
            ),
            ("limits/list", !(64..=10_000_000).contains(&limits.list), "must be between 64 and 10000000"),
            ("limits/operations", !(1..=10_000).contains(&limits.operations), "must be between 1 and 10000"),
            (
                "limits/promises",
                !(16..=1_000_000).contains(&limits.promises),
                "must be between 16 and 1000000",
            ),
            ("pool/max_threads", pool.max_threads == Some(0), "must be at least 1"),
            ("pool/idle_timeout", is_zero(Some(pool.idle_timeout)), "must be longer than zero"),
            ("pool/max_calls", pool.max_calls == 0, "must be at least 1"),
            ("pool/mailbox", pool.mailbox == 0, "must be at least 1"),
            ("pool/watchdog", is_zero(Some(pool.watchdog)), "must be longer than zero"),
            (
                "pool/niceness",
                pool.niceness.is_some_and(|niceness| niceness > 19),
                "must be between 0 and 19",
            ),
        ] {
            if is_wrong {
                let name = at.rsplit('/').next().unwrap_or(at);
                problems.push(Problem::error(format!("/modules/{at}"), format!("`{name}` {reason}")));
            }
        }
    }
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
    /// A thread that is in one built-in function of a module for so long is stuck: calls of the module are refused until
    /// it is back.
    pub watchdog: HumanDuration,
    /// By how much threads for modules that compute for long stand back behind all others, from 0 to 19, as `nice` says it;
    /// 10 when absent, and 0 when work moves between threads, where they run all modules. On Linux only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub niceness: Option<u8>,
}

impl Default for ModulePool {
    fn default() -> Self {
        Self {
            max_threads: None,
            idle_timeout: HumanDuration::from_secs(60),
            max_calls: 1_000_000,
            mailbox: 1_024,
            watchdog: HumanDuration::from_secs(1),
            niceness: None,
        }
    }
}
