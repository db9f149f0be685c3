//! References between resources of a namespace.

use std::collections::BTreeSet;

use super::namespace::Scope;
use crate::problems::did_you_mean;
use crate::resource::{AnyResource, Job, Listener, Protocol, Resource, Route};
use crate::stored::Table;
use crate::{Kind, Problem, Problems};

/// A reference: where it stands, and the kind and name it points to.
pub(crate) type Reference<'r> = (String, Kind, &'r str);

/// A resource that refers to others.
pub(crate) trait Refers: Resource {
    /// What it refers to.
    fn references(&self) -> Vec<Reference<'_>>;
}

impl Refers for Route {
    fn references(&self) -> Vec<Reference<'_>> {
        let service = self.service.as_deref().map(|name| ("/service".to_owned(), Kind::Service, name));
        let mirror = self
            .mirror
            .as_ref()
            .map(|mirror| ("/mirror/service".to_owned(), Kind::Service, &*mirror.service));
        service.into_iter().chain(mirror).chain(modules(&self.modules)).collect()
    }
}

impl Refers for Listener {
    fn references(&self) -> Vec<Reference<'_>> {
        let service = self.service.as_deref().map(|name| ("/service".to_owned(), Kind::Service, name));
        let protocol = self.protocol.as_deref().map(|name| ("/protocol".to_owned(), Kind::Protocol, name));
        service.into_iter().chain(protocol).chain(modules(&self.modules)).collect()
    }
}

impl Refers for Job {
    fn references(&self) -> Vec<Reference<'_>> {
        vec![("/module".to_owned(), Kind::Module, &self.module)]
    }
}

impl Refers for Protocol {
    fn references(&self) -> Vec<Reference<'_>> {
        modules(&self.modules).collect()
    }
}

fn modules(names: &[String]) -> impl Iterator<Item = Reference<'_>> {
    names.iter().enumerate().map(|(index, name)| (format!("/modules/{index}"), Kind::Module, name.as_str()))
}

/// What a resource of whichever kind refers to.
pub(crate) fn references_of(resource: &AnyResource) -> Vec<Reference<'_>> {
    match resource {
        AnyResource::Route(route) => route.references(),
        AnyResource::Listener(listener) => listener.references(),
        AnyResource::Job(job) => job.references(),
        AnyResource::Protocol(protocol) => protocol.references(),
        _ => Vec::new(),
    }
}

/// Checks the references of a namespace that may have come to point nowhere.
pub(super) struct References<'a> {
    scope: &'a Scope<'a>,
    /// Names that were there before and are gone: every reference to them has to be looked at.
    gone: BTreeSet<(Kind, &'a str)>,
}

impl<'a> References<'a> {
    pub(super) fn of(scope: &'a Scope<'a>) -> Self {
        let mut gone = BTreeSet::new();
        collect_gone(Kind::Service, &scope.before.services, &scope.tables.services, &mut gone);
        collect_gone(Kind::Module, &scope.before.modules, &scope.tables.modules, &mut gone);
        collect_gone(Kind::Protocol, &scope.before.protocols, &scope.tables.protocols, &mut gone);
        Self { scope, gone }
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        let Scope { tables, before, .. } = self.scope;
        self.check_table(&tables.routes, &before.routes, problems);
        self.check_table(&tables.listeners, &before.listeners, problems);
        self.check_table(&tables.jobs, &before.jobs, problems);
        self.check_table(&tables.protocols, &before.protocols, problems);
    }

    fn check_table<R: Refers>(&self, table: &Table<R>, before: &Table<R>, problems: &mut Problems) {
        if self.gone.is_empty() {
            for resource in table.changes_since(before).into_iter().filter_map(|change| change.after) {
                self.check_one(&*resource.spec, problems);
            }
        } else {
            table.iter().for_each(|(_, resource)| self.check_one(&*resource.spec, problems));
        }
    }

    fn check_one<R: Refers>(&self, resource: &R, problems: &mut Problems) {
        for (pointer, kind, name) in resource.references() {
            if self.contains(kind, name) {
                continue;
            }
            let namespace = self.scope.name;
            let message = format!("{kind} `{name}` does not exist in namespace `{namespace}`");
            let help = did_you_mean(name, self.names(kind));
            problems.push(Problem::error(pointer, message).with_help_if(help).about(&resource.key()));
        }
    }

    fn contains(&self, kind: Kind, name: &str) -> bool {
        match kind {
            Kind::Service => self.scope.tables.services.contains(name),
            Kind::Module => self.scope.tables.modules.contains(name),
            Kind::Protocol => self.scope.tables.protocols.contains(name),
            _ => true,
        }
    }

    fn names(&self, kind: Kind) -> Vec<&str> {
        match kind {
            Kind::Service => self.scope.tables.services.names().collect(),
            Kind::Module => self.scope.tables.modules.names().collect(),
            Kind::Protocol => self.scope.tables.protocols.names().collect(),
            _ => Vec::new(),
        }
    }
}

fn collect_gone<'a, R>(
    kind: Kind,
    before: &'a Table<R>,
    after: &Table<R>,
    gone: &mut BTreeSet<(Kind, &'a str)>,
) {
    if !before.same(after) {
        gone.extend(before.names().filter(|name| !after.contains(name)).map(|name| (kind, name)));
    }
}
