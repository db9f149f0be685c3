//! Routes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::namespace::{Scope, check_not_empty};
use super::pattern_problem;
use crate::pattern::PathPattern;
use crate::resource::{Resource, Route};
use crate::snapshot::{
    CompiledRoute, CompiledService, Leaf, MethodSet, NamespaceSnapshot, RequestConditions, RouteService,
    RouteTable, Slab,
};
use crate::stored::Stored;
use crate::tags::Conditions;
use crate::{Problem, Problems};

type Compiled = (Slab<CompiledRoute>, RouteTable<Arc<CompiledRoute>>);

pub(super) fn check(spec: &Route, problems: &mut Problems) {
    check_not_empty("/paths", "`paths`", &spec.paths, problems);
    for (index, path) in spec.paths.iter().enumerate() {
        if let Err(error) = path.parse::<PathPattern>() {
            problems.push(pattern_problem(format!("/paths/{index}"), error));
        } else if spec.paths[..index].contains(path) {
            problems.push(Problem::error(format!("/paths/{index}"), format!("path `{path}` occurs twice")));
        }
    }
    check_not_empty("/methods", "`methods`", &spec.methods, problems);
    if let Err(index) = MethodSet::parse(&spec.methods) {
        let name = &spec.methods[index];
        problems.push(Problem::error(format!("/methods/{index}"), format!("`{name}` is no method")));
    }
    RequestConditions::compile(&spec.matches, problems);
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

pub(super) fn compile(
    scope: &Scope<'_>,
    services: &Slab<CompiledService>,
    running: Option<&NamespaceSnapshot>,
    problems: &mut Problems,
) -> Compiled {
    let (mut routes, mut table) =
        running.map(|running| (running.routes.clone(), running.table.clone())).unwrap_or_default();
    let changes = scope.tables.routes.changes_since(&scope.before.routes);
    let mut stale: BTreeSet<Arc<str>> = changes.iter().map(|change| change.name.clone()).collect();
    stale.extend(routes_of_moved_services(&routes, services, running));

    for name in &stale {
        if let Some(route) = routes.remove(name) {
            for pattern in &route.paths {
                table.remove(route.spec.spec.priority, pattern, |other| Arc::ptr_eq(other, &route));
            }
        }
    }
    for name in &stale {
        let Some(stored) = scope.tables.routes.get(name) else { continue };
        let conditions = Conditions::parse(&stored.spec.tags).0;
        if !conditions.hold_on(scope.tags) {
            continue;
        }
        check_service_scheme(&stored.spec, services, problems);
        let route = routes.insert(name, |id| compile_one(id, name, stored, services, conditions.len()));
        insert(&mut table, &route, problems);
    }
    (routes, table)
}

/// Routes whose service has another number than before, or came or went.
fn routes_of_moved_services(
    routes: &Slab<CompiledRoute>,
    services: &Slab<CompiledService>,
    running: Option<&NamespaceSnapshot>,
) -> Vec<Arc<str>> {
    let Some(running) = running else { return Vec::new() };
    let moved = |name: &str| running.services.number(name) != services.number(name);
    let names = running.services.iter().chain(services.iter()).map(|service| &*service.name);
    let moved: BTreeSet<&str> = names.filter(|name| moved(name)).collect();
    if moved.is_empty() {
        return Vec::new();
    }
    let refers = |spec: &Route| {
        let mirror = spec.mirror.as_ref().map(|mirror| &*mirror.service);
        spec.service.as_deref().into_iter().chain(mirror).any(|name| moved.contains(name))
    };
    routes.iter().filter(|route| refers(&route.spec.spec)).map(|route| route.name.clone()).collect()
}

fn check_service_scheme(spec: &Route, services: &Slab<CompiledService>, problems: &mut Problems) {
    for (pointer, name) in [
        ("/service", spec.service.as_deref()),
        ("/mirror/service", spec.mirror.as_ref().map(|mirror| &*mirror.service)),
    ] {
        let service = name.and_then(|name| services.by_name(name));
        if service.is_some_and(|service| service.urls.iter().any(|url| !url.scheme.is_http())) {
            let message = format!("service `{}` has TCP endpoints", name.unwrap_or_default());
            problems.push(
                Problem::error(pointer, message)
                    .with_help("a route needs `http`, `https` or `h2c` URLs")
                    .about(&spec.key()),
            );
        }
    }
}

fn compile_one(
    id: u32,
    name: &Arc<str>,
    stored: &Arc<Stored<Route>>,
    services: &Slab<CompiledService>,
    tag_conditions: usize,
) -> CompiledRoute {
    let spec = &stored.spec;
    let service = |name: &str| services.number(name).map_or(RouteService::Inactive, RouteService::Active);
    CompiledRoute {
        id,
        name: name.clone(),
        spec: stored.clone(),
        paths: spec.paths.iter().filter_map(|path| path.parse().ok()).map(Arc::new).collect(),
        methods: MethodSet::parse(&spec.methods).unwrap_or_else(|_| MethodSet::none()),
        conditions: RequestConditions::compile(&spec.matches, &mut Problems::new()),
        service: spec.service.as_deref().map(service),
        mirror: spec.mirror.as_ref().and_then(|mirror| services.number(&mirror.service)),
        tag_conditions,
    }
}

fn insert(table: &mut RouteTable<Arc<CompiledRoute>>, route: &Arc<CompiledRoute>, problems: &mut Problems) {
    for (index, pattern) in route.paths.iter().enumerate() {
        let leaf = Leaf { pattern: pattern.clone(), value: route.clone() };
        let result = table.insert(
            route.spec.spec.priority,
            leaf,
            |new, old| new.rank() < old.rank(),
            |other| other.conflicts_with(route).then(|| other.clone()),
        );
        if let Err(other) = result {
            let message = if Arc::ptr_eq(&other, route) {
                format!("path `{pattern}` matches the same requests as another path of this route")
            } else {
                format!("route `{}` matches the same requests as `{pattern}`, with equal rank", other.name)
            };
            problems.push(
                Problem::error(format!("/paths/{index}"), message)
                    .with_help("set `priority`, or different `methods` or `match` conditions")
                    .about(&route.spec.spec.key()),
            );
        }
    }
}
