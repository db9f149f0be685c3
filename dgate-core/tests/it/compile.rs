use std::sync::Arc;

use dgate_core::Kind::{self, *};
use dgate_core::apply::resource_set;
use dgate_core::snapshot::{RouteLookup, Snapshot};
use dgate_core::tags::ServerTags;
use dgate_core::{Problems, compile};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::resource;

fn try_compile(resources: Vec<(Kind, Value)>) -> Result<(Snapshot, Problems), Problems> {
    let set = resource_set(resources.into_iter().map(|(kind, value)| resource(kind, value)));
    compile(&set, &ServerTags::default(), None)
}

fn snapshot(resources: Vec<(Kind, Value)>) -> Snapshot {
    try_compile(resources).unwrap().0
}

fn found(snapshot: &Snapshot, method: &str, path: &str) -> String {
    let namespace = snapshot.namespaces().by_name("default").unwrap();
    match namespace.find_route(&method.parse().unwrap(), path, &HeaderMap::new(), None) {
        RouteLookup::Found(found) => found.route.name.to_string(),
        RouteLookup::MethodNotAllowed(allowed) => {
            format!("405 {}", allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(","))
        }
        RouteLookup::NotFound => "404".to_owned(),
    }
}

#[test]
fn methods_and_head() {
    let snapshot = snapshot(vec![
        (Route, json!({ "name": "get", "paths": ["/a"], "methods": ["get"] })),
        (Route, json!({ "name": "any", "paths": ["/a"] })),
        (Route, json!({ "name": "post", "paths": ["/b"], "methods": ["POST", "PUT"] })),
        (Route, json!({ "name": "head", "paths": ["/c"], "methods": ["HEAD"] })),
        (Route, json!({ "name": "c", "paths": ["/c"], "methods": ["GET"] })),
        (Route, json!({ "name": "rest", "paths": ["/b/**"], "methods": ["GET"] })),
    ]);
    assert_eq!(found(&snapshot, "GET", "/a"), "get");
    assert_eq!(found(&snapshot, "HEAD", "/a"), "get", "HEAD goes where GET goes");
    assert_eq!(found(&snapshot, "DELETE", "/a"), "any");
    assert_eq!(found(&snapshot, "HEAD", "/c"), "head");
    assert_eq!(found(&snapshot, "GET", "/c"), "c");
    assert_eq!(found(&snapshot, "GET", "/b"), "rest", "the next rank is tried when the method does not fit");
    assert_eq!(found(&snapshot, "DELETE", "/b"), "405 POST,PUT,GET,HEAD");
    assert_eq!(found(&snapshot, "GET", "/x"), "404");
}

#[test]
fn conditions_rank_before_none_and_fall_through() {
    let snapshot = snapshot(vec![
        (Route, json!({ "name": "plain", "paths": ["/a"] })),
        (Route, json!({ "name": "v2", "paths": ["/a"], "match": { "headers": { "x-version": "2" } } })),
        (
            Route,
            json!({ "name": "v2q", "paths": ["/a"], "match": { "headers": { "x-version": "2" }, "query": { "q": "1" } } }),
        ),
    ]);
    let namespace = snapshot.namespaces().by_name("default").unwrap();
    let find = |version: Option<&str>, query: Option<&str>| {
        let mut headers = HeaderMap::new();
        version.map(|version| headers.insert("x-version", version.parse().unwrap()));
        match namespace.find_route(&Method::GET, "/a", &headers, query) {
            RouteLookup::Found(found) => found.route.name.to_string(),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(find(None, None), "plain");
    assert_eq!(find(Some("2"), None), "v2");
    assert_eq!(find(Some("2"), Some("q=1")), "v2q");
    assert_eq!(find(Some("3"), Some("q=1")), "plain");
}

#[test]
fn server_tags_decide_what_applies() {
    let set = resource_set(vec![
        resource(Namespace, json!({ "name": "eu", "tags": ["#region:eu"] })),
        resource(Route, json!({ "name": "stable", "paths": ["/a"] })),
        resource(Route, json!({ "name": "beta", "paths": ["/a"], "tags": ["#beta"] })),
        resource(Route, json!({ "name": "in-eu", "namespace": "eu", "paths": ["/a"] })),
    ]);
    let tags =
        |tags: &[&str]| ServerTags::parse(&tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>()).0;
    let (plain, _) = compile(&set, &ServerTags::default(), None).unwrap();
    assert_eq!(found(&plain, "GET", "/a"), "stable");
    assert!(plain.namespaces().by_name("eu").is_none());
    let (beta, _) = compile(&set, &tags(&["beta", "region:eu"]), Some(&plain)).unwrap();
    assert_eq!(found(&beta, "GET", "/a"), "beta");
    assert!(beta.namespaces().by_name("eu").is_some());
}

#[test]
fn what_is_wrong_is_said_all_at_once() {
    let problems = try_compile(vec![
        (Route, json!({ "name": "bad name", "paths": [] })),
        (Route, json!({ "name": "r", "paths": ["a", "/{", "/ok", "/ok"], "methods": ["GE T"], "service": "svc", "modules": ["m", "m"] })),
        (Service, json!({ "name": "s", "urls": ["nonsense", "http://a?x", "tcp://a"], "tls": { "cert": "x" } })),
        (Service, json!({ "name": "empty", "urls": [] })),
        (Domain, json!({ "name": "d", "patterns": ["http://x"], "cert": "-----BEGIN x" })),
        (Module, json!({ "name": "m", "payload": "%%%" })),
        (Module, json!({ "name": "two", "payload": "", "payload_raw": "" })),
        (Collection, json!({ "name": "c", "schema": { "type": "nope" } })),
        (Job, json!({ "name": "j", "module": "mm" })),
        (Job, json!({ "name": "k", "module": "m", "schedule": "@every 5" })),
        (Listener, json!({ "name": "l", "address": "6380" })),
        (Protocol, json!({ "name": "p", "format_definitions": [
            { "name": "a", "type": "unit8" }, { "name": "b", "type": "string", "length": "variable.c.length" } ] })),
        (Namespace, json!({ "name": "-n", "tags": ["#a b"] })),
    ])
    .unwrap_err()
    .to_string();
    for expected in [
        "route/default/bad name /name: name `bad name` may hold only letters, digits, `_`, `.` and `-`",
        "route/default/bad name /paths: `paths` must not be empty",
        "route/default/r /paths/0: path `a` does not start with `/` (write `/a`)",
        "route/default/r /paths/1: `{` without `}`",
        "route/default/r /paths/3: path `/ok` occurs twice",
        "route/default/r /methods/0: `GE T` is no method",
        "route/default/r /service: service `svc` does not exist in namespace `default`",
        "route/default/r /modules/1: module `m` occurs twice",
        "service/default/s /urls/0: `nonsense` has no scheme",
        "service/default/s /urls/1: a service URL has no query and no fragment",
        "service/default/s /urls/2: `tcp` URLs need a port",
        "service/default/s /tls/cert: `cert` without `key`",
        "service/default/empty /urls: `urls` must not be empty",
        "domain/default/d /patterns/0: `http://x` cannot be a part of a host name",
        "domain/default/d /cert: `cert` without `key`",
        "module/default/m /payload: `payload` is not base64",
        "module/default/two: only one of `payload`, `payload_raw` and `payload_file` is possible",
        "collection/default/c /schema/type: the schema is not valid",
        "job/default/j: a job needs `schedule` or `on`",
        "job/default/j /module: module `mm` does not exist in namespace `default` (did you mean `m`?)",
        "job/default/k /schedule: `@every 5`",
        "listener/default/l /address: `6380` is no `host:port`",
        "listener/default/l: a listener needs a `service`",
        "protocol/default/p /format_definitions/0/type: unknown type `unit8` (did you mean `uint8`?)",
        "protocol/default/p /format_definitions/1/length: `variable.c` is no earlier field",
        "namespace/-n /name: name `-n` must start with a letter or a digit",
        "namespace/-n /tags/0: tag `#a b`: ` ` is not allowed",
    ] {
        assert!(problems.contains(expected), "missing: {expected}\nin:\n{problems}");
    }
}

#[test]
fn routes_of_equal_rank_are_refused_naming_both() {
    for (first, second) in [
        (json!({ "paths": ["/a"] }), json!({ "paths": ["/a"] })),
        (json!({ "paths": ["/u/{id}"] }), json!({ "paths": ["/u/{name}"] })),
        (json!({ "paths": ["/a/*"] }), json!({ "paths": ["/a/**"] })),
        (
            json!({ "paths": ["/a"], "methods": ["GET", "PUT"] }),
            json!({ "paths": ["/a"], "methods": ["PUT"] }),
        ),
        (
            json!({ "paths": ["/a"], "match": { "headers": { "x": "1" } } }),
            json!({ "paths": ["/a"], "match": { "headers": { "y": "1" } } }),
        ),
    ] {
        let named = |mut value: Value, name: &str| {
            value["name"] = name.into();
            (Route, value)
        };
        let problems =
            try_compile(vec![named(first.clone(), "one"), named(second.clone(), "two")]).unwrap_err();
        assert!(problems.to_string().contains("of route `one`, with equal rank"), "{problems}");
        let mut second = second;
        second["priority"] = 1.into();
        assert!(try_compile(vec![named(first, "one"), named(second, "two")]).is_ok(), "priority settles it");
    }
    for (first, second) in [
        (json!({ "paths": ["/a"], "methods": ["GET"] }), json!({ "paths": ["/a"], "methods": ["PUT"] })),
        (json!({ "paths": ["/a"], "methods": ["GET"] }), json!({ "paths": ["/a"] })),
        (
            json!({ "paths": ["/a"], "match": { "headers": { "x": "1" } } }),
            json!({ "paths": ["/a"], "match": { "headers": { "x": "2" } } }),
        ),
    ] {
        let (mut first, mut second) = (first, second);
        first["name"] = "one".into();
        second["name"] = "two".into();
        assert!(try_compile(vec![(Route, first), (Route, second)]).is_ok());
    }
}

#[test]
fn one_route_with_two_paths_for_the_same_requests_is_refused() {
    let problems =
        try_compile(vec![(Route, json!({ "name": "r", "paths": ["/u/{a}", "/u/{b}"] }))]).unwrap_err();
    assert!(problems.to_string().contains("of this route"), "{problems}");
}

#[test]
fn domains_lead_to_namespaces_and_conflicts_name_both() {
    let base = vec![
        (Namespace, json!({ "name": "shop" })),
        (Domain, json!({ "name": "d", "namespace": "shop", "patterns": ["*.shop.example"] })),
    ];
    let compiled = snapshot(base.clone());
    let found = compiled.domains().find("a.shop.example").unwrap();
    assert_eq!(&*found.entry.namespace, "shop");
    assert_eq!(compiled.fallback(), compiled.namespaces().number("default"));

    let mut owned = base.clone();
    owned.push((Domain, json!({ "name": "own", "patterns": ["own.example"] })));
    assert_eq!(
        snapshot(owned).fallback(),
        None,
        "a default namespace with domains of its own takes nothing else"
    );

    let mut twice = base;
    twice.push((Domain, json!({ "name": "e", "patterns": ["*.shop.example"] })));
    let problems = try_compile(twice).unwrap_err();
    assert!(
        problems.to_string().contains("claims the same hosts as `*.shop.example` of domain/"),
        "{problems}"
    );
}

#[test]
fn only_what_changed_is_compiled_again() {
    let service = json!({ "name": "s", "urls": ["http://a"] });
    let route = |index: usize| {
        (Route, json!({ "name": format!("r{index}"), "paths": [format!("/{index}/**")], "service": "s" }))
    };
    let mut set = resource_set(
        [(Namespace, json!({ "name": "other" })), (Service, service)]
            .into_iter()
            .chain((0..100).map(route))
            .map(|(kind, value)| resource(kind, value)),
    );
    let tags = ServerTags::default();
    let (first, _) = compile(&set, &tags, None).unwrap();

    let mut changed = json!({ "name": "r7", "paths": ["/seven"], "service": "s" });
    let meta = set.iter().next().unwrap().meta;
    let put = |set: &mut dgate_core::stored::ResourceSet, value: &Value| {
        set.put(dgate_core::stored::StoredAny { spec: resource(Route, value.clone()), meta: meta.clone() });
    };
    put(&mut set, &changed);
    let (second, _) = compile(&set, &tags, Some(&first)).unwrap();
    assert_eq!(found(&first, "GET", "/7/x"), "r7", "the old snapshot is untouched");
    assert_eq!(found(&second, "GET", "/7/x"), "404");
    assert_eq!(found(&second, "GET", "/seven"), "r7");
    let namespace = |snapshot: &Snapshot, name: &str| snapshot.namespaces().by_name(name).unwrap().clone();
    assert!(Arc::ptr_eq(&namespace(&first, "other"), &namespace(&second, "other")));
    let (before, after) = (namespace(&first, "default"), namespace(&second, "default"));
    let kept = before
        .routes()
        .iter()
        .filter(|route| Arc::ptr_eq(route, after.routes().by_name(&route.name).unwrap()))
        .count();
    assert_eq!(kept, 99);
    assert_eq!(before.routes().number("r7"), after.routes().number("r7"), "a route keeps its number");

    // A change that is not valid leaves no trace, and mending it works.
    changed["paths"] = json!(["/8/**"]);
    put(&mut set, &changed);
    assert!(
        compile(&set, &tags, Some(&second)).unwrap_err().to_string().contains("can match the same requests")
    );
    changed["paths"] = json!(["/7/**"]);
    put(&mut set, &changed);
    let (third, _) = compile(&set, &tags, Some(&second)).unwrap();
    assert_eq!(found(&third, "GET", "/7/x"), "r7");
}
