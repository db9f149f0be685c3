//! What a runtime knows besides JavaScript: its program, its calls, its operations, and the time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use boa_engine::error::{EngineError, RuntimeLimitError};
use boa_engine::object::builtins::JsFunction;
use boa_engine::{Context, JsError, JsResult, JsValue};

use super::api::{Patterns, Prototypes};
use super::call::Call;
use super::clock::Clock;
use super::depth;
use super::heap;
use super::limits::{EVALUATION, TICKS_PER_LOOK};
use super::meter::Meter;
use super::ops::Operations;
use super::uncaught::Rejections;
use crate::capability::Capabilities;
use crate::failure::LimitKind;
use crate::program::Program;
use crate::thread_time::thread_time;

/// What a runtime knows besides JavaScript.
pub(super) struct Host {
    pub(super) program: Arc<Program>,
    pub(super) capabilities: Arc<Capabilities>,
    pub(super) operations: Operations,
    pub(super) clock: Rc<Clock>,
    /// What answers instead of the network, in tests.
    pub(super) mock: RefCell<Option<JsFunction>>,
    /// Calls whose promise was settled, to be gone on with.
    pub(super) settled: RefCell<Vec<(Rc<Call>, Result<JsValue, JsValue>)>>,
    /// The limit that was hit last.
    pub(super) hit: Cell<Option<LimitKind>>,
    /// And the call that hit it.
    pub(super) hit_call: RefCell<Option<Rc<Call>>>,
    /// And where the program stood then, innermost first.
    pub(super) hit_trace: RefCell<Vec<String>>,
    /// What was rejected and nobody looked at so far.
    pub(super) rejections: RefCell<Rejections>,
    pub(super) prototypes: RefCell<Option<Rc<Prototypes>>>,
    /// Regular expressions that were used.
    pub(super) patterns: RefCell<Patterns>,
    current: RefCell<Option<Rc<Call>>>,
    meter: Meter,
    /// A call with more handlers of promises than it may have, unless some of them are garbage.
    crowded: RefCell<Option<Rc<Call>>>,
    /// Since when JavaScript runs, if it does.
    running_since: Cell<Option<Instant>>,
    /// When the turn began, whoever's it was since.
    turn_began: Cell<Option<Instant>>,
    /// When the thread's own clock was first asked: for which segment of a turn, what it said, and what was used before.
    asked: Cell<Option<(Instant, Duration, Duration)>>,
    /// Turns are counted.
    turn: Cell<u64>,
    /// The most that one call computed in the turn.
    most: Cell<Duration>,
    /// What the thread's own clock said when the turn began, where that matters.
    exact: Cell<Option<Duration>>,
    /// Whether garbage was collected in the turn before.
    collected: Cell<bool>,
    /// When a turn showed to be long: how long it was, and what the thread's own clock said.
    long: Cell<Option<(Duration, Duration)>>,
    /// How much was done without ticks since the clock was looked at.
    unwatched: Cell<f64>,
    /// How many proxies were made, and objects that inherit from one.
    proxies: Cell<usize>,
}

/// How many calls without ticks may pass until the clock is looked at, and how much in one call is as much as a call.
const UNWATCHED: f64 = 64.0;
const SMALL: f64 = 64.0;

/// How many proxies a runtime may make: each may lie behind another, and the engine calls itself through all of them.
/// A runtime that made half as many takes no more calls.
pub(super) const PROXIES: usize = 20_000;

/// From here on it is worth asking what of a turn the thread computed, and what of it others did.
const LONG: Duration = Duration::from_millis(1);
/// Nobody waits for the processor for so long.
const VERY_LONG: Duration = Duration::from_millis(50);

impl Host {
    pub(super) fn new(program: Arc<Program>, capabilities: Arc<Capabilities>, runtime: u64) -> Rc<Self> {
        let most = capabilities.limits.operations;
        Rc::new(Self {
            operations: Operations::new(runtime, program.namespace.clone(), most),
            program,
            capabilities,
            clock: Rc::new(Clock::new()),
            mock: RefCell::default(),
            settled: RefCell::default(),
            hit: Cell::new(None),
            hit_call: RefCell::default(),
            hit_trace: RefCell::default(),
            rejections: RefCell::default(),
            prototypes: RefCell::new(None),
            patterns: RefCell::default(),
            current: RefCell::new(None),
            meter: Meter::default(),
            crowded: RefCell::new(None),
            running_since: Cell::new(None),
            turn_began: Cell::new(None),
            asked: Cell::new(None),
            turn: Cell::new(0),
            most: Cell::new(Duration::ZERO),
            exact: Cell::new(None),
            collected: Cell::new(false),
            long: Cell::new(None),
            unwatched: Cell::new(0.0),
            proxies: Cell::new(0),
        })
    }

    /// The host of a context.
    #[track_caller]
    pub(super) fn of(context: &Context) -> Rc<Self> {
        context.get_data::<Rc<Self>>().expect("every context has its host").clone()
    }

    /// The longest text that built-ins make, in characters.
    pub(super) fn longest_text(&self) -> f64 {
        self.capabilities.limits.string as f64
    }

    /// The longest list that built-ins walk through.
    pub(super) fn longest_list(&self) -> f64 {
        self.capabilities.limits.list as f64
    }

    /// The call that runs now.
    pub(super) fn current(&self) -> Option<Rc<Call>> {
        self.current.borrow().clone()
    }

    /// Makes a call the one that runs, and returns the one before.
    pub(super) fn enter(&self, call: Option<Rc<Call>>) -> Option<Rc<Call>> {
        if let (Some(since), Some(before)) = (self.running_since.get(), &*self.current.borrow()) {
            let now = Instant::now();
            self.charge(before, now - since);
            self.running_since.set(Some(now));
        }
        std::mem::replace(&mut *self.current.borrow_mut(), call)
    }

    /// What an earlier module left behind is done, and charged. Where it ran into a limit, it stays to be blamed.
    pub(super) fn return_to_own(&self, call: &Call) {
        if self.hit.get().is_none() {
            call.return_to_own();
        }
    }

    fn charge(&self, call: &Call, time: Duration) {
        let computed = self.meter.charge(time);
        self.most.set(self.most.get().max(call.add_cpu(computed, self.turn.get())));
    }

    /// The clock of a turn begins.
    pub(super) fn start_clock(&self) {
        self.start_clock_at(Instant::now());
    }

    /// It began already.
    pub(super) fn start_clock_at(&self, since: Instant) {
        self.meter.begin();
        self.running_since.set(Some(since));
        self.turn_began.set(Some(since));
        self.turn.set(self.turn.get() + 1);
        self.most.set(Duration::ZERO);
        self.exact.set(if self.program.weight.is_suspect() { thread_time() } else { None });
    }

    /// So much of the turn is not the current call's.
    pub(super) fn forgive(&self, time: Duration) {
        for clock in [&self.running_since, &self.turn_began] {
            clock.set(clock.get().map(|since| since + time));
        }
    }

    /// The clock of a turn ends; the time since it last changed hands is the current call's. Returns how long the call
    /// computed that did most of it, as far as that matters, and whether that is by the thread's own clock.
    pub(super) fn stop_clock(&self) -> (Duration, bool) {
        let now = Instant::now();
        if let (Some(since), Some(call)) = (self.running_since.take(), &*self.current.borrow()) {
            self.charge(call, now - since);
        }
        let took = self.turn_began.take().map_or(Duration::ZERO, |began| now - began);
        let computed = |then| thread_time().map(|now: Duration| now.saturating_sub(then));
        let (turn, is_exact) = match (self.exact.take().and_then(computed), self.long.take()) {
            (Some(exact), _) => (exact, true),
            (None, Some((before, then))) if took > LONG => {
                (computed(then).map_or(took, |after| before + after).min(took), false)
            }
            // Nobody looked at the clock: the thread did not run, or something without ticks took very long.
            _ => (believed(took), false),
        };
        (turn.min(self.most.get()), is_exact)
    }

    /// A turn is over; by what it computed the program is judged.
    pub(super) fn end_turn(&self) {
        let (computed, is_exact) = self.stop_clock();
        let collected = heap::was_collected();
        // All programs' garbage is collected in somebody's turn now and then, which may take long. In turn after turn it is
        // when those turns made it.
        let is_first = !self.collected.replace(collected);
        if !(collected && is_first) {
            self.program.weight.judge(computed, is_exact);
        }
    }

    /// How much of the time since the clock last changed hands the thread computed: on a busy machine less than passed.
    /// The thread's own clock is asked for only when that matters, so it counts from when it was first asked.
    /// `left` is what the call may still use.
    fn computed(&self, since: Instant, elapsed: Duration, left: Duration) -> Duration {
        let Some(now) = thread_time() else { return elapsed };
        match self.asked.get() {
            Some((of, then, before)) if of == since => (before + now.saturating_sub(then)).min(elapsed),
            _ => {
                // What passed before is half believed, and never reason enough: others may have had the processor.
                let before = elapsed.min(left) / 2;
                self.asked.set(Some((since, now, before)));
                before
            }
        }
    }

    /// A handler of a promise was added to a call's. Nothing can be thrown here: that follows at the next look.
    pub(super) fn count_handlers(&self, call: &Rc<Call>) {
        if call.handlers() > self.capabilities.limits.promises {
            *self.crowded.borrow_mut() = Some(call.clone());
        }
    }

    /// Whether a call has too many handlers of promises, and was not ended for that yet.
    pub(super) fn is_crowded(&self) -> bool {
        self.crowded.borrow().is_some()
    }

    /// # Errors
    /// When a call has too many handlers of promises: an error that the module cannot catch.
    pub(super) fn look_at_handlers(&self) -> JsResult<()> {
        let Some(call) = self.crowded.take() else { return Ok(()) };
        // What nothing can settle any more does not count.
        heap::collect();
        if call.is_cancelled() || call.handlers() <= self.capabilities.limits.promises {
            return Ok(());
        }
        self.hit.set(Some(LimitKind::Promises));
        *self.hit_call.borrow_mut() = Some(call);
        Err(uncatchable())
    }

    /// One more proxy; `false` when there are too many.
    pub(super) fn count_proxy(&self) -> bool {
        let count = self.proxies.get() + 1;
        if count <= PROXIES {
            self.proxies.set(count);
        }
        count <= PROXIES
    }

    /// Whether it has made so many proxies that a fresh runtime is better.
    pub(super) fn has_many_proxies(&self) -> bool {
        self.proxies.get() > PROXIES / 2
    }

    /// The same for what has no ticks: now and then, and always when it is large.
    pub(super) fn look_at_clock_after(&self, size: f64) -> JsResult<()> {
        let unwatched = self.unwatched.get() + 1.0 + size / SMALL;
        self.unwatched.set(if unwatched > UNWATCHED { 0.0 } else { unwatched });
        if unwatched > UNWATCHED {
            self.look_at_clock()?;
        }
        Ok(())
    }

    /// How many ticks may pass until the next look.
    ///
    /// # Errors
    /// When the current call has used up its time or the stack, or a call has too many handlers of promises: an error that
    /// the module cannot catch.
    pub(super) fn look_at_clock(&self) -> JsResult<i32> {
        crate::worker::looks_at_clock();
        depth::look_at_stack()?;
        self.look_at_handlers()?;
        let Some(since) = self.running_since.get() else { return Ok(TICKS_PER_LOOK) };
        let current = self.current.borrow();
        let (used, limit) = match &*current {
            Some(call) => (call.cpu_used(), call.cpu_limit()),
            None => (Duration::ZERO, EVALUATION),
        };
        if self.long.get().is_none() {
            let turn = self.turn_began.get().map_or(Duration::ZERO, |began| began.elapsed());
            if turn > LONG {
                self.long.set(thread_time().map(|now| (believed(turn), now)));
            }
        }
        let cancelled = current.as_ref().is_some_and(|call| call.is_cancelled());
        let elapsed = since.elapsed();
        let over = cancelled
            || (used + elapsed > limit
                && used + self.computed(since, elapsed, limit.saturating_sub(used)) > limit);
        drop(current);
        if over { Err(self.end(LimitKind::Cpu)) } else { Ok(TICKS_PER_LOOK) }
    }

    /// The current call has used too much of something. Returns what ends it.
    pub(super) fn end(&self, kind: LimitKind) -> JsError {
        self.hit.set(Some(kind));
        self.hit_call.borrow_mut().clone_from(&self.current.borrow());
        uncatchable()
    }
}

/// How much of a turn the thread computed that was long before anybody looked. Looks are close together, so the rest of
/// it is most likely somebody else's time: with many threads on few processors one of them often waits for milliseconds.
fn believed(turn: Duration) -> Duration {
    if turn < VERY_LONG { turn.min(LONG) } else { turn }
}

/// An error that no module catches. Which limit it stands for is noted in the host.
pub(super) fn uncatchable() -> JsError {
    EngineError::RuntimeLimit(RuntimeLimitError::LoopIteration).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_waited_for_the_processor_has_not_computed() {
        assert_eq!(believed(Duration::from_millis(9)), LONG);
        assert_eq!(believed(VERY_LONG * 2), VERY_LONG * 2);
    }
}
