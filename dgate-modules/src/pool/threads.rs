//! The pool's own threads, each with a mailbox.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};

use super::{Pulse, Shared, waiting};
use crate::engine::{self, Begun, Done, Task};
use crate::failure::{Failure, FailureKind};
use crate::program::Program;
use crate::stack::STACK;
use crate::worker;

/// How often a thread that is to end looks whether it may.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What comes back: the numbers of the thread and the runtime, and what came of the call.
pub(super) type Answer = (usize, u64, Result<Done, Failure>);

enum Letter {
    Call { program: Arc<Program>, runtime: Option<u64>, task: Box<Task>, answer: oneshot::Sender<Answer> },
    Release { runtime: u64, request: u64 },
}

/// The pool's own threads. They are started when they are needed, and end with the pool, or when a storm has made their
/// collector too patient (see `engine/heap.rs`) and nobody needs them.
#[derive(Clone)]
pub(super) struct Threads {
    shared: Arc<Shared>,
    threads: Arc<Mutex<Vec<Thread>>>,
}

/// What waits for a thread. The thread holds the lock only while it has nothing to do.
type Letters = Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Letter>>>;

/// A thread. It ends when its mailbox has no senders any more.
#[derive(Clone)]
struct Thread {
    number: usize,
    mailbox: mpsc::UnboundedSender<Letter>,
    letters: Letters,
    pulse: Arc<Pulse>,
    load: Arc<Load>,
}

/// What a thread has to do.
#[derive(Default)]
struct Load {
    /// Calls that wait for the thread or in it.
    calls: AtomicUsize,
    /// Calls that wait for the thread.
    queued: AtomicUsize,
    /// Whether it gets no more calls, and ends as soon as it may.
    is_spent: AtomicBool,
    /// Told when a call of a thread that is spent is over.
    ended: Notify,
}

impl Thread {
    /// The fewer calls wait for it, the better; then the fewer it has.
    fn order(&self) -> (usize, usize) {
        (self.load.queued.load(Ordering::Relaxed), self.load.calls.load(Ordering::Relaxed))
    }

    fn is_spent(&self) -> bool {
        self.load.is_spent.load(Ordering::Relaxed)
    }
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
            let most = self.shared.settings.mailbox;
            let message = format!(
                "{most} calls wait for each thread for modules already (`modules.pool.mailbox`, `modules.pool.max_threads`)"
            );
            Err(Failure::new(FailureKind::Overloaded, message))
        }
    }

    /// Puts a call into a mailbox, if there is one with room. Whoever waits holds a request, so nobody waits for room.
    fn post(&self, mut thread: Option<Thread>, mut letter: Letter) -> bool {
        loop {
            let Some(thread) = thread.take().or_else(|| self.choose()) else { return false };
            let load = &thread.load;
            if load.queued.fetch_add(1, Ordering::Relaxed) >= self.shared.settings.mailbox.max(1) {
                load.queued.fetch_sub(1, Ordering::Relaxed);
                return false;
            }
            load.calls.fetch_add(1, Ordering::Relaxed);
            let Err(mpsc::error::SendError(back)) = thread.mailbox.send(letter) else { return true };
            // The thread has ended meanwhile.
            letter = back;
            if let Letter::Call { runtime, .. } = &mut letter {
                *runtime = None;
            }
        }
    }

    /// What waits for a thread goes to others. What finds no room there is answered as lost.
    fn take_over(&self, number: usize) {
        let Some(stuck) = self.get(number) else { return };
        let Ok(mut letters) = stuck.letters.try_lock() else { return };
        while let Ok(letter) = letters.try_recv() {
            self.pass_on(&stuck.load, letter);
        }
    }

    fn pass_on(&self, load: &Load, letter: Letter) {
        let Letter::Call { program, task, answer, .. } = letter else { return };
        load.queued.fetch_sub(1, Ordering::Relaxed);
        load.calls.fetch_sub(1, Ordering::Relaxed);
        self.post(None, Letter::Call { program, runtime: None, task, answer });
    }

    /// A thread is gone as far as others see. What was sent to it until then goes to others.
    async fn leave(&self, number: usize, letters: &Letters, load: &Load) {
        self.lock().retain(|thread| thread.number != number);
        let mut letters = letters.lock().await;
        letters.close();
        while let Some(letter) = letters.recv().await {
            self.pass_on(load, letter);
        }
    }

    pub(super) fn release(&self, number: usize, runtime: u64, request: u64) {
        if let Some(thread) = self.get(number) {
            // What it belonged to is gone with its thread.
            let _ = thread.mailbox.send(Letter::Release { runtime, request });
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Thread>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, number: usize) -> Option<Thread> {
        self.lock().iter().find(|thread| thread.number == number).cloned()
    }

    /// The thread with the fewest calls; a new one when calls wait for all of them and there may be more. Those that are
    /// stuck do not count, and neither do those that are spent unless there are too many.
    fn choose(&self) -> Option<Thread> {
        let most = self.shared.settings.max_threads.max(1);
        let mut threads = self.lock();
        let alive = || threads.iter().filter(|thread| !thread.pulse.is_stuck());
        let good = || alive().filter(|thread| !thread.is_spent());
        let best = good().min_by_key(|thread| thread.order()).cloned();
        let busy = best.as_ref().is_none_or(|thread| thread.order().0 > 0);
        if busy
            && good().count() < most
            && alive().count() < 2 * most
            && let Some(thread) = self.start()
        {
            threads.push(thread.clone());
            return Some(thread);
        }
        best.or_else(|| alive().min_by_key(|thread| thread.order()).cloned())
    }

    /// Starts a thread; nothing when the system has none left.
    fn start(&self) -> Option<Thread> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let (mailbox, letters) = mpsc::unbounded_channel();
        let letters: Letters = Arc::new(tokio::sync::Mutex::new(letters));
        let (pool, all) = (Arc::downgrade(&self.shared), Arc::downgrade(&self.threads));
        let itself = move || Some(Self { shared: pool.upgrade()?, threads: all.upgrade()? });
        let rescue = itself.clone();
        let pulse = Arc::new(Pulse::with_rescue(move || {
            if let Some(threads) = rescue() {
                threads.take_over(number);
            }
        }));
        let load = Arc::new(Load::default());
        let thread =
            Thread { number, mailbox, letters: letters.clone(), pulse: pulse.clone(), load: load.clone() };
        let shared = self.shared.clone();
        let named = std::thread::Builder::new().name(format!("modules-{number}")).stack_size(STACK);
        let started = named.spawn(move || {
            worker::adopt(pulse);
            stand_back(shared.settings.niceness);
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return tracing::error!(%error, "a thread for modules has no runtime"),
            };
            let reason = runtime.block_on(async {
                if serve(&shared, number, &letters, &load).await == End::Pool {
                    return "idle";
                }
                if let Some(threads) = itself() {
                    threads.leave(number, &letters, &load).await;
                }
                "limit"
            });
            drop(runtime);
            worker::drop_all(reason);
        });
        started.ok().map(|_| thread)
    }
}

/// This thread computes when no other wants to, more or less. Elsewhere than on Linux, niceness is the whole process's.
fn stand_back(niceness: u8) {
    #[cfg(target_os = "linux")]
    if niceness > 0
        && let Err(error) = rustix::process::setpriority_process(None, i32::from(niceness.min(19)))
    {
        tracing::warn!(%error, "a thread for modules has the priority of all others");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = niceness;
}

/// Why a thread ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// So does its pool.
    Pool,
    /// It is spent, and nobody needs it.
    Spent,
}

async fn serve(shared: &Arc<Shared>, number: usize, letters: &Letters, load: &Arc<Load>) -> End {
    loop {
        let is_spent = load.is_spent.load(Ordering::Relaxed);
        if is_spent && load.calls.load(Ordering::Relaxed) == 0 && worker::is_unused() {
            return End::Spent;
        }
        let letter = tokio::select! {
            letter = async { letters.lock().await.recv().await } => letter,
            () = load.ended.notified() => continue,
            // Timers that belong to no call any more are not told of.
            () = tokio::time::sleep(LOOK_AGAIN), if is_spent => continue,
        };
        match letter {
            None => return End::Pool,
            Some(Letter::Release { runtime, request }) => worker::release(runtime, request),
            Some(Letter::Call { program, runtime, task, answer }) => {
                load.queued.fetch_sub(1, Ordering::Relaxed);
                let done = Counted(load.clone());
                if answer.is_closed() {
                    continue;
                }
                run((shared, number), &program, runtime, *task, answer, done);
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
    let (runtime, result) = match worker::begin(shared, program, runtime, task) {
        Err((failure, _)) => (0, Err(failure)),
        Ok((runtime, Begun::Done(done))) => (runtime, Ok(done)),
        Ok((runtime, Begun::Waiting { call, done, part })) => {
            tokio::spawn(async move {
                let result = tokio::select! {
                    result = waiting::here((runtime, call), part, done) => Some(result),
                    () = answer.closed() => None,
                };
                if !matches!(result, Some(Ok(_))) {
                    worker::cancel(runtime, call);
                }
                drop(counted);
                if let Some(result) = result {
                    let _ = answer.send((number, runtime, result));
                }
            });
            return;
        }
    };
    // Whoever hears of it finds the thread as it is now.
    drop(counted);
    let _ = answer.send((number, runtime, result));
}

/// Counts a call until it is over, on the thread that it is on.
struct Counted(Arc<Load>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
        if engine::is_swollen() {
            self.0.is_spent.store(true, Ordering::Relaxed);
            self.0.ended.notify_one();
        }
    }
}
