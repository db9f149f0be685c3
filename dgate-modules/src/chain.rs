//! The modules of a route, ready to run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dgate_core::context::RequestContext;
use dgate_core::hook::{HookChain, HookSession, Hooks};

use crate::failure::Failure;
use crate::hook::Hook;
use crate::pool::Deployed;
use crate::session::Session;

/// The modules of a route, ready to run. Cheap to clone: each session has one.
#[derive(Clone)]
pub(crate) struct Chain(Arc<Inner>);

struct Inner {
    deployed: Arc<Deployed>,
    /// The first module's name, for logs.
    label: Arc<str>,
    /// Whether hooks after the request has gone are told of it.
    tells_request: bool,
}

impl Chain {
    pub(crate) fn new(deployed: Arc<Deployed>, label: &str) -> Self {
        let tells_request = [Hook::ResponseModifier, Hook::ErrorHandler]
            .into_iter()
            .any(|hook| hook.is_in(deployed.hooks) && deployed.direct.needs(hook).request);
        Self(Arc::new(Inner { deployed, label: label.into(), tells_request }))
    }

    /// Whether hooks after the request has gone are told of it.
    pub(crate) fn tells_request(&self) -> bool {
        self.0.tells_request
    }

    pub(crate) fn deployed(&self) -> &Deployed {
        &self.0.deployed
    }

    /// The first module's name.
    pub(crate) fn label(&self) -> &str {
        &self.0.label
    }

    /// A call of a hook of all modules came back now. Where several have the hook each was counted when it was over; the one
    /// that failed was not.
    pub(crate) fn count(&self, hook: Hook, failure: Option<&Failure>, took: Duration, now: Instant) {
        let Deployed { program, order, .. } = self.deployed();
        match (&*order[hook as usize], failure.and_then(|failure| failure.module.as_deref())) {
            ([only], _) => program.count(*only, hook, took, now),
            (several, Some(failed)) => {
                let failed = several.iter().find(|index| &*program.modules[**index].name == failed);
                if let Some(failed) = failed {
                    program.count(*failed, hook, took, now);
                }
            }
            _ => {}
        }
    }
}

impl HookChain for Chain {
    /// Besides the modules' own: a request is looked at before it goes if something later is to be told of it, and a
    /// modifier may answer, which is taken up where handlers do.
    fn hooks(&self) -> Hooks {
        let Inner { deployed, tells_request, .. } = &*self.0;
        let own = deployed.hooks;
        let answers = [Hook::FetchUpstream, Hook::RequestModifier]
            .into_iter()
            .any(|hook| hook.is_in(own) && deployed.direct.needs(hook).answer);
        own.with(|hooks| {
            hooks.modify_request |= tells_request;
            hooks.handle_request |= own.modify_request && answers;
        })
    }

    fn begin(&self, context: &RequestContext) -> Box<dyn HookSession> {
        Box::new(Session::new(self.clone(), context))
    }
}
