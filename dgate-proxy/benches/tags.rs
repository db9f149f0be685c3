//! What tags cost a request on its way to the route: nothing where there are none. `cargo bench -p dgate-proxy`.
//!
//! The same stack with the layer and without it, on a gateway without canary tags, then with 20 of them. Exact numbers
//! of instructions come from `valgrind --tool=callgrind` on this program with `--sample-count 1 --sample-size 10000`:
//! the difference of two runs, divided by the number of requests.

#![allow(clippy::unwrap_used, missing_docs)]

use std::future::{Ready, ready};
use std::sync::Arc;

use dgate_core::apply::{Applier, ChangeSet, Environment};
use dgate_core::event::NoEvents;
use dgate_core::publish::Live;
use dgate_core::resource::Route;
use dgate_core::store::MemoryStore;
use dgate_core::tags::ServerTags;
use dgate_core::{Body, GatewayError};
use dgate_proxy::CanarySettings;
use dgate_proxy::edge::PinSnapshotLayer;
use dgate_proxy::route::{MatchDomainLayer, MatchRouteLayer, ResolveTagsLayer};
use divan::{AllocProfiler, Bencher};
use http::{Request, Response};
use tower::{Service, ServiceBuilder};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const ROUTES: usize = 100;

/// A gateway without canary tags, or with 20 of them, each of which some routes ask for.
fn live(canaries: usize) -> Live {
    let tags: Vec<String> = (0..canaries).map(|canary| format!("canary@50%:v{canary}")).collect();
    let routes = (0..ROUTES).map(|index| {
        let mut route = Route::new(format!("r{index}"), format!("/api/v{index}/users/{{id}}"));
        route.tags = tags.get(index % 40).map(|_| format!("#canary:v{}", index % 40)).into_iter().collect();
        route
    });
    let changes = routes.fold(ChangeSet::new(), ChangeSet::put);
    let environment = Environment { tags: ServerTags::parse(&tags).0, ..Environment::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (applier, mut worker) =
            Applier::new(Arc::new(MemoryStore::new()), Vec::new(), Arc::new(NoEvents), environment);
        worker.load().await.unwrap();
        tokio::spawn(worker.run());
        applier.apply(changes).await.unwrap();
        applier.live().clone()
    })
}

/// A route without a condition.
fn request() -> Request<Body> {
    let request =
        Request::get("/api/v77/users/42").header("host", "shop.example").header("user-agent", "test");
    request.body(Body::empty()).unwrap()
}

fn answer(_: Request<Body>) -> Ready<Result<Response<Body>, GatewayError>> {
    ready(Ok(Response::new(Body::empty())))
}

fn run(bencher: Bencher<'_, '_>, mut service: impl Service<Request<Body>>) {
    bencher.with_inputs(request).bench_local_values(|request| service.call(request));
}

#[divan::bench]
fn no_tags_without_the_layer(bencher: Bencher<'_, '_>) {
    let stack = ServiceBuilder::new().layer(PinSnapshotLayer::new(live(0)));
    run(bencher, stack.layer(MatchDomainLayer).layer(MatchRouteLayer).service_fn(answer));
}

#[divan::bench]
fn no_tags_with_the_layer(bencher: Bencher<'_, '_>) {
    let stack =
        ServiceBuilder::new().layer(PinSnapshotLayer::new(live(0))).layer(ResolveTagsLayer::default());
    run(bencher, stack.layer(MatchDomainLayer).layer(MatchRouteLayer).service_fn(answer));
}

#[divan::bench]
fn twenty_canary_tags(bencher: Bencher<'_, '_>) {
    let resolve = ResolveTagsLayer::new(CanarySettings::default());
    let stack = ServiceBuilder::new().layer(PinSnapshotLayer::new(live(20))).layer(resolve);
    run(bencher, stack.layer(MatchDomainLayer).layer(MatchRouteLayer).service_fn(answer));
}
