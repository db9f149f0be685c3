//! Operations: what a module waits for. Timers, bodies, fetches, documents.
//!
//! An operation is a task on the thread's own tokio runtime. When it is done, it comes back to its runtime as a turn and
//! settles a promise, or calls a callback.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use boa_engine::builtins::promise::ResolvingFunctions;
use boa_engine::object::JsObject;
use boa_engine::object::builtins::{JsFunction, JsPromise};
use boa_engine::property::PropertyDescriptor;
use boa_engine::{Context, JsError, JsNativeError, JsResult, JsValue};
use tokio::task::AbortHandle;

use super::call::Call;
use super::host::Host;
use super::{errors, uncaught};
use crate::failure::LimitKind;
use crate::worker;

/// What an operation brings back, to be made a value of the runtime.
pub(crate) type Outcome = Box<dyn FnOnce(&mut Context) -> JsResult<JsValue> + Send>;

/// The operations of a runtime that are not done yet.
pub(super) struct Operations {
    runtime: u64,
    namespace: Arc<str>,
    /// How many one call may have.
    most: usize,
    next: Cell<u64>,
    pending: RefCell<HashMap<u64, Pending>>,
}

struct Pending {
    call: Option<Rc<Call>>,
    /// The place in the chain of the module that began it.
    step: usize,
    then: Then,
    task: Option<AbortHandle>,
    /// When it is done, if time was stopped.
    due: Option<Duration>,
}

enum Then {
    Settle(ResolvingFunctions),
    Call { callback: JsFunction, arguments: Vec<JsValue>, again: Option<Duration> },
}

impl Operations {
    pub(super) fn new(runtime: u64, namespace: Arc<str>, most: usize) -> Self {
        Self { runtime, namespace, most, next: Cell::new(1), pending: RefCell::default() }
    }

    /// The runtime that they belong to.
    pub(super) fn runtime(&self) -> u64 {
        self.runtime
    }

    /// The number of the operation that is added next.
    pub(super) fn next_id(&self) -> u64 {
        self.next.get()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.borrow().is_empty()
    }

    fn add(&self, call: Option<Rc<Call>>, then: Then) -> JsResult<u64> {
        if let Some(call) = &call {
            if call.operations.get() >= self.most {
                crate::metrics::count_limit(&self.namespace, LimitKind::Operations);
                let message = format!(
                    "more than {} operations of one call at the same time; wait for some before beginning more \
                     (`modules.limits.operations`)",
                    self.most
                );
                return Err(JsNativeError::range().with_message(message).into());
            }
            call.operations.set(call.operations.get() + 1);
        }
        let id = self.next.replace(self.next.get() + 1);
        let step = call.as_ref().map_or(0, |call| call.step.get());
        self.pending.borrow_mut().insert(id, Pending { call, step, then, task: None, due: None });
        Ok(id)
    }

    fn set_task(&self, id: u64, task: AbortHandle) {
        if let Some(pending) = self.pending.borrow_mut().get_mut(&id) {
            pending.task = Some(task);
        }
    }

    fn take(&self, id: u64) -> Option<Pending> {
        let pending = self.pending.borrow_mut().remove(&id)?;
        if let Some(call) = &pending.call {
            call.operations.set(call.operations.get() - 1);
        }
        Some(pending)
    }

    /// The timer that goes off next when time that was stopped goes on.
    pub(super) fn next_due(&self) -> Option<(Duration, u64)> {
        let pending = self.pending.borrow();
        pending.iter().filter_map(|(id, pending)| Some((pending.due?, *id))).min()
    }

    /// Forgets an operation: nothing comes of it any more.
    pub(super) fn forget(&self, id: u64) {
        if let Some(task) = self.take(id).and_then(|pending| pending.task) {
            task.abort();
        }
    }

    /// Forgets all operations of a call.
    pub(super) fn forget_of(&self, call: &Rc<Call>) {
        let of_call = |pending: &Pending| pending.call.as_ref().is_some_and(|of| Rc::ptr_eq(of, call));
        let pending = self.pending.borrow();
        let ids: Vec<u64> =
            pending.iter().filter(|(_, pending)| of_call(pending)).map(|(id, _)| *id).collect();
        drop(pending);
        ids.into_iter().for_each(|id| self.forget(id));
    }
}

/// Starts an operation, and returns the promise of its outcome.
pub(super) fn promise<F>(future: F, context: &mut Context) -> JsResult<JsValue>
where
    F: Future<Output = Outcome> + Send + 'static,
{
    let host = Host::of(context);
    let (promise, functions) = JsPromise::new_pending(context);
    let id = host.operations.add(host.current(), Then::Settle(functions))?;
    let runtime = host.operations.runtime;
    let task = spawn(async move {
        let outcome = future.await;
        worker::finish_operation(runtime, id, Some(outcome));
    })?;
    host.operations.set_task(id, task);
    Ok(promise.into())
}

/// Starts a timer that calls back.
pub(super) fn timer(
    callback: JsFunction,
    arguments: Vec<JsValue>,
    delay: Duration,
    repeat: bool,
    context: &mut Context,
) -> JsResult<u64> {
    let host = Host::of(context);
    let then = Then::Call { callback, arguments, again: repeat.then_some(delay) };
    let id = host.operations.add(host.current(), then)?;
    start_timer(&host, id, delay)?;
    Ok(id)
}

/// Starts the promise of a time.
pub(super) fn sleep(time: Duration, context: &mut Context) -> JsResult<JsValue> {
    let host = Host::of(context);
    let (promise, functions) = JsPromise::new_pending(context);
    let id = host.operations.add(host.current(), Then::Settle(functions))?;
    start_timer(&host, id, time)?;
    Ok(promise.into())
}

fn start_timer(host: &Host, id: u64, delay: Duration) -> JsResult<()> {
    if let Some(now) = host.clock.stopped() {
        if let Some(pending) = host.operations.pending.borrow_mut().get_mut(&id) {
            pending.due = Some(now + delay);
        }
        return Ok(());
    }
    let runtime = host.operations.runtime;
    let task = spawn(async move {
        tokio::time::sleep(delay).await;
        worker::finish_operation(runtime, id, None);
    })?;
    host.operations.set_task(id, task);
    Ok(())
}

/// An operation is done: its promise is settled or its callback called, in a turn of the call that began it.
pub(super) fn finish(
    host: &Rc<Host>,
    id: u64,
    outcome: Option<Outcome>,
    context: &mut Context,
) -> JsResult<()> {
    let repeats = matches!(
        host.operations.pending.borrow().get(&id),
        Some(Pending { then: Then::Call { again: Some(_), .. }, .. })
    );
    if repeats {
        let pending = host.operations.pending.borrow();
        let Some(Pending {
            then: Then::Call { callback, arguments, again: Some(delay) }, call, step, ..
        }) = pending.get(&id)
        else {
            return Ok(());
        };
        let (callback, arguments, delay) = (callback.clone(), arguments.clone(), *delay);
        let (call, step) = (call.clone(), *step);
        drop(pending);
        start_timer(host, id, delay)?;
        return on_account(host, call, step, || {
            let result = callback.call(&JsValue::undefined(), &arguments, context);
            report(result, host, context)
        });
    }
    let Some(Pending { call, step, then, .. }) = host.operations.take(id) else { return Ok(()) };
    on_account(host, call, step, || end(host, then, outcome, context))
}

/// Runs something in a call, on the account of the module that began it.
fn on_account(
    host: &Rc<Host>,
    call: Option<Rc<Call>>,
    step: usize,
    run: impl FnOnce() -> JsResult<()>,
) -> JsResult<()> {
    let is_left_behind = call.as_ref().is_some_and(|call| {
        host.enter(Some(call.clone()));
        call.go_back_to(step)
    });
    if call.is_none() {
        host.enter(None);
    }
    let result = run();
    if let (true, Some(call)) = (is_left_behind, call) {
        // What was computed until now is the earlier module's.
        host.enter(Some(call.clone()));
        host.return_to_own(&call);
    }
    result
}

/// What an operation came to is told.
fn end(host: &Rc<Host>, then: Then, outcome: Option<Outcome>, context: &mut Context) -> JsResult<()> {
    match then {
        Then::Settle(functions) => {
            let outcome = outcome.map_or(Ok(JsValue::undefined()), |outcome| outcome(context));
            match outcome {
                Ok(value) => functions.resolve.call(&JsValue::undefined(), &[value], context)?,
                Err(error) => {
                    let error = error.into_opaque(context)?;
                    functions.reject.call(&JsValue::undefined(), &[error], context)?
                }
            };
            Ok(())
        }
        Then::Call { callback, arguments, .. } => {
            let result = callback.call(&JsValue::undefined(), &arguments, context);
            report(result, host, context)
        }
    }
}

/// What a timer's callback throws is nobody's answer.
fn report(result: JsResult<JsValue>, host: &Host, context: &mut Context) -> JsResult<()> {
    match result {
        Err(error) if !errors::is_fatal(&error) => {
            let failure = errors::failure(error, context);
            uncaught::report(host, host.current().as_deref(), "a timer's callback failed", failure);
            Ok(())
        }
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}

fn spawn(future: impl Future<Output = ()> + Send + 'static) -> JsResult<AbortHandle> {
    let runtime = tokio::runtime::Handle::try_current().map_err(|_| {
        JsNativeError::error().with_message("nothing can be awaited while a module is checked")
    })?;
    Ok(runtime.spawn(future).abort_handle())
}

/// An error object with a name of its own.
pub(super) fn named_error(name: &str, message: &str, context: &mut Context) -> JsError {
    let object: JsObject = JsNativeError::error().with_message(message.to_owned()).into_opaque(context);
    let name = boa_engine::JsString::from(name);
    let _ = object.create_data_property(boa_engine::js_string!("name"), name.clone(), context);
    // A promise that is rejected with it never throws it, so the engine would not know from where it came.
    let lines = errors::here(context);
    if !lines.is_empty() {
        let stack = format!("{}: {message}\n    at {}", name.to_std_string_lossy(), lines.join("\n    at "));
        let stack = PropertyDescriptor::builder()
            .value(boa_engine::JsString::from(stack))
            .writable(true)
            .enumerable(false)
            .configurable(true);
        let _ = object.define_property_or_throw(boa_engine::js_string!("stack"), stack, context);
    }
    JsError::from_opaque(object.into())
}
