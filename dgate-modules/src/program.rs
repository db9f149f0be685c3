//! A program: the modules of a route with everything they import, compiled and linked, ready for any thread.

mod build;
mod check;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

pub(crate) use build::{Library, TEST_RUNNER, build};
use dgate_core::Key;
use dgate_core::resource::{EnvValue, FailurePolicy};

use crate::hook::Hook;
use crate::limits::CallLimits;
use crate::metrics::ModuleMetrics;
use crate::permission::Permissions;
use crate::typescript::{Compiled, Dialect};

/// Identifies what a program is made of.
pub(crate) type ProgramId = u128;

/// The modules of a route with everything they import.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) id: ProgramId,
    pub(crate) namespace: Arc<str>,
    /// Those of the route first, in its order; then what they import.
    pub(crate) modules: Vec<ProgramModule>,
    /// How many of them are the route's own.
    pub(crate) entries: usize,
    pub(crate) weight: Weight,
}

/// How a program has behaved: one whose calls compute for long in one turn is kept away from workers for a while.
///
/// A turn that took long, by a clock that is cheap to read, is reason for suspicion only: others may have had the processor. For a
/// while each of its turns is measured by the thread's own clock then; heavy ones have to be more than a rare exception.
#[derive(Debug, Default)]
pub(crate) struct Weight {
    /// Until when it is kept away, in milliseconds.
    until: AtomicU64,
    /// Until when its turns are measured exactly, likewise.
    suspect_until: AtomicU64,
    /// Grows with each of those that is heavy, and shrinks with each that is not.
    score: AtomicU32,
    /// How many threads do not come back from it.
    stuck: AtomicUsize,
}

/// Computing for longer than this in one turn is heavy.
const HEAVY: Duration = Duration::from_millis(5);
/// One heavy turn counts for as much as so many that are not; one that is twice as long for twice as much.
const EXCEPTION: u32 = 64;
/// So much of it is enough: a very heavy one, two in a row, or more than one among as many.
const ENOUGH: u32 = 2 * EXCEPTION;
/// So long it is kept away.
const KEPT_AWAY: Duration = Duration::from_secs(30);

impl Weight {
    /// A call computed for so long in one turn, by the thread's own clock or about.
    pub(crate) fn judge(&self, computed: Duration, is_exact: bool) {
        let is_heavy = computed > HEAVY;
        if is_heavy {
            self.suspect_until.store(Self::later(), Ordering::Relaxed);
        }
        if !is_exact {
            return;
        }
        // That threads get into one another's way here matters little.
        let score = self.score.load(Ordering::Relaxed);
        let times = u32::try_from(computed.as_nanos() / HEAVY.as_nanos()).unwrap_or(u32::MAX);
        let score = if is_heavy {
            score.saturating_add(EXCEPTION.saturating_mul(times))
        } else {
            score.saturating_sub(1)
        };
        if score >= ENOUGH {
            tracing::debug!(target: "dgate::module", ?computed, "a program is kept away from workers");
            self.distrust();
        }
        self.score.store(score.min(ENOUGH), Ordering::Relaxed);
    }

    /// Whatever it takes, it is not for workers.
    pub(crate) fn distrust(&self) {
        self.until.store(Self::later(), Ordering::Relaxed);
    }

    pub(crate) fn is_heavy(&self) -> bool {
        Self::is_ahead(&self.until)
    }

    /// Whether its turns are to be measured exactly.
    pub(crate) fn is_suspect(&self) -> bool {
        Self::is_ahead(&self.suspect_until)
    }

    fn later() -> u64 {
        (Self::now() + KEPT_AWAY).as_millis() as u64
    }

    fn is_ahead(time: &AtomicU64) -> bool {
        let time = time.load(Ordering::Relaxed);
        time != 0 && u128::from(time) > Self::now().as_millis()
    }

    /// A thread does not come back from it.
    pub(crate) fn is_stuck(&self) {
        self.stuck.fetch_add(1, Ordering::Relaxed);
    }

    /// It is back, and not to be trusted on workers for a while.
    pub(crate) fn came_back(&self) {
        self.distrust();
        self.stuck.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn has_stuck(&self) -> bool {
        self.stuck.load(Ordering::Relaxed) > 0
    }

    fn now() -> Duration {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGAN.elapsed()
    }
}

/// A module of a program.
#[derive(Debug)]
pub(crate) struct ProgramModule {
    pub(crate) name: Arc<str>,
    /// The name with an extension, as errors show it.
    pub(crate) file: Arc<str>,
    /// Which resource it is, and where in it its source stands.
    pub(crate) key: Key,
    pub(crate) pointer: &'static str,
    pub(crate) compiled: Arc<Compiled>,
    pub(crate) permissions: Permissions,
    pub(crate) limits: CallLimits,
    pub(crate) on_failure: FailurePolicy,
    pub(crate) env: Vec<(String, EnvValue)>,
    pub(crate) metrics: ModuleMetrics,
    /// Where its imports lead, by specifier.
    pub(crate) links: Vec<(String, Target)>,
}

/// Where an import leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    /// To a module of the program.
    Module(usize),
    /// To one that the gateway provides.
    Native(&'static str),
}

impl ProgramModule {
    pub(crate) fn link(&self, specifier: &str) -> Option<Target> {
        self.links.iter().find(|(known, _)| known == specifier).map(|(_, target)| *target)
    }

    pub(crate) fn is_script(&self) -> bool {
        self.compiled.dialect == Dialect::Script
    }
}

impl Program {
    /// How long one call of a hook may take at most, in all modules of the route.
    pub(crate) fn timeout(&self) -> Duration {
        let all = self.modules[..self.entries].iter().map(|module| module.limits.timeout);
        all.fold(Duration::ZERO, Duration::saturating_add)
    }

    /// A hook of one of the modules was called, and came back now.
    pub(crate) fn count(&self, module: usize, hook: Hook, took: Duration, now: Instant) {
        if let Some(module) = self.modules.get(module) {
            module.metrics.count(&self.namespace, &module.name, hook, took, now);
        }
    }

    /// The modules of the route, by name.
    pub(crate) fn names(&self) -> String {
        self.modules[..self.entries].iter().map(|module| &*module.name).collect::<Vec<_>>().join(", ")
    }

    /// The first module that a hook runs through.
    pub(crate) fn first_of(&self, hook: Hook) -> Option<Arc<str>> {
        self.order(hook).next().and_then(|index| self.modules.get(index)).map(|module| module.name.clone())
    }

    /// The modules in the order in which a hook runs through them.
    pub(crate) fn order(&self, hook: Hook) -> Box<dyn Iterator<Item = usize>> {
        if hook == Hook::ResponseModifier {
            Box::new((0..self.entries).rev())
        } else {
            Box::new(0..self.entries)
        }
    }

    /// The identity of some modules.
    fn identity(namespace: &str, modules: &[ProgramModule], entries: usize) -> ProgramId {
        let half = |seed: u64| {
            let mut hasher = DefaultHasher::new();
            (seed, namespace, entries).hash(&mut hasher);
            for module in modules {
                // The places as well: they are told when something fails.
                (&module.name, &module.compiled.code, &module.compiled.positions).hash(&mut hasher);
                module.permissions.texts().for_each(|permission| permission.hash(&mut hasher));
                (&module.limits, &module.links, module.is_script()).hash(&mut hasher);
                for (name, value) in &module.env {
                    match value {
                        EnvValue::Text(text) => (name, false, text).hash(&mut hasher),
                        // What it holds is looked up when it is read.
                        EnvValue::Secret(secret) => (name, true, secret).hash(&mut hasher),
                    }
                }
                (module.on_failure == FailurePolicy::Open).hash(&mut hasher);
            }
            u128::from(hasher.finish())
        };
        half(1) << 64 | half(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspicion_alone_keeps_nobody_away() {
        let weight = Weight::default();
        weight.judge(HEAVY, false);
        assert!(!weight.is_suspect() && !weight.is_heavy());
        for _ in 0..3 {
            weight.judge(HEAVY * 100, false);
            assert!(weight.is_suspect() && !weight.is_heavy());
        }
        weight.judge(HEAVY, true);
        assert!(!weight.is_heavy());
    }

    #[test]
    fn exceptions_keep_nobody_away() {
        let weight = Weight::default();
        for _ in 0..1_000 {
            weight.judge(HEAVY + Duration::from_nanos(1), true);
            assert!(!weight.is_heavy());
            (0..EXCEPTION).for_each(|_| weight.judge(HEAVY, true));
        }
        for turn in 0..2 {
            assert!(!weight.is_heavy(), "{turn}");
            weight.judge(HEAVY + Duration::from_nanos(1), true);
        }
        assert!(weight.is_heavy());
        let weight = Weight::default();
        weight.judge(HEAVY * 2, true);
        assert!(weight.is_heavy(), "one is enough if it is very long");
    }

    #[test]
    fn what_does_not_come_back_is_kept_away_afterwards() {
        let weight = Weight::default();
        weight.is_stuck();
        assert!(weight.has_stuck() && !weight.is_heavy());
        weight.came_back();
        assert!(!weight.has_stuck() && weight.is_heavy());
    }
}
