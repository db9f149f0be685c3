//! Who is asked next.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::Endpoint;
use super::maglev::{Maglev, hash_key};
use crate::resource::Balance;

/// The longest cycle of weighted round robin; weights are scaled down to fit.
const MAX_CYCLE: u64 = 4_096;

/// Chooses among the endpoints of a service. Immutable apart from counters; one is made for each change of a service.
#[derive(Debug)]
pub struct Balancer {
    groups: Vec<Group>,
    fail_closed: bool,
    slow_start: Duration,
    /// The next place in the round.
    turn: AtomicUsize,
}

/// Endpoints of equal priority.
#[derive(Debug)]
struct Group {
    members: Vec<Member>,
    order: Order,
}

#[derive(Debug)]
struct Member {
    /// Its place among the endpoints as they were given.
    index: usize,
    endpoint: Arc<Endpoint>,
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

/// What a choice depends on besides the endpoints.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// The time.
    pub now: Instant,
    /// What identifies the client, for the hash balancer.
    pub key: Option<u64>,
    /// Endpoints that were tried already: others are preferred.
    pub tried: &'a [Arc<Endpoint>],
}

impl Choice<'_> {
    /// A first choice, without a key.
    pub fn first(now: Instant) -> Self {
        Self { now, key: None, tried: &[] }
    }

    /// The key of whatever identifies a client.
    pub fn key(value: impl Hash) -> u64 {
        hash_key(value)
    }

    fn was_tried(&self, endpoint: &Arc<Endpoint>) -> bool {
        self.tried.iter().any(|tried| Arc::ptr_eq(tried, endpoint))
    }
}

impl Balancer {
    /// A balancer over endpoints with their weights and priorities. Those of weight 0 are never chosen.
    pub fn new(
        endpoints: impl IntoIterator<Item = (Arc<Endpoint>, u32, i32)>,
        balance: &Balance,
        fail_closed: bool,
        slow_start: Duration,
    ) -> Self {
        let mut endpoints: Vec<_> =
            endpoints.into_iter().enumerate().filter(|(_, (_, weight, _))| *weight > 0).collect();
        endpoints.sort_by_key(|(_, (_, _, priority))| std::cmp::Reverse(*priority));
        let groups =
            endpoints.chunk_by(|a, b| a.1.2 == b.1.2).map(|group| Group::new(group, balance)).collect();
        Self {
            groups,
            fail_closed,
            slow_start,
            turn: AtomicUsize::new(fastrand::usize(..MAX_CYCLE as usize)),
        }
    }

    /// The endpoint to ask, as its place among those given; nothing when there is none, or none that is healthy and `fail_closed` is set.
    ///
    /// Healthy endpoints that were not tried come first, then healthy ones that were, then (panic mode) any.
    pub fn choose(&self, choice: Choice<'_>) -> Option<usize> {
        let fresh = |endpoint: &Arc<Endpoint>| {
            endpoint.health.is_available(choice.now)
                && (choice.tried.is_empty() || !choice.was_tried(endpoint))
        };
        if let Some(index) = self.groups.iter().find_map(|group| group.choose(self, &choice, &fresh)) {
            return Some(index);
        }
        let available = |endpoint: &Arc<Endpoint>| endpoint.health.is_available(choice.now);
        if !choice.tried.is_empty()
            && let Some(index) = self.groups.iter().find_map(|group| group.choose(self, &choice, &available))
        {
            return Some(index);
        }
        if self.fail_closed {
            return None;
        }
        let untried = |endpoint: &Arc<Endpoint>| !choice.was_tried(endpoint);
        self.groups
            .iter()
            .find_map(|group| group.choose(self, &choice, &untried))
            .or_else(|| self.groups.iter().find_map(|group| group.choose(self, &choice, &|_| true)))
    }

    /// The endpoints, by priority.
    pub fn endpoints(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.groups.iter().flat_map(|group| group.members.iter().map(|member| &member.endpoint))
    }
}

impl Group {
    fn new(endpoints: &[(usize, (Arc<Endpoint>, u32, i32))], balance: &Balance) -> Self {
        let mut cumulative = 0;
        let members: Vec<_> = endpoints
            .iter()
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

    fn choose(
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::EndpointId;
    use super::*;
    use crate::resource::{HashKey, HashOptions};

    fn endpoint(name: &str) -> Arc<Endpoint> {
        Endpoint::detached(EndpointId { namespace: "n".into(), service: "s".into(), url: name.into() })
    }

    #[allow(clippy::needless_pass_by_value, reason = "reads well at the call")]
    fn balancer(members: &[(&str, u32, i32)], balance: Balance) -> Balancer {
        let endpoints = members.iter().map(|(name, weight, priority)| (endpoint(name), *weight, *priority));
        Balancer::new(endpoints, &balance, false, Duration::ZERO)
    }

    fn chosen(balancer: &Balancer, choice: Choice<'_>) -> String {
        let index = balancer.choose(choice).unwrap();
        let mut members = balancer.groups.iter().flat_map(|group| &group.members);
        members.find(|member| member.index == index).unwrap().endpoint.id.url.to_string()
    }

    fn shares(balancer: &Balancer, count: u32) -> HashMap<String, u32> {
        let mut shares = HashMap::new();
        for key in 0..count {
            let choice = Choice { key: Some(Choice::key(key)), ..Choice::first(Instant::now()) };
            *shares.entry(chosen(balancer, choice)).or_default() += 1;
        }
        shares
    }

    fn break_down(balancer: &Balancer, name: &str) {
        let endpoint = balancer.endpoints().find(|endpoint| *endpoint.id.url == *name).unwrap();
        endpoint.health.checked(false, 1, 1, Instant::now());
    }

    fn all_kinds() -> [Balance; 5] {
        let hash = Balance::Hash(HashOptions { on: HashKey::Ip });
        [Balance::RoundRobin, Balance::Random, Balance::LeastRequest, Balance::Ewma, hash]
    }

    #[test]
    fn round_robin_is_exact_and_smooth() {
        let balancer = balancer(&[("a", 5, 0), ("b", 1, 0), ("c", 1, 0)], Balance::RoundRobin);
        assert_eq!(
            shares(&balancer, 700),
            HashMap::from([("a".into(), 500), ("b".into(), 100), ("c".into(), 100)])
        );
        let names: String = (0..14).map(|_| chosen(&balancer, Choice::first(Instant::now()))).collect();
        assert!(!names.contains("aaaaa"), "five in a row is not smooth: {names}");
    }

    #[test]
    fn shares_follow_the_weights() {
        for balance in all_kinds() {
            if matches!(balance, Balance::LeastRequest | Balance::Ewma) {
                continue;
            }
            let balancer = balancer(&[("a", 1, 0), ("b", 3, 0)], balance.clone());
            let share = shares(&balancer, 20_000)["b"];
            assert!((14_200..=15_800).contains(&share), "{balance:?}: {share}");
        }
    }

    #[test]
    fn the_less_busy_and_the_faster_are_preferred() {
        let busy = balancer(&[("a", 1, 0), ("b", 1, 0)], Balance::LeastRequest);
        let _held: Vec<_> = (0..5).map(|_| busy.endpoints().next().unwrap().begin()).collect();
        assert_eq!(shares(&busy, 100), HashMap::from([("b".into(), 100)]));
        let slow = balancer(&[("a", 1, 0), ("b", 1, 0)], Balance::Ewma);
        slow.endpoints().next().unwrap().observe(Duration::from_millis(50));
        slow.endpoints().nth(1).unwrap().observe(Duration::from_millis(5));
        assert_eq!(shares(&slow, 100), HashMap::from([("b".into(), 100)]));
    }

    #[test]
    fn unhealthy_and_tried_ones_are_passed_over() {
        for balance in all_kinds() {
            let balancer = balancer(&[("a", 1, 0), ("b", 1, 0), ("c", 1, 0)], balance);
            break_down(&balancer, "b");
            assert!(!shares(&balancer, 200).contains_key("b"));
            let tried: Vec<_> =
                balancer.endpoints().filter(|endpoint| &*endpoint.id.url == "a").cloned().collect();
            let choice = Choice { now: Instant::now(), key: Some(1), tried: &tried };
            assert_eq!(chosen(&balancer, choice), "c");
        }
    }

    #[test]
    fn lower_priorities_step_in_and_step_back() {
        for balance in all_kinds() {
            let balancer = balancer(&[("low", 1, 0), ("high", 1, 10)], balance);
            assert_eq!(shares(&balancer, 50), HashMap::from([("high".into(), 50)]));
            break_down(&balancer, "high");
            assert_eq!(shares(&balancer, 50), HashMap::from([("low".into(), 50)]));
        }
    }

    #[test]
    fn when_all_are_down_any_is_better_than_none_unless_told_otherwise() {
        let open = balancer(&[("a", 1, 0), ("b", 1, 0)], Balance::RoundRobin);
        break_down(&open, "a");
        break_down(&open, "b");
        assert!(open.choose(Choice::first(Instant::now())).is_some());
        let closed = Balancer { fail_closed: true, ..open };
        assert!(closed.choose(Choice::first(Instant::now())).is_none());
    }

    #[test]
    fn weight_zero_is_out_of_rotation() {
        let balancer = balancer(&[("a", 0, 0), ("b", 1, 0)], Balance::RoundRobin);
        assert_eq!(shares(&balancer, 10), HashMap::from([("b".into(), 10)]));
    }
}
