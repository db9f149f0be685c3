//! What is done for each change.

use std::sync::Arc;

use dgate_core::apply::{Applier, ChangeSet, Environment, Mode};
use dgate_core::event::NoEvents;
use dgate_core::resource::Route;
use dgate_core::store::MemoryStore;
use dgate_core::stored::StoredAny;
use divan::Bencher;

use crate::{compile, resources, route, set};

const ROUTES: usize = 10_000;

#[divan::bench(sample_count = 20)]
fn compile_all_of_10_000_routes(bencher: Bencher<'_, '_>) {
    let set = set(ROUTES);
    bencher.bench(|| compile(&set, None));
}

#[divan::bench]
fn compile_one_of_10_000_routes(bencher: Bencher<'_, '_>) {
    let before = set(ROUTES);
    let running = compile(&before, None);
    let mut after = before.clone();
    let meta = after.iter().next().unwrap().meta;
    after.put(StoredAny { spec: Route::new("route-5000", "/changed").to_service("api").into(), meta });
    bencher.bench(|| compile(&after, Some(&running)));
}

/// From wish to live, without the data planes.
#[divan::bench]
fn apply_one_of_10_000_routes(bencher: Bencher<'_, '_>) {
    let (runtime, applier) = pipeline(ROUTES);
    let mut turn = 0;
    bencher.bench_local(|| {
        turn += 1;
        let route = Route::new("route-5000", format!("/changed/{turn}")).to_service("api");
        runtime.block_on(applier.apply(ChangeSet::new().put(route))).unwrap()
    });
}

/// A configuration file is read again in which one route has changed.
#[divan::bench(sample_count = 20)]
fn sync_10_000_routes_of_which_one_changed(bencher: Bencher<'_, '_>) {
    let (runtime, applier) = pipeline(0);
    let mut turn = 0;
    let all = resources(ROUTES);
    bencher.bench_local(|| {
        turn += 1;
        let changed = Route::new("route-5000", format!("/changed/{turn}")).to_service("api");
        let mut changes: ChangeSet = all.iter().cloned().collect();
        changes.changes.pop();
        changes = changes.put(changed);
        changes.mode = Mode::Sync;
        changes.owner = Some("config-file".into());
        runtime.block_on(applier.apply(changes)).unwrap()
    });
}

#[divan::bench(sample_count = 10)]
fn apply_all_of_10_000_routes(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| pipeline(ROUTES));
}

#[divan::bench]
fn decode_route() -> Route {
    dgate_core::decode(divan::black_box(serde_json::to_value(route(1)).unwrap())).unwrap()
}

fn pipeline(routes: usize) -> (tokio::runtime::Runtime, Applier) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let store = Arc::new(MemoryStore::new());
    let (applier, worker) = Applier::new(store, Vec::new(), Arc::new(NoEvents), Environment::default());
    runtime.block_on(async {
        let mut worker = worker;
        worker.load().await.unwrap();
        tokio::spawn(worker.run());
        applier.apply(resources(routes).into_iter().collect()).await.unwrap();
    });
    (runtime, applier)
}
