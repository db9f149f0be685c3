//! References between resources of a namespace.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;

use super::namespace::{Changes, Scope};
use super::services::{Traffic, traffic};
use crate::problems::did_you_mean;
use crate::resource::{AnyResource, EnvValue, Job, Listener, Module, Protocol, Resource, Route};
use crate::stored::{Table, TableChange};
use crate::{Kind, Problem, Problems};

/// How many misspelt names get a suggestion: each one is compared with every name there is.
const MOST_SUGGESTIONS: usize = 20;

/// A reference from one resource to another one of its namespace.
pub(crate) struct Reference<'r> {
    /// Where it stands.
    pub(crate) pointer: Cow<'static, str>,
    /// The kind it points to.
    pub(crate) kind: Kind,
    /// The name it points to.
    pub(crate) name: &'r str,
    /// What the service has to carry, if it points to one.
    traffic: Option<Traffic>,
}

impl<'r> Reference<'r> {
    fn new(pointer: impl Into<Cow<'static, str>>, kind: Kind, name: &'r str) -> Self {
        Self { pointer: pointer.into(), kind, name, traffic: None }
    }

    fn service(pointer: &'static str, name: &'r str, traffic: Traffic) -> Self {
        Self { traffic: Some(traffic), ..Self::new(pointer, Kind::Service, name) }
    }
}

/// A resource that refers to others.
trait Refers: Resource {
    /// What it refers to.
    fn references(&self) -> Vec<Reference<'_>>;
}

impl Refers for Route {
    fn references(&self) -> Vec<Reference<'_>> {
        let mirror = self.mirror.as_ref().map(|mirror| ("/mirror/service", &*mirror.service));
        let services = self.service.as_deref().map(|name| ("/service", name)).into_iter().chain(mirror);
        let services = services.map(|(pointer, name)| Reference::service(pointer, name, Traffic::Http));
        services.chain(modules(&self.modules)).collect()
    }
}

impl Refers for Listener {
    fn references(&self) -> Vec<Reference<'_>> {
        let service = self.service.as_deref().map(|name| Reference::service("/service", name, Traffic::Tcp));
        let protocol = self.protocol.as_deref().map(|name| Reference::new("/protocol", Kind::Protocol, name));
        service.into_iter().chain(protocol).chain(modules(&self.modules)).collect()
    }
}

impl Refers for Job {
    fn references(&self) -> Vec<Reference<'_>> {
        vec![Reference::new("/module", Kind::Module, &self.module)]
    }
}

impl Refers for Protocol {
    fn references(&self) -> Vec<Reference<'_>> {
        modules(&self.modules).collect()
    }
}

impl Refers for Module {
    fn references(&self) -> Vec<Reference<'_>> {
        let secrets = self.env.iter().filter_map(|(variable, value)| match value {
            EnvValue::Text(_) => None,
            EnvValue::Secret(name) => Some((variable, name)),
        });
        let pointer = |variable: &String| format!("/env/{}/secret", crate::decode::escape(variable));
        secrets.map(|(variable, name)| Reference::new(pointer(variable), Kind::Secret, name)).collect()
    }
}

fn modules(names: &[String]) -> impl Iterator<Item = Reference<'_>> {
    let pointer = |index| format!("/modules/{index}");
    names.iter().enumerate().map(move |(index, name)| Reference::new(pointer(index), Kind::Module, name))
}

/// What a resource of whichever kind refers to.
pub(crate) fn references_of(resource: &AnyResource) -> Vec<Reference<'_>> {
    match resource {
        AnyResource::Route(route) => route.references(),
        AnyResource::Listener(listener) => listener.references(),
        AnyResource::Job(job) => job.references(),
        AnyResource::Protocol(protocol) => protocol.references(),
        AnyResource::Module(module) => module.references(),
        _ => Vec::new(),
    }
}

/// Whether anything can refer to resources of a kind.
pub(crate) const fn can_be_referred_to(kind: Kind) -> bool {
    matches!(kind, Kind::Service | Kind::Module | Kind::Protocol | Kind::Secret)
}

/// Checks the references of a namespace that may have come to point to nothing, or to the wrong thing.
pub(super) struct References<'a> {
    scope: &'a Scope<'a>,
    changes: &'a Changes<'a>,
    /// What is gone, or has become another kind of service: every reference has to be looked at.
    suspects: BTreeSet<(Kind, &'a str)>,
    suggestions: Cell<usize>,
}

impl<'a> References<'a> {
    pub(super) fn of(scope: &'a Scope<'a>, changes: &'a Changes<'a>) -> Self {
        let mut suspects = BTreeSet::new();
        suspects.extend(gone(Kind::Module, &changes.modules));
        suspects.extend(gone(Kind::Protocol, &changes.protocols));
        suspects.extend(gone(Kind::Secret, &changes.secrets));
        suspects.extend(gone(Kind::Service, &changes.services));
        let turned = changes.services.iter().filter(|change| {
            let both = change.before.zip(change.after);
            both.is_some_and(|(before, after)| traffic(&before.spec) != traffic(&after.spec))
        });
        suspects.extend(turned.map(|change| (Kind::Service, &**change.name)));
        Self { scope, changes, suspects, suggestions: Cell::new(0) }
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        let (tables, changes) = (self.scope.tables, self.changes);
        self.check_table(&tables.routes, &changes.routes, problems);
        self.check_table(&tables.listeners, &changes.listeners, problems);
        self.check_table(&tables.jobs, &changes.jobs, problems);
        self.check_table(&tables.protocols, &changes.protocols, problems);
        self.check_table(&tables.modules, &changes.modules, problems);
    }

    fn check_table<R: Refers>(
        &self,
        table: &Table<R>,
        changes: &[TableChange<'_, R>],
        problems: &mut Problems,
    ) {
        if self.suspects.is_empty() {
            let changed = changes.iter().filter_map(|change| change.after);
            changed.for_each(|resource| self.check_one(&*resource.spec, problems));
        } else {
            table.iter().for_each(|(_, resource)| self.check_one(&*resource.spec, problems));
        }
    }

    fn check_one<R: Refers>(&self, resource: &R, problems: &mut Problems) {
        for reference in resource.references() {
            let problem = if self.contains(&reference) {
                self.wrong_traffic(&reference)
            } else {
                let Reference { kind, name, .. } = reference;
                let namespace = self.scope.name;
                let message = format!("{kind} `{name}` does not exist in namespace `{namespace}`");
                let help = did_you_mean(name, self.names(kind));
                Some(Problem::error(reference.pointer, message).with_help_if(help))
            };
            problems.extend(problem.map(|problem| problem.about(&resource.key())));
        }
    }

    fn wrong_traffic(&self, reference: &Reference<'_>) -> Option<Problem> {
        let wanted = reference.traffic?;
        let found = traffic(&self.scope.tables.services.get(reference.name)?.spec)?;
        let name = reference.name;
        let (message, help) = match wanted {
            _ if found == wanted => return None,
            Traffic::Http => ("has TCP endpoints", "a route needs `http`, `https` or `h2c` URLs"),
            Traffic::Tcp => ("has HTTP endpoints", "a listener needs `tcp` or `tls` URLs"),
        };
        let pointer = reference.pointer.clone();
        Some(Problem::error(pointer, format!("service `{name}` {message}")).with_help(help))
    }

    fn contains(&self, reference: &Reference<'_>) -> bool {
        let (tables, name) = (self.scope.tables, reference.name);
        match reference.kind {
            Kind::Service => tables.services.contains(name),
            Kind::Module => tables.modules.contains(name),
            Kind::Protocol => tables.protocols.contains(name),
            Kind::Secret => tables.secrets.contains(name),
            _ => true,
        }
    }

    /// Names that may have been meant.
    fn names(&self, kind: Kind) -> Vec<&str> {
        let given = self.suggestions.replace(self.suggestions.get() + 1);
        let tables = self.scope.tables;
        match kind {
            _ if given >= MOST_SUGGESTIONS => Vec::new(),
            Kind::Service => tables.services.names().collect(),
            Kind::Module => tables.modules.names().collect(),
            Kind::Protocol => tables.protocols.names().collect(),
            Kind::Secret => tables.secrets.names().collect(),
            _ => Vec::new(),
        }
    }
}

fn gone<'a, R>(kind: Kind, changes: &[TableChange<'a, R>]) -> impl Iterator<Item = (Kind, &'a str)> {
    changes.iter().filter(|change| change.after.is_none()).map(move |change| (kind, &**change.name))
}
