//! What a module throws and nobody catches: in a timer's callback, or a promise that nobody looks at.
//!
//! It is nobody's answer, so it is counted, logged with its place, and shown on the module's console.

use std::rc::Rc;

use boa_engine::builtins::promise::{OperationType, Promise, PromiseState};
use boa_engine::{Context, JsError, JsObject};

use super::call::Call;
use super::errors;
use super::host::Host;
use crate::capability::ConsoleLine;
use crate::failure::Failure;

/// How many of them one turn tells of: a storm of them says nothing new.
const MOST: usize = 16;

/// Promises that were rejected and have no handler so far, and the call in which that was.
#[derive(Default)]
pub(super) struct Rejections(Vec<(JsObject<Promise>, Option<Rc<Call>>)>);

impl Rejections {
    /// What the engine tells.
    pub(super) fn track(
        &mut self,
        promise: &JsObject<Promise>,
        operation: OperationType,
        call: Option<Rc<Call>>,
    ) {
        match operation {
            OperationType::Reject if call.as_ref().is_some_and(|call| call.awaits(promise)) => {}
            OperationType::Reject if self.0.len() < MOST => self.0.push((promise.clone(), call)),
            OperationType::Reject => {}
            OperationType::Handle => self.handled(promise),
        }
    }

    /// Somebody looks at a promise.
    pub(super) fn handled(&mut self, promise: &JsObject<Promise>) {
        self.0.retain(|(known, _)| !JsObject::equals(known, promise));
    }
}

/// At the end of a turn nobody else will look at what was rejected.
pub(super) fn report_rejections(host: &Rc<Host>, context: &mut Context) {
    if host.rejections.borrow().0.is_empty() {
        return;
    }
    let rejected = host.rejections.take().0;
    for (promise, call) in rejected {
        let state = boa_engine::object::builtins::JsPromise::from(promise).state();
        let PromiseState::Rejected(reason) = state else { continue };
        if call.as_ref().is_some_and(|call| call.is_cancelled()) {
            continue;
        }
        let failure = errors::failure(JsError::from_opaque(reason), context);
        report(host, call.as_deref(), "a rejected promise that nobody handled", failure);
    }
}

/// Tells of something that nobody caught.
pub(super) fn report(host: &Host, call: Option<&Call>, what: &str, mut failure: Failure) {
    let file = failure.place.as_deref().and_then(|place| place.split(':').next());
    let module = host.program.modules.iter().find(|module| Some(&*module.file) == file);
    let module = module.or(host.program.modules.first()).map(|module| module.name.clone());
    let name = module.as_deref().unwrap_or("-").to_owned();
    failure.module = module;
    let hook = call.map_or("-", |call| call.hook.name());
    let request_id = call.map_or("-", |call| call.state.info.id.as_str());
    if let Some(call) = call {
        crate::metrics::count_failure(&host.program.namespace, call.hook, &failure);
    }
    if let Some(console) = host.capabilities.console.get() {
        let text = format!("{what}: {failure}");
        console(ConsoleLine {
            level: "error",
            module: name.clone(),
            hook,
            request_id: request_id.to_owned(),
            text,
        });
    }
    let trace = failure.trace.join(", ");
    tracing::warn!(
        target: "dgate::module",
        namespace = %host.program.namespace,
        module = name,
        hook,
        request_id,
        kind = failure.kind.name(),
        trace,
        "{what}: {failure}"
    );
}
