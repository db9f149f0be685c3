//! The engine: one JavaScript context with a program in it. Nothing else names boa.
//!
//! A [`Runtime`] belongs to one thread and does one thing at a time, in *turns*: a hook begins, or something that a hook
//! waited for has come. Between turns it waits for any number of calls at once. What belongs to one call hangs on its
//! `ctx`; nothing of it is in globals.

mod api;
mod call;
mod errors;
mod host;
mod jobs;
pub(crate) mod limits;
mod loader;
mod ops;
mod values;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use boa_engine::builtins::promise::PromiseState;
use boa_engine::context::ContextBuilder;
use boa_engine::object::builtins::{JsFunction, JsPromise};
use boa_engine::{Context, JsError, JsObject, JsResult, JsString, JsValue, Module, NativeFunction, Source};
use tokio::sync::oneshot;

use self::api::RequestState;
use self::call::Call;
pub(crate) use self::call::{Answer, Done, Task};
use self::host::Host;
use self::jobs::{Hooks, Jobs};
use self::loader::Loader;
pub(crate) use self::ops::Outcome;
use crate::capability::Capabilities;
use crate::failure::{Failure, FailureKind};
use crate::hook::Hook;
use crate::limits::CallLimits;
use crate::program::Program;

/// One JavaScript context with a program in it.
pub(crate) struct Runtime {
    pub(crate) id: u64,
    host: Rc<Host>,
    context: RefCell<Context>,
    jobs: Rc<Jobs>,
    entries: Vec<Entry>,
    limits: CallLimits,
    /// Calls that wait.
    calls: RefCell<HashMap<u64, Rc<Call>>>,
    /// The `ctx` of requests of which more hooks may come.
    kept: RefCell<HashMap<u64, (JsObject, Rc<RequestState>)>>,
    begun: Cell<u64>,
    last_used: Cell<Instant>,
    broken: Cell<bool>,
}

/// The hooks of one module of the chain.
struct Entry {
    index: usize,
    is_script: bool,
    hooks: [Option<JsFunction>; Hook::ALL.len()],
    /// `export default { fetch }`.
    fetch: Option<(JsObject, JsFunction)>,
}

/// A call was begun.
#[allow(clippy::large_enum_variant, reason = "it is looked at where it is made")]
pub(crate) enum Begun {
    /// And ended at once.
    Done(Done),
    /// And waits.
    Waiting { call: u64, done: oneshot::Receiver<Done> },
}

/// How far a call got.
enum Step {
    Ended(Result<Answer, Failure>),
    Waits,
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
        let host = Host::new(program.clone(), capabilities, id);
        let jobs = Rc::new(Jobs::default());
        let loader = Rc::new(Loader::default());
        let built = ContextBuilder::new()
            .host_hooks(Rc::new(Hooks))
            .job_executor(jobs.clone())
            .module_loader(loader.clone())
            .build();
        let mut context = built.map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))?;
        context.insert_data(host.clone());
        limits::apply(&mut context);
        let installed = api::install(&mut context);
        installed.map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))?;

        host.start_clock();
        let entries = evaluate(program, &loader, &mut context).map_err(|(index, error)| {
            let mut failure = errors::failure(error, &mut context);
            failure.module = Some(program.modules[index].name.clone());
            failure
        });
        host.stop_clock();
        let entries = entries?;
        Ok(Self {
            id,
            host,
            context: RefCell::new(context),
            jobs,
            entries,
            limits: program.limits(),
            calls: RefCell::default(),
            kept: RefCell::default(),
            begun: Cell::new(0),
            last_used: Cell::new(Instant::now()),
            broken: Cell::new(false),
        })
    }

    /// Which of the chain's modules have a hook.
    pub(crate) fn has(&self, hook: Hook) -> bool {
        self.entries.iter().any(|entry| entry.has(hook))
    }

    /// How many calls were begun.
    pub(crate) fn calls(&self) -> u64 {
        self.begun.get()
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

    /// Begins a call.
    pub(crate) fn begin(&self, task: Task) -> Begun {
        let started = Instant::now();
        self.last_used.set(started);
        let id = self.begun.replace(self.begun.get() + 1);
        let mut context = self.context.borrow_mut();
        let (object, state) = match self.kept.borrow_mut().remove(&task.request) {
            Some(kept) => kept,
            None => {
                let state = Rc::new(RequestState::new(task.info.clone()));
                (api::context_object(state.clone(), &mut context), state)
            }
        };
        *state.exchange.borrow_mut() = task.exchange;
        let call = Rc::new(Call::new(id, task.hook, task.request, task.keep, state, object, self.limits));
        if let Some(error) = task.error {
            *call.error.borrow_mut() = Some(api::error_object(&error, &mut context));
        }
        self.host.start_clock_at(started);
        self.host.enter(Some(call.clone()));
        let step = self.advance(&call, &mut context);
        let step = self.drain(&call, step, &mut context);
        self.host.program.weight.judge(self.host.stop_clock());
        self.host.enter(None);
        let begun = match step {
            Step::Ended(result) => Begun::Done(self.end(&call, result)),
            Step::Waits => {
                self.calls.borrow_mut().insert(id, call.clone());
                Begun::Waiting { call: id, done: call.wait() }
            }
        };
        self.go_on(&mut context);
        begun
    }

    /// Something that a call waited for has come.
    pub(crate) fn finish_operation(&self, operation: u64, outcome: Option<Outcome>) {
        self.last_used.set(Instant::now());
        let mut context = self.context.borrow_mut();
        self.host.start_clock();
        let result = ops::finish(&self.host, operation, outcome, &mut context);
        if let Err(error) = result {
            self.blame(error, &mut context);
        }
        self.run_jobs(&mut context);
        self.host.program.weight.judge(self.host.stop_clock());
        self.host.enter(None);
        self.go_on(&mut context);
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

    /// Goes through the modules from where a call stands.
    fn advance(&self, call: &Rc<Call>, context: &mut Context) -> Step {
        while let Some(index) = self.host.program.order(call.hook).nth(call.step.get()) {
            let entry = &self.entries[index];
            if !entry.has(call.hook) {
                call.step.set(call.step.get() + 1);
                continue;
            }
            let result = entry.call(call, context);
            match self.settle(call, result, context) {
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

    /// The value of a promise, when it is known already.
    fn settle(
        &self,
        call: &Rc<Call>,
        result: JsResult<JsValue>,
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
            PromiseState::Rejected(value) => Some(Err(JsError::from_opaque(value))),
            PromiseState::Pending => match watch(call, &promise, context) {
                Ok(()) => None,
                Err(error) => Some(Err(error)),
            },
        }
    }

    /// What a module's hook came to, and what that means for the modules after it: nothing to go on with them.
    fn after(&self, call: &Rc<Call>, settled: JsResult<JsValue>, context: &mut Context) -> Option<Step> {
        let module = self.host.program.order(call.hook).nth(call.step.get());
        let module = module.and_then(|index| self.host.program.modules.get(index));
        let value = match settled {
            Ok(value) => value,
            Err(error) => {
                let fatal = errors::is_fatal(&error);
                let mut failure = errors::failure(error, context);
                failure.module = module.map(|module| module.name.clone());
                self.broken.set(self.broken.get() || fatal);
                let skip = !fatal
                    && module.is_some_and(|m| m.on_failure == dgate_core::resource::FailurePolicy::Open);
                if !skip {
                    return Some(Step::Ended(Err(failure)));
                }
                crate::metrics::count_failure(&self.host.program.namespace, &failure);
                tracing::warn!(
                    namespace = %self.host.program.namespace,
                    module = failure.module.as_deref().unwrap_or("-"),
                    hook = call.hook.name(),
                    request_id = %call.state.info.id,
                    "a module failed and is skipped: {failure}"
                );
                JsValue::undefined()
            }
        };
        if call.hook.answers() && !call.applying.get() && api::is_response(&value, context) {
            call.applying.set(true);
            let result = api::apply_response(call, &value, context);
            return match self.settle(call, result, context) {
                Some(settled) => self.after(call, settled, context),
                None => Some(Step::Waits),
            };
        }
        call.applying.set(false);
        call.step.set(call.step.get() + 1);
        match call.hook {
            Hook::FetchUpstream if !value.is_null_or_undefined() => {
                let url = value.to_string(context).map(|url| url.to_std_string_lossy());
                Some(Step::Ended(url.map(Answer::Url).map_err(|error| errors::failure(error, context))))
            }
            Hook::FetchUpstream | Hook::ResponseModifier => None,
            Hook::RequestModifier => {
                call.state.exchange.borrow().draft.ended.then_some(Step::Ended(Ok(Answer::Nothing)))
            }
            Hook::RequestHandler | Hook::ErrorHandler => {
                call.state.exchange.borrow().draft.answers().then_some(Step::Ended(Ok(Answer::Nothing)))
            }
        }
    }

    /// Runs what the hook left to do.
    fn drain(&self, call: &Rc<Call>, step: Step, context: &mut Context) -> Step {
        if self.jobs.is_empty() {
            return step;
        }
        self.run_jobs(context);
        match (step, call.is_cancelled()) {
            (Step::Waits, true) => Step::Ended(Err(call
                .failure
                .take()
                .unwrap_or_else(|| Failure::new(FailureKind::Internal, "the call was cancelled")))),
            (step, _) => step,
        }
    }

    /// Goes on with calls whose promises were settled.
    fn go_on(&self, context: &mut Context) {
        loop {
            let Some((call, settled)) = self.host.settled.borrow_mut().pop() else { return };
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
            if let Step::Ended(result) = step {
                self.calls.borrow_mut().remove(&call.id);
                let done = self.end(&call, result);
                call.tell(done);
            }
        }
    }

    /// Runs jobs until there are none. What cannot be caught ends the call it happened in.
    fn run_jobs(&self, context: &mut Context) {
        while let Err(error) = context.run_jobs() {
            self.blame(error, context);
        }
    }

    fn blame(&self, error: JsError, context: &mut Context) {
        if !errors::is_fatal(&error) {
            tracing::warn!(namespace = %self.host.program.namespace, %error, "a promise job failed");
            return;
        }
        self.broken.set(true);
        let call = self.host.hit_call.take().or_else(|| self.host.current());
        let failure = errors::failure(error, context);
        let Some(call) = call else { return };
        self.host.operations.forget_of(&call);
        let waiting = self.calls.borrow_mut().remove(&call.id).is_some();
        let module = self.host.program.order(call.hook).nth(call.step.get());
        let mut failure = failure;
        failure.module = module.map(|index| self.host.program.modules[index].name.clone());
        if waiting {
            let exchange = std::mem::take(&mut *call.state.exchange.borrow_mut());
            call.tell(Done { exchange, result: Err(failure) });
        } else {
            *call.failure.borrow_mut() = Some(failure);
        }
        call.cancel();
    }

    fn end(&self, call: &Rc<Call>, result: Result<Answer, Failure>) -> Done {
        api::write_back(call);
        let exchange = std::mem::take(&mut *call.state.exchange.borrow_mut());
        if call.keep
            && let Some(object) = call.context.take()
        {
            self.kept.borrow_mut().insert(call.request, (object, call.state.clone()));
        }
        call.context.take();
        call.error.take();
        Done { exchange, result }
    }
}

impl Entry {
    fn has(&self, hook: Hook) -> bool {
        self.hooks[hook as usize].is_some() || (hook == Hook::RequestHandler && self.fetch.is_some())
    }

    fn call(&self, call: &Call, context: &mut Context) -> JsResult<JsValue> {
        let object = call.context.borrow().clone().map_or(JsValue::undefined(), JsValue::from);
        api::set_module(call, self.index);
        let Some(function) = &self.hooks[call.hook as usize] else {
            let Some((this, fetch)) = &self.fetch else { return Ok(JsValue::undefined()) };
            return api::call_fetch(this, fetch, &object, context);
        };
        let error = call.error.borrow().clone();
        if self.is_script {
            return api::run_script(call.hook, function, &object, error, context);
        }
        match error {
            Some(error) => function.call(&JsValue::undefined(), &[object, error], context),
            None => function.call(&JsValue::undefined(), &[object], context),
        }
    }
}

/// Tells the runtime when a promise is settled.
fn watch(call: &Rc<Call>, promise: &JsPromise, context: &mut Context) -> JsResult<()> {
    let tag = call::CallTag(call.clone());
    let tell = |ok: bool| {
        move |_: &JsValue, arguments: &[JsValue], tag: &call::CallTag, context: &mut Context| {
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

/// Parses, links and evaluates all modules of a program, and finds their hooks.
fn evaluate(
    program: &Program,
    loader: &Loader,
    context: &mut Context,
) -> Result<Vec<Entry>, (usize, JsError)> {
    for (index, module) in program.modules.iter().enumerate() {
        let source = Source::from_bytes(module.compiled.code.as_bytes())
            .with_path(std::path::Path::new(&*module.file));
        let parsed = Module::parse(source, None, context).map_err(|error| (index, error))?;
        loader.add(parsed);
    }
    let mut entries = Vec::with_capacity(program.entries);
    for index in 0..program.entries {
        let Some(module) = loader.module(index) else { continue };
        let entry = evaluate_one(index, &module, context).map_err(|error| (index, error))?;
        entries.push(entry);
    }
    Ok(entries)
}

fn evaluate_one(index: usize, module: &Module, context: &mut Context) -> JsResult<Entry> {
    let promise = module.load_link_evaluate(context);
    context.run_jobs()?;
    match promise.state() {
        PromiseState::Fulfilled(_) => {}
        PromiseState::Rejected(error) => return Err(JsError::from_opaque(error)),
        PromiseState::Pending => {
            return Err(boa_engine::JsNativeError::error()
                .with_message("the module waits for something at its top level; that never comes there")
                .into());
        }
    }
    let namespace = module.namespace(context);
    let default = namespace.get(boa_engine::js_string!("default"), context)?;
    let default = default.as_object();
    let mut hooks: [Option<JsFunction>; Hook::ALL.len()] = Default::default();
    for hook in Hook::ALL {
        for name in hook.exports() {
            let mut value = namespace.get(JsString::from(*name), context)?;
            // CommonJS that assigns `module.exports` as a whole.
            if value.is_undefined()
                && let Some(default) = &default
            {
                value = default.get(JsString::from(*name), context)?;
            }
            if value.is_undefined() {
                continue;
            }
            let Some(function) = value.as_function() else {
                let message = format!("`{name}` is exported, but it is not a function");
                return Err(boa_engine::JsNativeError::typ().with_message(message).into());
            };
            hooks[hook as usize].get_or_insert(function);
        }
    }
    let fetch = match default {
        Some(default) => {
            let fetch = default.get(boa_engine::js_string!("fetch"), context)?;
            fetch.as_function().map(|fetch| (default, fetch))
        }
        None => None,
    };
    let is_script = Host::of(context).program.modules[index].is_script();
    Ok(Entry { index, is_script, hooks, fetch })
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("id", &self.id).field("calls", &self.begun).finish_non_exhaustive()
    }
}
