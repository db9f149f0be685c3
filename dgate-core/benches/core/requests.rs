//! What is done for each request.

use std::time::{Duration, Instant};

use dgate_core::apply::resource_set;
use dgate_core::endpoint::{Balancer, Choice, Endpoint, EndpointId};
use dgate_core::pattern::{normalize, normalize_host};
use dgate_core::resource::{AnyResource, Balance, Domain, HashKey, HashOptions};
use dgate_core::snapshot::{RouteLookup, Snapshot};
use divan::{Bencher, black_box};
use http::{HeaderMap, Method};

use crate::{compile, path, set};

#[divan::bench(args = [10, 10_000])]
fn match_route(bencher: Bencher<'_, '_>, routes: usize) {
    let snapshot = compile(&set(routes), None);
    let namespace = snapshot.namespaces().by_name("default").unwrap();
    let paths: Vec<_> = (0..64).map(|index| path(index * 7919 % routes)).collect();
    let headers = HeaderMap::new();
    let mut next = paths.iter().cycle();
    bencher.bench_local(|| {
        let found = namespace.find_route(&Method::GET, black_box(next.next().unwrap()), &headers, None);
        assert!(matches!(found, RouteLookup::Found(_)));
        found
    });
}

#[divan::bench(args = [10, 10_000])]
fn match_no_route(bencher: Bencher<'_, '_>, routes: usize) {
    let snapshot = compile(&set(routes), None);
    let namespace = snapshot.namespaces().by_name("default").unwrap();
    let headers = HeaderMap::new();
    bencher
        .bench_local(|| namespace.find_route(&Method::GET, black_box("/v1/nobody/items/7"), &headers, None));
}

fn domains(count: usize) -> Snapshot {
    let domain = |index: usize| -> AnyResource {
        let patterns = [format!("www.shop-{index}.example"), format!("*.shop-{index}.example")];
        let json = serde_json::json!({ "name": format!("shop-{index}"), "patterns": patterns });
        dgate_core::decode::<Domain>(json).unwrap().into()
    };
    compile(&resource_set((0..count).map(domain)), None)
}

#[divan::bench(args = [10, 10_000])]
fn match_exact_host(bencher: Bencher<'_, '_>, count: usize) {
    let snapshot = domains(count);
    bencher.bench_local(|| snapshot.domains().find(black_box("www.shop-7.example")).is_some());
}

#[divan::bench(args = [10, 10_000])]
fn match_wildcard_host(bencher: Bencher<'_, '_>, count: usize) {
    let snapshot = domains(count);
    bencher.bench_local(|| snapshot.domains().find(black_box("api.shop-7.example")).is_some());
}

#[divan::bench(args = ["/v1/users/4711/orders", "/v1/%75sers/../users/a%2fb"])]
fn normalize_path(path: &str) -> usize {
    normalize::path(black_box(path)).len()
}

#[divan::bench(args = ["www.example.com:8080", "WWW.Example.com"])]
fn normalize_a_host(host: &str) -> usize {
    normalize_host(black_box(host)).unwrap().len()
}

#[divan::bench(args = ["round_robin", "random", "least_request", "ewma", "hash"])]
fn pick_endpoint(bencher: Bencher<'_, '_>, balance: &str) {
    let balance = match balance {
        "round_robin" => Balance::RoundRobin,
        "random" => Balance::Random,
        "least_request" => Balance::LeastRequest,
        "ewma" => Balance::Ewma,
        _ => Balance::Hash(HashOptions { on: HashKey::Ip }),
    };
    let endpoints = (0..10).map(|index| {
        let url = format!("http://10.0.0.{index}:8080").into();
        (Endpoint::detached(EndpointId { namespace: "n".into(), service: "s".into(), url }), 1, 0)
    });
    let balancer = Balancer::new(endpoints, &balance, false, Duration::ZERO);
    let now = Instant::now();
    let mut key = 0_u64;
    bencher.bench_local(|| {
        key += 1;
        balancer.choose(Choice { key: Some(Choice::key(key)), ..Choice::first(now) })
    });
}
