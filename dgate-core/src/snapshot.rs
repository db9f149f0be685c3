//! What runs: immutable, indexed, made by [`crate::compile()`] from what was written.

mod conditions;
mod domain_table;
mod method_set;
mod namespace;
mod route;
mod route_table;
mod service;
mod slab;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use conditions::{RequestConditions, ValueMatcher};
pub use domain_table::{DomainMatch, DomainTable, HostEntry};
pub use method_set::MethodSet;
pub use namespace::{NamespaceSnapshot, RouteLookup};
pub use route::{CompiledRoute, RouteId, RouteMatch, RouteService};
pub use route_table::{Captures, Leaf, RouteTable};
pub use service::{CompiledService, CompiledUrl, Scheme, ServiceId};
pub use slab::Slab;

use crate::key::DEFAULT_NAMESPACE;
use crate::stored::Tables;
use crate::tags::ServerTags;

/// What runs: every namespace compiled, and which host leads to which.
///
/// A snapshot never changes. It is made beside the running one, and shares with it what did not change.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub(crate) namespaces: Slab<NamespaceSnapshot>,
    pub(crate) domains: Arc<DomainTable>,
    pub(crate) fallback: Option<u32>,
    /// Namespaces that do not apply to this server, as they were when they were checked.
    pub(crate) unapplied: BTreeMap<Arc<str>, Tables>,
    /// The server's tags it was compiled for.
    pub(crate) tags: ServerTags,
}

impl Snapshot {
    /// The server's tags it was compiled for.
    pub fn tags(&self) -> &ServerTags {
        &self.tags
    }

    /// The namespaces that apply to this server.
    pub fn namespaces(&self) -> &Slab<NamespaceSnapshot> {
        &self.namespaces
    }

    /// Which host leads to which namespace.
    pub fn domains(&self) -> &DomainTable {
        &self.domains
    }

    /// The number of the namespace of requests that no domain claims: `default`, if it is there and owns no domain.
    pub fn fallback(&self) -> Option<u32> {
        self.fallback
    }

    pub(crate) fn find_fallback(&mut self) {
        let owns_a_domain = |id| self.domains.entries().iter().any(|entry| entry.namespace_id == id);
        self.fallback = self.namespaces.number(DEFAULT_NAMESPACE).filter(|id| !owns_a_domain(*id));
    }
}
