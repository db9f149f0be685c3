//! One namespace.

use std::sync::Arc;

use super::references::References;
use super::{collections, domains, jobs, listeners, modules, name_problem, protocols, routes, services};
use crate::resource::Resource;
use crate::snapshot::{CompiledRoute, CompiledService, NamespaceSnapshot, RouteTable, Slab};
use crate::stored::{Table, Tables};
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
    pub(super) before: &'a Tables,
    pub(super) tags: &'a ServerTags,
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
    let scope = Scope { name, tables, before, tags };

    check(&tables.modules, &before.modules, problems, modules::check);
    check(&tables.collections, &before.collections, problems, collections::check);
    check(&tables.secrets, &before.secrets, problems, |_, _| {});
    check(&tables.domains, &before.domains, problems, domains::check);
    check(&tables.jobs, &before.jobs, problems, jobs::check);
    check(&tables.listeners, &before.listeners, problems, listeners::check);
    check(&tables.protocols, &before.protocols, problems, protocols::check);
    check(&tables.services, &before.services, problems, services::check);
    check(&tables.routes, &before.routes, problems, routes::check);
    References::of(&scope).check(problems);

    let modules = match running {
        Some(running) if tables.modules.same(&before.modules) => running.modules.clone(),
        _ => active(&tables.modules, tags),
    };
    let services = services::compile(&scope, running);
    let (routes, table) = routes::compile(&scope, &services, running, problems);
    Compiled { name: name.clone(), resources: tables.clone(), routes, table, services, modules }
}

/// The names of the resources that apply to this server, in order.
fn active<R: Resource>(table: &Table<R>, tags: &ServerTags) -> Vec<Arc<str>> {
    let applies = |spec: &R| Conditions::parse(spec.tags()).0.hold_on(tags);
    table.iter().filter(|(_, stored)| applies(&stored.spec)).map(|(name, _)| name.clone()).collect()
}

/// Checks each resource that is new or changed, by itself.
fn check<R: Resource>(
    table: &Table<R>,
    before: &Table<R>,
    problems: &mut Problems,
    check_kind: impl Fn(&R, &mut Problems),
) {
    for stored in table.changes_since(before).into_iter().filter_map(|change| change.after) {
        let mut found: Problems = name_problem(&stored.spec.name()).into_iter().collect();
        found.extend(Conditions::parse(stored.spec.tags()).1);
        check_kind(&stored.spec, &mut found);
        problems.extend(found.about(&stored.spec.key()));
    }
}

/// A list that must not be empty.
pub(super) fn check_not_empty<T>(pointer: &str, what: &str, list: &[T], problems: &mut Problems) {
    if list.is_empty() {
        problems.push(Problem::error(pointer, format!("{what} must not be empty")));
    }
}
