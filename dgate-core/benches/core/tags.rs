//! What canary tags cost a request: 20 of them, and 10,000 routes that ask for one.

use dgate_core::apply::resource_set;
use dgate_core::resource::AnyResource;
use dgate_core::snapshot::{RouteLookup, Snapshot};
use dgate_core::tags::{CanaryKey, ServerTags};
use divan::{Bencher, black_box};
use http::{HeaderMap, Method};

use crate::{path, resources, route};

const ROUTES: usize = 10_000;
const CANARIES: usize = 20;

fn compiled(conditional: impl Iterator<Item = AnyResource>) -> Snapshot {
    let tags: Vec<String> = (0..CANARIES).map(|canary| format!("canary@50%:v{canary}")).collect();
    let set = resource_set(resources(ROUTES).into_iter().chain(conditional));
    dgate_core::compile(&set, &ServerTags::parse(&tags).0, None).unwrap().0
}

/// Beside a route, one for those who carry a canary tag.
fn beside(index: usize, canary: usize) -> AnyResource {
    let mut beside = route(index);
    beside.name = format!("{}-v{canary}", beside.name);
    beside.tags = vec![format!("#canary:v{canary}")];
    // Some may carry several.
    beside.matches.headers.insert(format!("x-none-{canary}"), present(false));
    beside.into()
}

fn present(is_there: bool) -> dgate_core::resource::Condition {
    dgate_core::resource::Condition::Present(is_there)
}

/// All that is done for a request because of tags, from its sticky key to its variant, and finding its route.
fn match_for_user(bencher: Bencher<'_, '_>, snapshot: &Snapshot) {
    let namespace = snapshot.namespaces().by_name("default").unwrap();
    let paths: Vec<_> = (0..64).map(|index| path(index * 7919 % ROUTES)).collect();
    let headers = HeaderMap::new();
    let mut next = paths.iter().cycle();
    let mut user = 0_u64;
    bencher.bench_local(|| {
        user += 1;
        let mut tags = snapshot.request_tags(CanaryKey::of(&user.to_le_bytes()));
        let path = black_box(next.next().unwrap());
        let found = namespace.find_route_for(&Method::GET, path, &headers, None, Some(&mut tags));
        let RouteLookup::Found(found) = found else { panic!() };
        let carried = tags.carries(namespace.canary_bits(&found.route));
        (tags.active().label(carried), found)
    });
}

#[divan::bench]
fn match_conditional_routes(bencher: Bencher<'_, '_>) {
    let snapshot = compiled((0..ROUTES).map(|index| beside(index, index % CANARIES)));
    match_for_user(bencher, &snapshot);
}

/// The same without a condition: what the tags cost is the difference.
#[divan::bench]
fn match_routes_without_conditions(bencher: Bencher<'_, '_>) {
    let snapshot = compiled(std::iter::empty());
    match_for_user(bencher, &snapshot);
}

#[divan::bench]
fn draw_all_canaries(bencher: Bencher<'_, '_>) {
    let snapshot = compiled(std::iter::empty());
    let mut user = 0_u64;
    bencher.bench_local(|| {
        user += 1;
        let mut tags = snapshot.request_tags(CanaryKey::of(&user.to_le_bytes()));
        tags.carries(u64::MAX >> (64 - CANARIES))
    });
}
