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
pub(crate) mod routes;
mod services;

use std::sync::Arc;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::key::{DEFAULT_NAMESPACE, name_fault};
use crate::pattern::PatternError;
use crate::problems::did_you_mean;
use crate::resource::{Namespace, Resource};
use crate::snapshot::{OwnTags, Snapshot};
use crate::stored::{ResourceSet, Table, Tables};
use crate::tags::{ActiveTags, ChangedTags, Conditions, Outlook, ServerTags, Servers};
use crate::{Key, Problem, Problems};

pub use collections::DocumentCheck;
pub(crate) use references::{can_be_referred_to, references_of};

/// Compiles a set of resources for a server with these tags, as of now. `previous` is the snapshot that runs, if there
/// is one.
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
    compile_at(resources, tags, &Clock::default(), previous)
}

/// The same, at the instant that a clock shows.
///
/// # Errors
/// Everything that is wrong, when something is.
pub fn compile_at(
    resources: &ResourceSet,
    tags: &ServerTags,
    clock: &Clock,
    previous: Option<&Snapshot>,
) -> Result<(Snapshot, Problems), Problems> {
    compile_among(resources, &tags.clone().into(), clock, previous)
}

/// The same, for one of several servers: what is said of conditions is said of all of them.
///
/// # Errors
/// Everything that is wrong, when something is.
pub fn compile_among(
    resources: &ResourceSet,
    servers: &Servers,
    clock: &Clock,
    previous: Option<&Snapshot>,
) -> Result<(Snapshot, Problems), Problems> {
    compile_with(resources, servers, clock, previous, Ties::Refused)
}

/// The same again, when nothing was changed by anybody: what time has brought about cannot be refused.
pub(crate) fn compile_settled(
    resources: &ResourceSet,
    servers: &Servers,
    clock: &Clock,
    previous: Option<&Snapshot>,
) -> Result<(Snapshot, Problems), Problems> {
    compile_with(resources, servers, clock, previous, Ties::Settled)
}

/// What becomes of two resources that claim the same requests with equal rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ties {
    /// They are refused.
    Refused,
    /// Their names decide, with a warning.
    Settled,
}

impl Ties {
    /// A tie as a problem.
    fn problem(self, pointer: String, message: String) -> Problem {
        match self {
            Self::Refused => Problem::error(pointer, message),
            Self::Settled => Problem::warning(pointer, message),
        }
    }
}

/// What a namespace is compiled for.
struct Server<'a> {
    /// What the server carries in the namespace.
    tags: &'a ActiveTags,
    outlook: &'a Outlook,
    /// The same for domains, which are looked at before anybody knows the namespace.
    domain_outlook: &'a Outlook,
    /// What has another meaning than in the snapshot that runs.
    changed: &'a ChangedTags<'a>,
    ties: Ties,
}

fn compile_with(
    resources: &ResourceSet,
    servers: &Servers,
    clock: &Clock,
    previous: Option<&Snapshot>,
    ties: Ties,
) -> Result<(Snapshot, Problems), Problems> {
    let tags = &servers.own;
    // With other tags, everything is looked at again.
    let previous = previous.filter(|previous| previous.server_tags == *tags);
    let mut problems = Problems::new();
    let mut snapshot = previous.cloned().unwrap_or_default();
    let now = clock.now();
    let active = Arc::new(tags.at(now));
    let before = std::mem::replace(&mut snapshot.tags, active.clone());
    let own_before = std::mem::take(&mut snapshot.own_tags);
    snapshot.resources = resources.clone();
    snapshot.server_tags = tags.clone();
    snapshot.clock = clock.clone();
    let domain_outlook = Outlook::of(servers.iter(), now);
    let domain_changes = ChangedTags::between(&before, &active);

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
        let own = own_tags(servers, &stored.spec, now, &mut found);
        let running = snapshot.namespaces.by_name(name).cloned();
        let own_before = running.as_ref().and_then(|running| own_before.get(&running.id));
        let (tags, outlook) =
            own.as_ref().map_or((&active, &domain_outlook), |(own, outlook)| (&own.tags, outlook));
        let changed = ChangedTags::between(own_before.map_or(&before, |own| &own.tags), tags);
        let has_other_tags =
            own_before.map(|own| &own.server_tags) != own.as_ref().map(|(own, _)| &own.server_tags);
        let server = Server { tags, outlook, domain_outlook: &domain_outlook, changed: &changed, ties };
        let rule = conditions.on(&active).rule();
        let is_known = match &rule {
            Some(rule) => running.as_ref().is_some_and(|running| {
                running.resources.same(tables)
                    && running.rule == *rule
                    && !namespace::is_touched(tables, &changed)
            }),
            None => snapshot.unapplied.get(name).is_some_and(|known| known.same(tables)),
        };
        if !is_known {
            domain_outlook.warn_of_impossible(&conditions, &mut found);
            namespace::refuse_canary(&conditions, tables, &domain_outlook, &mut found);
        }
        if !found.is_empty() {
            problems.extend(found.about(&stored.spec.key()));
        }
        if is_known {
            if has_other_tags {
                namespace::refuse_canaries(tables, &server, &mut problems);
            }
        } else {
            let compiled = namespace::compile(name, tables, &server, running.as_deref(), &mut problems);
            if let Some(rule) = &rule {
                snapshot.unapplied.remove(name);
                snapshot.namespaces.insert(name, |id| compiled.with_id(id, rule.clone()));
            } else {
                snapshot.namespaces.remove(name);
                snapshot.unapplied.insert(name.clone(), tables.clone());
            }
        }
        if let (Some((own, _)), Some(id)) = (own, snapshot.namespaces.number(name)) {
            snapshot.own_tags.insert(id, own);
        }
    }
    for resource in resources.astray() {
        problems.push(missing_namespace(&resource.key(), resources));
    }

    let is_changed = !domain_changes.is_empty();
    if is_changed || !unchanged(&snapshot, previous, |tables| &tables.listeners) {
        listeners::check_addresses(&snapshot, ties, &mut problems);
    }
    if is_changed || !unchanged(&snapshot, previous, |tables| &tables.domains) {
        snapshot.domains = Arc::new(domains::compile(&snapshot, previous, ties, &mut problems));
    }
    snapshot.find_fallback();
    snapshot.sum_up_tags();
    problems.or(snapshot)
}

/// What the server carries in a namespace that adds tags of its own.
fn own_tags(
    servers: &Servers,
    namespace: &Namespace,
    now: Timestamp,
    problems: &mut Problems,
) -> Option<(OwnTags, Outlook)> {
    if namespace.server_tags.is_empty() {
        return None;
    }
    let (own, wrong) = ServerTags::parse(&namespace.server_tags);
    let (server_tags, too_many) = servers.own.with(&own);
    let wrong: Problems = wrong.into_iter().chain(too_many).collect();
    problems.extend(wrong.below("/server_tags"));
    let tags = Arc::new(server_tags.at(now));
    let others: Vec<_> = servers.others.iter().map(|other| other.with(&own).0).collect();
    let outlook = Outlook::of(std::iter::once(&server_tags).chain(&others), now);
    Some((OwnTags { server_tags, tags }, outlook))
}

/// Whether the same namespaces apply as before, with the same resources of a kind.
fn unchanged<R>(snapshot: &Snapshot, previous: Option<&Snapshot>, of: impl Fn(&Tables) -> &Table<R>) -> bool {
    let Some(previous) = previous else { return false };
    snapshot.namespaces.len() == previous.namespaces.len()
        && snapshot.namespaces.iter().all(|namespace| {
            previous.namespaces.get(namespace.id).is_some_and(|before| {
                before.name == namespace.name
                    && before.rule == namespace.rule
                    && of(&before.resources).same(of(&namespace.resources))
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
