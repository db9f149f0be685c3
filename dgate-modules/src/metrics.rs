//! What is counted.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dgate_core::metric_handle::MetricHandle;
use dgate_core::metric_names;
use metrics::{Counter, Histogram};

use crate::failure::{Failure, FailureKind, LimitKind};
use crate::hook::Hook;

/// What is counted of the calls of a module.
#[derive(Default)]
pub(crate) struct ModuleMetrics([HookMetrics; Hook::ALL.len()]);

#[derive(Default)]
struct HookMetrics {
    calls: MetricHandle<Counter>,
    duration: MetricHandle<Histogram>,
}

impl ModuleMetrics {
    /// A hook of a module was called, and came back now.
    pub(crate) fn count(
        &self,
        namespace: &Arc<str>,
        module: &Arc<str>,
        hook: Hook,
        took: Duration,
        now: Instant,
    ) {
        let HookMetrics { calls, duration } = &self.0[hook as usize];
        calls.with(
            now,
            || metrics::counter!(metric_names::MODULE_CALLS, "namespace" => namespace.clone(), "module" => module.clone(), "hook" => hook.name()),
            |counter| counter.increment(1),
        );
        duration.with(
            now,
            || metrics::histogram!(metric_names::MODULE_CALL_DURATION, "namespace" => namespace.clone(), "module" => module.clone(), "hook" => hook.name()),
            |histogram| histogram.record(took),
        );
    }
}

impl fmt::Debug for ModuleMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleMetrics").finish_non_exhaustive()
    }
}

/// A call of a hook failed.
pub(crate) fn count_failure(namespace: &Arc<str>, hook: Hook, failure: &Failure) {
    let kind = failure.kind.name();
    let module = failure.module.as_deref().unwrap_or("-").to_owned();
    metrics::counter!(metric_names::MODULE_ERRORS, "namespace" => namespace.clone(), "module" => module, "hook" => hook.name(), "kind" => kind)
        .increment(1);
    if let FailureKind::Limit(kind) = failure.kind {
        count_limit(namespace, kind);
    }
}

/// There was too much of something.
pub(crate) fn count_limit(namespace: &Arc<str>, kind: LimitKind) {
    metrics::counter!(metric_names::MODULE_LIMIT_HITS, "namespace" => namespace.clone(), "kind" => kind.name())
        .increment(1);
}

/// How long a call took that failed.
pub(crate) fn time_failure(namespace: &Arc<str>, hook: Hook, failure: &Failure, took: Duration) {
    let module = failure.module.as_deref().unwrap_or("-").to_owned();
    let kind = failure.kind.name();
    metrics::histogram!(metric_names::MODULE_ERROR_DURATION, "namespace" => namespace.clone(), "module" => module, "hook" => hook.name(), "kind" => kind)
        .record(took);
}

/// A module failed that is skipped then: it is counted, and told.
pub(crate) fn skip_failed(namespace: &Arc<str>, hook: Hook, request: &str, failure: &Failure) {
    count_failure(namespace, hook, failure);
    tracing::warn!(
        namespace = %namespace,
        module = failure.module.as_deref().unwrap_or("-"),
        hook = hook.name(),
        request_id = request,
        "a module failed and is skipped: {failure}"
    );
}

/// A module tried what it has no permission for.
pub(crate) fn count_denial(namespace: &Arc<str>, module: &Arc<str>) {
    metrics::counter!(metric_names::MODULE_DENIED, "namespace" => namespace.clone(), "module" => module.clone())
        .increment(1);
}

/// A runtime was made.
pub(crate) fn count_created() {
    metrics::counter!(metric_names::MODULE_RUNTIMES_CREATED).increment(1);
}

/// A runtime was given up.
pub(crate) fn count_retired(reason: &'static str) {
    metrics::counter!(metric_names::MODULE_RUNTIMES_RETIRED, "reason" => reason).increment(1);
}
