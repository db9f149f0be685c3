//! One call of a hook, through all the modules of a chain that have it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use boa_engine::builtins::promise::{Promise, PromiseState};
use boa_engine::object::builtins::JsPromise;
use boa_engine::{JsData, JsObject, JsValue};
use boa_gc::{Finalize, Trace};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::api::RequestState;
use crate::exchange::{ErrorInfo, Exchange};
use crate::failure::Failure;
use crate::hook::Hook;
use crate::limits::CallLimits;

/// What is asked of a runtime.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) hook: Hook,
    /// Identifies the request among all of a gateway: its hooks share one `ctx`.
    pub(crate) request: u64,
    pub(crate) info: std::sync::Arc<crate::exchange::RequestInfo>,
    pub(crate) exchange: Box<Exchange>,
    /// For error handlers.
    pub(crate) error: Option<ErrorInfo>,
    /// Whether further hooks of the same request may follow.
    pub(crate) keep: bool,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) exchange: Box<Exchange>,
    pub(crate) result: Result<Answer, Failure>,
}

/// What a hook answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing, or what it wrote.
    #[default]
    Nothing,
    /// A URL, by `fetchUpstream`.
    Url(String),
}

/// What a module of a chain may use in a call, and what it has computed.
#[derive(Debug, Clone, Copy)]
struct Account {
    limits: CallLimits,
    cpu: Duration,
}

/// A call that runs or waits.
pub(super) struct Call {
    pub(super) id: u64,
    pub(super) hook: Hook,
    pub(super) request: u64,
    pub(super) keep: bool,
    pub(super) state: Rc<RequestState>,
    /// What an error handler is told.
    pub(super) error: RefCell<Option<JsValue>>,
    /// The `ctx` object.
    pub(super) context: RefCell<Option<JsObject>>,
    /// The place in the chain of the module that runs.
    pub(super) step: Cell<usize>,
    /// The promise of an `async` hook that it waits for: looked at after each of its continuations.
    awaited: RefCell<Option<JsPromise>>,
    /// Whether a returned `Response` is being applied.
    pub(super) applying: Cell<bool>,
    /// What the module that runs may use, and what it has.
    account: Cell<Account>,
    /// The same of those before it, by their places in the chain.
    earlier: RefCell<Vec<Account>>,
    /// The place and the account of the module that the call is in, while something runs that an earlier one left behind.
    parked: Cell<Option<(usize, Account)>>,
    pub(super) operations: Cell<usize>,
    /// Handlers of promises that have not run yet.
    handlers: Cell<usize>,
    /// Why it was cancelled, when that happened before anybody waited.
    pub(super) failure: RefCell<Option<Failure>>,
    /// When the module that runs was called.
    since: Cell<Instant>,
    /// Ends the call when the module that runs, and is not the first, takes too long.
    alarm: RefCell<Option<AbortHandle>>,
    /// What it computed in the turn of that number.
    in_turn: Cell<(u64, Duration)>,
    cancelled: Cell<bool>,
    done: RefCell<Option<oneshot::Sender<Done>>>,
}

impl Call {
    pub(super) fn new(
        id: u64,
        hook: Hook,
        request: u64,
        keep: bool,
        state: Rc<RequestState>,
        context: JsObject,
        limits: CallLimits,
        since: Instant,
    ) -> Self {
        Self {
            id,
            hook,
            request,
            keep,
            state,
            error: RefCell::default(),
            context: RefCell::new(Some(context)),
            step: Cell::new(0),
            awaited: RefCell::default(),
            applying: Cell::new(false),
            account: Cell::new(Account { limits, cpu: Duration::ZERO }),
            earlier: RefCell::default(),
            parked: Cell::new(None),
            operations: Cell::new(0),
            handlers: Cell::new(0),
            failure: RefCell::default(),
            since: Cell::new(since),
            alarm: RefCell::default(),
            in_turn: Cell::new((0, Duration::ZERO)),
            cancelled: Cell::new(false),
            done: RefCell::new(None),
        }
    }

    /// When the module that runs was called.
    pub(super) fn since(&self) -> Instant {
        self.since.get()
    }

    pub(super) fn cpu_used(&self) -> Duration {
        self.account.get().cpu
    }

    /// It computed for so long, in a turn of that number. Returns how long it did in that turn.
    pub(super) fn add_cpu(&self, time: Duration, turn: u64) -> Duration {
        let Account { limits, cpu } = self.account.get();
        self.account.set(Account { limits, cpu: cpu + time });
        let in_turn = match self.in_turn.get() {
            (known, before) if known == turn => before + time,
            _ => time,
        };
        self.in_turn.set((turn, in_turn));
        in_turn
    }

    pub(super) fn cpu_limit(&self) -> Duration {
        self.account.get().limits.cpu
    }

    /// What the module that runs may use.
    pub(super) fn limits(&self) -> CallLimits {
        self.account.get().limits
    }

    /// The next module of the chain runs, with limits of its own.
    pub(super) fn begin_part(&self, limits: CallLimits) {
        let before = self.account.replace(Account { limits, cpu: Duration::ZERO });
        self.earlier.borrow_mut().push(before);
        self.since.set(Instant::now());
        self.set_alarm(None);
    }

    /// Something runs that a module left behind: if that is an earlier one, it runs on that one's account, and in its place,
    /// until [`Self::return_to_own`]. Says whether it is.
    pub(super) fn go_back_to(&self, step: usize) -> bool {
        if step == self.step.get() || self.parked.get().is_some() {
            return false;
        }
        let Some(account) = self.earlier.borrow().get(step).copied() else { return false };
        self.parked.set(Some((self.step.replace(step), self.account.replace(account))));
        true
    }

    /// What an earlier module left behind is done.
    pub(super) fn return_to_own(&self) {
        let Some((step, account)) = self.parked.take() else { return };
        let (earlier, used) = (self.step.replace(step), self.account.replace(account));
        if let Some(account) = self.earlier.borrow_mut().get_mut(earlier) {
            *account = used;
        }
    }

    pub(super) fn has_alarm(&self) -> bool {
        self.alarm.borrow().is_some()
    }

    /// Something will end the call when the module that runs takes too long; nothing does any more.
    pub(super) fn set_alarm(&self, alarm: Option<AbortHandle>) {
        if let Some(before) = self.alarm.replace(alarm) {
            before.abort();
        }
    }

    /// How many handlers of promises have not run yet.
    pub(super) fn handlers(&self) -> usize {
        self.handlers.get()
    }

    /// Nobody waits for it any more; what it still has to do is not done.
    pub(super) fn cancel(&self) {
        self.cancelled.set(true);
        self.set_alarm(None);
        self.context.take();
        self.awaited.take();
        self.done.take();
    }

    /// It waits for the promise of an `async` hook.
    pub(super) fn await_own(&self, promise: JsPromise) {
        *self.awaited.borrow_mut() = Some(promise);
    }

    /// Whether it waits for a promise itself.
    pub(super) fn awaits(&self, promise: &JsObject<Promise>) -> bool {
        self.awaited.borrow().as_ref().is_some_and(|awaited| JsObject::equals(&**awaited, promise))
    }

    /// It does not wait any more.
    pub(super) fn forget_awaited(&self) {
        self.awaited.take();
    }

    /// What the promise of its `async` hook came to, once.
    pub(super) fn take_settled(&self) -> Option<Result<JsValue, JsValue>> {
        let mut awaited = self.awaited.borrow_mut();
        let settled = match awaited.as_ref()?.state() {
            PromiseState::Pending => return None,
            PromiseState::Fulfilled(value) => Ok(value),
            PromiseState::Rejected(value) => Err(value),
        };
        *awaited = None;
        Some(settled)
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.get()
    }

    /// Somebody waits for the end of it.
    pub(super) fn wait(&self) -> oneshot::Receiver<Done> {
        let (sender, receiver) = oneshot::channel();
        *self.done.borrow_mut() = Some(sender);
        receiver
    }

    /// Tells whoever waits.
    pub(super) fn tell(&self, done: Done) {
        if let Some(sender) = self.done.take() {
            let _ = sender.send(done);
        }
    }
}

/// The call that a handler of a promise belongs to.
#[derive(Trace, Finalize, JsData)]
pub(super) struct Handler(#[unsafe_ignore_trace] Counted);

/// Counts until the handler has run, or is garbage.
struct Counted {
    call: Rc<Call>,
    /// The place in the chain of the module that ran when it was made.
    step: usize,
}

impl Handler {
    pub(super) fn new(call: Rc<Call>) -> Self {
        call.handlers.set(call.handlers.get() + 1);
        let step = call.step.get();
        Self(Counted { call, step })
    }

    pub(super) fn call(&self) -> &Rc<Call> {
        &self.0.call
    }

    pub(super) fn step(&self) -> usize {
        self.0.step
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.call.handlers.set(self.call.handlers.get() - 1);
    }
}

/// A call, as native functions carry it.
#[derive(Clone, Trace, Finalize, JsData)]
pub(super) struct CallTag(#[unsafe_ignore_trace] pub(super) Rc<Call>);
