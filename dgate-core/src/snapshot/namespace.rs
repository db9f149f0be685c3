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

/// The first route of a pattern that takes a method. `HEAD` meets the same route as `GET`, unless one of equal rank
/// lists it.
fn choose<'l>(
    leaves: &'l [Leaf<Arc<CompiledRoute>>],
    method: &Method,
    fits: impl Fn(&&'l Leaf<Arc<CompiledRoute>>) -> bool,
) -> Option<&'l Leaf<Arc<CompiledRoute>>> {
    let mut fitting = leaves.iter().filter(|leaf| leaf.value.methods.answers(method) && fits(leaf));
    let first = fitting.next()?;
    if first.value.methods.contains(method) {
        return Some(first);
    }
    let mut equals = fitting.take_while(|leaf| leaf.value.rank() == first.value.rank());
    equals.find(|leaf| leaf.value.methods.contains(method)).or(Some(first))
}
