//! Makes what a configuration says come true, at the start and whenever it is read again.

use dgate_core::apply::{Applied, ApplyError, ChangeSet};
use dgate_core::{Key, Severity};
use dgate_proxy::GatewayHandle;

use crate::config::{Config, Loaded};

/// Applies the settings and resources of a configuration: all or nothing. A dry run changes nothing in any case.
///
/// With `skip_validation`, resources that are not valid are left out, one warning each.
///
/// # Errors
/// When something is wrong with it; nothing has changed then.
pub(crate) async fn apply(
    handle: &GatewayHandle,
    loaded: &Loaded,
    dry_run: bool,
) -> Result<Applied, ApplyError> {
    let mut left_out: Vec<Key> = Vec::new();
    loop {
        let changes = ChangeSet { dry_run, ..loaded.changes_without(&left_out) };
        let error = match handle.apply(changes).await {
            Ok(applied) => return Ok(applied),
            Err(error) => error,
        };
        let ApplyError::Invalid(problems) = &error else { return Err(error) };
        if !loaded.config.proxy.init_resources.skip_validation {
            return Err(error);
        }
        let before = left_out.len();
        for problem in problems.iter().filter(|problem| problem.severity == Severity::Error) {
            let Some(key) = problem.key.as_ref().filter(|key| !left_out.contains(key)) else { continue };
            tracing::warn!(resource = %key, "left out: {}", problem.message);
            left_out.push(key.clone());
        }
        if left_out.len() == before {
            return Err(error);
        }
    }
}

/// What has changed between two configurations and cannot change while the server runs.
pub(crate) fn needs_restart(before: &Config, after: &Config) -> Vec<&'static str> {
    let changes = [
        ("modules", before.modules != after.modules),
        ("runtime", before.runtime != after.runtime),
        ("storage", before.storage != after.storage),
        ("disable_metrics", before.disable_metrics != after.disable_metrics),
        ("node_id", before.node_id != after.node_id),
        ("log_format", before.log_format != after.log_format),
        ("watch", before.watch != after.watch),
    ];
    changes.into_iter().filter_map(|(key, has_changed)| has_changed.then_some(key)).collect()
}
