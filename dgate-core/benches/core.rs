//! Micro-benchmarks of what is done for each request and for each change: `cargo bench -p dgate-core`.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "core/changes.rs"]
mod changes;
#[path = "core/requests.rs"]
mod requests;
#[path = "core/tags.rs"]
mod tags;

use dgate_core::apply::resource_set;
use dgate_core::resource::{AnyResource, Route, Service};
use dgate_core::snapshot::Snapshot;
use dgate_core::stored::ResourceSet;
use dgate_core::tags::ServerTags;

fn main() {
    divan::main();
}

/// A service, and routes of the kinds that people write.
fn resources(routes: usize) -> Vec<AnyResource> {
    let service = Service::new("api", ["http://10.0.0.7:8080", "http://10.0.0.8:8080"]);
    std::iter::once(service.into()).chain((0..routes).map(|index| route(index).into())).collect()
}

fn route(index: usize) -> Route {
    let path = match index % 4 {
        0 => format!("/v1/team-{index}/items"),
        1 => format!("/v1/team-{index}/items/{{id}}"),
        2 => format!("/v2/team-{index}/{{year:[0-9]+}}/{{month}}"),
        _ => format!("/static-{index}/**"),
    };
    Route::new(format!("route-{index}"), path).to_service("api")
}

/// A path that the route of this number matches.
fn path(index: usize) -> String {
    match index % 4 {
        0 => format!("/v1/team-{index}/items"),
        1 => format!("/v1/team-{index}/items/4711"),
        2 => format!("/v2/team-{index}/2024/05"),
        _ => format!("/static-{index}/img/logo.svg"),
    }
}

fn set(routes: usize) -> ResourceSet {
    resource_set(resources(routes))
}

fn compile(set: &ResourceSet, previous: Option<&Snapshot>) -> Snapshot {
    dgate_core::compile(set, &ServerTags::default(), previous).unwrap().0
}
