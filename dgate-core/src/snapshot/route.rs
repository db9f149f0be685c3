//! One route, compiled.

use std::cmp::Reverse;
use std::sync::Arc;

use super::{Captures, MethodSet, RequestConditions, ServiceId};
use crate::pattern::PathPattern;
use crate::resource;
use crate::stored::Stored;
use crate::tags::CanaryRule;

/// The number of a route in its namespace.
pub type RouteId = u32;

/// One route, compiled.
#[derive(Debug)]
pub struct CompiledRoute {
    /// Its number in its namespace.
    pub id: RouteId,
    /// Its name.
    pub name: Arc<str>,
    /// What was written.
    pub spec: Arc<Stored<resource::Route>>,
    /// Its path patterns.
    pub paths: Vec<Arc<PathPattern>>,
    /// The methods it answers.
    pub methods: MethodSet,
    /// Conditions on headers and query.
    pub conditions: RequestConditions,
    /// Where it leads; nothing when it has no service.
    pub service: Option<RouteService>,
    /// The service that gets copies, if one does.
    pub mirror: Option<ServiceId>,
    /// Which requests it is there for; for all when absent.
    pub rule: Option<CanaryRule>,
    /// How many conditions it has on the server's tags.
    pub(crate) tag_conditions: usize,
}

/// Where a route leads.
#[derive(Debug, Clone)]
pub enum RouteService {
    /// To this service.
    Active(ServiceId),
    /// To a service that does not apply to this server.
    Inactive,
}

/// The place of a route among others of the same pattern.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RouteRank {
    tag_conditions: Reverse<usize>,
    request_conditions: Reverse<usize>,
    takes_all_methods: bool,
}

impl CompiledRoute {
    /// Its place among routes of the same pattern: more conditions on tags first, so that a conditional route stands
    /// beside the one for all others; then more conditions on headers and query; then listed methods.
    pub(crate) fn rank(&self) -> RouteRank {
        RouteRank {
            tag_conditions: Reverse(self.tag_conditions),
            request_conditions: Reverse(self.conditions.len()),
            takes_all_methods: self.methods.is_all(),
        }
    }

    /// Whether it is tried before another one. The order is total: names decide between equals.
    pub(crate) fn goes_before(&self, other: &Self) -> bool {
        self.rank().cmp(&other.rank()).then_with(|| self.name.cmp(&other.name)).is_lt()
    }

    /// Whether both can match the same request with equal rank.
    pub(crate) fn conflicts_with(&self, other: &Self) -> bool {
        self.rank() == other.rank()
            && self.methods.overlaps(&other.methods)
            && !self.conditions.excludes(&other.conditions)
            && !self.rule.as_ref().zip(other.rule.as_ref()).is_some_and(|(rule, other)| rule.excludes(other))
    }
}

/// A route that matches a request.
#[derive(Debug, Clone)]
pub struct RouteMatch {
    /// The route.
    pub route: Arc<CompiledRoute>,
    /// The pattern of it that matched.
    pub pattern: Arc<PathPattern>,
    /// Where the values of the pattern's parameters stand in the path.
    pub captures: Captures,
}
