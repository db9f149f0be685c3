//! One namespace, compiled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::{HeaderMap, Method};

use super::{CompiledRoute, CompiledService, Leaf, RouteMatch, RouteService, RouteTable, Slab};
use crate::Kind;
use crate::stored::Tables;
use crate::tags::{CanaryRule, RequestTags, holds};

/// One namespace, compiled: its routes and services with their indexes.
#[derive(Debug)]
pub struct NamespaceSnapshot {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: Arc<str>,
    /// Which requests it is there for; for all when absent.
    pub rule: Option<CanaryRule>,
    /// What was written.
    pub resources: Tables,
    pub(crate) routes: Slab<CompiledRoute>,
    pub(crate) table: RouteTable<Arc<CompiledRoute>>,
    pub(crate) services: Slab<CompiledService>,
    /// What does not apply to this server, of the kinds that are not compiled.
    pub(crate) inactive: BTreeSet<(Kind, Arc<str>)>,
    /// Modules that are there for some requests only.
    pub(crate) module_rules: BTreeMap<Arc<str>, CanaryRule>,
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

    /// Whether a secret, module, collection, protocol, listener or job applies to this server, by its tags.
    pub fn applies(&self, kind: Kind, name: &str) -> bool {
        self.inactive.is_empty() || !self.inactive.contains(&(kind, Arc::from(name)))
    }

    /// Whether a module is there and applies to this server, be it for some requests only.
    pub fn has_module(&self, name: &str) -> bool {
        self.resources.modules.contains(name) && self.applies(Kind::Module, name)
    }

    /// Which requests a module is there for; for all when absent.
    pub fn module_rule(&self, name: &str) -> Option<&CanaryRule> {
        self.module_rules.get(name)
    }

    /// Whether the same modules apply as in another snapshot, unchanged, and to the same requests.
    pub fn has_same_modules(&self, other: &Self) -> bool {
        let inactive = |namespace: &Self| {
            let modules = namespace.inactive.iter().filter(|(kind, _)| *kind == Kind::Module);
            modules.map(|(_, name)| name.clone()).collect::<Vec<_>>()
        };
        self.resources.modules.same(&other.resources.modules)
            && self.module_rules == other.module_rules
            && inactive(self) == inactive(other)
    }

    /// The modules of a route that apply to a request which carries these canary tags, in their order.
    pub fn modules_of<'r>(&'r self, route: &'r CompiledRoute, carried: u64) -> impl Iterator<Item = &'r str> {
        let modules = route.spec.spec.modules.iter().map(String::as_str);
        modules.filter(move |name| {
            self.has_module(name) && self.module_rule(name).is_none_or(|rule| rule.holds(carried))
        })
    }

    /// The canary tags that a route's modules ask for.
    pub fn module_bits(&self, route: &CompiledRoute) -> u64 {
        if self.module_rules.is_empty() {
            return 0;
        }
        let rules = route.spec.spec.modules.iter().filter_map(|name| self.module_rule(name));
        rules.fold(0, |bits, rule| bits | rule.bits())
    }

    /// All canary tags on which it depends what a request gets from a route: the namespace's, its own, its service's and
    /// its modules'.
    pub fn canary_bits(&self, route: &CompiledRoute) -> u64 {
        let service = match route.service {
            Some(RouteService::Active(id)) => {
                self.services.get(id).map_or(0, |service| service.canary_bits())
            }
            _ => 0,
        };
        let rules = self.rule.iter().chain(&route.rule);
        rules.fold(service | self.module_bits(route), |bits, rule| bits | rule.bits())
    }

    /// The canary tags that decide on a route's mirror, of which its client sees nothing.
    pub fn mirror_bits(&self, route: &CompiledRoute) -> u64 {
        let mirror = route.mirror.and_then(|id| self.services.get(id));
        mirror.map_or(0, |service| service.canary_bits())
    }

    /// The route that takes a request without canary tags. `path` is normalised.
    pub fn find_route(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        query: Option<&str>,
    ) -> RouteLookup {
        self.find_route_for(method, path, headers, query, None)
    }

    /// The route that takes a request with these canary tags; those that routes ask for are drawn.
    pub fn find_route_for(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        query: Option<&str>,
        mut tags: Option<&mut RequestTags>,
    ) -> RouteLookup {
        let mut found = None;
        let mut others: Vec<&CompiledRoute> = Vec::new();
        self.table.search(path, &mut |leaves, captures| {
            let mut fits = |leaf: &Leaf<Arc<CompiledRoute>>| {
                let route = &leaf.value;
                route.conditions.hold(headers, query) && holds(route.rule.as_ref(), tags.as_deref_mut())
            };
            let Some(leaf) = choose(leaves, method, &mut fits) else {
                others.extend(leaves.iter().filter(|leaf| fits(leaf)).map(|leaf| &*leaf.value));
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
    mut fits: impl FnMut(&Leaf<Arc<CompiledRoute>>) -> bool,
) -> Option<&'l Leaf<Arc<CompiledRoute>>> {
    let mut fitting = leaves.iter().filter(|leaf| leaf.value.methods.answers(method) && fits(leaf));
    let first = fitting.next()?;
    if first.value.methods.contains(method) {
        return Some(first);
    }
    let mut equals = fitting.take_while(|leaf| leaf.value.rank() == first.value.rank());
    equals.find(|leaf| leaf.value.methods.contains(method)).or(Some(first))
}
