//! Explanations and plans, told about one gateway.

use dgate_core::Kind::*;
use dgate_core::apply::resource_set;
use dgate_core::clock::ManualClock;
use dgate_core::compile::compile_at;
use dgate_core::explain::{Candidate, Explanation, Question, explain};
use dgate_core::snapshot::Snapshot;
use dgate_core::tags::ServerTags;
use dgate_core::timeline::plan;
use serde_json::json;

use crate::resource;

fn snapshot() -> Snapshot {
    let tags = ["region:eu", "canary@50%:v2", "@(2026-02-01T00:00:00Z..2026-03-01T00:00:00Z)#season:sale"];
    let (tags, problems) = ServerTags::parse(&tags.map(str::to_owned));
    assert!(problems.is_empty(), "{problems}");
    let resources = [
        resource(Namespace, json!({ "name": "shop", "tags": ["#region:eu"], "server_tags": ["own@100%:x"] })),
        resource(Namespace, json!({ "name": "us", "tags": ["#region:us"] })),
        resource(Domain, json!({ "name": "d", "namespace": "shop", "patterns": ["{tenant}.shop.example"] })),
        resource(Domain, json!({ "name": "d", "namespace": "us", "patterns": ["*.shop.example"] })),
        resource(
            Service,
            json!({ "name": "s", "namespace": "shop", "urls": [
            "http://10.0.0.1", { "url": "http://10.0.0.2", "tags": ["#canary:v2"] } ] }),
        ),
        resource(
            Module,
            json!({ "name": "m", "namespace": "shop", "payload_raw": "", "tags": ["!canary:v2"] }),
        ),
        resource(
            Route,
            json!({ "name": "item", "namespace": "shop", "paths": ["/items/{id}"], "service": "s", "modules": ["m"] }),
        ),
        resource(
            Route,
            json!({ "name": "item-v2", "namespace": "shop", "paths": ["/items/{id}"], "service": "s", "tags": ["#canary:v2", "#region"] }),
        ),
        resource(
            Route,
            json!({ "name": "post", "namespace": "shop", "paths": ["/items/**"], "methods": ["POST"], "priority": 1 }),
        ),
        resource(
            Route,
            json!({ "name": "debug", "namespace": "shop", "paths": ["/items/*"], "priority": 2,
            "match": { "headers": { "x-debug": "1" } } }),
        ),
        resource(
            Route,
            json!({ "name": "sale", "namespace": "shop", "paths": ["/items/**"], "tags": ["#season:sale"] }),
        ),
    ];
    let clock = ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap()).clock();
    compile_at(&resource_set(resources), &tags, &clock, None).unwrap().0
}

fn of_user(user: &str) -> Question {
    Question { key: Some(user.to_owned()), ..Question::get("acme.shop.example:8080", "/items/x/../4%2f2") }
}

fn told(candidates: &[Candidate]) -> Vec<String> {
    candidates
        .iter()
        .map(|one| format!("{}{}: {}", if one.chosen { "* " } else { "" }, one.resource, one.why))
        .collect()
}

#[test]
fn each_candidate_says_why() {
    let snapshot = snapshot();
    let in_canary = explain(&snapshot, &of_user("user-3"));
    assert_eq!(
        told(&in_canary.domains),
        [
            "* domain/shop/d: the first one that matches",
            "domain/us/d: `#region:us` does not hold: the server does not have `region:us`",
        ]
    );
    assert_eq!(
        told(&in_canary.routes),
        [
            "route/shop/debug: not so: header x-debug is `1`",
            "route/shop/post: it takes POST, not GET",
            "* route/shop/item-v2: the first one that matches",
            "route/shop/item: another one goes before",
            "route/shop/sale: `#season:sale` does not hold: the server does not have `season:sale`",
        ]
    );
    assert_eq!(in_canary.path_parameters["id"], "4/2");
    assert_eq!(in_canary.domain_parameters["tenant"], "acme");
    assert_eq!(in_canary.variant.as_deref(), Some("canary:v2"));
    assert_eq!(in_canary.outcome, "route/shop/item-v2 takes it, and service/shop/s answers");
    let tags: Vec<_> = in_canary.tags.iter().map(|tag| (tag.carried, tag.why.as_str())).collect();
    assert_eq!(
        tags,
        [
            (true, "always"),
            (true, "`user-3` is among the 50% of clients who get it"),
            (false, "not at this instant: from 2026-02-01T00:00:00Z until 2026-03-01T00:00:00Z"),
            (true, "`user-3` is among the 100% of clients who get it"),
        ]
    );

    let others = explain(&snapshot, &of_user("user-2"));
    assert_eq!(others.route.as_deref(), Some("item"));
    assert_eq!(
        told(&others.routes)[2],
        "route/shop/item-v2: `#canary:v2` does not hold: this request does not carry `canary:v2`"
    );
    assert_eq!(told(&others.modules), ["* module/shop/m: all of its conditions hold"]);
    assert_eq!(
        told(&others.endpoints),
        [
            "* http://10.0.0.1: it has no conditions",
            "http://10.0.0.2: `#canary:v2` does not hold: this request does not carry `canary:v2`",
        ]
    );
    assert_eq!(others.variant, None);
    assert_eq!(others.service.as_ref().unwrap().resource, "service/shop/s");
}

#[test]
fn forced_answers_keys_and_methods_are_heeded() {
    let snapshot = snapshot();
    let forced = Question { forced: vec!["canary:v2".to_owned()], ..of_user("user-2") };
    let explanation = explain(&snapshot, &forced);
    assert_eq!(explanation.route.as_deref(), Some("item-v2"));
    assert_eq!(explanation.tags[1].why, "forced");
    let nobody = Question { key: None, ..of_user("") };
    let explanation = explain(&snapshot, &nobody);
    assert_eq!(explanation.route.as_deref(), Some("item"));
    assert_eq!(
        explanation.tags[1].why,
        "for 50% of the requests; without a key, this one is taken not to be one of them"
    );
    let post = Question { method: http::Method::POST, ..of_user("user-2") };
    let explanation = explain(&snapshot, &post);
    assert_eq!(explanation.route.as_deref(), Some("post"));
    assert_eq!(
        explanation.outcome,
        "501: route/shop/post takes it, and has neither a service nor modules that apply"
    );
}

#[test]
fn what_nobody_takes_is_explained_too() {
    let snapshot = snapshot();
    let outcome = |host: &str, path: &str| explain(&snapshot, &Question::get(host, path)).outcome;
    assert_eq!(outcome("acme.shop.example", "/nothing"), "404: no route of namespace `shop` takes it");
    assert_eq!(outcome("other.example", "/"), "404: no route of namespace `default` takes it");
    let (tags, _) = ServerTags::parse(&[]);
    let resources = [
        resource(Namespace, json!({ "name": "default", "tags": ["#edge"] })),
        resource(Route, json!({ "name": "get", "paths": ["/a"], "methods": ["GET"] })),
    ];
    let (closed, _) = dgate_core::compile(&resource_set(resources), &tags, None).unwrap();
    assert_eq!(
        explain(&closed, &Question::get("a.example", "/a")).outcome,
        "404: no domain claims a.example, and the namespace `default` does not apply: `#edge` does not hold: \
         the server does not have `edge`"
    );
}

#[test]
fn another_instant_is_another_answer() {
    let snapshot = snapshot();
    let later = snapshot.at("2026-02-15T00:00:00Z".parse().unwrap()).unwrap();
    let question = Question::get("acme.shop.example", "/items/a/b");
    assert_eq!(explain(&snapshot, &question).route, None);
    let explanation = explain(&later, &question);
    assert_eq!(explanation.route.as_deref(), Some("sale"));
    assert_eq!(explanation.at, "2026-02-15T00:00:00Z".parse().unwrap());
    // What clients read is what was said.
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(serde_json::from_value::<Explanation>(json).unwrap(), explanation);
}

#[test]
fn a_plan_tells_each_edge_and_what_it_touches() {
    let snapshot = snapshot();
    let edges = plan(&snapshot, "2026-02-28T00:00:00Z".parse().unwrap());
    assert_eq!(
        serde_json::to_value(&edges).unwrap(),
        json!([{
            "at": "2026-02-01T00:00:00Z",
            "tags": [{ "tag": "@(2026-02-01T00:00:00Z..2026-03-01T00:00:00Z)#season:sale", "change": "begins" }],
            "begins": ["route/shop/sale"],
            "begins_for_some": [],
            "ends": [],
        }])
    );
    let edges = plan(&snapshot, "2026-03-01T00:00:00Z".parse().unwrap());
    assert_eq!((edges.len(), edges[1].ends.as_slice()), (2, &["route/shop/sale".to_owned()][..]));
}
