//! What a runtime knows besides JavaScript: its program, its calls, its operations, and the time.

mod turn;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use boa_engine::error::{EngineError, RuntimeLimitError};
use boa_engine::object::builtins::JsFunction;
use boa_engine::{Context, JsError, JsResult, JsValue};

use super::api::{Guarded, Patterns, Prototypes};
use super::call::Call;
use super::clock::Clock;
use super::depth::look_at_next;
use super::heap;
use super::limits::BUFFERS_PER_LOOK;
use super::meter::Meter;
use super::ops::Operations;
use super::uncaught::Rejections;
use crate::capability::Capabilities;
use crate::failure::LimitKind;
use crate::program::Program;

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
    /// What a module exports, while its hooks are found.
    pub(super) taken: RefCell<Vec<JsValue>>,
    /// While the context is made: see there.
    pub(super) guarded: RefCell<Guarded>,
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
    /// How many buffers were made since the clock was looked at.
    buffers: Cell<u32>,
    /// How many proxies were made that lie behind others.
    proxies: Cell<usize>,
}

/// How many proxies of proxies a runtime may make: the engine calls itself through all that lie behind one another. A
/// runtime that made half as many takes no more calls.
pub(super) const PROXIES: usize = 10_000;

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
            taken: RefCell::default(),
            guarded: RefCell::default(),
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
            buffers: Cell::new(0),
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

    /// One more proxy that lies behind another; `false` when there are too many.
    pub(super) fn count_proxy(&self) -> bool {
        let count = self.proxies.get() + 1;
        if count <= PROXIES {
            self.proxies.set(count);
        }
        count <= PROXIES
    }

    /// One more buffer is made: what is called next looks at the clock. `false` when there were many since the last look.
    pub(super) fn count_buffer(&self) -> bool {
        let buffers = self.buffers.get() + 1;
        self.buffers.set(buffers);
        look_at_next();
        buffers <= BUFFERS_PER_LOOK
    }

    /// Whether it has made so many proxies that a fresh runtime is better.
    pub(super) fn has_many_proxies(&self) -> bool {
        self.proxies.get() > PROXIES / 2
    }

    /// The current call has used too much of something. Returns what ends it.
    pub(super) fn end(&self, kind: LimitKind) -> JsError {
        self.hit.set(Some(kind));
        self.hit_call.borrow_mut().clone_from(&self.current.borrow());
        look_at_next();
        uncatchable()
    }
}

/// An error that no module catches. Which limit it stands for is noted in the host.
pub(super) fn uncatchable() -> JsError {
    EngineError::RuntimeLimit(RuntimeLimitError::LoopIteration).into()
}
