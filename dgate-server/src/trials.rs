//! Tries modules apart from what serves.

use std::sync::Arc;

use dgate_admin::api::ModuleTrial;
use dgate_admin::api::model::{ConsoleLine, HookFailed, HookRan, ModuleRan};
use dgate_core::Problems;
use dgate_modules::ModuleSettings;
use dgate_modules::local::{HookFailure, HookTime, LocalGateway, Network, Reply, Trial};
use dgate_proxy::Gateway;
use tokio::sync::Semaphore;

/// How many trials run at the same time; others wait.
const AT_ONCE: usize = 4;
/// How much of an answer's body is told.
const LARGEST_BODY: usize = 1 << 20;

/// Tries modules apart from what serves: in a gateway of their own, which is thrown away afterwards.
#[derive(Clone)]
pub(crate) struct Trials {
    gateway: Gateway,
    settings: ModuleSettings,
    turns: Arc<Semaphore>,
}

impl Trials {
    pub(crate) fn new(gateway: Gateway, settings: ModuleSettings) -> Self {
        // A thread each is enough: there is one request.
        let settings = settings.with(|settings| settings.pool.max_threads = 1);
        Self { gateway, settings, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Sends a request to a module.
    pub(crate) async fn run(self, trial: ModuleTrial) -> Result<ModuleRan, Problems> {
        // It is never closed.
        let _turn = self.turns.acquire().await;
        let live = self.gateway.handle().live().load();
        let around = Trial {
            revision: live.revision,
            resources: live.resources.clone(),
            documents: self.gateway.handle().store().clone(),
            settings: self.settings.clone(),
            network: Network { fetch: Some(self.gateway.fetch_client()) },
        };
        drop(live);
        let ModuleTrial { namespace, module, pattern, request } = trial;
        let local = LocalGateway::of_module(around, &namespace, &module, &pattern).await?;
        Ok(told(local.send(request).await))
    }
}

impl std::fmt::Debug for Trials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trials").finish_non_exhaustive()
    }
}

fn told(reply: Reply) -> ModuleRan {
    let Reply { response, console, hooks, upstream, failures, denied, .. } = reply;
    let (head, body) = response.into_parts();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes())));
    let console = console.into_iter().map(|line| ConsoleLine {
        level: line.level.to_owned(),
        module: line.module,
        hook: line.hook.to_owned(),
        text: line.text,
    });
    ModuleRan {
        status: head.status.as_u16(),
        headers: headers.collect(),
        body: text(&body[..body.len().min(LARGEST_BODY)]),
        truncated: body.len() > LARGEST_BODY,
        hooks: hooks.iter().map(hook_ran).collect(),
        console: console.collect(),
        denied,
        failures: failures.into_iter().map(hook_failed).collect(),
        upstream,
    }
}

fn hook_ran(time: &HookTime) -> HookRan {
    HookRan { hook: time.hook.to_owned(), took_ms: time.took.as_secs_f64() * 1e3 }
}

fn hook_failed(failure: HookFailure) -> HookFailed {
    let HookFailure { hook, kind, message, module, place, trace, .. } = failure;
    HookFailed { hook: hook.to_owned(), kind: kind.to_owned(), message, module, place, trace }
}
