//! One namespace.

use std::sync::Arc;

use super::references::References;
use super::{collections, domains, jobs, listeners, modules, name_problem, protocols, routes, services};
use crate::resource::{
    Collection, Domain, Job, Listener, Module, Protocol, Resource, Route, Secret, Service,
};
use crate::snapshot::{CompiledRoute, CompiledService, NamespaceSnapshot, RouteTable, Slab};
use crate::stored::{Table, TableChange, Tables};
use crate::tags::{Conditions, ServerTags};
use crate::{Problem, Problems};

/// What a namespace compiles to; it gets its number when it takes its place among the others.
pub(super) struct Compiled {
    name: Arc<str>,
    resources: Tables,
    routes: Slab<CompiledRoute>,
    table: RouteTable<Arc<CompiledRoute>>,
    services: Slab<CompiledService>,
    modules: Vec<Arc<str>>,
}

impl Compiled {
    pub(super) fn with_id(self, id: u32) -> NamespaceSnapshot {
        let Self { name, resources, routes, table, services, modules } = self;
        NamespaceSnapshot { id, name, resources, routes, table, services, modules }
    }
}

/// What compiling one namespace needs to know.
pub(super) struct Scope<'a> {
    pub(super) name: &'a Arc<str>,
    pub(super) tables: &'a Tables,
    pub(super) tags: &'a ServerTags,
}

/// What has changed in a namespace, kind by kind. Only this is looked at again.
pub(super) struct Changes<'a> {
    pub(super) secrets: Vec<TableChange<'a, Secret>>,
    pub(super) modules: Vec<TableChange<'a, Module>>,
    pub(super) collections: Vec<TableChange<'a, Collection>>,
    pub(super) services: Vec<TableChange<'a, Service>>,
    pub(super) protocols: Vec<TableChange<'a, Protocol>>,
    pub(super) routes: Vec<TableChange<'a, Route>>,
    pub(super) listeners: Vec<TableChange<'a, Listener>>,
    pub(super) jobs: Vec<TableChange<'a, Job>>,
    pub(super) domains: Vec<TableChange<'a, Domain>>,
}

impl<'a> Changes<'a> {
    fn between(before: &'a Tables, after: &'a Tables) -> Self {
        Self {
            secrets: after.secrets.changes_since(&before.secrets),
            modules: after.modules.changes_since(&before.modules),
            collections: after.collections.changes_since(&before.collections),
            services: after.services.changes_since(&before.services),
            protocols: after.protocols.changes_since(&before.protocols),
            routes: after.routes.changes_since(&before.routes),
            listeners: after.listeners.changes_since(&before.listeners),
            jobs: after.jobs.changes_since(&before.jobs),
            domains: after.domains.changes_since(&before.domains),
        }
    }
}

pub(super) fn compile(
    name: &Arc<str>,
    tables: &Tables,
    tags: &ServerTags,
    running: Option<&NamespaceSnapshot>,
    problems: &mut Problems,
) -> Compiled {
    let nothing = Tables::default();
    let before = running.map_or(&nothing, |running| &running.resources);
    let scope = Scope { name, tables, tags };
    let changes = Changes::between(before, tables);

    check(&changes.secrets, problems, |_, _| {});
    check(&changes.modules, problems, modules::check);
    check(&changes.collections, problems, collections::check);
    check(&changes.services, problems, services::check);
    check(&changes.protocols, problems, protocols::check);
    check(&changes.routes, problems, routes::check);
    check(&changes.listeners, problems, listeners::check);
    check(&changes.jobs, problems, jobs::check);
    check(&changes.domains, problems, domains::check);
    References::of(&scope, &changes).check(problems);

    let modules = match running {
        Some(running) if changes.modules.is_empty() => running.modules.clone(),
        _ => active(&tables.modules, tags),
    };
    let services = services::compile(&scope, &changes, running);
    let (routes, table) = routes::compile(&scope, &changes, &services, running, problems);
    Compiled { name: name.clone(), resources: tables.clone(), routes, table, services, modules }
}

/// The names of the resources that apply to this server, in order.
fn active<R: Resource>(table: &Table<R>, tags: &ServerTags) -> Vec<Arc<str>> {
    let applies = |spec: &R| Conditions::parse(spec.tags()).0.hold_on(tags);
    table.iter().filter(|(_, stored)| applies(&stored.spec)).map(|(name, _)| name.clone()).collect()
}

/// Checks each resource that is new or changed, by itself.
fn check<R: Resource>(
    changes: &[TableChange<'_, R>],
    problems: &mut Problems,
    check_kind: impl Fn(&R, &mut Problems),
) {
    for stored in changes.iter().filter_map(|change| change.after) {
        let mut found: Problems = name_problem(&stored.spec.name()).into_iter().collect();
        found.extend(Conditions::parse(stored.spec.tags()).1);
        check_kind(&stored.spec, &mut found);
        if !found.is_empty() {
            problems.extend(found.about(&stored.spec.key()));
        }
    }
}

/// A list that must not be empty.
pub(super) fn check_not_empty<T>(pointer: &str, what: &str, list: &[T], problems: &mut Problems) {
    if list.is_empty() {
        problems.push(Problem::error(pointer, format!("{what} must not be empty")));
    }
}
