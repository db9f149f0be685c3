//! One namespace.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::references::References;
use super::{
    Server, collections, domains, jobs, listeners, modules, name_problem, protocols, routes, services,
};
use crate::resource::{
    Collection, Domain, Job, Listener, Module, Protocol, Resource, Route, Secret, Service,
};
use crate::snapshot::{CompiledRoute, CompiledService, NamespaceSnapshot, RouteTable, Slab};
use crate::stored::{Table, TableChange, Tables};
use crate::tags::{Applies, CanaryRule, ChangedTags, Conditions, Outlook};
use crate::{Kind, Problem, Problems};

/// What a namespace compiles to; it gets its number when it takes its place among the others.
pub(super) struct Compiled {
    name: Arc<str>,
    resources: Tables,
    routes: Slab<CompiledRoute>,
    table: RouteTable<Arc<CompiledRoute>>,
    services: Slab<CompiledService>,
    inactive: BTreeSet<(Kind, Arc<str>)>,
    module_rules: BTreeMap<Arc<str>, CanaryRule>,
}

impl Compiled {
    pub(super) fn with_id(self, id: u32, rule: Option<CanaryRule>) -> NamespaceSnapshot {
        let Self { name, resources, routes, table, services, inactive, module_rules } = self;
        NamespaceSnapshot { id, name, rule, resources, routes, table, services, inactive, module_rules }
    }
}

/// What compiling one namespace needs to know.
pub(super) struct Scope<'a> {
    pub(super) name: &'a Arc<str>,
    pub(super) tables: &'a Tables,
    pub(super) server: &'a Server<'a>,
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

    /// Looks again at what applies by tags that have changed.
    fn touch(&mut self, tables: &'a Tables, tags: &ChangedTags<'_>) {
        if tags.is_empty() {
            return;
        }
        touch(&tables.routes, &mut self.routes, |spec| tags.touch(&spec.tags));
        touch(&tables.services, &mut self.services, |spec| is_service_touched(spec, tags));
    }
}

fn touch<'a, R>(table: &'a Table<R>, changes: &mut Vec<TableChange<'a, R>>, is_touched: impl Fn(&R) -> bool) {
    let known: BTreeSet<&str> = changes.iter().map(|change| &**change.name).collect();
    let touched = table.iter().filter(|(name, stored)| is_touched(&stored.spec) && !known.contains(&***name));
    let touched: Vec<_> = touched
        .map(|(name, stored)| TableChange { name, before: Some(stored), after: Some(stored) })
        .collect();
    changes.extend(touched);
}

fn is_service_touched(spec: &Service, tags: &ChangedTags<'_>) -> bool {
    tags.touch(&spec.tags) || spec.urls.iter().any(|url| tags.touch(&url.tags))
}

/// Whether something in a namespace applies by tags that have changed.
pub(super) fn is_touched(tables: &Tables, tags: &ChangedTags<'_>) -> bool {
    fn any<R: Resource>(table: &Table<R>, tags: &ChangedTags<'_>) -> bool {
        table.iter().any(|(_, stored)| tags.touch(stored.spec.tags()))
    }
    // Domains and their certificates are looked at for all namespaces together.
    !tags.is_empty()
        && (any(&tables.routes, tags)
            || tables.services.iter().any(|(_, stored)| is_service_touched(&stored.spec, tags))
            || any(&tables.modules, tags)
            || any(&tables.listeners, tags)
            || any(&tables.jobs, tags)
            || any(&tables.protocols, tags)
            || any(&tables.collections, tags)
            || any(&tables.secrets, tags))
}

/// A namespace takes its contents along, so what has no request cannot be in one that depends on the request.
pub(super) fn refuse_canary(
    conditions: &Conditions,
    tables: &Tables,
    outlook: &Outlook,
    problems: &mut Problems,
) {
    let what = |key: crate::Key, what: &str| format!("{key} {what}");
    let listeners = tables.listeners.iter().map(|(_, stored)| what(stored.spec.key(), "has none"));
    let jobs = tables.jobs.iter().map(|(_, stored)| what(stored.spec.key(), "has none"));
    let certificates = tables
        .domains
        .iter()
        .filter(|(_, stored)| domains::has_certificate(&stored.spec))
        .map(|(_, stored)| what(stored.spec.key(), "has a certificate, which is chosen before"));
    if let Some(what) = listeners.chain(jobs).chain(certificates).next() {
        outlook.refuse_canaries(conditions, &what, problems);
    }
}

pub(super) fn compile(
    name: &Arc<str>,
    tables: &Tables,
    server: &Server<'_>,
    running: Option<&NamespaceSnapshot>,
    problems: &mut Problems,
) -> Compiled {
    let nothing = Tables::default();
    let before = running.map_or(&nothing, |running| &running.resources);
    let scope = Scope { name, tables, server };
    let mut changes = Changes::between(before, tables);

    let outlook = server.outlook;
    check(&changes.secrets, outlook, problems, |_, _| {});
    check(&changes.modules, outlook, problems, modules::check);
    check(&changes.collections, outlook, problems, collections::check);
    check(&changes.services, outlook, problems, |spec, found| services::check(spec, outlook, found));
    check(&changes.protocols, outlook, problems, protocols::check);
    check(&changes.routes, outlook, problems, routes::check);
    check(&changes.listeners, outlook, problems, listeners::check);
    check(&changes.jobs, outlook, problems, jobs::check);
    check(&changes.domains, server.domain_outlook, problems, domains::check);
    // What asks for canary tags is refused where there is no request; with other tags, more may ask.
    refuse_canaries(tables, server, problems);
    References::of(&scope, &changes).check(problems);

    changes.touch(tables, server.changed);
    let (inactive, module_rules) = inactive(tables, server);
    let services = services::compile(&scope, &changes, running);
    let (routes, table) = routes::compile(&scope, &changes, &services, running, problems);
    let (name, resources) = (name.clone(), tables.clone());
    Compiled { name, resources, routes, table, services, inactive, module_rules }
}

/// Refuses conditions on canary tags of everything that has no request.
pub(super) fn refuse_canaries(tables: &Tables, server: &Server<'_>, problems: &mut Problems) {
    fn refuse<R: Resource>(table: &Table<R>, outlook: &Outlook, why: &str, problems: &mut Problems) {
        for (_, stored) in table.iter().filter(|(_, stored)| !stored.spec.tags().is_empty()) {
            let mut found = Problems::new();
            outlook.refuse_canaries(&Conditions::of(stored.spec.tags()), why, &mut found);
            if !found.is_empty() {
                problems.extend(found.about(&stored.spec.key()));
            }
        }
    }
    let outlook = server.outlook;
    refuse(&tables.listeners, outlook, "a listener has none", problems);
    refuse(&tables.jobs, outlook, "a job has none", problems);
    refuse(&tables.protocols, outlook, "a protocol has none", problems);
    refuse(&tables.collections, outlook, "a collection is the same for all of them", problems);
    refuse(&tables.secrets, outlook, "a secret is the same for all of them", problems);
    for (_, stored) in tables.services.iter().filter(|(_, stored)| services::is_tcp(&stored.spec)) {
        let mut found = Problems::new();
        let why = "a TCP connection has none";
        outlook.refuse_canaries(&Conditions::of(&stored.spec.tags), why, &mut found);
        for (index, url) in stored.spec.urls.iter().enumerate() {
            let mut wrong = Problems::new();
            outlook.refuse_canaries(&Conditions::of(&url.tags), why, &mut wrong);
            found.extend(wrong.below(&format!("/urls/{index}")));
        }
        if !found.is_empty() {
            problems.extend(found.about(&stored.spec.key()));
        }
    }
    for (_, stored) in tables.domains.iter().filter(|(_, stored)| domains::has_certificate(&stored.spec)) {
        let mut found = Problems::new();
        let why = "the certificate is chosen before there is one";
        server.domain_outlook.refuse_canaries(&Conditions::of(&stored.spec.tags), why, &mut found);
        if !found.is_empty() {
            problems.extend(found.about(&stored.spec.key()));
        }
    }
}

/// What does not apply to this server, of the kinds that are not compiled, and which modules apply to some requests.
fn inactive(
    tables: &Tables,
    server: &Server<'_>,
) -> (BTreeSet<(Kind, Arc<str>)>, BTreeMap<Arc<str>, CanaryRule>) {
    fn of<'a, R: Resource>(
        table: &'a Table<R>,
        server: &'a Server<'_>,
    ) -> impl Iterator<Item = (Arc<str>, Applies)> + 'a {
        let conditional = table.iter().filter(|(_, stored)| !stored.spec.tags().is_empty());
        conditional.map(|(name, stored)| (name.clone(), Conditions::of(stored.spec.tags()).on(server.tags)))
    }
    fn never<'a, R: Resource>(
        table: &'a Table<R>,
        server: &'a Server<'_>,
    ) -> impl Iterator<Item = (Kind, Arc<str>)> + 'a {
        of(table, server).filter(|(_, applies)| !applies.is_possible()).map(|(name, _)| (R::KIND, name))
    }
    let inactive = never(&tables.secrets, server)
        .chain(never(&tables.modules, server))
        .chain(never(&tables.collections, server))
        .chain(never(&tables.protocols, server))
        .chain(never(&tables.listeners, server))
        .chain(never(&tables.jobs, server));
    let rules = of(&tables.modules, server).filter_map(|(name, applies)| match applies {
        Applies::Sometimes(rule) => Some((name, rule)),
        _ => None,
    });
    (inactive.collect(), rules.collect())
}

/// Checks each resource that is new or changed, by itself.
fn check<R: Resource>(
    changes: &[TableChange<'_, R>],
    outlook: &Outlook,
    problems: &mut Problems,
    check_kind: impl Fn(&R, &mut Problems),
) {
    for stored in changes.iter().filter_map(|change| change.after) {
        let mut found: Problems = name_problem(&stored.spec.name()).into_iter().collect();
        let (conditions, wrong) = Conditions::parse(stored.spec.tags());
        found.extend(wrong);
        outlook.warn_of_impossible(&conditions, &mut found);
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
