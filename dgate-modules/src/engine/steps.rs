//! How a call gets through the modules of its chain, one after another, waiting in between or not.

mod never;

use std::rc::Rc;
use std::time::Instant;

use boa_engine::builtins::promise::PromiseState;
use boa_engine::object::builtins::JsPromise;
use boa_engine::{Context, JsError, JsResult, JsValue, NativeFunction};
use dgate_core::resource::FailurePolicy;

use super::call::{Answer, Call, CallTag, Done};
use super::host::{Host, uncatchable};
use super::{Part, Runtime, api, errors, uncaught};
use crate::failure::{Failure, FailureKind};
use crate::hook::Hook;
use crate::limits::CallLimits;
use crate::program::ProgramModule;

/// How far a call got.
pub(super) enum Step {
    Ended(Result<Answer, Failure>),
    Waits,
}

impl Runtime {
    /// Goes through the modules from where a call stands.
    pub(super) fn advance(&self, call: &Rc<Call>, context: &mut Context) -> Step {
        while let Some(index) = self.order[call.hook as usize].get(call.step.get()) {
            if call.step.get() > 0 {
                // What was computed until now is the last module's.
                self.host.enter(Some(call.clone()));
                call.begin_part(self.limits(call.hook, call.step.get()));
            }
            let entry = &self.entries[*index];
            let result = entry.call(call, context);
            // What ended it may have been swallowed on the way, as by `console.log`.
            let result = if self.host.hit.get().is_some() { Err(uncatchable()) } else { result };
            match self.settle(call, result, entry.is_async(call.hook), context) {
                Some(settled) => {
                    if let Some(ended) = self.after(call, settled, context) {
                        return ended;
                    }
                }
                None => return Step::Waits,
            }
        }
        Step::Ended(Ok(Answer::Nothing))
    }

    /// The module that a call is in.
    pub(super) fn module(&self, call: &Call) -> Option<&ProgramModule> {
        let index = self.order[call.hook as usize].get(call.step.get())?;
        self.host.program.modules.get(*index)
    }

    /// What the modules of a chain that have a hook may use, by their order.
    pub(super) fn limits(&self, hook: Hook, step: usize) -> CallLimits {
        let module =
            self.order[hook as usize].get(step).and_then(|index| self.host.program.modules.get(*index));
        module.map_or(CallLimits::NOTHING, |module| module.limits)
    }

    /// Where a call is.
    pub(super) fn part(&self, call: &Call) -> Part {
        let module = self.module(call).map(|module| module.name.clone());
        Part { step: call.step.get(), module, timeout: call.limits().timeout }
    }

    /// A module took too long.
    pub(crate) fn is_late(&self, call: u64, step: usize) {
        let call = self.calls.borrow().get(&call).filter(|call| call.step.get() == step).cloned();
        let Some(call) = call else { return };
        self.calls.borrow_mut().remove(&call.id);
        self.host.operations.forget_of(&call);
        let failure = self.part(&call).late();
        call.tell(Done { exchange: call.state.take(), result: Err(failure) });
        call.cancel();
    }

    /// The value of a promise, when it is known already. `own`: only the call's continuations settle it.
    fn settle(
        &self,
        call: &Rc<Call>,
        result: JsResult<JsValue>,
        own: bool,
        context: &mut Context,
    ) -> Option<JsResult<JsValue>> {
        let value = match result {
            Ok(value) => value,
            Err(error) => return Some(Err(error)),
        };
        let Some(promise) = value.as_promise() else { return Some(Ok(value)) };
        let mut state = promise.state();
        if matches!(state, PromiseState::Pending) && !self.jobs.is_empty() {
            self.run_jobs(context);
            state = promise.state();
        }
        match state {
            PromiseState::Fulfilled(value) => Some(Ok(value)),
            PromiseState::Rejected(value) => {
                self.host.rejections.borrow_mut().handled(&promise);
                Some(Err(JsError::from_opaque(value)))
            }
            PromiseState::Pending if own => {
                call.await_own(promise);
                None
            }
            PromiseState::Pending => match watch(call, &promise, context) {
                Ok(()) => None,
                Err(error) => Some(Err(error)),
            },
        }
    }

    /// What a module's hook came to, and what that means for the modules after it: nothing to go on with them.
    fn after(&self, call: &Rc<Call>, settled: JsResult<JsValue>, context: &mut Context) -> Option<Step> {
        let module = self.module(call);
        let value = match settled {
            Ok(value) => value,
            Err(error) => {
                let fatal = errors::is_fatal(&error);
                let mut failure = errors::failure(error, context);
                failure.module = module.map(|module| module.name.clone());
                self.broken.set(self.broken.get() || fatal);
                let skip = !fatal && module.is_some_and(|m| m.on_failure == FailurePolicy::Open);
                if !skip {
                    return Some(Step::Ended(Err(failure)));
                }
                let namespace = &self.host.program.namespace;
                crate::metrics::skip_failed(namespace, call.hook, call.state.info.id.as_str(), &failure);
                JsValue::undefined()
            }
        };
        if call.hook.answers() && !call.applying.get() && api::is_response(&value) {
            call.applying.set(true);
            let result = api::apply_response(call, &value);
            return match self.settle(call, result, false, context) {
                Some(settled) => self.after(call, settled, context),
                None => Some(Step::Waits),
            };
        }
        call.applying.set(false);
        self.count_part(call);
        call.step.set(call.step.get() + 1);
        match call.hook {
            Hook::FetchUpstream if !value.is_null_or_undefined() => {
                let url = value.to_string(context).map(|url| url.to_std_string_lossy());
                Some(Step::Ended(url.map(Answer::Url).map_err(|error| errors::failure(error, context))))
            }
            Hook::FetchUpstream | Hook::ResponseModifier => None,
            Hook::RequestModifier => {
                let ended = call.state.draft(|draft| draft.ended).unwrap_or_default();
                ended.then_some(Step::Ended(Ok(Answer::Nothing)))
            }
            Hook::RequestHandler | Hook::ErrorHandler => {
                let answers = call.state.draft(|draft| draft.answers()).unwrap_or_default();
                answers.then_some(Step::Ended(Ok(Answer::Nothing)))
            }
        }
    }

    /// The module that runs is over. One alone is counted by the caller.
    fn count_part(&self, call: &Call) {
        let order = &self.order[call.hook as usize];
        if let (true, Some(index)) = (order.len() > 1, order.get(call.step.get())) {
            let now = Instant::now();
            self.host.program.count(*index, call.hook, now.saturating_duration_since(call.since()), now);
        }
    }

    /// Runs what the hook left to do.
    pub(super) fn drain(&self, call: &Rc<Call>, step: Step, context: &mut Context) -> Step {
        if !self.jobs.is_empty() || self.host.is_crowded() {
            self.run_jobs(context);
        }
        // Jobs may have run into a limit, here or while a promise was looked at; also such that nobody waited for.
        match (step, call.is_cancelled()) {
            (Step::Waits | Step::Ended(Ok(_)), true) => Step::Ended(Err(call
                .failure
                .take()
                .unwrap_or_else(|| Failure::new(FailureKind::Internal, "the call was cancelled")))),
            (Step::Waits, false) if self.never_comes(call) => Step::Ended(Err(self.forlorn(call))),
            (step, _) => step,
        }
    }

    /// Goes on with calls whose promises were settled.
    pub(super) fn go_on(&self, context: &mut Context) {
        loop {
            let Some((call, settled)) = self.host.settled.borrow_mut().pop() else { break };
            if call.is_cancelled() {
                continue;
            }
            self.host.start_clock();
            self.host.enter(Some(call.clone()));
            let step = match self.after(&call, settled.map_err(JsError::from_opaque), context) {
                Some(step) => step,
                None => self.advance(&call, context),
            };
            let step = self.drain(&call, step, context);
            self.host.stop_clock();
            self.host.enter(None);
            match step {
                Step::Ended(result) => {
                    self.calls.borrow_mut().remove(&call.id);
                    let done = self.end(&call, result);
                    call.tell(done);
                }
                Step::Waits => self.watch_time(&call),
            }
        }
        uncaught::report_rejections(&self.host, context);
    }

    /// A call waits in a module that is not the one that it began to wait in: it is ended from here when it is late.
    fn watch_time(&self, call: &Rc<Call>) {
        if call.has_alarm() {
            return;
        }
        let Ok(handle) = tokio::runtime::Handle::try_current() else { return };
        let (runtime, id, part) = (self.id, call.id, self.part(call));
        let alarm = handle.spawn(async move {
            tokio::time::sleep(part.timeout).await;
            crate::worker::is_late(runtime, id, part.step);
        });
        call.set_alarm(Some(alarm.abort_handle()));
    }

    /// Runs jobs until there are none. What cannot be caught ends the call it happened in.
    pub(super) fn run_jobs(&self, context: &mut Context) {
        while let Err(error) = context.run_jobs() {
            self.blame(error, context);
        }
    }

    /// Ends all calls that wait, after a turn that panicked.
    pub(crate) fn break_off(&self) {
        self.broken.set(true);
        for (_, call) in self.calls.take() {
            self.host.operations.forget_of(&call);
            let failure = Failure::new(
                FailureKind::Internal,
                "the engine failed in the runtime that this call waited in",
            );
            call.tell(Done { exchange: call.state.take(), result: Err(failure) });
            call.cancel();
        }
    }

    pub(super) fn blame(&self, error: JsError, context: &mut Context) {
        if !errors::is_fatal(&error) {
            let failure = errors::failure(error, context);
            uncaught::report(&self.host, self.host.current().as_deref(), "a promise's job failed", failure);
            return;
        }
        self.broken.set(true);
        let call = self.host.hit_call.take().or_else(|| self.host.current());
        let failure = errors::failure(error, context);
        // What is left of a call that was ended already ends, too; that says nothing new.
        let Some(call) = call.filter(|call| !call.is_cancelled()) else { return };
        self.host.operations.forget_of(&call);
        let waiting = self.calls.borrow_mut().remove(&call.id).is_some();
        let mut failure = failure;
        failure.module = self.module(&call).map(|module| module.name.clone());
        if waiting {
            let exchange = call.state.take();
            call.tell(Done { exchange, result: Err(failure) });
        } else {
            *call.failure.borrow_mut() = Some(failure);
        }
        call.cancel();
    }
}

/// Tells the runtime when a promise is settled.
fn watch(call: &Rc<Call>, promise: &JsPromise, context: &mut Context) -> JsResult<()> {
    let tag = CallTag(call.clone());
    let tell = |ok: bool| {
        move |_: &JsValue, arguments: &[JsValue], tag: &CallTag, context: &mut Context| {
            let value = arguments.first().cloned().unwrap_or_default();
            let settled = if ok { Ok(value) } else { Err(value) };
            Host::of(context).settled.borrow_mut().push((tag.0.clone(), settled));
            Ok(JsValue::undefined())
        }
    };
    let realm = context.realm().clone();
    let fulfilled = NativeFunction::from_copy_closure_with_captures(tell(true), tag.clone());
    let rejected = NativeFunction::from_copy_closure_with_captures(tell(false), tag);
    promise.then(Some(fulfilled.to_js_function(&realm)), Some(rejected.to_js_function(&realm)), context)?;
    Ok(())
}
