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

use jiff::Timestamp;

use crate::Problems;
use crate::clock::{Clock, ManualClock};
use crate::compile::compile_settled;
use crate::key::DEFAULT_NAMESPACE;
use crate::stored::{ResourceSet, Tables};
use crate::tags::{ActiveTags, CanaryKey, RequestTags, ServerTags};

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
    /// What was written.
    pub(crate) resources: ResourceSet,
    /// The server's tags it was compiled for.
    pub(crate) server_tags: ServerTags,
    /// What the server carried when it was compiled.
    pub(crate) tags: Arc<ActiveTags>,
    /// The same for namespaces that add tags of their own, by their numbers.
    pub(crate) own_tags: BTreeMap<u32, OwnTags>,
    /// Whether any of these are for some requests only, and whether shares change with time. Every request asks.
    has_canaries: bool,
    has_ramps: bool,
    pub(crate) clock: Clock,
}

/// What the server carries in a namespace that adds tags of its own.
#[derive(Debug, Clone)]
pub(crate) struct OwnTags {
    pub(crate) server_tags: ServerTags,
    pub(crate) tags: Arc<ActiveTags>,
}

impl Snapshot {
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

    /// What was written.
    pub fn resources(&self) -> &ResourceSet {
        &self.resources
    }

    /// The same, as it will be at another instant, or was.
    ///
    /// # Errors
    /// When it cannot be compiled for that instant.
    pub fn at(&self, instant: Timestamp) -> Result<Self, Problems> {
        let clock = ManualClock::new(instant).clock();
        compile_settled(&self.resources, &self.server_tags.clone().into(), &clock, Some(self))
            .map(|(snapshot, _)| snapshot)
    }

    /// What the server carries, as of the instant it was compiled for.
    pub fn tags(&self) -> &Arc<ActiveTags> {
        &self.tags
    }

    /// The server's tags, as they were written.
    pub fn server_tags(&self) -> &ServerTags {
        &self.server_tags
    }

    /// What the server carries in a namespace.
    pub fn tags_in(&self, namespace: u32) -> &Arc<ActiveTags> {
        self.own_tags.get(&namespace).map_or(&self.tags, |own| &own.tags)
    }

    /// The tags that the server has in a namespace, as they were written.
    pub fn server_tags_in(&self, namespace: u32) -> &ServerTags {
        self.own_tags.get(&namespace).map_or(&self.server_tags, |own| &own.server_tags)
    }

    /// Whether there are tags that only some requests carry, in one namespace at least.
    pub fn has_canaries(&self) -> bool {
        self.has_canaries
    }

    /// The next instant at which the server carries something else.
    pub fn next_edge(&self) -> Option<Timestamp> {
        self.all_tags().filter_map(|tags| tags.next_edge()).min()
    }

    fn all_tags(&self) -> impl Iterator<Item = &ActiveTags> {
        std::iter::once(&*self.tags).chain(self.own_tags.values().map(|own| &*own.tags))
    }

    /// The canary tags of a request by this client that comes now.
    pub fn request_tags(&self, key: CanaryKey) -> RequestTags {
        // Without ramps, shares are the same at every instant.
        let instant = if self.has_ramps { self.clock.now() } else { self.tags.instant() };
        RequestTags::new(self.tags.clone(), key, instant)
    }

    /// Notes what all requests ask of all tags.
    pub(crate) fn sum_up_tags(&mut self) {
        let has_canaries = self.all_tags().any(ActiveTags::has_canaries);
        let has_ramps = self.all_tags().any(ActiveTags::has_ramps);
        (self.has_canaries, self.has_ramps) = (has_canaries, has_ramps);
    }

    pub(crate) fn find_fallback(&mut self) {
        let owns_a_domain = |id| self.domains.entries().iter().any(|entry| entry.namespace_id == id);
        self.fallback = self.namespaces.number(DEFAULT_NAMESPACE).filter(|id| !owns_a_domain(*id));
    }
}
