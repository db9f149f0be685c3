//! Time through a running gateway, by a clock that is set.

use dgate_core::Kind::*;
use dgate_core::clock::ManualClock;
use dgate_proxy::testing::TestGateway;
use serde_json::json;

use super::{ask, ask_once, builder, named};
use crate::{eventually, resource};

#[tokio::test]
async fn a_timed_route_comes_and_goes_and_open_connections_stay() {
    let upstream = named("there").await;
    let clock = ManualClock::new("2025-12-31T23:59:59Z".parse().unwrap());
    let resources = [
        resource(Service, json!({ "name": "s", "urls": [upstream.url()] })),
        resource(
            Route,
            json!({ "name": "sale", "paths": ["/sale"], "service": "s", "tags": ["#season:sale"] }),
        ),
    ];
    let tags = ["@(2026-01-01T00:00:00Z..2026-02-01T00:00:00Z)#season:sale"];
    let gateway = TestGateway::build(builder(&tags, resources).clock(clock.clock())).await;
    let mut client = gateway.client().await;
    for (instant, expected) in [
        ("2025-12-31T23:59:59.999999999Z", "404"),
        ("2026-01-01T00:00:00Z", "there"),
        ("2026-01-31T23:59:59.999999999Z", "there"),
        ("2026-02-01T00:00:00Z", "404"),
    ] {
        clock.set(instant.parse().unwrap());
        eventually(instant, async || ask(&mut client, "/sale", &[]).await == expected).await;
    }
}

#[tokio::test]
async fn a_ramp_takes_in_more_and_more_and_lets_nobody_go() {
    let (stable, canary) = (named("stable").await, named("canary").await);
    let clock = ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
    let resources = [
        resource(Service, json!({ "name": "stable", "urls": [stable.url()] })),
        resource(Service, json!({ "name": "canary", "urls": [canary.url()] })),
        resource(Route, json!({ "name": "r", "paths": ["/**"], "service": "stable" })),
        resource(
            Route,
            json!({ "name": "c", "paths": ["/**"], "service": "canary", "tags": ["#canary:v2"] }),
        ),
    ];
    let tags = ["@(2026-01-01T00:00:00Z..2026-01-01T04:00:00Z)#canary@0%..100%:v2"];
    let gateway = TestGateway::build(builder(&tags, resources).clock(clock.clock())).await;
    let mut client = gateway.client().await;
    let mut before = Vec::new();
    for (hour, least, most) in [(0, 0, 0), (1, 10, 40), (2, 33, 67), (3, 60, 90), (4, 100, 100)] {
        clock.set(format!("2026-01-01T0{hour}:00:00Z").parse().unwrap());
        let mut now = Vec::new();
        for user in 0..100 {
            if ask(&mut client, "/", &[("x-user", &format!("user-{user}"))]).await == "canary" {
                now.push(user);
            }
        }
        assert!((least..=most).contains(&now.len()), "{hour}: {} of 100", now.len());
        assert!(before.iter().all(|user| now.contains(user)), "{hour}");
        before = now;
    }
    assert_eq!(ask_once(&gateway, "/", &[]).await, "canary");
}
