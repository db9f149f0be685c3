//! Who a client is to canary tags, and who may say so.

use dgate_core::Kind::*;
use dgate_core::resource::AnyResource;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use dgate_proxy::{CanaryOverride, CanarySticky};
use serde_json::json;

use super::{ask, ask_once, builder, change, gateway, named, settings};
use crate::resource;

fn two_routes(stable: &TestUpstream, canary: &TestUpstream) -> Vec<AnyResource> {
    vec![
        resource(Service, json!({ "name": "stable", "urls": [stable.url()] })),
        resource(Service, json!({ "name": "canary", "urls": [canary.url()] })),
        resource(Route, json!({ "name": "r", "paths": ["/**"], "service": "stable" })),
        resource(
            Route,
            json!({ "name": "c", "paths": ["/**"], "service": "canary", "tags": ["#canary:v2"] }),
        ),
    ]
}

#[tokio::test]
async fn the_same_client_gets_the_same_answer_on_every_node() {
    let (stable, canary) = (named("stable").await, named("canary").await);
    let nodes = [
        gateway(&["canary@50%:v2"], two_routes(&stable, &canary)).await,
        gateway(&["region:eu", "other@50%:x", "canary@50%:v2"], two_routes(&stable, &canary)).await,
    ];
    let cookie_settings = || {
        let mut settings = settings();
        settings.canary.sticky = CanarySticky::Cookie("user".to_owned());
        settings
    };
    for is_cookie in [false, true] {
        if is_cookie {
            nodes[0].apply(change(&["canary@50%:v2"], cookie_settings())).await.unwrap();
            nodes[1].apply(change(&["canary@50%:v2"], cookie_settings())).await.unwrap();
        }
        for (user, expected) in [("user-3", "canary"), ("user-2", "stable"), ("user-0", "canary")] {
            let cookie = format!("a=b; user={user}; c=d");
            let header = if is_cookie { ("cookie", cookie.as_str()) } else { ("x-user", user) };
            for node in &nodes {
                for _ in 0..3 {
                    assert_eq!(ask_once(node, "/", &[header]).await, expected, "{user}");
                }
            }
        }
    }
}

#[tokio::test]
async fn an_address_is_a_key_too() {
    let (stable, canary) = (named("stable").await, named("canary").await);
    let mut settings = settings();
    settings.canary.sticky = CanarySticky::Ip;
    settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let builder = builder(&["canary@50%:v2"], two_routes(&stable, &canary)).settings(settings);
    let gateway = TestGateway::build(builder).await;
    let mut client = gateway.client().await;
    let mut both = std::collections::BTreeSet::new();
    for last in 1..40 {
        let address = format!("203.0.113.{last}");
        let mut of = async || ask(&mut client, "/", &[("x-forwarded-for", &address)]).await;
        let (first, again) = (of().await, of().await);
        assert_eq!(first, again, "{address}");
        both.insert(first);
    }
    assert_eq!(both.len(), 2);
}

#[tokio::test]
async fn without_a_key_each_request_is_on_its_own() {
    let (stable, canary) = (named("stable").await, named("canary").await);
    let gateway = gateway(&["canary@50%:v2"], two_routes(&stable, &canary)).await;
    let mut client = gateway.client().await;
    let mut share = 0;
    for _ in 0..400 {
        share += u32::from(ask(&mut client, "/", &[]).await == "canary");
    }
    // Six standard deviations: once in five hundred million runs.
    assert!((140..=260).contains(&share), "{share} of 400");
}

#[tokio::test]
async fn who_may_force_an_answer_does_and_nobody_else() {
    let (stable, canary) = (named("stable").await, named("canary").await);
    let gateway = gateway(&["canary@50%:v2"], two_routes(&stable, &canary)).await;
    let force = |value| [("x-user", "user-2"), ("x-dgate-canary", value)];
    let unforce = |value| [("x-user", "user-3"), ("x-dgate-canary", value)];
    for (forced_by, trusts, is_heard) in [
        (CanaryOverride::Off, true, false),
        (CanaryOverride::Trusted, false, false),
        (CanaryOverride::Trusted, true, true),
        (CanaryOverride::Any, false, true),
    ] {
        let mut settings = settings();
        settings.canary.forced_by = forced_by;
        if trusts {
            settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        }
        gateway.apply(change(&["canary@50%:v2"], settings)).await.unwrap();
        let (forced, unforced) = if is_heard { ("canary", "stable") } else { ("stable", "canary") };
        assert_eq!(ask_once(&gateway, "/", &force("canary:v2")).await, forced, "{forced_by:?} {trusts}");
        assert_eq!(ask_once(&gateway, "/", &force("x:y, canary:v2")).await, forced);
        assert_eq!(ask_once(&gateway, "/", &unforce("!canary:v2")).await, unforced);
        assert_eq!(ask_once(&gateway, "/", &force("canary:v3")).await, "stable");
        // The next gateway hears what this one has heard.
        let seen = canary.seen().into_iter().chain(stable.seen()).last().unwrap();
        assert_eq!(seen.header("x-dgate-canary").is_empty(), !is_heard, "{forced_by:?} {trusts}");
    }
}
