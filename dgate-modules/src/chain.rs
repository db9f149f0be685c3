//! The modules of a route, ready to run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dgate_core::context::RequestContext;
use dgate_core::hook::{HookChain, HookSession, Hooks};
use dgate_core::metric_handle::MetricHandle;
use dgate_core::metric_names as names;
use metrics::{Counter, Histogram};

use crate::hook::Hook;
use crate::pool::Deployed;
use crate::session::Session;

/// The modules of a route, ready to run. Cheap to clone: each session has one.
#[derive(Clone)]
pub(crate) struct Chain(Arc<Inner>);

struct Inner {
    deployed: Arc<Deployed>,
    /// The first module's name, for metrics.
    label: Arc<str>,
    calls: [HookMetrics; Hook::ALL.len()],
    /// Whether hooks after the request has gone are told of it.
    tells_request: bool,
}

#[derive(Default)]
struct HookMetrics {
    calls: MetricHandle<Counter>,
    duration: MetricHandle<Histogram>,
}

impl Chain {
    pub(crate) fn new(deployed: Arc<Deployed>, label: &str) -> Self {
        let tells_request = [Hook::ResponseModifier, Hook::ErrorHandler]
            .into_iter()
            .any(|hook| hook.is_in(deployed.hooks) && deployed.direct.needs(hook).request);
        Self(Arc::new(Inner { deployed, label: label.into(), calls: Default::default(), tells_request }))
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

    /// A hook was called, and came back now.
    pub(crate) fn count(&self, hook: Hook, took: Duration, now: Instant) {
        let Inner { deployed, label, calls, .. } = &*self.0;
        let namespace = &deployed.program.namespace;
        let HookMetrics { calls, duration } = &calls[hook as usize];
        calls.with(
            now,
            || metrics::counter!(names::MODULE_CALLS, "namespace" => namespace.clone(), "module" => label.clone(), "hook" => hook.name()),
            |counter| counter.increment(1),
        );
        duration.with(
            now,
            || metrics::histogram!(names::MODULE_CALL_DURATION, "namespace" => namespace.clone(), "module" => label.clone(), "hook" => hook.name()),
            |histogram| histogram.record(took),
        );
    }
}

impl HookChain for Chain {
    /// Besides the modules' own: a request is looked at before it goes if something later is to be told of it, and a
    /// modifier may answer, which is taken up where handlers do.
    fn hooks(&self) -> Hooks {
        let Inner { deployed, tells_request, .. } = &*self.0;
        let own = deployed.hooks;
        own.with(|hooks| {
            hooks.modify_request |= tells_request;
            hooks.handle_request |= own.modify_request && deployed.direct.needs(Hook::RequestModifier).answer;
        })
    }

    fn begin(&self, context: &RequestContext) -> Box<dyn HookSession> {
        Box::new(Session::new(self.clone(), context))
    }
}
