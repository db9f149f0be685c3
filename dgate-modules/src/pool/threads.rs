//! The pool's own threads, each with a mailbox.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dgate_core::hook::Hooks;
use tokio::sync::{mpsc, oneshot};

use super::{Pulse, Shared};
use crate::engine::{Begun, Done, Runtime, Task};
use crate::failure::{Failure, FailureKind};
use crate::hook::Hook;
use crate::program::Program;
use crate::worker;

/// A hook may call itself through built-ins; every such call takes some of the thread's own stack.
const STACK: usize = 16 << 20;
/// How long a module may take to be evaluated when it is checked, whatever it does.
const PATIENCE: Duration = Duration::from_secs(10);

/// What comes back: the numbers of the thread and the runtime, and what came of the call.
pub(super) type Answer = (usize, u64, Result<Done, Failure>);

enum Letter {
    Call { program: Arc<Program>, runtime: Option<u64>, task: Box<Task>, answer: oneshot::Sender<Answer> },
    Release { runtime: u64, request: u64 },
}

/// The pool's own threads. They are started when they are needed, and end with the pool.
#[derive(Clone)]
pub(super) struct Threads {
    shared: Arc<Shared>,
    threads: Arc<Mutex<Vec<Thread>>>,
}

/// What waits for a thread. The thread holds the lock only while it has nothing to do.
type Letters = Arc<tokio::sync::Mutex<mpsc::Receiver<Letter>>>;

#[derive(Clone)]
struct Thread {
    mailbox: mpsc::Sender<Letter>,
    letters: Letters,
    pulse: Arc<Pulse>,
    /// Calls that wait for the thread or in it.
    calls: Arc<AtomicUsize>,
    /// Calls that wait for the thread.
    queued: Arc<AtomicUsize>,
}

impl Threads {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, threads: Arc::default() }
    }

    /// Sends a call to a thread, and returns where the answer comes.
    ///
    /// # Errors
    /// When too many wait already.
    pub(super) fn call(
        &self,
        program: &Arc<Program>,
        before: Option<(usize, u64)>,
        task: Task,
    ) -> Result<oneshot::Receiver<Answer>, Failure> {
        let (answer, answered) = oneshot::channel();
        // The request's `ctx` is there, unless the thread is not to be had any more.
        let known = before.and_then(|(number, runtime)| Some((self.get(number)?, runtime)));
        let known = known.filter(|(thread, _)| !thread.pulse.is_stuck());
        let (thread, runtime) = known.map_or((None, None), |(thread, runtime)| (Some(thread), Some(runtime)));
        let letter = Letter::Call { program: program.clone(), runtime, task: Box::new(task), answer };
        if self.post(thread, letter) {
            Ok(answered)
        } else {
            Err(Failure::new(FailureKind::Overloaded, "too many calls wait for a runtime"))
        }
    }

    /// Puts a call into a mailbox, if there is one with room.
    fn post(&self, thread: Option<Thread>, letter: Letter) -> bool {
        let Some(thread) = thread.or_else(|| self.choose()) else { return false };
        thread.queued.fetch_add(1, Ordering::Relaxed);
        thread.calls.fetch_add(1, Ordering::Relaxed);
        let fits = thread.mailbox.try_send(letter).is_ok();
        if !fits {
            thread.queued.fetch_sub(1, Ordering::Relaxed);
            thread.calls.fetch_sub(1, Ordering::Relaxed);
        }
        fits
    }

    /// What waits for a thread goes to others. What finds no room there is answered as lost.
    fn take_over(&self, number: usize) {
        let Some(stuck) = self.get(number) else { return };
        let Ok(mut letters) = stuck.letters.try_lock() else { return };
        while let Ok(letter) = letters.try_recv() {
            let Letter::Call { program, task, answer, .. } = letter else { continue };
            stuck.queued.fetch_sub(1, Ordering::Relaxed);
            stuck.calls.fetch_sub(1, Ordering::Relaxed);
            self.post(None, Letter::Call { program, runtime: None, task, answer });
        }
    }

    pub(super) fn release(&self, number: usize, runtime: u64, request: u64) {
        if let Some(thread) = self.get(number) {
            // A full mailbox means a busy thread; the context then goes with its runtime.
            let _ = thread.mailbox.try_send(Letter::Release { runtime, request });
        }
    }

    fn get(&self, number: usize) -> Option<Thread> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).get(number).cloned()
    }

    /// The thread with the fewest calls; a new one when calls wait for all of them and there may be more. Those that are
    /// stuck do not count.
    fn choose(&self) -> Option<Thread> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let load =
            |thread: &Thread| (thread.queued.load(Ordering::Relaxed), thread.calls.load(Ordering::Relaxed));
        let good = || threads.iter().filter(|thread| !thread.pulse.is_stuck());
        let best = good().min_by_key(|thread| load(thread)).cloned();
        let busy = best.as_ref().is_none_or(|thread| load(thread).0 > 0);
        if busy
            && good().count() < self.shared.settings.max_threads.max(1)
            && let Some(thread) = self.start(threads.len())
        {
            threads.push(thread.clone());
            return Some(thread);
        }
        best
    }

    /// Starts a thread; nothing when the system has none left.
    fn start(&self, number: usize) -> Option<Thread> {
        let (mailbox, letters) = mpsc::channel(self.shared.settings.mailbox.max(1));
        let letters: Letters = Arc::new(tokio::sync::Mutex::new(letters));
        let (pool, all) = (Arc::downgrade(&self.shared), Arc::downgrade(&self.threads));
        let pulse = Arc::new(Pulse::with_rescue(move || {
            if let (Some(shared), Some(threads)) = (pool.upgrade(), all.upgrade()) {
                Self { shared, threads }.take_over(number);
            }
        }));
        let thread = Thread {
            mailbox,
            pulse: pulse.clone(),
            letters: letters.clone(),
            calls: Arc::default(),
            queued: Arc::default(),
        };
        let (shared, counts) = (self.shared.clone(), (thread.calls.clone(), thread.queued.clone()));
        let named = std::thread::Builder::new().name(format!("modules-{number}")).stack_size(STACK);
        let started = named.spawn(move || {
            worker::adopt(pulse);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => {
                    runtime.block_on(serve(shared, number, letters, counts));
                    worker::drop_all();
                }
                Err(error) => tracing::error!(%error, "a thread for modules has no runtime"),
            }
        });
        started.ok().map(|_| thread)
    }
}

async fn serve(
    shared: Arc<Shared>,
    number: usize,
    letters: Letters,
    (calls, queued): (Arc<AtomicUsize>, Arc<AtomicUsize>),
) {
    loop {
        let Some(letter) = letters.lock().await.recv().await else { break };
        match letter {
            Letter::Release { runtime, request } => worker::release(runtime, request),
            Letter::Call { program, runtime, task, answer } => {
                queued.fetch_sub(1, Ordering::Relaxed);
                let done = Counted(calls.clone());
                if answer.is_closed() {
                    continue;
                }
                run((&shared, number), &program, runtime, *task, answer, done);
                // Others on this thread have their turn.
                tokio::task::yield_now().await;
            }
        }
    }
}

fn run(
    (shared, number): (&Arc<Shared>, usize),
    program: &Arc<Program>,
    runtime: Option<u64>,
    task: Task,
    mut answer: oneshot::Sender<Answer>,
    counted: Counted,
) {
    match worker::begin(shared, program, runtime, task) {
        Err((failure, _)) => drop(answer.send((number, 0, Err(failure)))),
        Ok((runtime, Begun::Done(done))) => drop(answer.send((number, runtime, Ok(done)))),
        Ok((runtime, Begun::Waiting { call, done })) => {
            tokio::spawn(async move {
                let _counted = counted;
                tokio::select! {
                    done = done => {
                        if let Ok(done) = done {
                            let _ = answer.send((number, runtime, Ok(done)));
                        }
                    }
                    () = answer.closed() => worker::cancel(runtime, call),
                }
            });
        }
    }
}

/// Counts a call until it is over.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Evaluates a program in a throw-away runtime, on a thread of its own, and says which hooks it has.
pub(super) async fn check(shared: &Arc<Shared>, program: Arc<Program>) -> Result<Hooks, Failure> {
    let (answer, answered) = oneshot::channel();
    let capabilities = shared.capabilities.clone();
    let started =
        std::thread::Builder::new().name("modules-check".to_owned()).stack_size(STACK).spawn(move || {
            let hooks = Runtime::new(0, &program, capabilities).map(|runtime| {
                Hooks::default().with(|hooks| {
                    hooks.fetch_upstream = runtime.has(Hook::FetchUpstream);
                    hooks.modify_request = runtime.has(Hook::RequestModifier);
                    hooks.handle_request = runtime.has(Hook::RequestHandler);
                    hooks.modify_response = runtime.has(Hook::ResponseModifier);
                    hooks.handle_error = runtime.has(Hook::ErrorHandler);
                })
            });
            let _ = answer.send(hooks);
        });
    let failed = |why: &str| Failure::new(FailureKind::Internal, why);
    started.map_err(|error| failed(&error.to_string()))?;
    match tokio::time::timeout(PATIENCE, answered).await {
        Ok(Ok(hooks)) => hooks,
        Ok(Err(_)) => Err(failed("the module brought its checking to an end")),
        Err(_) => Err(failed("the module does not come to an end when it is evaluated")),
    }
}
