//! Who is asked next.

mod group;

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use super::Endpoint;
use super::maglev::hash_key;
use crate::resource::Balance;
use group::{Group, MAX_CYCLE};

/// Chooses among the endpoints of a service. Immutable apart from counters; one is made for each change of a service.
#[derive(Debug)]
pub struct Balancer {
    groups: Vec<Group>,
    fail_closed: bool,
    slow_start: Duration,
    /// The next place in the round.
    turn: AtomicUsize,
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

    /// The endpoint to ask, as its place among those given; nothing when there is none, or none that is healthy and
    /// `fail_closed` is set.
    ///
    /// Healthy endpoints that were not tried come first, then healthy ones that were, then (panic mode) the least bad.
    pub fn choose(&self, choice: Choice<'_>) -> Option<usize> {
        let available = |endpoint: &Arc<Endpoint>| endpoint.health.is_available(choice.now);
        if choice.tried.is_empty() {
            return self.choose_if(&choice, &available).or_else(|| self.least_bad(&choice));
        }
        let fresh = |endpoint: &Arc<Endpoint>| available(endpoint) && !choice.was_tried(endpoint);
        self.choose_if(&choice, &fresh)
            .or_else(|| self.choose_if(&choice, &available))
            .or_else(|| self.least_bad(&choice))
    }

    /// One of the first group that has any that fits.
    fn choose_if(&self, choice: &Choice<'_>, fits: &dyn Fn(&Arc<Endpoint>) -> bool) -> Option<usize> {
        self.groups.iter().find_map(|group| group.choose(self, choice, fits))
    }

    /// When nobody is healthy: rather one that real requests failed with than one that fails its checks, and rather one
    /// that was not tried.
    fn least_bad(&self, choice: &Choice<'_>) -> Option<usize> {
        if self.fail_closed {
            return None;
        }
        let badness =
            |endpoint: &Arc<Endpoint>| (choice.was_tried(endpoint), endpoint.health.condition(choice.now));
        let least = self.endpoints().map(badness).min()?;
        self.choose_if(choice, &|endpoint| badness(endpoint) <= least)
    }

    /// The endpoints, by priority.
    pub fn endpoints(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.groups.iter().flat_map(|group| group.members.iter().map(|member| &member.endpoint))
    }
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
    fn the_least_bad_is_used_when_all_are_down() {
        for balance in all_kinds() {
            let balancer = balancer(&[("failing", 1, 1), ("ejected", 1, 0), ("other", 1, 0)], balance);
            break_down(&balancer, "failing");
            break_down(&balancer, "other");
            let rules = crate::resource::PassiveHealth { max_failures: 1, ..Default::default() };
            let ejected =
                balancer.endpoints().find(|endpoint| &*endpoint.id.url == "ejected").unwrap().clone();
            ejected.health.failed(&rules, Instant::now(), || true);
            assert_eq!(shares(&balancer, 20), HashMap::from([("ejected".into(), 20)]));
            let tried = [ejected];
            let again = Choice { now: Instant::now(), key: Some(1), tried: &tried };
            assert_eq!(chosen(&balancer, again), "failing", "by priority, among those that are as bad");
        }
    }

    #[test]
    fn the_order_of_writing_does_not_matter_to_the_hash_balancer() {
        let hash = || Balance::Hash(HashOptions { on: HashKey::Ip });
        let one = balancer(&[("a", 1, 0), ("b", 2, 0), ("c", 1, 0)], hash());
        let other = balancer(&[("c", 1, 0), ("a", 1, 0), ("b", 2, 0)], hash());
        for key in 0..1_000 {
            let choice = Choice { key: Some(Choice::key(key)), ..Choice::first(Instant::now()) };
            assert_eq!(chosen(&one, choice), chosen(&other, choice));
        }
    }

    #[test]
    fn weight_zero_is_out_of_rotation() {
        let balancer = balancer(&[("a", 0, 0), ("b", 1, 0)], Balance::RoundRobin);
        assert_eq!(shares(&balancer, 10), HashMap::from([("b".into(), 10)]));
    }
}
