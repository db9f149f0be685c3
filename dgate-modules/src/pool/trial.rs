//! Evaluating a program before anybody calls it.

use std::sync::Arc;
use std::time::Duration;

use dgate_core::hook::Hooks;
use tokio::sync::oneshot;

use super::Shared;
use crate::engine::Runtime;
use crate::failure::{Failure, FailureKind};
use crate::hook::Hook;
use crate::program::Program;
use crate::stack::STACK;

/// How long a module may take to be evaluated when it is checked, whatever it does.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a program has, now that it was evaluated.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evaluated {
    /// The hooks of its modules together.
    pub(crate) hooks: Hooks,
    /// Which hooks each module of the chain has.
    pub(crate) modules: Vec<[bool; Hook::ALL.len()]>,
}

/// Evaluates a program in a throw-away runtime, on a thread of its own, and says which hooks it has.
pub(super) async fn check(shared: &Arc<Shared>, program: Arc<Program>) -> Result<Evaluated, Failure> {
    let (answer, answered) = oneshot::channel();
    let capabilities = shared.capabilities.clone();
    let started =
        std::thread::Builder::new().name("modules-check".to_owned()).stack_size(STACK).spawn(move || {
            let hooks = Runtime::new(0, &program, capabilities).map(|runtime| Evaluated {
                hooks: Hooks::default().with(|hooks| {
                    hooks.fetch_upstream = runtime.has(Hook::FetchUpstream);
                    hooks.modify_request = runtime.has(Hook::RequestModifier);
                    hooks.handle_request = runtime.has(Hook::RequestHandler);
                    hooks.modify_response = runtime.has(Hook::ResponseModifier);
                    hooks.handle_error = runtime.has(Hook::ErrorHandler);
                }),
                modules: runtime.hooks_of_modules(),
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
