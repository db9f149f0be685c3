//! How long the phases of applying take.

use std::time::Instant;

use crate::metric_names;

/// Measures one phase of applying.
pub(super) struct Phase {
    name: &'static str,
    since: Instant,
}

impl Phase {
    pub(super) fn start(name: &'static str) -> Self {
        Self { name, since: Instant::now() }
    }

    pub(super) fn end(self) {
        metrics::histogram!(metric_names::CONFIG_APPLY_SECONDS, "phase" => self.name)
            .record(self.since.elapsed());
    }
}
