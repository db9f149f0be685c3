//! One namespace, compiled.

use std::sync::Arc;

use http::{HeaderMap, Method};

use super::{CompiledRoute, CompiledService, Leaf, RouteMatch, RouteTable, Slab};
use crate::stored::Tables;

/// One namespace, compiled: its routes and services with their indexes.
#[derive(Debug)]
pub struct NamespaceSnapshot {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: Arc<str>,
    /// What was written.
    pub resources: Tables,
    pub(crate) routes: Slab<CompiledRoute>,
    pub(crate) table: RouteTable<Arc<CompiledRoute>>,
    pub(crate) services: Slab<CompiledService>,
    pub(crate) modules: Vec<Arc<str>>,
}

/// Which route takes a request.
#[derive(Debug)]
pub enum RouteLookup {
    /// This one.
    Found(RouteMatch),
    /// None for this method, but there are routes for these.
    MethodNotAllowed(Vec<Method>),
    /// None for this path.
    NotFound,
}

impl NamespaceSnapshot {
    /// Its routes that apply to this server.
    pub fn routes(&self) -> &Slab<CompiledRoute> {
        &self.routes
    }

    /// Its services that apply to this server.
    pub fn services(&self) -> &Slab<CompiledService> {
        &self.services
    }

    /// Whether a module is there and applies to this server.
    pub fn has_module(&self, name: &str) -> bool {
        self.modules.binary_search_by(|known| (**known).cmp(name)).is_ok()
    }

    /// Whether a domain leads here.
    pub fn owns_domains(&self) -> bool {
        !self.resources.domains.is_empty()
    }

    /// The route that takes a request. `path` is normalised.
    pub fn find_route(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        query: Option<&str>,
    ) -> RouteLookup {
        let mut found = None;
        let mut others: Vec<&CompiledRoute> = Vec::new();
        self.table.search(path, &mut |leaves, captures| {
            let fits = |leaf: &&Leaf<Arc<CompiledRoute>>| leaf.value.conditions.hold(headers, query);
            let Some(leaf) = choose(leaves, method, fits) else {
                others.extend(leaves.iter().filter(fits).map(|leaf| &*leaf.value));
                return false;
            };
            found = Some(RouteMatch {
                route: leaf.value.clone(),
                pattern: leaf.pattern.clone(),
                captures: captures.clone(),
            });
            true
        });
        if let Some(found) = found {
            return RouteLookup::Found(found);
        }
        if others.is_empty() {
            return RouteLookup::NotFound;
        }
        let mut allowed: Vec<Method> = Vec::new();
        for method in others.iter().flat_map(|route| route.methods.allowed()) {
            if !allowed.contains(&method) {
                allowed.push(method);
            }
        }
        RouteLookup::MethodNotAllowed(allowed)
    }
}

/// The first route of a pattern that takes a method. `HEAD` falls back to `GET` before it falls back to `*`, so that
/// both meet the same route.
fn choose<'l>(
    leaves: &'l [Leaf<Arc<CompiledRoute>>],
    method: &Method,
    fits: impl Fn(&&'l Leaf<Arc<CompiledRoute>>) -> bool,
) -> Option<&'l Leaf<Arc<CompiledRoute>>> {
    let takes = |method: &Method, leaf: &Leaf<Arc<CompiledRoute>>| leaf.value.methods.contains(method);
    if *method == Method::HEAD {
        let listed = |method: &Method, leaf: &Leaf<Arc<CompiledRoute>>| {
            !leaf.value.methods.is_all() && takes(method, leaf)
        };
        return leaves
            .iter()
            .find(|leaf| listed(&Method::HEAD, leaf) && fits(leaf))
            .or_else(|| leaves.iter().find(|leaf| listed(&Method::GET, leaf) && fits(leaf)))
            .or_else(|| leaves.iter().find(|leaf| leaf.value.methods.is_all() && fits(leaf)));
    }
    leaves.iter().find(|leaf| takes(method, leaf) && fits(leaf))
}
