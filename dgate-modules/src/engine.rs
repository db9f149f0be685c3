//! The engine: one JavaScript context with a program in it. Nothing else names boa.
//!
//! A [`Runtime`] belongs to one thread and does one thing at a time, in *turns*: a hook begins, or something that a hook
//! waited for has come. Between turns it waits for any number of calls at once. What belongs to one call hangs on its
//! `ctx`; nothing of it is in globals.

mod api;
mod call;
mod clock;
mod depth;
mod entry;
mod errors;
mod heap;
mod host;
mod jobs;
pub(crate) mod limits;
mod loader;
mod meter;
mod ops;
mod recursion;
mod regexp;
mod show;
mod steps;
mod uncaught;
mod values;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use boa_engine::context::ContextBuilder;
use boa_engine::{Context, JsObject};
use tokio::sync::oneshot;

use self::api::RequestState;
use self::call::Call;
pub(crate) use self::call::{Answer, Done, Task};
use self::entry::Entry;
pub(crate) use self::heap::{after_turn, clean_up, collect, is_swollen, make_room};
use self::host::Host;
use self::jobs::{Hooks, Jobs};
use self::loader::Loader;
pub(crate) use self::ops::Outcome;
use self::steps::Step;
use crate::capability::Capabilities;
use crate::failure::{Failure, FailureKind, LimitKind};
use crate::hook::Hook;
use crate::program::Program;
use crate::stack::with_room;

/// One JavaScript context with a program in it.
pub(crate) struct Runtime {
    pub(crate) id: u64,
    host: Rc<Host>,
    context: RefCell<Context>,
    jobs: Rc<Jobs>,
    entries: Vec<Entry>,
    /// The entries that have a hook, in its order.
    order: [Vec<usize>; Hook::ALL.len()],
    /// Calls that wait.
    calls: RefCell<HashMap<u64, Rc<Call>>>,
    /// The `ctx` of requests of which more hooks may come.
    kept: RefCell<HashMap<u64, (JsObject, Rc<RequestState>)>>,
    begun: Cell<u64>,
    last_used: Cell<Instant>,
    broken: Cell<bool>,
}

/// A call was begun.
#[allow(clippy::large_enum_variant, reason = "it is looked at where it is made")]
pub(crate) enum Begun {
    /// And ended at once.
    Done(Done),
    /// And waits.
    Waiting { call: u64, done: oneshot::Receiver<Done>, part: Part },
}

/// Where a call waits.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// The how manieth module of the chain it is that has the hook.
    pub(crate) step: usize,
    /// Its name.
    pub(crate) module: Option<Arc<str>>,
    /// How long it may take.
    pub(crate) timeout: Duration,
}

impl Part {
    /// It took too long.
    pub(crate) fn late(self) -> Failure {
        let said = format!("the module did not finish within {:?}", self.timeout);
        Failure { module: self.module, ..Failure::limit(LimitKind::Timeout, said) }
    }
}

impl Runtime {
    /// Makes a context and evaluates a program in it.
    ///
    /// # Errors
    /// When a module does not link, throws, or takes too long.
    pub(crate) fn new(
        id: u64,
        program: &Arc<Program>,
        capabilities: Arc<Capabilities>,
    ) -> Result<Self, Failure> {
        with_room(|| Self::new_here(id, program, capabilities))
    }

    fn new_here(id: u64, program: &Arc<Program>, capabilities: Arc<Capabilities>) -> Result<Self, Failure> {
        let host = Host::new(program.clone(), capabilities, id);
        let jobs = Rc::new(Jobs::default());
        let loader = Rc::new(Loader::default());
        let built = ContextBuilder::new()
            .host_hooks(Rc::new(Hooks))
            .job_executor(jobs.clone())
            .module_loader(loader.clone())
            .clock(host.clock.clone())
            .build();
        let mut context = built.map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))?;
        context.insert_data(host.clone());
        limits::apply(&host.capabilities.limits, &mut context);
        let installed = api::install(&mut context);
        installed.map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))?;

        host.start_clock();
        let entries = entry::evaluate(program, &loader, &mut context).map_err(|(index, error)| {
            let mut failure = errors::failure(error, &mut context);
            failure.module = Some(program.modules[index].name.clone());
            failure
        });
        host.stop_clock();
        let entries = entries?;
        let order = Hook::ALL.map(|hook| program.order(hook).filter(|at| entries[*at].has(hook)).collect());
        Ok(Self {
            id,
            host,
            context: RefCell::new(context),
            jobs,
            entries,
            order,
            calls: RefCell::default(),
            kept: RefCell::default(),
            begun: Cell::new(0),
            last_used: Cell::new(Instant::now()),
            broken: Cell::new(false),
        })
    }

    /// Which of the chain's modules have a hook.
    pub(crate) fn has(&self, hook: Hook) -> bool {
        !self.order[hook as usize].is_empty()
    }

    /// Which hooks each of the chain's modules has.
    pub(crate) fn hooks_of_modules(&self) -> Vec<[bool; Hook::ALL.len()]> {
        self.entries.iter().map(|entry| Hook::ALL.map(|hook| entry.has(hook))).collect()
    }

    /// How many calls were begun.
    pub(crate) fn calls(&self) -> u64 {
        self.begun.get()
    }

    /// Whether a fresh one is better for new calls, by what it has made.
    pub(crate) fn is_worn(&self) -> bool {
        self.host.has_many_proxies()
    }

    /// Since when nothing happened in it; nothing while calls wait.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let waits = !self.calls.borrow().is_empty()
            || !self.kept.borrow().is_empty()
            || !self.host.operations.is_empty();
        (!waits).then(|| self.last_used.get())
    }

    /// Whether it hit a limit: calls that wait go on, new ones need another runtime.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.get()
    }

    /// Whether calls wait in it.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.calls.borrow().is_empty()
    }

    /// Where a call waits.
    pub(crate) fn part_of(&self, call: u64) -> Option<Part> {
        let call = self.calls.borrow().get(&call)?.clone();
        Some(self.part(&call))
    }

    /// Its program is kept away from workers for a while.
    pub(crate) fn distrust(&self) {
        self.host.program.weight.distrust();
    }

    /// Begins a call.
    pub(crate) fn begin(&self, task: Task) -> Begun {
        with_room(|| self.begin_here(task))
    }

    fn begin_here(&self, task: Task) -> Begun {
        let started = Instant::now();
        self.last_used.set(started);
        let id = self.begun.replace(self.begun.get() + 1);
        let mut context = self.context.borrow_mut();
        let (object, state) = match self.kept.borrow_mut().remove(&task.request) {
            Some(kept) => kept,
            None => {
                let state = Rc::new(RequestState::new(task.info.clone()));
                (api::context_object(state.clone(), 0, &mut context), state)
            }
        };
        state.put(task.exchange);
        let limits = self.limits(task.hook, 0);
        let call = Rc::new(Call::new(id, task.hook, task.request, task.keep, state, object, limits, started));
        if let Some(error) = task.error {
            *call.error.borrow_mut() = Some(api::error_object(&error, &mut context));
        }
        self.host.start_clock_at(started);
        self.host.enter(Some(call.clone()));
        let step = self.advance(&call, &mut context);
        let step = self.drain(&call, step, &mut context);
        self.host.end_turn();
        self.host.enter(None);
        let begun = match step {
            Step::Ended(result) => Begun::Done(self.end(&call, result)),
            Step::Waits => {
                self.calls.borrow_mut().insert(id, call.clone());
                Begun::Waiting { call: id, done: call.wait(), part: self.part(&call) }
            }
        };
        self.go_on(&mut context);
        begun
    }

    /// Something that a call waited for has come.
    pub(crate) fn finish_operation(&self, operation: u64, outcome: Option<Outcome>) {
        with_room(|| self.finish_operation_here(operation, outcome));
    }

    fn finish_operation_here(&self, operation: u64, outcome: Option<Outcome>) {
        self.last_used.set(Instant::now());
        let mut context = self.context.borrow_mut();
        self.host.start_clock();
        let result = ops::finish(&self.host, operation, outcome, &mut context);
        if let Err(error) = result {
            self.blame(error, &mut context);
        }
        self.run_jobs(&mut context);
        self.host.end_turn();
        self.host.enter(None);
        self.go_on(&mut context);
        self.give_up_what_never_comes();
    }

    /// Time that was stopped goes on to the next timer, which goes off; `false` when there is none until then.
    pub(crate) fn pass_time(&self, until: Duration) -> bool {
        let due = self.host.operations.next_due().filter(|(due, _)| *due <= until);
        self.host.clock.stop(Some(due.map_or(until, |(due, _)| due)));
        let Some((_, operation)) = due else { return false };
        self.finish_operation(operation, None);
        true
    }

    /// Nobody waits for a call any more.
    pub(crate) fn cancel(&self, call: u64) {
        let call = self.calls.borrow_mut().remove(&call);
        if let Some(call) = call {
            self.host.operations.forget_of(&call);
            call.cancel();
        }
    }

    /// No more hooks of a request will come.
    pub(crate) fn release(&self, request: u64) {
        self.kept.borrow_mut().remove(&request);
    }

    fn end(&self, call: &Rc<Call>, result: Result<Answer, Failure>) -> Done {
        api::write_back(call);
        let exchange = call.state.take();
        if call.keep
            && let Some(object) = call.context.take()
        {
            self.kept.borrow_mut().insert(call.request, (object, call.state.clone()));
        }
        call.set_alarm(None);
        call.context.take();
        call.error.take();
        call.forget_awaited();
        Done { exchange, result }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("id", &self.id).field("calls", &self.begun).finish_non_exhaustive()
    }
}
