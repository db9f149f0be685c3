//! Every form of the language on every kind that has a request.

use dgate_core::Kind::{self, *};
use dgate_core::resource::AnyResource;
use dgate_proxy::testing::TestUpstream;
use serde_json::{Value, json};

use super::{ask, gateway, named};
use crate::resource;

/// The forms of a server's tags, literally.
const SERVER: [&str; 4] =
    ["key:value", "value", "canary@0.01%:canary_mod", "@(2022-01-01T00:00:00Z)#timed:value"];

/// A condition, and whether it holds on that server, on one without tags, and for a request that forces the canary.
const CONDITIONS: [(&str, bool, bool); 15] = [
    ("name:data", true, true),
    ("value", true, true),
    ("#key:value", true, false),
    ("#key", true, false),
    ("#value", true, false),
    ("#timed:value", true, false),
    ("#key:value,other", false, false),
    ("!key:value", false, true),
    ("!value", false, true),
    ("!key:other", true, true),
    ("?key:value,other", true, false),
    ("?key:other,another", false, false),
    ("?*key:value,other", true, false),
    ("?*key:other,another", false, false),
    ("!canary:canary_mod", true, true),
];

/// Resources of which one has a condition: asked on `/` of `a.example`, they answer `there` if it holds.
fn conditional(kind: Kind, upstream: &TestUpstream, tag: &str) -> Vec<AnyResource> {
    let tags = |is_it: bool| if is_it { json!([tag]) } else { json!([]) };
    let of = |kind_of: Kind, mut value: Value| {
        value["tags"] = tags(kind_of == kind);
        if kind_of != Namespace {
            value["namespace"] = json!("n");
        }
        resource(kind_of, value)
    };
    let mut url = json!({ "url": upstream.url(), "tags": tags(kind == Kind::Listener) });
    if kind != Kind::Listener {
        url = json!(upstream.url());
    }
    let mut route = json!({ "name": "r", "paths": ["/**"], "service": "s" });
    let mut resources = vec![
        of(Namespace, json!({ "name": "n" })),
        of(Domain, json!({ "name": "d", "patterns": ["a.example"] })),
        of(Service, json!({ "name": "s", "urls": [url] })),
    ];
    if kind == Module {
        resources.push(of(Module, json!({ "name": "there", "payload_raw": "" })));
        route["modules"] = json!(["there"]);
        route.as_object_mut().unwrap().remove("service");
    }
    resources.push(of(Route, route));
    resources
}

/// A service's URL has tags of its own; it is no kind, and listeners have no request.
const URL: Kind = Listener;

#[tokio::test]
async fn all_forms_on_all_kinds() {
    let upstream = named("there").await;
    for kind in [Namespace, Domain, Route, Service, URL, Module] {
        let gone = match kind {
            Service | URL => "502",
            Module => "501",
            _ => "404",
        };
        for (tag, on_server, on_bare) in CONDITIONS {
            for (tags, expected) in [(&SERVER[..], on_server), (&[], on_bare)] {
                let gateway = gateway(tags, conditional(kind, &upstream, tag)).await;
                let host = [("host", "a.example"), ("x-user", "user-1")];
                let said = ask(&mut gateway.client().await, "/", &host).await;
                let said = said.split(' ').next().unwrap();
                assert_eq!(said, if expected { "there" } else { gone }, "{kind} {tag} on {tags:?}");
            }
        }
        // `canary@0.01%:canary_mod`: one user in ten thousand. This one is in, as the documented hash says.
        let gateway = gateway(&SERVER, conditional(kind, &upstream, "#canary:canary_mod")).await;
        let mut client = gateway.client().await;
        for (user, expected) in [(LUCKY_USER, "there"), ("user-1", gone)] {
            let said = ask(&mut client, "/", &[("host", "a.example"), ("x-user", user)]).await;
            assert_eq!(said.split(' ').next().unwrap(), expected, "{kind} {user}");
        }
    }
}

const LUCKY_USER: &str = "user-3190";
