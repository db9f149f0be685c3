//! Windows and ramps, at their very instants.

use dgate_core::apply::{Applier, ChangeSet, Environment};
use dgate_core::clock::ManualClock;
use dgate_core::event::NoEvents;
use dgate_core::store::MemoryStore;
use dgate_core::tags::Applies;
use serde_json::json;

use super::{active, applies, instant, server};
use crate::resource;

#[test]
fn windows_are_half_open() {
    let tags = [
        "@(2026-01-01T00:00:00Z)#from:x",
        "@(2026-01-01T00:00:00Z..2026-02-01T00:00:00Z)#window:x",
        "@(..2026-02-01T00:00:00Z)#until:x",
    ];
    for (at, from, window, until) in [
        ("2025-12-31T23:59:59.999999999Z", false, false, true),
        ("2026-01-01T00:00:00Z", true, true, true),
        ("2026-01-31T23:59:59.999999999Z", true, true, true),
        ("2026-02-01T00:00:00Z", true, false, false),
    ] {
        let active = active(&tags, at);
        let is = |condition| applies(condition, &active) == Applies::Always;
        assert_eq!((is("#from:x"), is("#window:x"), is("#until:x")), (from, window, until), "{at}");
    }
}

#[test]
fn ramps_go_evenly_and_stay_at_their_end() {
    for (tag, shares) in [
        (
            "@(2026-01-01T00:00:00Z..2026-01-01T04:00:00Z)#canary@1%..50%:v2",
            ["1%", "13.25%", "25.5%", "37.75%", "50%"],
        ),
        (
            "@(2026-01-01T00:00:00Z..2026-01-01T04:00:00Z)#canary@100%..0%:v2",
            ["100%", "75%", "50%", "25%", "0%"],
        ),
        (
            "@(2026-01-01T00:00:00Z..2026-01-01T04:00:00Z)#canary@0%..0.000004%:v2",
            ["0%", "0.000001%", "0.000002%", "0.000003%", "0.000004%"],
        ),
    ] {
        let before = active(&[tag], "2025-12-31T23:59:59.999Z");
        assert_eq!(applies("#canary:v2", &before), Applies::Never, "nobody, before it begins");
        let during = active(&[tag], "2026-01-01T00:00:00Z");
        assert!(during.has_ramps());
        let share = |active: &dgate_core::tags::ActiveTags, at: &str| {
            active.canaries().next().unwrap().1.share(instant(at))
        };
        for (hour, expected) in shares.iter().enumerate() {
            assert_eq!(share(&during, &format!("2026-01-01T0{hour}:00:00Z")), *expected, "{tag} {hour}");
        }
        let after = active(&[tag], "2026-01-01T04:00:00Z");
        assert!(!after.has_ramps(), "nobody has to look at the time any more");
        assert_eq!(share(&after, "2030-01-01T00:00:00Z"), shares[4]);
    }
}

#[test]
fn edges_are_told_in_order() {
    let server = server(&[
        "fixed",
        "@(2026-03-01T00:00:00Z)#a",
        "@(2026-01-01T00:00:00Z..2026-02-01T00:00:00Z)#b",
        "@(2026-01-15T00:00:00Z..2026-04-01T00:00:00Z)#canary@1%..50%:v2",
    ]);
    let edges = server.edges_between(instant("2026-01-01T00:00:00Z"), instant("2026-03-31T00:00:00Z"));
    let told: Vec<_> =
        edges.iter().map(|edge| format!("{} {:?} {}", edge.at, edge.kind, edge.tag.name)).collect();
    assert_eq!(
        told,
        [
            "2026-01-15T00:00:00Z Begins canary",
            "2026-02-01T00:00:00Z Ends b",
            "2026-03-01T00:00:00Z Begins a"
        ]
    );
    assert_eq!(server.at(instant("2026-03-01T00:00:00Z")).next_edge(), Some(instant("2026-04-01T00:00:00Z")));
    assert_eq!(server.at(instant("2026-04-01T00:00:00Z")).next_edge(), None);
}

/// A pipeline on a server with tags, by a clock that stands still until it is set.
async fn pipeline(tags: &[&str], at: &str) -> (Applier, ManualClock) {
    let clock = ManualClock::new(instant(at));
    let environment = Environment { tags: server(tags), ..Environment::default() };
    let store = std::sync::Arc::new(MemoryStore::new());
    let (applier, worker) = Applier::new(store, Vec::new(), std::sync::Arc::new(NoEvents), environment);
    let mut worker = worker.by_clock(clock.clock());
    worker.load().await.unwrap();
    tokio::spawn(worker.run());
    (applier, clock)
}

fn routes(applier: &Applier) -> Vec<String> {
    let live = applier.live().load();
    let namespace = live.snapshot.namespaces().by_name("default").unwrap().clone();
    let mut names: Vec<_> = namespace.routes().iter().map(|route| route.name.to_string()).collect();
    names.sort();
    names
}

/// Sets the clock, and waits until what it brings about is live.
async fn pass(applier: &Applier, clock: &ManualClock, at: &str) {
    clock.set(instant(at));
    while applier.live().load().snapshot.tags().instant() < instant(at) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_depends_on_time_goes_live_at_its_instant() {
    let tags = ["@(2026-01-01T00:00:00Z..2026-02-01T00:00:00Z)#season:sale", "@(2026-01-15T00:00:00Z)#late"];
    let (applier, clock) = pipeline(&tags, "2025-12-01T00:00:00Z").await;
    let route = |name: &str, tags: serde_json::Value| {
        resource(dgate_core::Kind::Route, json!({ "name": name, "paths": ["/a"], "tags": tags }))
    };
    let changes = ChangeSet::new()
        .put(route("always", json!(["team:web"])))
        .put(route("sale", json!(["#season:sale"])))
        .put(route("late-sale", json!(["#season:sale", "#late"])));
    let revision = applier.apply(changes).await.unwrap().revision;
    assert_eq!(routes(&applier), ["always"]);

    let untouched = |applier: &Applier| {
        let live = applier.live().load();
        live.snapshot.namespaces().by_name("default").unwrap().routes().by_name("always").unwrap().clone()
    };
    let before = untouched(&applier);
    pass(&applier, &clock, "2026-01-01T00:00:00Z").await;
    assert_eq!(routes(&applier), ["always", "sale"]);
    pass(&applier, &clock, "2026-01-15T00:00:00Z").await;
    assert_eq!(routes(&applier), ["always", "late-sale", "sale"]);
    pass(&applier, &clock, "2026-02-01T00:00:00Z").await;
    assert_eq!(routes(&applier), ["always"]);
    assert!(std::sync::Arc::ptr_eq(&before, &untouched(&applier)), "only what an edge touches is compiled");
    assert_eq!(applier.live().load().revision, revision, "time makes no revision");
    assert_eq!(applier.live().generations_alive(), 1);
}

#[tokio::test]
async fn tags_of_a_namespace_come_and_go_with_time() {
    let (applier, clock) = pipeline(&[], "2025-12-01T00:00:00Z").await;
    let namespace = |tag: &str| {
        let json = json!({ "name": "default", "server_tags": [tag] });
        resource(dgate_core::Kind::Namespace, json)
    };
    let route = json!({ "name": "sale", "paths": ["/a"], "tags": ["#season:sale"] });
    let changes = ChangeSet::new()
        .put(resource(dgate_core::Kind::Route, route))
        .put(namespace("@(2026-01-01T00:00:00Z..2026-02-01T00:00:00Z)#season:sale"));
    applier.apply(changes).await.unwrap();
    for (at, expected) in [("2026-01-01T00:00:00Z", &["sale"][..]), ("2026-02-01T00:00:00Z", &[])] {
        assert_eq!(routes(&applier).is_empty(), !expected.is_empty());
        pass(&applier, &clock, at).await;
        assert_eq!(routes(&applier), expected);
    }
    assert_eq!(applier.live().load().snapshot.next_edge(), None);
}

#[tokio::test]
async fn a_tie_that_time_brings_about_is_settled_and_one_that_somebody_wishes_is_refused() {
    let tags = ["@(2026-01-01T00:00:00Z)#a", "@(2026-02-01T00:00:00Z)#b"];
    let (applier, clock) = pipeline(&tags, "2025-12-01T00:00:00Z").await;
    let route = |name: &str, tag: &str| {
        resource(dgate_core::Kind::Route, json!({ "name": name, "paths": ["/a"], "tags": [tag] }))
    };
    applier.apply(ChangeSet::new().put(route("one", "#a")).put(route("two", "#b"))).await.unwrap();
    pass(&applier, &clock, "2026-02-01T00:00:00Z").await;
    assert_eq!(routes(&applier), ["one", "two"]);
    let live = applier.live().load();
    let found = live.snapshot.namespaces().by_name("default").unwrap().find_route(
        &http::Method::GET,
        "/a",
        &http::HeaderMap::new(),
        None,
    );
    assert!(
        matches!(found, dgate_core::snapshot::RouteLookup::Found(found) if &*found.route.name == "one"),
        "by name"
    );
    let error = applier.apply(ChangeSet::new().put(route("three", "#a"))).await.unwrap_err();
    assert!(error.to_string().contains("with equal rank"), "{error}");
}
