//! One route, compiled.

use std::sync::Arc;

use super::{Captures, MethodSet, RequestConditions, ServiceId};
use crate::pattern::PathPattern;
use crate::resource;
use crate::stored::Stored;

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

impl CompiledRoute {
    /// Its place among routes of the same pattern: more conditions first, then listed methods before `*`.
    pub(crate) fn rank(&self) -> impl Ord + use<> {
        let conditions = self.tag_conditions + self.conditions.len();
        (std::cmp::Reverse(conditions), self.methods.is_all(), self.name.clone())
    }

    /// Whether both can match the same request with equal rank.
    pub(crate) fn conflicts_with(&self, other: &Self) -> bool {
        self.tag_conditions + self.conditions.len() == other.tag_conditions + other.conditions.len()
            && self.methods.overlaps(&other.methods)
            && !self.conditions.excludes(&other.conditions)
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
