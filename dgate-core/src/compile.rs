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

use crate::key::name_fault;
use crate::pattern::PatternError;
use crate::resource::Resource;
use crate::snapshot::Snapshot;
use crate::stored::ResourceSet;
use crate::tags::{Conditions, ServerTags};
use crate::{Problem, Problems};

pub use collections::check_document;
pub(crate) use references::{Reference, references_of};

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

    for (name, stored, tables) in resources.namespaces() {
        let running = snapshot.namespaces.by_name(name).cloned();
        let key = stored.spec.key();
        let (conditions, found) = Conditions::parse(&stored.spec.tags);
        problems.extend(found.about(&key));
        problems.extend(name_problem(name).map(|problem| problem.about(&key)));
        let applies = conditions.hold_on(tags);
        if applies && running.as_ref().is_some_and(|running| running.resources.same(tables)) {
            continue;
        }
        let compiled = namespace::compile(name, tables, tags, running.as_deref(), &mut problems);
        if applies {
            snapshot.namespaces.insert(name, |id| compiled.with_id(id));
        } else {
            snapshot.namespaces.remove(name);
        }
    }

    if let Some(domains) = domains::compile(&snapshot, previous, tags, &mut problems) {
        snapshot.domains = Arc::new(domains);
    }
    snapshot.find_fallback();
    problems.or(snapshot)
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
