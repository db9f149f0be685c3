//! Looks from outside whether threads come back from what they run, and what their runtimes do.
//!
//! The engine cannot be interrupted. Nearly all of it is bounded from inside (see [`crate::engine`]); a thread that
//! neither ends its turn nor looks at the clock for long is stuck in a built-in. Nothing gets it out, so everything else is kept away from it: calls of
//! its program are refused until it is back, and what waits for a thread of the pool goes to another one.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use dgate_core::metric_names;

use super::Shared;
use crate::failure::LimitKind;
use crate::hook::Hook;
use crate::program::Program;

/// What a thread is at. The thread writes it, and never waits for whoever reads.
#[derive(Default)]
pub(crate) struct Pulse {
    /// How often a turn began or ended: odd while one runs.
    beats: AtomicU64,
    /// How often it looked at the clock meanwhile.
    looks: AtomicU64,
    /// The runtime whose turn it is.
    runtime: AtomicU64,
    /// The hook that began with the turn, by its number from 1; 0 when one goes on.
    hook: AtomicU8,
    alive: AtomicUsize,
    waiting: AtomicUsize,
    is_stuck: AtomicBool,
    /// The programs of the thread's runtimes.
    programs: Mutex<HashMap<u64, Weak<Program>>>,
    /// Told when the thread is stuck.
    rescue: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Pulse {
    /// A pulse of a thread whose work can be taken over by others.
    pub(super) fn with_rescue(rescue: impl Fn() + Send + Sync + 'static) -> Self {
        let pulse = Self::default();
        let _ = pulse.rescue.set(Box::new(rescue));
        pulse
    }

    /// A turn begins; it ends with what is returned, however it does.
    pub(crate) fn begin(&self, runtime: u64, hook: Option<Hook>) -> impl Drop + '_ {
        self.runtime.store(runtime, Ordering::Relaxed);
        self.hook.store(hook.map_or(0, |hook| hook as u8 + 1), Ordering::Relaxed);
        self.beat();
        Turn(self)
    }

    /// The turn goes on, but is bounded.
    pub(crate) fn look(&self) {
        add(&self.looks);
    }

    fn beat(&self) {
        add(&self.beats);
    }

    pub(crate) fn born(&self, runtime: u64, program: &Arc<Program>) {
        self.alive.fetch_add(1, Ordering::Relaxed);
        self.programs().insert(runtime, Arc::downgrade(program));
    }

    pub(crate) fn gone(&self, runtime: u64) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
        self.programs().remove(&runtime);
    }

    /// How many runtimes wait for something.
    pub(crate) fn set_waiting(&self, count: usize) {
        self.waiting.store(count, Ordering::Relaxed);
    }

    pub(crate) fn is_stuck(&self) -> bool {
        self.is_stuck.load(Ordering::Relaxed)
    }

    fn programs(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Weak<Program>>> {
        self.programs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn program(&self) -> Option<Arc<Program>> {
        self.programs().get(&self.runtime.load(Ordering::Relaxed)).and_then(Weak::upgrade)
    }

    fn hook(&self) -> Option<Hook> {
        let number = self.hook.load(Ordering::Relaxed).checked_sub(1)?;
        Hook::ALL.get(usize::from(number)).copied()
    }
}

/// A turn of a thread.
struct Turn<'p>(&'p Pulse);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.beat();
    }
}

/// Only the thread itself writes, so this need not be one step.
fn add(count: &AtomicU64) {
    count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
}

impl fmt::Debug for Pulse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pulse")
            .field("beats", &self.beats)
            .field("is_stuck", &self.is_stuck)
            .finish_non_exhaustive()
    }
}

thread_local! {
    /// Is gone when its thread is.
    static PRESENT: Arc<()> = Arc::default();
}

/// The threads of a pool, to be looked at.
#[derive(Debug, Default)]
pub(crate) struct Watchdog {
    /// Each with what tells whether it has ended.
    pulses: Mutex<Vec<(Weak<()>, Arc<Pulse>)>>,
    has_begun: AtomicBool,
}

impl Watchdog {
    /// Looks after the calling thread from now on, until it ends.
    pub(crate) fn watch(&self, shared: &Arc<Shared>, pulse: &Arc<Pulse>) {
        let mut pulses = self.pulses.lock().unwrap_or_else(PoisonError::into_inner);
        if !pulses.iter().any(|(_, known)| Arc::ptr_eq(known, pulse)) {
            pulses.push((PRESENT.with(Arc::downgrade), pulse.clone()));
        }
        drop(pulses);
        if self.has_begun.swap(true, Ordering::Relaxed) {
            return;
        }
        let (pool, patience) = (Arc::downgrade(shared), shared.settings.watchdog);
        let started =
            std::thread::Builder::new().name("modules-watch".to_owned()).spawn(move || look(&pool, patience));
        if let Err(error) = started {
            tracing::error!(%error, "nobody looks after the threads of modules");
        }
    }

    /// The threads that have not ended.
    fn pulses(&self) -> Vec<Arc<Pulse>> {
        let mut pulses = self.pulses.lock().unwrap_or_else(PoisonError::into_inner);
        pulses.retain(|(present, _)| present.strong_count() > 0);
        pulses.iter().map(|(_, pulse)| pulse.clone()).collect()
    }
}

/// What was seen of a thread.
struct Seen {
    beats: (u64, u64),
    since: Instant,
    /// The program that it is stuck in.
    stuck: Option<Arc<Program>>,
}

impl Seen {
    /// Whatever the thread was in, it is over.
    fn came_back(self) {
        if let Some(program) = self.stuck {
            program.weight.came_back();
        }
    }
}

/// Ends with the pool.
fn look(pool: &Weak<Shared>, patience: Duration) {
    let period = (patience / 4).clamp(Duration::from_millis(5), Duration::from_millis(250));
    // By where their pulses are.
    let mut seen: HashMap<usize, Seen> = HashMap::new();
    let mut shown = [0_usize; 3];
    while let Some(shared) = pool.upgrade() {
        let pulses = shared.watchdog.pulses();
        drop(shared);
        let now = Instant::now();
        let place = |pulse: &Arc<Pulse>| Arc::as_ptr(pulse).addr();
        for (_, gone) in seen.extract_if(|known, _| !pulses.iter().any(|pulse| place(pulse) == *known)) {
            gone.came_back();
        }
        for pulse in &pulses {
            let beats = (pulse.beats.load(Ordering::Acquire), pulse.looks.load(Ordering::Acquire));
            let known = seen.entry(place(pulse)).or_insert(Seen { beats, since: now, stuck: None });
            if known.beats != beats {
                if let Some(program) = known.stuck.take() {
                    came_back(pulse, &program, now - known.since);
                }
                *known = Seen { beats, since: now, stuck: None };
            } else if beats.0 % 2 == 1 && known.stuck.is_none() && now - known.since > patience {
                known.stuck = stuck(pulse);
            }
        }
        show(&pulses, &mut shown);
        std::thread::sleep(period);
    }
    show(&[], &mut shown);
    seen.into_values().for_each(Seen::came_back);
}

/// Keeps everything else away from a thread that does not come back; the program that it is stuck in.
fn stuck(pulse: &Pulse) -> Option<Arc<Program>> {
    let program = pulse.program()?;
    pulse.is_stuck.store(true, Ordering::Relaxed);
    program.weight.is_stuck();
    let hook = pulse.hook().map_or("-", Hook::name);
    crate::metrics::count_limit(&program.namespace, LimitKind::Watchdog);
    tracing::error!(
        namespace = %program.namespace, module = program.names(), hook,
        "a module does not come back from a built-in function; its calls are refused until it does"
    );
    if let Some(rescue) = pulse.rescue.get() {
        rescue();
    }
    Some(program)
}

fn came_back(pulse: &Pulse, program: &Program, after: Duration) {
    pulse.is_stuck.store(false, Ordering::Relaxed);
    program.weight.came_back();
    tracing::warn!(namespace = %program.namespace, module = program.names(), ?after, "a module came back");
}

/// Shows what runtimes do. Pools of one process share the series, so only differences are told.
fn show(pulses: &[Arc<Pulse>], shown: &mut [usize; 3]) {
    let mut counts = [0; 3];
    for pulse in pulses {
        let alive = pulse.alive.load(Ordering::Relaxed);
        let executing = usize::from(pulse.beats.load(Ordering::Relaxed) % 2 == 1).min(alive);
        let waiting = pulse.waiting.load(Ordering::Relaxed).min(alive - executing);
        for (count, more) in counts.iter_mut().zip([executing, waiting, alive - executing - waiting]) {
            *count += more;
        }
    }
    for (state, (count, before)) in
        ["executing", "waiting", "idle"].into_iter().zip(counts.into_iter().zip(*shown))
    {
        let gauge = metrics::gauge!(metric_names::MODULE_RUNTIMES, "state" => state);
        gauge.increment(count as f64 - before as f64);
    }
    *shown = counts;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capabilities;
    use crate::pool::{Pool, PoolSettings};

    #[test]
    fn threads_that_have_ended_are_not_looked_after() {
        let pool = Pool::new(PoolSettings::default(), Arc::new(Capabilities::default()));
        let watch = || {
            let pulse = Arc::new(Pulse::default());
            pool.shared.watchdog.watch(&pool.shared, &pulse);
            assert!(pool.shared.watchdog.pulses().iter().any(|known| Arc::ptr_eq(known, &pulse)));
        };
        watch();
        std::thread::scope(|scope| {
            (0..8).for_each(|_| scope.spawn(watch).join().unwrap());
        });
        assert_eq!(pool.shared.watchdog.pulses().len(), 1, "this thread is there still");
    }
}
