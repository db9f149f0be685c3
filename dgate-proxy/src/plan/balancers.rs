//! The balancer of a service, or one for each set of endpoints that a request may go to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use dgate_core::endpoint::{Balancer, Choice};
use dgate_core::resource::Service;
use dgate_core::snapshot::CompiledService;

use super::EndpointPlan;

/// Most sets of endpoints that are remembered: seven canary tags on the URLs of one service make more.
const MOST: usize = 64;

/// The balancer of a service, or one for each set of endpoints that a request may go to. So each set has shares, turns
/// and hash tables of its own.
#[derive(Debug)]
pub(crate) struct Balancers {
    service: Arc<CompiledService>,
    endpoints: Vec<Arc<EndpointPlan>>,
    all: Balancer,
    /// Whether weights were given to endpoints since it was made. Written under the lock only.
    is_adjusted: AtomicBool,
    adjusted: RwLock<Adjusted>,
    /// By the canary tags that a request carries, of those that URLs ask for.
    subsets: RwLock<HashMap<u64, Arc<Subset>>>,
}

/// The balancer over all endpoints with the weights that were given to them since.
#[derive(Debug)]
struct Adjusted {
    weights: Vec<u32>,
    balancer: Option<Arc<Balancer>>,
}

/// A balancer over some endpoints.
#[derive(Debug)]
struct Subset {
    balancer: Balancer,
    /// Their places among all.
    places: Vec<usize>,
}

impl Balancers {
    /// Balancers over the endpoints of a service, in the order of its URLs.
    pub(super) fn new(service: &Arc<CompiledService>, endpoints: &[Arc<EndpointPlan>]) -> Self {
        // Before the balancer looks at them: what is given meanwhile is taken over by `adjust`.
        let weights = endpoints.iter().map(|endpoint| endpoint.weight()).collect();
        let all = balancer(&service.spec.spec, endpoints.iter());
        Self {
            service: service.clone(),
            endpoints: endpoints.to_vec(),
            all,
            is_adjusted: AtomicBool::new(false),
            adjusted: RwLock::new(Adjusted { weights, balancer: None }),
            subsets: RwLock::default(),
        }
    }

    /// Takes over the weights that endpoints were given.
    pub(crate) fn adjust(&self) {
        let mut adjusted = self.adjusted.write().unwrap_or_else(PoisonError::into_inner);
        let weights = self.endpoints.iter().map(|endpoint| endpoint.weight());
        if weights.clone().eq(adjusted.weights.iter().copied()) {
            return;
        }
        adjusted.weights = weights.collect();
        adjusted.balancer = Some(Arc::new(balancer(&self.service.spec.spec, self.endpoints.iter())));
        self.is_adjusted.store(true, Ordering::Release);
        self.subsets.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The endpoint to ask for a request that carries these canary tags, as its place among all.
    pub(crate) fn choose(&self, carried: u64, choice: Choice<'_>) -> Option<usize> {
        let bits = self.service.url_bits();
        if bits == 0 {
            if !self.is_adjusted.load(Ordering::Acquire) {
                return self.all.choose(choice);
            }
            let adjusted = self.adjusted.read().unwrap_or_else(PoisonError::into_inner).balancer.clone();
            return adjusted.as_deref().unwrap_or(&self.all).choose(choice);
        }
        let subset = self.subset(carried & bits);
        subset.balancer.choose(choice).and_then(|index| subset.places.get(index)).copied()
    }

    fn subset(&self, carried: u64) -> Arc<Subset> {
        let known = self.subsets.read().unwrap_or_else(PoisonError::into_inner).get(&carried).cloned();
        known.unwrap_or_else(|| {
            let applies = |place: &usize| {
                self.endpoints[*place].url.rule.as_ref().is_none_or(|rule| rule.holds(carried))
            };
            let places: Vec<usize> = (0..self.endpoints.len()).filter(applies).collect();
            let members = places.iter().map(|place| &self.endpoints[*place]);
            let subset = Arc::new(Subset { balancer: balancer(&self.service.spec.spec, members), places });
            let mut subsets = self.subsets.write().unwrap_or_else(PoisonError::into_inner);
            if subsets.len() >= MOST {
                subsets.clear();
            }
            subsets.entry(carried).or_insert(subset).clone()
        })
    }
}

fn balancer<'e>(spec: &Service, endpoints: impl Iterator<Item = &'e Arc<EndpointPlan>>) -> Balancer {
    let health = &spec.health_check;
    let members = endpoints.map(|plan| (plan.endpoint.clone(), plan.weight(), plan.url.priority));
    let slow_start = health.slow_start.map_or(Duration::ZERO, |slow_start| slow_start.get());
    Balancer::new(members, &spec.balance, health.fail_closed, slow_start)
}
