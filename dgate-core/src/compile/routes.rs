//! Routes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::namespace::{Changes, Scope, check_not_empty};
use super::{Ties, pattern_problem};
use crate::pattern::{Overlaps, PathPattern, RegexCache};
use crate::resource::{Resource, Route};
use crate::snapshot::{
    CompiledRoute, CompiledService, Leaf, MethodSet, NamespaceSnapshot, RequestConditions, RouteService,
    RouteTable, Slab,
};
use crate::stored::{Stored, Tables};
use crate::tags::Conditions;
use crate::{Problem, Problems};

type Compiled = (Slab<CompiledRoute>, RouteTable<Arc<CompiledRoute>>);

/// Says what is wrong with a route by itself, apart from what [`Matching::read`] says.
pub(super) fn check(spec: &Route, problems: &mut Problems) {
    check_not_empty("/paths", "`paths`", &spec.paths, problems);
    check_not_empty("/methods", "`methods`", &spec.methods, problems);
    for (index, module) in spec.modules.iter().enumerate() {
        if spec.modules[..index].contains(module) {
            problems
                .push(Problem::error(format!("/modules/{index}"), format!("module `{module}` occurs twice")));
        }
    }
    if spec.timeout.is_some_and(|timeout| timeout.get().is_zero()) {
        problems.push(Problem::error("/timeout", "`timeout` must be longer than zero"));
    }
    if spec.service.is_none() && spec.modules.is_empty() {
        problems.push(
            Problem::warning("", "the route has neither a service nor modules, so it answers 501")
                .with_help("set `service`"),
        );
    }
}

/// What a route matches.
struct Matching {
    paths: Vec<Arc<PathPattern>>,
    methods: MethodSet,
    conditions: RequestConditions,
}

impl Matching {
    /// Reads what a route matches, and says what cannot be read.
    fn read(spec: &Route, regexes: &mut RegexCache, problems: &mut Problems) -> Self {
        let mut paths = Vec::with_capacity(spec.paths.len());
        for (index, path) in spec.paths.iter().enumerate() {
            let at = || format!("/paths/{index}");
            match PathPattern::parse(path, regexes) {
                Err(error) => problems.push(pattern_problem(at(), error)),
                Ok(_) if spec.paths[..index].contains(path) => {
                    problems.push(Problem::error(at(), format!("path `{path}` occurs twice")));
                }
                Ok(pattern) => paths.push(Arc::new(pattern)),
            }
        }
        let methods = MethodSet::parse(&spec.methods).unwrap_or_else(|wrong| {
            for index in wrong {
                let message = format!("`{}` is no method", spec.methods[index]);
                problems.push(Problem::error(format!("/methods/{index}"), message));
            }
            MethodSet::none()
        });
        let conditions = RequestConditions::compile(&spec.matches, regexes, problems);
        Self { paths, methods, conditions }
    }
}

pub(super) fn compile(
    scope: &Scope<'_>,
    changes: &Changes<'_>,
    services: &Slab<CompiledService>,
    running: Option<&NamespaceSnapshot>,
    problems: &mut Problems,
) -> Compiled {
    let (mut routes, mut table) =
        running.map(|running| (running.routes.clone(), running.table.clone())).unwrap_or_default();
    let mut stale: BTreeSet<Arc<str>> = changes.routes.iter().map(|change| change.name.clone()).collect();
    stale.extend(routes_of_moved_services(&routes, changes, services, running));
    for name in &stale {
        if let Some(route) = routes.remove(name) {
            for pattern in &route.paths {
                table.remove(route.spec.spec.priority, pattern, |other| Arc::ptr_eq(other, &route));
            }
        }
    }

    let (mut regexes, mut overlaps) = (RegexCache::default(), Overlaps::default());
    for name in &stale {
        let Some(stored) = scope.tables.routes.get(name) else { continue };
        let mut found = Problems::new();
        let matching = Matching::read(&stored.spec, &mut regexes, &mut found);
        if !found.is_empty() {
            problems.extend(found.about(&stored.spec.key()));
        }
        let conditions = Conditions::of(&stored.spec.tags);
        if let Some(rule) = conditions.on(scope.server.tags).rule() {
            let make = |id| CompiledRoute {
                rule,
                tag_conditions: conditions.len(),
                ..compile_one(id, name, stored, matching, services)
            };
            let route = routes.insert(name, make);
            insert(&mut table, &route, &mut overlaps, scope.server.ties, problems);
        }
    }
    (routes, table)
}

/// The routes of a namespace whatever their tags, for explaining. What cannot be read is left out.
pub(crate) fn table_of_all(tables: &Tables) -> RouteTable<Arc<CompiledRoute>> {
    let mut table = RouteTable::default();
    let (mut regexes, mut overlaps, mut ignored) =
        (RegexCache::default(), Overlaps::default(), Problems::new());
    for (id, (name, stored)) in tables.routes.iter().enumerate() {
        let matching = Matching::read(&stored.spec, &mut regexes, &mut ignored);
        let route = Arc::new(CompiledRoute {
            tag_conditions: Conditions::of(&stored.spec.tags).len(),
            ..compile_one(id as u32, name, stored, matching, &Slab::default())
        });
        insert(&mut table, &route, &mut overlaps, Ties::Settled, &mut ignored);
    }
    table
}

/// Routes whose service has another number than before, or came or went.
fn routes_of_moved_services(
    routes: &Slab<CompiledRoute>,
    changes: &Changes<'_>,
    services: &Slab<CompiledService>,
    running: Option<&NamespaceSnapshot>,
) -> Vec<Arc<str>> {
    let Some(running) = running else { return Vec::new() };
    let changed = changes.services.iter().map(|change| &**change.name);
    let moved: BTreeSet<&str> =
        changed.filter(|name| running.services.number(name) != services.number(name)).collect();
    if moved.is_empty() {
        return Vec::new();
    }
    let refers = |spec: &Route| {
        let mirror = spec.mirror.as_ref().map(|mirror| &*mirror.service);
        spec.service.as_deref().into_iter().chain(mirror).any(|name| moved.contains(name))
    };
    routes.iter().filter(|route| refers(&route.spec.spec)).map(|route| route.name.clone()).collect()
}

fn compile_one(
    id: u32,
    name: &Arc<str>,
    stored: &Arc<Stored<Route>>,
    matching: Matching,
    services: &Slab<CompiledService>,
) -> CompiledRoute {
    let spec = &stored.spec;
    let service = |name: &str| services.number(name).map_or(RouteService::Inactive, RouteService::Active);
    let Matching { paths, methods, conditions } = matching;
    CompiledRoute {
        id,
        name: name.clone(),
        spec: stored.clone(),
        paths,
        methods,
        conditions,
        service: spec.service.as_deref().map(service),
        mirror: spec.mirror.as_ref().and_then(|mirror| services.number(&mirror.service)),
        rule: None,
        tag_conditions: 0,
    }
}

fn insert(
    table: &mut RouteTable<Arc<CompiledRoute>>,
    route: &Arc<CompiledRoute>,
    overlaps: &mut Overlaps,
    ties: Ties,
    problems: &mut Problems,
) {
    for pattern in &route.paths {
        let mut tied = None;
        let mut insert = |ties| {
            let leaf = Leaf { pattern: pattern.clone(), value: route.clone() };
            table.insert(
                route.spec.spec.priority,
                leaf,
                overlaps,
                |new: &Arc<CompiledRoute>, old| new.goes_before(old),
                |other| (ties == Ties::Refused && other.value.conflicts_with(route)).then(|| other.clone()),
            )
        };
        if let Err(other) = insert(Ties::Refused) {
            tied = Some(other);
            if ties == Ties::Settled {
                let _ = insert(Ties::Settled);
            }
        }
        let Some(other) = tied else { continue };
        let message = if Arc::ptr_eq(&other.value, route) {
            format!("`{pattern}` can match the same requests as `{}` of this route", other.pattern)
        } else {
            format!(
                "`{pattern}` can match the same requests as `{}` of route `{}`, with equal rank",
                other.pattern, other.value.name
            )
        };
        let spec = &route.spec.spec;
        let index = spec.paths.iter().position(|path| *path == pattern.as_str()).unwrap_or_default();
        problems.push(
            ties.problem(format!("/paths/{index}"), message)
                .with_help("set `priority`, or different `methods` or `match` conditions")
                .about(&spec.key()),
        );
    }
}
