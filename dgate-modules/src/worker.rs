//! The runtimes of one thread.
//!
//! A thread that runs hooks keeps its runtimes here, by pool and program: one for each, because a thread executes one
//! thing at a time and a runtime that waits serves others meanwhile. Runtimes never leave their thread. Everything in
//! here is called on it.

mod control;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(crate) use self::control::watch;
use crate::engine::{self, Begun, Outcome, Part, Runtime, Task};
use crate::failure::Failure;
use crate::hook::Hook;
use crate::metrics;
use crate::pool::{Pulse, Shared};
use crate::program::{Program, ProgramId};

thread_local! {
    // Not dropped by itself: at the end of a thread the engine's own thread-locals may be gone before these.
    static RUNTIMES: RefCell<ManuallyDrop<Option<Rc<Runtimes>>>> = const { RefCell::new(ManuallyDrop::new(None)) };
}

/// The runtimes of this thread.
fn runtimes() -> Rc<Runtimes> {
    RUNTIMES.with_borrow_mut(|runtimes| runtimes.get_or_insert_default().clone())
}

/// Runtimes get numbers of their own, in the whole process.
static NEXT: AtomicU64 = AtomicU64::new(1);

#[derive(Default)]
struct Runtimes {
    /// Those that take new calls.
    current: RefCell<HashMap<(u64, ProgramId), Rc<Runtime>>>,
    /// All of them, those included that only finish what they began.
    all: RefCell<HashMap<u64, Rc<Runtime>>>,
    retiring: Cell<usize>,
    /// What is seen of this thread from outside.
    pulse: OnceCell<Arc<Pulse>>,
    /// How many runtimes wait for something.
    waiting: Cell<usize>,
}

impl Runtimes {
    fn pulse(&self) -> &Arc<Pulse> {
        self.pulse.get_or_init(Arc::default)
    }

    /// Runs a turn of a runtime, in sight of the watchdog. Where the engine panics, nothing can be said of any call in the
    /// runtime: all that wait in it end.
    fn turn<R>(&self, runtime: &Rc<Runtime>, hook: Option<Hook>, run: impl FnOnce() -> R) -> R {
        let pulse = self.pulse();
        let waited = runtime.is_waiting();
        let turn = pulse.begin(runtime.id, hook);
        let result = catch_unwind(AssertUnwindSafe(run));
        if result.is_err() {
            runtime.break_off();
        }
        drop(turn);
        self.waits(waited, runtime.is_waiting());
        engine::after_turn();
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// A runtime began to wait, or does not any more.
    fn waits(&self, before: bool, after: bool) {
        if before != after {
            let waiting = if after { self.waiting.get() + 1 } else { self.waiting.get().saturating_sub(1) };
            self.waiting.set(waiting);
            self.pulse().set_waiting(waiting);
        }
    }
}

/// What runs on this thread looks at the clock.
pub(crate) fn looks_at_clock() {
    if let Some(pulse) = runtimes().pulse.get() {
        pulse.look();
    }
}

/// This thread is seen as this from outside.
pub(crate) fn adopt(pulse: Arc<Pulse>) {
    let _ = runtimes().pulse.set(pulse);
}

/// Begins a call, in the runtime where the request's other hooks ran if that is still good.
///
/// # Errors
/// When a runtime is needed and cannot be made.
pub(crate) fn begin(
    shared: &Arc<Shared>,
    program: &Arc<Program>,
    before: Option<u64>,
    task: Task,
) -> Result<(u64, Begun), (Failure, Box<Task>)> {
    let runtimes = runtimes();
    let known = before.and_then(|id| runtimes.all.borrow().get(&id).cloned());
    let runtime = match known {
        Some(runtime) if !runtime.is_broken() => runtime,
        other => {
            if let Some(broken) = other {
                broken.release(task.request);
            }
            match current(shared, program) {
                Ok(runtime) => runtime,
                Err(failure) => return Err((failure, Box::new(task))),
            }
        }
    };
    let begun = runtimes.turn(&runtime, Some(task.hook), || runtime.begin(task));
    settle(shared.id, shared.settings.max_calls, program.id, &runtime);
    let id = runtime.id;
    drop(runtime);
    drop_finished();
    Ok((id, begun))
}

/// The runtime that takes new calls; made if there is none.
fn current(shared: &Arc<Shared>, program: &Arc<Program>) -> Result<Rc<Runtime>, Failure> {
    let runtimes = runtimes();
    let key = (shared.id, program.id);
    let known = runtimes.current.borrow().get(&key).cloned();
    match known {
        // Only what panicked was not retired when it broke.
        Some(known) if known.is_broken() => retire(shared.id, program.id, Some(known.id), "limit"),
        Some(known) => return Ok(known),
        None => {}
    }
    watch(shared);
    engine::make_room();
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let runtime = Rc::new(Runtime::new(id, program, shared.capabilities.clone())?);
    metrics::count_created();
    runtimes.pulse().born(id, program);
    shared.watchdog.watch(shared, runtimes.pulse());
    runtimes.current.borrow_mut().insert(key, runtime.clone());
    runtimes.all.borrow_mut().insert(id, runtime.clone());
    Ok(runtime)
}

/// After a turn: a runtime that has had enough takes no more calls.
fn settle(pool: u64, max_calls: u64, program: ProgramId, runtime: &Rc<Runtime>) {
    let reason = if runtime.is_broken() {
        // What ran into a limit will again, and each time a worker would have to make a new runtime for it.
        runtime.distrust();
        "limit"
    } else if runtime.calls() >= max_calls {
        "max_calls"
    } else if runtime.is_worn() {
        "proxies"
    } else {
        return;
    };
    retire(pool, program, Some(runtime.id), reason);
}

/// A runtime takes no more calls; it goes when nothing waits in it any more.
fn retire(pool: u64, program: ProgramId, id: Option<u64>, reason: &'static str) {
    let runtimes = runtimes();
    let mut current = runtimes.current.borrow_mut();
    let key = (pool, program);
    if current.get(&key).is_some_and(|known| id.is_none_or(|id| known.id == id)) {
        current.remove(&key);
        metrics::count_retired(reason);
        runtimes.retiring.set(runtimes.retiring.get() + 1);
        drop(current);
        drop_finished();
    }
}

/// Drops runtimes that have finished.
fn drop_finished() {
    let runtimes = runtimes();
    if runtimes.retiring.get() == 0 {
        return;
    }
    let current: Vec<u64> = runtimes.current.borrow().values().map(|runtime| runtime.id).collect();
    let mut all = runtimes.all.borrow_mut();
    let finished: Vec<u64> = all
        .values()
        .filter(|runtime| !current.contains(&runtime.id) && runtime.idle_since().is_some())
        // One that is in the middle of a turn is held by that turn.
        .filter(|runtime| Rc::strong_count(runtime) == 1)
        .map(|runtime| runtime.id)
        .collect();
    let dropped: Vec<Rc<Runtime>> = finished.iter().filter_map(|id| all.remove(id)).collect();
    runtimes.retiring.set(runtimes.retiring.get().saturating_sub(dropped.len()));
    drop(all);
    dropped.iter().for_each(|runtime| runtimes.pulse().gone(runtime.id));
    let leaves_much = dropped.iter().any(|runtime| runtime.is_broken());
    drop(dropped);
    if leaves_much {
        engine::clean_up();
    }
}

/// Whether nothing is left to do in this thread's runtimes: no call waits, and no request has more hooks to come.
pub(crate) fn is_unused() -> bool {
    runtimes().all.borrow().values().all(|runtime| runtime.idle_since().is_some())
}

/// The thread comes to its end: drops all its runtimes, while the engine's own thread-locals are still there.
pub(crate) fn drop_all(reason: &'static str) {
    let Some(runtimes) = RUNTIMES.with_borrow_mut(|runtimes| runtimes.take()) else { return };
    let current = runtimes.current.take();
    (0..current.len()).for_each(|_| metrics::count_retired(reason));
    drop(current);
    let all = runtimes.all.take();
    all.keys().for_each(|id| runtimes.pulse().gone(*id));
    drop(all);
    engine::collect();
}

/// Something that a call waited for has come.
pub(crate) fn finish_operation(runtime: u64, operation: u64, outcome: Option<Outcome>) {
    let runtimes = runtimes();
    let found = runtimes.all.borrow().get(&runtime).cloned();
    if let Some(found) = found {
        runtimes.turn(&found, None, || found.finish_operation(operation, outcome));
        let key = runtimes.current.borrow().iter().find(|(_, r)| r.id == runtime).map(|(key, _)| *key);
        if let Some((pool, program)) = key {
            settle(pool, u64::MAX, program, &found);
        }
        drop(found);
    }
    drop_finished();
}

/// See [`Runtime::pass_time`].
pub(crate) fn pass_time(runtime: u64, until: Duration) -> bool {
    let found = runtimes().all.borrow().get(&runtime).cloned();
    found.is_some_and(|found| found.pass_time(until))
}

/// Nobody waits for a call any more.
pub(crate) fn cancel(runtime: u64, call: u64) {
    let found = runtimes().all.borrow().get(&runtime).cloned();
    if let Some(found) = found {
        let waited = found.is_waiting();
        found.cancel(call);
        runtimes().waits(waited, found.is_waiting());
    }
    drop_finished();
}

/// Where a call waits.
pub(crate) fn part_of(runtime: u64, call: u64) -> Option<Part> {
    runtimes().all.borrow().get(&runtime).and_then(|found| found.part_of(call))
}

/// A call is ended if it is in the same module still.
pub(crate) fn is_late(runtime: u64, call: u64, step: usize) {
    let found = runtimes().all.borrow().get(&runtime).cloned();
    if let Some(found) = found {
        let waited = found.is_waiting();
        found.is_late(call, step);
        runtimes().waits(waited, found.is_waiting());
    }
    drop_finished();
}

/// No more hooks of a request will come.
pub(crate) fn release(runtime: u64, request: u64) {
    let found = runtimes().all.borrow().get(&runtime).cloned();
    if let Some(found) = found {
        found.release(request);
    }
    drop_finished();
}
