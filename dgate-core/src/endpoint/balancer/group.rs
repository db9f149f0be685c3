//! Endpoints of equal priority, and the order in which they are asked.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::Endpoint;
use super::super::maglev::Maglev;
use super::{Balancer, Choice};
use crate::resource::Balance;

/// The longest cycle of weighted round robin; weights are scaled down to fit.
pub(super) const MAX_CYCLE: u64 = 4_096;

/// Endpoints of equal priority.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) members: Vec<Member>,
    order: Order,
}

#[derive(Debug)]
pub(super) struct Member {
    /// Its place among the endpoints as they were given.
    pub(super) index: usize,
    pub(super) endpoint: Arc<Endpoint>,
    weight: u32,
    /// The sum of the weights up to and with this one.
    cumulative: u64,
}

#[derive(Debug)]
enum Order {
    /// Members by turn; heavier ones more often, evenly spread.
    Cycle(Vec<u16>),
    Random,
    LeastRequest,
    Ewma,
    Hash(Maglev),
}

impl Group {
    pub(super) fn new(endpoints: &[(usize, (Arc<Endpoint>, u32, i32))], balance: &Balance) -> Self {
        let mut endpoints: Vec<_> = endpoints.iter().collect();
        if matches!(balance, Balance::Hash(_)) {
            // The same key finds the same endpoint, in whichever order they are written.
            endpoints.sort_by(|a, b| a.1.0.id.url.cmp(&b.1.0.id.url));
        }
        let mut cumulative = 0;
        let members: Vec<_> = endpoints
            .into_iter()
            .map(|(index, (endpoint, weight, _))| {
                cumulative += u64::from(*weight);
                Member { index: *index, endpoint: endpoint.clone(), weight: *weight, cumulative }
            })
            .collect();
        let order = match balance {
            Balance::RoundRobin => Order::Cycle(cycle(&members)),
            Balance::LeastRequest => Order::LeastRequest,
            Balance::Ewma => Order::Ewma,
            Balance::Random => Order::Random,
            Balance::Hash(_) => Order::Hash(Maglev::new(
                members.iter().map(|member| (&*member.endpoint.id.url, member.weight)),
            )),
        };
        Self { members, order }
    }

    pub(super) fn choose(
        &self,
        balancer: &Balancer,
        choice: &Choice<'_>,
        fits: &dyn Fn(&Arc<Endpoint>) -> bool,
    ) -> Option<usize> {
        if let [only] = self.members.as_slice() {
            return fits(&only.endpoint).then_some(only.index);
        }
        // An endpoint that starts slowly is passed over with the probability of the weight it lacks.
        let warm = |endpoint: &Arc<Endpoint>| {
            balancer.slow_start.is_zero() || {
                let factor = endpoint.health.slow_start_factor(choice.now, balancer.slow_start);
                factor >= 1.0 || fastrand::f64() < factor
            }
        };
        let eager = |endpoint: &Arc<Endpoint>| fits(endpoint) && warm(endpoint);
        let chosen = match &self.order {
            Order::Cycle(cycle) => self.by_turn(cycle, balancer, &eager),
            Order::Random => self.at_random(&eager),
            Order::LeastRequest => self.better_of_two(&eager, |member| {
                f64::from(member.endpoint.in_flight() + 1) / f64::from(member.weight)
            }),
            Order::Ewma => {
                self.better_of_two(&eager, |member| member.endpoint.cost() / f64::from(member.weight))
            }
            Order::Hash(table) => {
                let key = choice.key.unwrap_or_else(|| fastrand::u64(..));
                table.candidates(key).map(|index| &self.members[index]).find(|member| fits(&member.endpoint))
            }
        };
        // Chance may have passed everybody over.
        let chosen = chosen.or_else(|| self.members.iter().find(|member| fits(&member.endpoint)));
        chosen.map(|member| member.index)
    }

    fn by_turn(
        &self,
        cycle: &[u16],
        balancer: &Balancer,
        fits: &dyn Fn(&Arc<Endpoint>) -> bool,
    ) -> Option<&Member> {
        let start = balancer.turn.fetch_add(1, Ordering::Relaxed);
        (0..cycle.len())
            .map(|step| &self.members[usize::from(cycle[start.wrapping_add(step) % cycle.len()])])
            .find(|member| fits(&member.endpoint))
    }

    fn at_random(&self, fits: &dyn Fn(&Arc<Endpoint>) -> bool) -> Option<&Member> {
        let total = self.members.last()?.cumulative;
        let dice = fastrand::u64(..total);
        let start = self.members.partition_point(|member| member.cumulative <= dice);
        let count = self.members.len();
        (0..count).map(|step| &self.members[(start + step) % count]).find(|member| fits(&member.endpoint))
    }

    /// The cheaper of two random ones (Mitzenmacher, *The Power of Two Choices in Randomized Load Balancing*, 2001).
    fn better_of_two(
        &self,
        fits: &dyn Fn(&Arc<Endpoint>) -> bool,
        cost: impl Fn(&Member) -> f64,
    ) -> Option<&Member> {
        let first = self.at_random(fits)?;
        let other = |endpoint: &Arc<Endpoint>| !Arc::ptr_eq(endpoint, &first.endpoint) && fits(endpoint);
        match self.at_random(&other) {
            Some(second) if cost(second) < cost(first) => Some(second),
            _ => Some(first),
        }
    }
}

/// One round of smooth weighted round robin, as nginx spreads it.
fn cycle(members: &[Member]) -> Vec<u16> {
    let divisor = members.iter().fold(0, |divisor, member| gcd(divisor, u64::from(member.weight))).max(1);
    let total: u64 = members.iter().map(|member| u64::from(member.weight) / divisor).sum();
    let scale = (total as f64 / MAX_CYCLE as f64).max(1.0);
    let weights: Vec<i64> = members
        .iter()
        .map(|member| ((f64::from(member.weight) / divisor as f64 / scale) as i64).max(1))
        .collect();
    let total: i64 = weights.iter().sum();
    let mut current = vec![0_i64; members.len()];
    (0..total)
        .map(|_| {
            current.iter_mut().zip(&weights).for_each(|(current, weight)| *current += weight);
            let best = (0..current.len()).rev().max_by_key(|index| current[*index]).unwrap_or(0);
            current[best] -= total;
            best as u16
        })
        .collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
