//! How much one call may use.

use std::time::Duration;

use dgate_core::resource::ModuleLimits;
use dgate_core::units::{ByteSize, HumanDuration};

/// What holds for all modules of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitSettings {
    /// Computing time of modules that do not say how much they may use, without waiting.
    pub cpu: Duration,
    /// Time by the clock, likewise.
    pub timeout: Duration,
    /// Largest body, in bytes, likewise.
    pub body: u64,
    /// The most computing time that a module may have, whatever it says.
    pub max_cpu: Option<Duration>,
    /// The most time by the clock, likewise.
    pub max_timeout: Option<Duration>,
    /// The largest body, in bytes, likewise.
    pub max_body: Option<u64>,
    /// Calls within calls.
    pub recursion: usize,
    /// Longest text that built-ins make, in characters.
    pub string: usize,
    /// Longest list that built-ins walk through.
    pub list: usize,
    /// Operations that one call waits for at the same time: fetches, timers, reads.
    pub operations: usize,
    /// Handlers of promises that one call has waiting: functions that were given to `then`, `catch` or `finally` and have
    /// not run yet. `await` has two of them, one for each way in which it may go on.
    pub promises: usize,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            cpu: Duration::from_millis(50),
            timeout: Duration::from_secs(30),
            body: 1 << 20,
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

impl LimitSettings {
    /// The same, changed; for `#[non_exhaustive]`'s sake.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

/// What holds for all modules of a server, besides what each says of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    pub(crate) permissions: Vec<String>,
    pub(crate) limits: LimitSettings,
}

/// How much one module may use in one call of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CallLimits {
    /// Computing time, without waiting.
    pub(crate) cpu: Duration,
    /// Time by the clock.
    pub(crate) timeout: Duration,
    /// Largest body, in bytes.
    pub(crate) body: usize,
}

/// A module wants more than it may have: where that stands, and what to say.
pub(crate) type Excess = (&'static str, String);

impl CallLimits {
    /// For what no module does.
    pub(crate) const NOTHING: Self = Self { cpu: Duration::ZERO, timeout: Duration::ZERO, body: 0 };

    /// What a module says of itself, or else what holds for all.
    pub(crate) fn new(written: &ModuleLimits, settings: &LimitSettings) -> (Self, Vec<Excess>) {
        let mut excess = Vec::new();
        let mut check = |at, name: &str, said: String, is_more: Option<String>| {
            if let Some(most) = is_more {
                let message = format!(
                    "`{name}` is {said}, and no module of this server may have more than {most} (`modules.limits.max_{name}`)"
                );
                excess.push((at, message));
            }
        };
        let time = |said: Option<HumanDuration>, most: Option<Duration>| {
            let most = most.filter(|most| said.is_some_and(|said| said.get() > *most));
            (
                said.map(|said| said.to_string()).unwrap_or_default(),
                most.map(|most| HumanDuration::from(most).to_string()),
            )
        };
        let (said, most) = time(written.cpu, settings.max_cpu);
        check("/limits/cpu", "cpu", said, most);
        let (said, most) = time(written.timeout, settings.max_timeout);
        check("/limits/timeout", "timeout", said, most);
        let most = settings.max_body.filter(|most| written.body.is_some_and(|said| said.bytes() > *most));
        let said = written.body.map(|said| said.to_string()).unwrap_or_default();
        check("/limits/body", "body", said, most.map(|most| ByteSize::new(most).to_string()));
        // The server's own defaults are bounded by its own bounds.
        let at_most = |time: Duration, most: Option<Duration>| most.map_or(time, |most| time.min(most));
        let body = written.body.map_or(settings.body, |body| body.bytes());
        let body = settings.max_body.map_or(body, |most| body.min(most));
        let limits = Self {
            cpu: at_most(written.cpu.map_or(settings.cpu, HumanDuration::get), settings.max_cpu),
            timeout: at_most(
                written.timeout.map_or(settings.timeout, HumanDuration::get),
                settings.max_timeout,
            ),
            body: usize::try_from(body).unwrap_or(usize::MAX),
        };
        (limits, excess)
    }
}
