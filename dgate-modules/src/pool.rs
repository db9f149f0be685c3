//! Where calls run.
//!
//! *Local first*: on a thread that is a worker of its own (see [`dgate_core::worker`]) a call runs on the first poll,
//! right there, and costs no hop. Elsewhere, and for programs that have shown to be heavy, it goes through a mailbox to
//! one of the pool's own threads.

mod threads;
mod trial;
mod waiting;
mod watchdog;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dgate_core::hook::Hooks;
use tokio::sync::mpsc::UnboundedSender;

use self::threads::Threads;
pub(crate) use self::trial::Evaluated;
pub(crate) use self::watchdog::Pulse;
use self::watchdog::Watchdog;
use crate::capability::Capabilities;
use crate::direct::DirectHooks;
use crate::engine::{Begun, Done, Task};
use crate::failure::{Failure, LimitKind};
use crate::hook::Hook;
use crate::program::{Program, ProgramId};
use crate::worker;

/// How runtimes are kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PoolSettings {
    /// Most threads of the pool's own, for callers that are no workers, and for heavy modules.
    pub max_threads: usize,
    /// A runtime that was not used for so long is given up.
    pub idle_timeout: Duration,
    /// A runtime that began so many calls is replaced.
    pub max_calls: u64,
    /// How many calls may wait for a thread.
    pub mailbox: usize,
    /// A thread that is in one built-in function for so long is stuck: calls of its module are refused until it is back.
    pub watchdog: Duration,
    /// By how much the threads of the pool stand back behind all others, from 0 to 19: what heavy modules compute then
    /// hardly delays what workers do. For callers that have no workers, all modules run on these threads. On Linux only.
    pub niceness: u8,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            max_threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            idle_timeout: Duration::from_secs(60),
            max_calls: 1_000_000,
            mailbox: 1_024,
            watchdog: Duration::from_secs(1),
            niceness: 0,
        }
    }
}

impl PoolSettings {
    /// The same, changed; for `#[non_exhaustive]`'s sake.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

/// What all threads of a pool share.
pub(crate) struct Shared {
    pub(crate) id: u64,
    pub(crate) settings: PoolSettings,
    pub(crate) capabilities: Arc<Capabilities>,
    pub(crate) watchdog: Watchdog,
    listeners: Mutex<Vec<UnboundedSender<Control>>>,
}

/// What the threads that have runtimes are told.
#[derive(Debug, Clone)]
pub(crate) enum Control {
    /// A program will be called soon.
    Warm(Arc<Program>),
    /// A program is gone.
    Retire(ProgramId),
}

impl Shared {
    pub(crate) fn listen(&self, sender: UnboundedSender<Control>) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| !listener.is_closed());
        listeners.push(sender);
    }

    pub(crate) fn tell(&self, control: &Control) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.send(control.clone()).is_ok());
    }
}

/// Where calls run.
pub(crate) struct Pool {
    pub(crate) shared: Arc<Shared>,
    threads: Threads,
}

/// Where the hooks of a request ran before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the worker of this number.
    Worker { number: usize, runtime: u64 },
    /// On a thread of the pool.
    Thread { number: usize, runtime: u64 },
}

/// A program in a pool. When the last one goes, so do its runtimes.
pub(crate) struct Deployed {
    pub(crate) program: Arc<Program>,
    /// Those that its modules have.
    pub(crate) hooks: Hooks,
    /// The modules that have a hook, in its order.
    pub(crate) order: [Vec<usize>; Hook::ALL.len()],
    /// Those of them that need no engine.
    pub(crate) direct: DirectHooks,
    pub(crate) pool: Arc<Pool>,
}

impl Pool {
    pub(crate) fn new(settings: PoolSettings, capabilities: Arc<Capabilities>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let shared = Arc::new(Shared {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            settings,
            capabilities,
            watchdog: Watchdog::default(),
            listeners: Mutex::default(),
        });
        Self { threads: Threads::new(shared.clone()), shared }
    }

    /// Evaluates a program in a throw-away runtime, and tells which hooks it has.
    pub(crate) async fn check(&self, program: &Arc<Program>) -> Result<Evaluated, Failure> {
        trial::check(&self.shared, program.clone()).await
    }

    /// No more hooks of a request will come.
    pub(crate) fn release(&self, place: Place, request: u64) {
        match place {
            Place::Worker { number, runtime } if dgate_core::worker::current() == Some(number) => {
                worker::release(runtime, request);
            }
            // Only workers' own tasks touch their runtimes; the context goes with its runtime.
            Place::Worker { .. } => {}
            Place::Thread { number, runtime } => self.threads.release(number, runtime, request),
        }
    }
}

impl Deployed {
    /// Gets all threads ready for a program, if it needs the engine.
    pub(crate) fn new(
        program: Arc<Program>,
        evaluated: &Evaluated,
        direct: DirectHooks,
        pool: Arc<Pool>,
    ) -> Self {
        let hooks = evaluated.hooks;
        if Hook::ALL.into_iter().any(|hook| hook.is_in(hooks) && !direct.has(hook)) {
            pool.shared.tell(&Control::Warm(program.clone()));
        }
        let has =
            |index: &usize, hook: Hook| evaluated.modules.get(*index).is_some_and(|has| has[hook as usize]);
        let order = Hook::ALL.map(|hook| program.order(hook).filter(|index| has(index, hook)).collect());
        Self { program, hooks, order, direct, pool }
    }

    /// Runs a call where it should run, and tells where that was. Dropping the future cancels the call.
    pub(crate) async fn run(
        &self,
        before: Option<Place>,
        task: Task,
    ) -> (Option<Place>, Result<Done, Failure>) {
        if self.program.weight.has_stuck() {
            return (None, Err(stuck(&self.program, task.hook)));
        }
        match dgate_core::worker::current() {
            Some(number)
                if !self.program.weight.is_heavy() && !matches!(before, Some(Place::Thread { .. })) =>
            {
                let runtime = match before {
                    Some(Place::Worker { number: known, runtime }) if known == number => Some(runtime),
                    _ => None,
                };
                let begun = worker::begin(&self.pool.shared, &self.program, runtime, task);
                let (runtime, begun) = match begun {
                    Ok(begun) => begun,
                    Err((failure, _)) => return (None, Err(failure)),
                };
                let place = Some(Place::Worker { number, runtime });
                match begun {
                    Begun::Done(done) => (place, Ok(done)),
                    Begun::Waiting { call, done, part } => {
                        let guard = Guard { runtime, call, armed: true };
                        let result = waiting::here((runtime, call), part, done).await;
                        if result.is_ok() {
                            guard.disarm();
                        }
                        (place, result)
                    }
                }
            }
            _ => {
                let before = match before {
                    Some(Place::Thread { number, runtime }) => Some((number, runtime)),
                    _ => None,
                };
                match self.pool.threads.call(&self.program, before, task) {
                    Ok(answer) => match waiting::elsewhere(self.program.timeout(), answer).await {
                        Ok((number, runtime, result)) => (Some(Place::Thread { number, runtime }), result),
                        Err(failure) => (None, Err(failure)),
                    },
                    Err(failure) => (None, Err(failure)),
                }
            }
        }
    }
}

impl Drop for Deployed {
    fn drop(&mut self) {
        self.pool.shared.tell(&Control::Retire(self.program.id));
    }
}

/// A runtime of the program does not come back: others would not either.
fn stuck(program: &Program, hook: Hook) -> Failure {
    let message = "an earlier call of the module did not come back from a built-in function; calls are refused until it does";
    let mut failure = Failure::limit(LimitKind::Watchdog, message);
    failure.module = program.first_of(hook);
    failure
}

/// Cancels a call on this worker when it is dropped.
struct Guard {
    runtime: u64,
    call: u64,
    armed: bool,
}

impl Guard {
    fn disarm(mut self) {
        self.armed = false;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.armed {
            worker::cancel(self.runtime, self.call);
        }
    }
}
