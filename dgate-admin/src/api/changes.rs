//! From what the pipeline did to what is shown of it.

use std::collections::HashMap;

use dgate_core::apply::{Applied, Outcome};
use dgate_core::store::Changed;
use dgate_core::{Key, Kind};

use super::model::{Change, Plan};
use super::state::State;
use crate::diff::differences;

/// What a change set does, or would do.
pub(crate) fn plan(state: &State, applied: &Applied, dry_run: bool) -> Plan {
    let changed: HashMap<&Key, &Changed> =
        applied.changes.iter().map(|changed| (&changed.key, changed)).collect();
    let changes = applied.outcomes.iter().map(|(key, outcome)| {
        let diff = changed.get(key).map(|changed| diff(state, changed)).unwrap_or_default();
        Change { diff, ..change(key, *outcome) }
    });
    let count = |wanted| applied.outcomes.iter().filter(|(_, outcome)| *outcome == wanted).count();
    Plan {
        dry_run,
        created: count(Outcome::Created),
        updated: count(Outcome::Updated),
        unchanged: count(Outcome::Unchanged),
        deleted: count(Outcome::Deleted),
        changes: changes.collect(),
    }
}

/// What happens to one resource, without what is different.
pub(crate) fn change(key: &Key, outcome: Outcome) -> Change {
    Change {
        resource: key.to_string(),
        kind: key.kind.to_string(),
        namespace: (key.kind != Kind::Namespace).then(|| key.namespace.to_string()),
        name: key.name.to_string(),
        outcome,
        diff: Vec::new(),
    }
}

/// What became of one resource in a committed transaction.
pub(crate) fn outcome_of(changed: &Changed) -> Outcome {
    match (&changed.before, &changed.after) {
        (_, None) => Outcome::Deleted,
        (None, Some(_)) => Outcome::Created,
        (Some(_), Some(_)) => Outcome::Updated,
    }
}

/// Where a resource is other than before; secrets as fingerprints.
pub(crate) fn diff(state: &State, changed: &Changed) -> Vec<super::model::Difference> {
    let before = changed.before.as_ref().map(|stored| state.show_spec(stored));
    let after = changed.after.as_ref().map(|stored| state.show_spec(stored));
    differences(before.as_ref(), after.as_ref())
}
