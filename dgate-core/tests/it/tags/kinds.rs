//! What tags do to each kind of resource, as a snapshot shows it.

use std::sync::Arc;

use dgate_core::Kind::*;
use dgate_core::apply::resource_set;
use dgate_core::clock::ManualClock;
use dgate_core::compile::{compile_among, compile_at};
use dgate_core::resource::AnyResource;
use dgate_core::snapshot::{RouteLookup, Snapshot};
use dgate_core::stored::StoredAny;
use dgate_core::tags::{CanaryKey, RequestTags, ServerTags, Servers};
use dgate_core::{Problems, compile};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::{instant, server};
use crate::resource;

const NOW: &str = "2026-01-01T00:00:00Z";

fn try_compile(tags: &[&str], resources: Vec<AnyResource>) -> Result<(Snapshot, Problems), Problems> {
    let clock = ManualClock::new(instant(NOW)).clock();
    compile_at(&resource_set(resources), &server(tags), &clock, None)
}

fn snapshot(tags: &[&str], resources: Vec<AnyResource>) -> Snapshot {
    try_compile(tags, resources).unwrap().0
}

fn of(snapshot: &Snapshot, user: &str) -> RequestTags {
    snapshot.request_tags(CanaryKey::of(user.as_bytes()))
}

fn found(snapshot: &Snapshot, path: &str, user: &str) -> String {
    let namespace = snapshot.namespaces().by_name("default").unwrap();
    let mut tags = of(snapshot, user);
    match namespace.find_route_for(&Method::GET, path, &HeaderMap::new(), None, Some(&mut tags)) {
        RouteLookup::Found(found) => found.route.name.to_string(),
        RouteLookup::MethodNotAllowed(_) => "405".to_owned(),
        RouteLookup::NotFound => "404".to_owned(),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "reads well at the call")]
fn route(name: &str, tags: Value) -> AnyResource {
    resource(Route, json!({ "name": name, "paths": ["/a"], "tags": tags, "service": "s" }))
}

#[allow(clippy::needless_pass_by_value, reason = "reads well at the call")]
fn service(name: &str, tags: Value) -> AnyResource {
    resource(Service, json!({ "name": name, "urls": ["http://a"], "tags": tags }))
}

/// At 50 %, user-3 draws `canary:v2`, and user-2 does not.
const CANARY: &[&str] = &["canary@50%:v2"];

#[test]
fn a_canary_route_stands_beside_the_stable_one() {
    let stable = || route("stable", json!([]));
    for resources in [
        vec![service("s", json!([])), stable(), route("canary", json!(["#canary:v2"]))],
        vec![service("s", json!([])), route("canary", json!(["#canary:v2"])), stable()],
        // Both conditional, and never both there.
        vec![
            service("s", json!([])),
            route("canary", json!(["#canary:v2"])),
            route("stable", json!(["!canary:v2"])),
        ],
    ] {
        let snapshot = snapshot(CANARY, resources);
        assert_eq!(found(&snapshot, "/a", "user-3"), "canary");
        assert_eq!(found(&snapshot, "/a", "user-2"), "stable");
    }
    let two = vec![
        service("s", json!([])),
        route("one", json!(["#canary:v2"])),
        route("two", json!(["#canary:v3"])),
    ];
    let problems = try_compile(&["canary@50%:v2", "canary@50%:v3"], two).unwrap_err();
    assert!(problems.to_string().contains("with equal rank"), "a request may carry both: {problems}");
}

#[test]
fn without_the_tag_the_next_rank_is_tried() {
    let wide = resource(Route, json!({ "name": "wide", "paths": ["/**"] }));
    let snapshot =
        snapshot(CANARY, vec![service("s", json!([])), route("canary", json!(["#canary:v2"])), wide]);
    assert_eq!(found(&snapshot, "/a", "user-3"), "canary");
    assert_eq!(found(&snapshot, "/a", "user-2"), "wide");
}

#[test]
fn a_canary_domain_stands_beside_the_stable_one() {
    let domain = |name: &str, namespace: &str, pattern: &str, tags: Value| {
        resource(Domain, json!({ "name": name, "namespace": namespace, "patterns": [pattern], "tags": tags }))
    };
    let namespace = |name: &str, tags: Value| resource(Namespace, json!({ "name": name, "tags": tags }));
    for pattern in ["a.example", "*.example", "{x}.example", "/^a/", "*a*"] {
        for (stable, canary) in [
            // The domain itself, or its namespace with it.
            (namespace("stable", json!([])), namespace("new", json!([]))),
            (namespace("stable", json!(["!canary:v2"])), namespace("new", json!(["#canary:v2"]))),
        ] {
            let is_on_domain = canary == namespace("new", json!([]));
            let tags = if is_on_domain { json!(["#canary:v2"]) } else { json!([]) };
            let resources = vec![
                stable,
                canary,
                domain("s", "stable", pattern, json!([])),
                domain("c", "new", pattern, tags),
                domain("all", "stable", "*", json!([])),
            ];
            let snapshot = snapshot(CANARY, resources);
            let lead = |user: &str| {
                let mut tags = of(&snapshot, user);
                snapshot.domains().find_for("a.example", Some(&mut tags)).unwrap().entry.namespace.to_string()
            };
            assert_eq!(
                (lead("user-3"), lead("user-2")),
                ("new".to_owned(), "stable".to_owned()),
                "{pattern}"
            );
        }
    }
    let resources = vec![
        namespace("n", json!([])),
        domain("one", "n", "a.example", json!(["#canary:v2"])),
        domain("two", "n", "a.example", json!(["#canary"])),
    ];
    let problems = try_compile(CANARY, resources).unwrap_err();
    assert!(problems.to_string().contains("claims the same hosts as"), "{problems}");
}

#[test]
fn services_urls_and_modules_ask_for_bits() {
    let module =
        |name: &str, tags: Value| resource(Module, json!({ "name": name, "payload_raw": "", "tags": tags }));
    let resources = vec![
        resource(
            Service,
            json!({ "name": "s", "tags": ["#canary"], "urls": [
                "http://always",
                { "url": "http://some", "tags": ["#canary:v2"] },
                { "url": "http://never", "tags": ["#edge"] },
            ] }),
        ),
        module("always", json!([])),
        module("some", json!(["#canary:v2"])),
        module("others", json!(["!canary:v2"])),
        module("never", json!(["#edge"])),
        resource(
            Route,
            json!({ "name": "r", "paths": ["/a"], "service": "s", "modules": ["always", "some", "others", "never"] }),
        ),
    ];
    let (snapshot, warnings) = try_compile(CANARY, resources).unwrap();
    assert_eq!(
        warnings
            .iter()
            .filter(|warning| warning.message == "no tag of this server ever satisfies `#edge`")
            .count(),
        2,
        "{warnings}"
    );
    let namespace = snapshot.namespaces().by_name("default").unwrap();
    let service = namespace.services().by_name("s").unwrap();
    let route = namespace.routes().by_name("r").unwrap();
    assert!(service.rule.as_ref().unwrap().holds(1) && !service.rule.as_ref().unwrap().holds(0));
    let urls: Vec<_> = service.urls.iter().map(|url| (&*url.host, url.rule.is_some())).collect();
    assert_eq!(urls, [("always", false), ("some", true)]);
    assert_eq!((service.url_bits(), namespace.module_bits(route), namespace.canary_bits(route)), (1, 1, 1));
    assert_eq!(namespace.modules_of(route, 1).collect::<Vec<_>>(), ["always", "some"]);
    assert_eq!(namespace.modules_of(route, 0).collect::<Vec<_>>(), ["always", "others"]);
    assert!(namespace.has_module("some") && !namespace.has_module("never"));
}

#[test]
fn what_has_no_request_refuses_canaries_also_those_to_come() {
    let pem =
        json!({ "name": "d", "patterns": ["a.example"], "cert": "-----BEGIN x", "key": "-----BEGIN x" });
    for (kind, mut value, reason) in [
        (Listener, json!({ "name": "l", "address": "127.0.0.1:1", "service": "t" }), "a listener has none"),
        (Job, json!({ "name": "j", "module": "m", "schedule": "@hourly" }), "a job has none"),
        (
            Protocol,
            json!({ "name": "p", "format_definitions": [{ "name": "a", "type": "uint8" }] }),
            "a protocol has none",
        ),
        (Collection, json!({ "name": "c" }), "a collection is the same for all of them"),
        (Secret, json!({ "name": "x", "data": "x" }), "a secret is the same for all of them"),
        (Domain, pem, "the certificate is chosen before there is one"),
    ] {
        let others = || {
            vec![
                resource(Service, json!({ "name": "t", "urls": ["tcp://a:1"] })),
                resource(Module, json!({ "name": "m", "payload_raw": "" })),
            ]
        };
        let mut with = |tags: Value| {
            value["tags"] = tags;
            let mut resources = others();
            resources.push(resource(kind, value.clone()));
            resources
        };
        let later = "@(2030-01-01T00:00:00Z)#canary@1%:later";
        for tag in ["#canary:v2", "!canary", "?canary:v2,v3", "#canary:later"] {
            let problems = try_compile(&["canary@50%:v2", later], with(json!([tag]))).unwrap_err();
            let expected = format!("/tags/0: `{tag}` is decided for each request, and {reason}");
            assert!(problems.to_string().contains(&expected), "{problems}");
        }
        let tags = ["canary:v2", "@(2020-01-01T00:00:00Z)#canary:v3"];
        let fixed = try_compile(&tags, with(json!(["#canary:v2,v3"])));
        assert!(fixed.is_ok(), "fixed and timed tags are fine: {:?}", fixed.err());
    }
}

#[test]
fn a_namespace_for_some_requests_cannot_hold_what_has_none() {
    let resources = vec![
        resource(Namespace, json!({ "name": "n", "tags": ["#canary:v2"] })),
        resource(Service, json!({ "name": "t", "namespace": "n", "urls": ["tcp://a:1"] })),
        resource(
            Listener,
            json!({ "name": "l", "namespace": "n", "address": "127.0.0.1:1", "service": "t" }),
        ),
    ];
    let problems = try_compile(CANARY, resources).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "namespace/n /tags/0: `#canary:v2` is decided for each request, and listener/n/l has none \
         (it asks for a canary tag of this server: use a tag without a share)"
    );
}

#[test]
fn what_is_not_compiled_says_whether_it_applies() {
    let tagged = |kind, mut value: Value, tag: &str| {
        value["tags"] = json!([tag]);
        resource(kind, value)
    };
    for (tag, expected) in [("#region:eu", true), ("!region:eu", false), ("#late", false), ("label", true)] {
        let resources = vec![
            resource(Module, json!({ "name": "m", "payload_raw": "" })),
            resource(Service, json!({ "name": "t", "urls": ["tcp://a:1"] })),
            tagged(Listener, json!({ "name": "x", "address": "127.0.0.1:1", "service": "t" }), tag),
            tagged(Job, json!({ "name": "x", "module": "m", "schedule": "@hourly" }), tag),
            tagged(
                Protocol,
                json!({ "name": "x", "format_definitions": [{ "name": "a", "type": "uint8" }] }),
                tag,
            ),
            tagged(Collection, json!({ "name": "x" }), tag),
            tagged(Secret, json!({ "name": "x", "data": "x" }), tag),
            tagged(Module, json!({ "name": "x", "payload_raw": "" }), tag),
        ];
        let snapshot = snapshot(&["region:eu", "@(2030-01-01T00:00:00Z)#late"], resources);
        let namespace = snapshot.namespaces().by_name("default").unwrap();
        for kind in [Listener, Job, Protocol, Collection, Secret, Module] {
            assert_eq!(namespace.applies(kind, "x"), expected, "{kind} {tag}");
        }
    }
}

#[test]
fn conditions_that_never_hold_are_warned_of() {
    let warned = |tags: &[&str]| {
        let resources = vec![service("s", json!([])), route("r", json!(tags))];
        let server =
            ["region:eu", "@(..2020-01-01T00:00:00Z)#past", "@(2030-01-01T00:00:00Z)#future", "c@1%:x"];
        try_compile(&server, resources).unwrap().1.to_string()
    };
    assert_eq!(warned(&["#region:eu", "#future", "#c:x", "!past"]), "");
    for (tag, index) in [("#region:mars", 0), ("#past", 0), ("!region", 0), ("?*c:y,z", 0)] {
        let expected =
            format!("warning: route/default/r /tags/{index}: no tag of this server ever satisfies `{tag}`");
        assert_eq!(warned(&[tag]), expected);
    }
    assert_eq!(
        warned(&["#c:x", "!c:x"]),
        "warning: route/default/r /tags: its conditions never hold together on this server"
    );
}

#[test]
fn conditions_are_judged_by_all_servers_of_a_cluster() {
    let others = vec![
        server(&["region:us", "canary@1%:v2"]),
        server(&["region:mars", "@(2030-01-01T00:00:00Z)#late"]),
    ];
    let of = |resources: Vec<AnyResource>, others: Vec<ServerTags>| {
        let servers = Servers { own: server(&["region:eu"]), others };
        compile_among(&resource_set(resources), &servers, &ManualClock::new(instant(NOW)).clock(), None)
    };
    let warned = |tags: &[&str]| {
        let resources = vec![service("s", json!([])), route("r", json!(tags))];
        of(resources, others.clone()).unwrap().1.to_string()
    };
    for tags in
        [&["#region:eu"][..], &["#region:us"], &["#region:mars", "#late"], &["#canary:v2"], &["!region:eu"]]
    {
        assert_eq!(warned(tags), "", "{tags:?}: one of them could");
    }
    assert_eq!(
        warned(&["#region:venus"]),
        "warning: route/default/r /tags/0: no tag of any of the 3 servers ever satisfies `#region:venus`"
    );
    assert_eq!(
        warned(&["#region:us", "#late"]),
        "warning: route/default/r /tags: its conditions never hold together on any one of the 3 servers"
    );
    let unknown = vec![ServerTags::default()];
    let resources = || vec![service("s", json!([])), route("r", json!(["#region:venus"]))];
    assert_eq!(of(resources(), unknown).unwrap().1.to_string(), "", "who knows what the other one has");

    // What one server has to refuse, no server takes.
    let job = || {
        vec![
            resource(Module, json!({ "name": "m", "payload_raw": "" })),
            resource(
                Job,
                json!({ "name": "j", "module": "m", "schedule": "@hourly", "tags": ["#canary:v2"] }),
            ),
        ]
    };
    let problems = of(job(), others).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "job/default/j /tags/0: `#canary:v2` is decided for each request, and a job has none \
         (it asks for a canary tag of another server: use a tag without a share)"
    );
    assert!(of(job(), Vec::new()).is_ok());
}

#[test]
fn the_same_tags_compile_nothing_again() {
    let set = resource_set(vec![service("s", json!([])), route("canary", json!(["#canary:v2"]))]);
    let (first, _) = compile(&set, &server(&["canary@1%:v2"]), None).unwrap();
    let (again, _) = compile(&set, &server(&["canary@1%:v2"]), Some(&first)).unwrap();
    let of = |snapshot: &Snapshot| snapshot.namespaces().by_name("default").unwrap().clone();
    assert!(Arc::ptr_eq(&of(&first), &of(&again)));
    let (wider, _) = compile(&set, &server(&["canary@50%:v2"]), Some(&again)).unwrap();
    assert_eq!(found(&wider, "/a", "user-3"), "canary");
    assert_eq!(found(&again, "/a", "user-3"), "404");
}

fn namespace(tags: &[&str]) -> AnyResource {
    resource(Namespace, json!({ "name": "default", "server_tags": tags }))
}

#[test]
fn a_namespace_adds_tags_that_only_it_sees() {
    let other = |kind, mut value: Value| {
        value["namespace"] = json!("other");
        resource(kind, value)
    };
    let base = resource_set(vec![
        service("s", json!([])),
        route("stable", json!([])),
        route("canary", json!(["#canary:v2", "#region:eu"])),
        resource(Domain, json!({ "name": "d", "patterns": ["a.example"], "tags": ["#canary:v2"] })),
        resource(Namespace, json!({ "name": "other" })),
        other(Route, json!({ "name": "canary", "paths": ["/a"], "tags": ["#canary:v2"] })),
    ]);
    let meta = base.iter().next().unwrap().meta;
    let compile = |tags: &[&str], previous: Option<&Snapshot>| {
        let clock = ManualClock::new(instant(NOW)).clock();
        let mut set = base.clone();
        set.put(StoredAny { spec: namespace(tags), meta: meta.clone() });
        compile_at(&set, &server(&["region:eu"]), &clock, previous).unwrap().0
    };
    let user_3 = |snapshot: &Snapshot, namespace: &str| {
        let mut tags = of(snapshot, "user-3");
        let namespace = snapshot.namespaces().by_name(namespace).unwrap();
        tags.enter(snapshot.tags_in(namespace.id));
        match namespace.find_route_for(&Method::GET, "/a", &HeaderMap::new(), None, Some(&mut tags)) {
            RouteLookup::Found(found) => found.route.name.to_string(),
            other => format!("{other:?}"),
        }
    };
    let before = compile(&[], None);
    assert!(!before.has_canaries());
    assert_eq!(user_3(&before, "default"), "stable");
    let narrow = compile(&["canary@1%:v2"], Some(&before));
    assert!(narrow.has_canaries());
    assert_eq!(user_3(&narrow, "default"), "stable");
    let wide = compile(&["canary@50%:v2"], Some(&narrow));
    assert_eq!(user_3(&wide, "default"), "canary");
    assert_eq!(user_3(&wide, "other"), "NotFound");
    assert!(wide.domains().is_empty(), "domains are looked at before the namespace is known");
    let of_default = |snapshot: &Snapshot| {
        snapshot.namespaces().by_name("default").unwrap().routes().by_name("canary").unwrap().clone()
    };
    assert!(Arc::ptr_eq(&of_default(&narrow), &of_default(&wide)), "a wider share compiles no route again");
    let all = compile(&["canary:v2"], Some(&wide));
    assert!(!all.has_canaries());
    assert_eq!(user_3(&all, "default"), "canary");
    assert_eq!(user_3(&compile(&[], Some(&all)), "default"), "stable");
}

#[test]
fn tags_of_a_namespace_are_checked_like_those_of_a_server() {
    let with = |tags: &[&str]| {
        vec![
            namespace(tags),
            resource(Service, json!({ "name": "t", "urls": ["tcp://a:1"] })),
            resource(
                Listener,
                json!({ "name": "l", "address": "127.0.0.1:1", "service": "t", "tags": ["!canary:v2"] }),
            ),
        ]
    };
    assert!(try_compile(&[], with(&["canary:v2"])).is_ok());
    for (tags, expected) in [
        (
            &["fine", "canary@101%:v2"][..],
            "namespace/default /server_tags/1: tag `canary@101%:v2`: `101%` is no share",
        ),
        (&["#edge"], "namespace/default /server_tags/0: tag `#edge`: a server's tag has no prefix `#`"),
        (
            &["canary@1%:v2"],
            "listener/default/l /tags/0: `!canary:v2` is decided for each request, and a listener has none",
        ),
    ] {
        let problems = try_compile(&[], with(tags)).unwrap_err().to_string();
        assert!(problems.contains(expected), "{problems}");
        // The same for a namespace that runs already.
        let (before, _) = try_compile(&[], with(&[])).unwrap();
        let clock = ManualClock::new(instant(NOW)).clock();
        let again = compile_at(&resource_set(with(tags)), &server(&[]), &clock, Some(&before)).unwrap_err();
        assert!(again.to_string().contains(expected), "{again}");
    }
    let many: Vec<String> = (0..40).map(|index| format!("canary@1%:v{index}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let others: Vec<String> = (0..40).map(|index| format!("other@1%:v{index}")).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let problems = try_compile(&many, vec![namespace(&others)]).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "namespace/default /server_tags: 80 canary tags are too many: 64 is the most"
    );
}
