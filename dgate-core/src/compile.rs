//! From what was written to what runs.
//!
//! [`compile`] looks at a whole set of resources, reports everything that is wrong with it, and makes a [`Snapshot`].
//! Given the snapshot that runs, it rebuilds only what changed: namespaces that did not change are shared, and in a
//! namespace that did change only the changed routes are compiled.

mod collections;
mod domains;
mod jobs;
mod listeners;
mod modules;
mod namespace;
mod protocols;
mod references;
mod routes;
mod services;

use std::sync::Arc;

use crate::key::{DEFAULT_NAMESPACE, name_fault};
use crate::pattern::PatternError;
use crate::problems::did_you_mean;
use crate::resource::Resource;
use crate::snapshot::Snapshot;
use crate::stored::{ResourceSet, Table, Tables};
use crate::tags::{Conditions, ServerTags};
use crate::{Key, Problem, Problems};

pub use collections::DocumentCheck;
pub(crate) use references::{can_be_referred_to, references_of};

/// Compiles a set of resources for a server with these tags. `previous` is the snapshot that runs, if there is one.
///
/// Returns the snapshot and what is worth a warning.
///
/// ```
/// use dgate_core::resource::{Route, Service};
/// use dgate_core::{apply::resource_set, compile, tags::ServerTags};
/// let resources = resource_set([
///     Service::new("echo", ["http://127.0.0.1:8888"]).into(),
///     Route::new("hello", "/hello/**").to_service("ecko").into(),
/// ]);
/// let problems = compile(&resources, &ServerTags::default(), None).unwrap_err();
/// assert_eq!(
///     problems.to_string(),
///     "route/default/hello /service: service `ecko` does not exist in namespace `default` (did you mean `echo`?)"
/// );
/// ```
///
/// # Errors
/// Everything that is wrong, when something is.
pub fn compile(
    resources: &ResourceSet,
    tags: &ServerTags,
    previous: Option<&Snapshot>,
) -> Result<(Snapshot, Problems), Problems> {
    let previous = previous.filter(|previous| previous.tags == *tags);
    let mut problems = Problems::new();
    let mut snapshot = previous.cloned().unwrap_or_default();
    snapshot.tags = tags.clone();

    let gone: Vec<_> = snapshot
        .namespaces
        .iter()
        .map(|namespace| namespace.name.clone())
        .filter(|name| resources.namespace(name).is_none())
        .collect();
    for name in &gone {
        snapshot.namespaces.remove(name);
    }
    snapshot.unapplied.retain(|name, _| resources.namespace(name).is_some());

    for (name, stored, tables) in resources.namespaces() {
        let mut found: Problems = name_problem(name).into_iter().collect();
        let (conditions, wrong_tags) = Conditions::parse(&stored.spec.tags);
        found.extend(wrong_tags);
        if !found.is_empty() {
            problems.extend(found.about(&stored.spec.key()));
        }
        let applies = conditions.hold_on(tags);
        let running = snapshot.namespaces.by_name(name).cloned();
        let known = if applies {
            running.as_ref().map(|running| &running.resources)
        } else {
            snapshot.unapplied.get(name)
        };
        if known.is_some_and(|known| known.same(tables)) {
            continue;
        }
        let compiled = namespace::compile(name, tables, tags, running.as_deref(), &mut problems);
        if applies {
            snapshot.unapplied.remove(name);
            snapshot.namespaces.insert(name, |id| compiled.with_id(id));
        } else {
            snapshot.namespaces.remove(name);
            snapshot.unapplied.insert(name.clone(), tables.clone());
        }
    }
    for resource in resources.astray() {
        problems.push(missing_namespace(&resource.key(), resources));
    }

    if !unchanged(&snapshot, previous, |tables| &tables.listeners) {
        listeners::check_addresses(&snapshot, &mut problems);
    }
    if !unchanged(&snapshot, previous, |tables| &tables.domains) {
        snapshot.domains = Arc::new(domains::compile(&snapshot, previous, &mut problems));
    }
    snapshot.find_fallback();
    problems.or(snapshot)
}

/// Whether the same namespaces apply as before, with the same resources of a kind.
fn unchanged<R>(snapshot: &Snapshot, previous: Option<&Snapshot>, of: impl Fn(&Tables) -> &Table<R>) -> bool {
    let Some(previous) = previous else { return false };
    snapshot.namespaces.len() == previous.namespaces.len()
        && snapshot.namespaces.iter().all(|namespace| {
            previous.namespaces.get(namespace.id).is_some_and(|before| {
                before.name == namespace.name && of(&before.resources).same(of(&namespace.resources))
            })
        })
}

fn missing_namespace(key: &Key, resources: &ResourceSet) -> Problem {
    let names = resources.namespaces().map(|(name, ..)| &**name);
    let help = did_you_mean(&key.namespace, names).or_else(|| {
        (*key.namespace == *DEFAULT_NAMESPACE)
            .then(|| "it is turned off by `disable_default_namespace`; set `namespace`".to_owned())
    });
    Problem::error("/namespace", format!("namespace `{}` does not exist", key.namespace))
        .with_help_if(help)
        .about(key)
}

/// What is wrong with a resource's name, if something is.
fn name_problem(name: &str) -> Option<Problem> {
    name_fault(name).map(|fault| Problem::error("/name", format!("name `{name}` {fault}")))
}

/// A pattern's error as a problem at a place.
fn pattern_problem(pointer: String, error: PatternError) -> Problem {
    let message = error.to_string();
    Problem::error(pointer, message).with_help_if(error.help)
}

/// A certificate and its key come together, as text or as files.
fn check_pem_pair(at: &str, cert: Option<&str>, key: Option<&str>, problems: &mut Problems) {
    match (cert, key) {
        (Some(_), None) => problems.push(Problem::error(format!("{at}/cert"), "`cert` without `key`")),
        (None, Some(_)) => problems.push(Problem::error(format!("{at}/key"), "`key` without `cert`")),
        _ => {}
    }
    for (name, pem) in [("cert", cert), ("key", key)] {
        if pem.is_some_and(|pem| !pem.contains("-----BEGIN ")) {
            problems.push(
                Problem::error(format!("{at}/{name}"), format!("`{name}` is not PEM"))
                    .with_help("it starts with `-----BEGIN`; for a path use `cert_file` and `key_file`"),
            );
        }
    }
}
