//! The queue of what is to run next, kept as cheap as the language allows.
//!
//! Promise jobs run in order until there are none. Nothing here waits: timers and input come in from outside, as turns
//! of their own (see [`super::Runtime::finish_operation`]).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use boa_engine::builtins::promise::{OperationType, Promise};
use boa_engine::context::HostHooks;
use boa_engine::job::{GenericJob, Job, JobCallback, JobExecutor, NativeAsyncJob, PromiseJob};
use boa_engine::object::builtins::JsFunction;
use boa_engine::realm::Realm;
use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsString, JsValue};
use futures_util::FutureExt as _;

use super::call::Handler;
use super::host::{Host, uncatchable};
use super::limits::{LARGEST_BUFFER, SMALL_BUFFER};

/// How many jobs may run before the clock is looked at.
const JOBS_PER_LOOK: u32 = 16;

/// The queue.
#[derive(Default)]
pub(super) struct Jobs {
    promises: RefCell<VecDeque<PromiseJob>>,
    generic: RefCell<VecDeque<GenericJob>>,
    loading: RefCell<VecDeque<NativeAsyncJob>>,
    since_look: Cell<u32>,
}

impl Jobs {
    /// Whether there is nothing to run.
    pub(super) fn is_empty(&self) -> bool {
        self.promises.borrow().is_empty()
            && self.generic.borrow().is_empty()
            && self.loading.borrow().is_empty()
    }

    fn next_promise(&self) -> Option<PromiseJob> {
        self.promises.borrow_mut().pop_front()
    }
}

impl JobExecutor for Jobs {
    fn enqueue_job(self: Rc<Self>, job: Job, _: &mut Context) {
        match job {
            Job::PromiseJob(job) => self.promises.borrow_mut().push_back(job),
            Job::GenericJob(job) => self.generic.borrow_mut().push_back(job),
            Job::AsyncJob(job) => self.loading.borrow_mut().push_back(job),
            // Timers are our own, and finalizers may never run.
            _ => {}
        }
    }

    fn run_jobs(self: Rc<Self>, context: &mut Context) -> JsResult<()> {
        let host = Host::of(context);
        host.look_at_handlers()?;
        loop {
            while let Some(job) = self.next_promise() {
                self.since_look.set(self.since_look.get() + 1);
                if self.since_look.get() >= JOBS_PER_LOOK {
                    self.since_look.set(0);
                    host.look_at_clock()?;
                }
                job.call(context)?;
                // The engine drops what ends an `async` function after its first `await` and cannot be caught.
                if host.hit.get().is_some() {
                    return Err(uncatchable());
                }
                host.look_at_handlers()?;
            }
            let loading = self.loading.borrow_mut().pop_front();
            if let Some(job) = loading {
                // Modules are at hand: whatever loads them is ready at once.
                let _ = job.call(&RefCell::new(context)).now_or_never();
                continue;
            }
            let Some(job) = self.generic.borrow_mut().pop_front() else { break };
            job.call(context)?;
        }
        context.clear_kept_objects();
        Ok(())
    }
}

/// What the engine asks its host.
pub(super) struct Hooks;

impl HostHooks for Hooks {
    /// A continuation belongs to the call that was running when it was made.
    fn make_job_callback(&self, callback: JsFunction, context: &mut Context) -> JobCallback {
        let host = Host::of(context);
        let Some(call) = host.current() else { return JobCallback::new(callback, ()) };
        let handler = Handler::new(call);
        host.count_handlers(handler.call());
        JobCallback::new(callback, handler)
    }

    /// Continuations of a call that was cancelled do not run.
    fn call_job_callback(
        &self,
        job: &JobCallback,
        this: &JsValue,
        arguments: &[JsValue],
        context: &mut Context,
    ) -> JsResult<JsValue> {
        let tag = (job.host_defined() as &dyn std::any::Any).downcast_ref::<Handler>();
        let Some(handler) = tag else {
            return job.callback().call(this, arguments, context);
        };
        let call = handler.call();
        if call.is_cancelled() {
            return Ok(JsValue::undefined());
        }
        let host = Host::of(context);
        let before = host.enter(Some(call.clone()));
        let is_left_behind = call.go_back_to(handler.step());
        let result = job.callback().call(this, arguments, context);
        if let Some(settled) = call.take_settled() {
            host.settled.borrow_mut().push((call.clone(), settled));
        }
        host.enter(before);
        if is_left_behind {
            host.return_to_own(call);
        }
        result
    }

    fn promise_rejection_tracker(
        &self,
        promise: &JsObject<Promise>,
        operation: OperationType,
        context: &mut Context,
    ) {
        let host = Host::of(context);
        host.rejections.borrow_mut().track(promise, operation, host.current());
    }

    fn ensure_can_compile_strings(
        &self,
        _: Realm,
        _: &[JsString],
        _: &JsString,
        _: bool,
        _: &mut Context,
    ) -> JsResult<()> {
        Err(JsNativeError::eval().with_message("modules cannot make code from text").into())
    }

    fn max_buffer_size(&self, context: &mut Context) -> u64 {
        let host = Host::of(context);
        if !host.count_buffer() {
            return SMALL_BUFFER;
        }
        let body = host.current().map_or(0, |call| call.limits().body as u64);
        LARGEST_BUFFER.max(body.saturating_mul(2))
    }
}
