//! Each field of a service and of a route has an effect.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dgate_core::Kind::*;
use dgate_core::apply::ChangeSet;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use dgate_proxy::{Gateway, ProxySettings};
use http::{Request, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{all_to, eventually, gateway_to, resource};

fn resources(mut service: Value, mut route: Value) -> Vec<dgate_core::resource::AnyResource> {
    service["name"] = "s".into();
    route["name"] = "r".into();
    route["service"] = "s".into();
    if route.get("paths").is_none() {
        route["paths"] = json!(["/**"]);
    }
    vec![resource(Service, service), resource(Route, route)]
}

async fn gateway(service: Value, route: Value) -> TestGateway {
    TestGateway::start(resources(service, route)).await
}

async fn named(name: &'static str) -> TestUpstream {
    TestUpstream::http(move |_| async move { Response::new(name.into()) }).await
}

async fn three() -> [TestUpstream; 3] {
    [named("a").await, named("b").await, named("c").await]
}

/// How often each of them answers.
async fn shares(
    gateway: &TestGateway,
    count: usize,
    headers: impl Fn(usize) -> Vec<(&'static str, String)>,
) -> [usize; 3] {
    let mut client = gateway.client().await;
    let mut shares = [0; 3];
    for index in 0..count {
        let mut request = Request::get(format!("/{}", index % 30)).header("host", "h");
        for (name, value) in headers(index) {
            request = request.header(name, value);
        }
        let name = client.send(request.body("").unwrap()).await.text();
        shares[["a", "b", "c"].iter().position(|known| *known == name).unwrap()] += 1;
    }
    shares
}

#[tokio::test]
async fn every_balancer_uses_every_endpoint() {
    let upstreams = three().await;
    for balance in [
        json!("round_robin"),
        json!("random"),
        json!("least_request"),
        json!("ewma"),
        json!({ "hash": { "on": "path" } }),
        json!({ "hash": { "on": "header:x-user" } }),
        json!({ "hash": { "on": "cookie:user" } }),
    ] {
        let urls: Vec<_> = upstreams.iter().map(TestUpstream::url).collect();
        let gateway = gateway(json!({ "urls": urls, "balance": balance }), json!({})).await;
        let headers = |index: usize| {
            vec![("x-user", (index % 30).to_string()), ("cookie", format!("a=b; user={}", index % 30))]
        };
        let first = shares(&gateway, 60, headers).await;
        assert!(first.iter().all(|share| *share > 0), "{balance}: {first:?}");
        if balance.is_object() {
            assert_eq!(
                shares(&gateway, 60, headers).await,
                first,
                "{balance}: the same keys, the same endpoints"
            );
        }
    }
    // One client has one endpoint.
    let urls: Vec<_> = upstreams.iter().map(TestUpstream::url).collect();
    let gateway = gateway(json!({ "urls": urls, "balance": { "hash": { "on": "ip" } } }), json!({})).await;
    let shares = shares(&gateway, 20, |_| Vec::new()).await;
    assert!(shares.contains(&20), "{shares:?}");
}

#[tokio::test]
async fn weights_are_shares_and_priorities_an_order() {
    let upstreams = three().await;
    let urls = |weights: [u32; 3], priorities: [i32; 3]| -> Vec<Value> {
        let each = upstreams.iter().zip(weights.into_iter().zip(priorities));
        each.map(|(upstream, (weight, priority))| json!({ "url": upstream.url(), "weight": weight, "priority": priority }))
            .collect()
    };
    let weighted = gateway(json!({ "urls": urls([3, 1, 0], [0; 3]) }), json!({})).await;
    assert_eq!(shares(&weighted, 40, |_| Vec::new()).await, [30, 10, 0]);
    let ordered = gateway(json!({ "urls": urls([1; 3], [0, 5, 5]) }), json!({})).await;
    assert_eq!(shares(&ordered, 40, |_| Vec::new()).await, [0, 20, 20]);
    // The second best steps in when the best are gone.
    let dead = json!({ "url": "http://127.0.0.1:1", "priority": 9 });
    let stepping_in = [&[dead][..], &urls([1; 3], [5, 0, 0])].concat();
    let gateway = gateway(
        json!({
            "urls": stepping_in,
            "health_check": { "active": { "tcp": true, "interval": "5ms", "unhealthy_after": 1 } },
        }),
        json!({}),
    )
    .await;
    eventually("the dead one goes out", async || shares(&gateway, 4, |_| Vec::new()).await == [4, 0, 0])
        .await;
}

/// A listener that accepts, and says nothing: TLS with it never comes to an end.
async fn silent() -> TestUpstream {
    TestUpstream::raw(|mut stream| async move {
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await
}

#[tokio::test]
async fn connecting_takes_no_longer_than_it_may() {
    let silent = silent().await;
    let url = silent.url().replace("http:", "https:");
    let service = json!({ "urls": [url], "connect_timeout": "50ms", "retries": 0 });
    let gateway = gateway(service, json!({})).await;
    let answer = gateway.get("/").await;
    assert_eq!((answer.status().as_u16(), answer.text().trim()), (502, "Upstream cannot be reached"));
}

/// Requests to a dead endpoint wait side by side, not one after another.
#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_costs_everybody_the_same() {
    let silent = silent().await;
    let url = silent.url().replace("http:", "https:");
    let service = json!({ "urls": [url], "connect_timeout": "1s", "retries": 0 });
    let gateway = Gateway::builder().spec(resources(service, json!({}))).build().await.unwrap();
    let start = tokio::time::Instant::now();
    let answers = (0..20).map(|_| {
        let request = Request::get("http://a/").body(String::new()).unwrap();
        tower::ServiceExt::oneshot(gateway.clone(), request)
    });
    for answer in futures_util::future::join_all(answers).await {
        assert_eq!(answer.unwrap().status(), 502);
    }
    assert!(start.elapsed() <= Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_routes_time_is_for_all_attempts_together() {
    let silent = silent().await;
    let service = json!({ "urls": [silent.url()], "retry_on": ["timeout"], "request_timeout": "10s" });
    let gateway = gateway(service, json!({ "timeout": "100ms" })).await;
    let answer = gateway.get("/").await;
    assert_eq!((answer.status().as_u16(), answer.text().trim()), (504, "Upstream timeout"));
}

/// An endpoint that is too slow for a route is as bad as one that is too slow for its service.
#[tokio::test]
async fn a_routes_timeouts_count_against_the_endpoint() {
    let (silent, good) = (silent().await, named("good").await);
    let service = json!({
        "urls": [silent.url(), good.url()],
        "retries": 0,
        "health_check": { "passive": { "max_failures": 2, "eject_for": "1m" } },
    });
    let gateway = gateway(service, json!({ "timeout": "50ms" })).await;
    eventually("the silent one is ejected", async || {
        let mut all_good = true;
        for _ in 0..4 {
            all_good &= gateway.get("/").await.status() == 200;
        }
        all_good
    })
    .await;
}

#[tokio::test]
async fn routes_are_chosen_by_headers_and_query() {
    let upstream = TestUpstream::echo().await;
    let mut priority = 0;
    let mut route = |name: &str, matches: Value| {
        priority -= 1;
        resource(
            Route,
            json!({ "name": name, "paths": ["/x"], "service": "s", "match": matches, "priority": priority }),
        )
    };
    let gateway = TestGateway::start([
        resource(Service, json!({ "name": "s", "urls": [upstream.url()] })),
        route("exact", json!({ "headers": { "x-version": "2" } })),
        route("prefix", json!({ "headers": { "x-version": { "prefix": "3." } } })),
        route("regex", json!({ "query": { "v": { "regex": "[0-9]+" } } })),
        route("absent", json!({ "headers": { "x-version": { "present": false } }, "query": { "v": { "present": false } } })),
    ])
    .await;
    let mut client = gateway.client().await;
    for (path, version, expected) in [
        ("/x", Some("2"), "exact"),
        ("/x", Some("3.1"), "prefix"),
        ("/x?v=17", Some("4"), "regex"),
        ("/x", None, "absent"),
        ("/x?v=a", Some("4"), "404"),
    ] {
        let mut request = Request::get(path).header("host", "a");
        if let Some(version) = version {
            request = request.header("x-version", version);
        }
        let answer = client.send(request.body("").unwrap()).await;
        let route = match answer.status().as_u16() {
            200 => answer.json()["headers"]["x-dgate-route"].as_str().unwrap().to_owned(),
            other => other.to_string(),
        };
        assert_eq!(route, expected, "{path} {version:?}");
    }
}

/// What a service says about headers and queries holds as soon as it is changed, though its routes are as they were.
#[tokio::test]
async fn changes_of_a_service_hold_for_routes_that_did_not_change() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway(json!({ "urls": [upstream.url()] }), json!({})).await;
    for (hide, quiet) in [(true, false), (false, true), (false, false), (true, true)] {
        let service = json!({
            "name": "s",
            "urls": [upstream.url()],
            "hide_dgate_headers": hide,
            "disable_query_params": quiet,
        });
        gateway.apply(ChangeSet::new().put(resource(Service, service))).await.unwrap();
        let seen = gateway.get("/x?y=1").await.json();
        assert_eq!(seen["headers"].get("x-dgate-route").is_none(), hide, "hide: {hide}");
        assert_eq!(seen["path"], if quiet { "/x" } else { "/x?y=1" }, "quiet: {quiet}");
    }
}

#[tokio::test]
async fn clients_without_a_host_are_served_whatever_is_preserved() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway(json!({ "urls": [upstream.url()] }), json!({ "preserve_host": true })).await;
    for request in ["GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n"] {
        let mut raw = gateway.raw().await;
        raw.send(request).await;
        let answer = raw.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{request:?}: {answer}");
    }
    assert!(upstream.seen().iter().all(|seen| seen.header("host") == upstream.address().to_string()));
}

/// Who lists headers in `Connection` removes their own, not those that somebody adds on the way.
#[tokio::test]
async fn nobody_can_have_removed_what_is_added_on_the_way() {
    let upstream = TestUpstream::echo().await;
    let add = |mut request: Request<dgate_core::Body>| {
        request.headers_mut().insert("x-user", "42".parse().unwrap());
        request
    };
    let builder =
        Gateway::builder().spec(all_to(upstream.url())).route_layer(tower::util::MapRequestLayer::new(add));
    let gateway = TestGateway::build(builder).await;
    let request = Request::get("/")
        .header("host", "a")
        .header("connection", "close, x-user, x-own, x-forwarded-for, x-request-id")
        .header("x-user", "1")
        .header("x-own", "1")
        .header("x_forwarded_for", "6.6.6.6")
        .header("x_dgate-route", "fake")
        .body("")
        .unwrap();
    gateway.client().await.send(request).await;
    let seen = &upstream.seen()[0];
    for (name, value) in [
        ("x-user", "42"),
        ("x-own", ""),
        ("x-forwarded-for", "127.0.0.1"),
        ("x_forwarded_for", ""),
        ("x_dgate-route", ""),
        ("x-dgate-route", "all"),
    ] {
        assert_eq!(seen.header(name), value, "{name}");
    }
    assert_ne!(seen.header("x-request-id"), "");
}

/// Where a body ends and another protocol begins is not for anybody to guess.
#[tokio::test]
async fn an_upgrade_with_a_body_is_an_ordinary_request() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    let mut raw = gateway.raw().await;
    raw.send(
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello",
    )
    .await;
    assert!(raw.read_to_end().await.starts_with("HTTP/1.1 200 "));
    let seen = &upstream.seen()[0];
    assert_eq!(
        (seen.header("upgrade"), seen.header("connection"), seen.body.as_ref()),
        ("", "", &b"hello"[..])
    );
}

/// A connection that had been closed while idle costs no retry, so none need be allowed.
#[tokio::test]
async fn stale_connections_are_no_failure_without_retries_either() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        let mut buffer = [0; 4_096];
        if stream.read(&mut buffer).await.unwrap_or(0) > 0 {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            // The next request is read, and then the connection is closed all the same.
            let _ = stream.read(&mut buffer).await;
        }
    })
    .await;
    let gateway = gateway(json!({ "urls": [upstream.url()], "retries": 0 }), json!({})).await;
    for index in 0..20 {
        assert_eq!(gateway.get("/").await.status(), 200, "request {index}");
    }
}

/// Whether an endpoint is well has nothing to do with how busy it is.
#[tokio::test]
async fn checks_do_not_wait_for_a_place() {
    let checks: Arc<AtomicUsize> = Arc::default();
    let counted = checks.clone();
    let upstream = TestUpstream::http(move |seen| {
        let checks = counted.clone();
        async move {
            if seen.uri == "/health" {
                checks.fetch_add(1, Ordering::Relaxed);
            } else {
                std::future::pending::<()>().await;
            }
            Response::new("".into())
        }
    })
    .await;
    let service = json!({
        "urls": [upstream.url()],
        "max_connections": 1,
        "max_pending": 0,
        "health_check": { "active": { "path": "/health", "interval": "10ms", "timeout": "1s", "unhealthy_after": 1 } },
    });
    let gateway = gateway(service, json!({})).await;
    let mut busy = gateway.raw().await;
    busy.send("GET /busy HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually("the place is taken", async || upstream.seen().iter().any(|seen| seen.uri == "/busy")).await;
    assert_eq!(gateway.get("/").await.status(), 503, "nobody else gets one");
    let before = checks.load(Ordering::Relaxed);
    eventually("checks go on", async || checks.load(Ordering::Relaxed) > before + 3).await;
}

/// A pause of the client's is not the upstream's.
#[tokio::test]
async fn a_slow_reader_does_not_make_its_upstream_idle() {
    const PIECE: usize = 1 << 20;
    let upstream = TestUpstream::raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 4_096]).await;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", PIECE * 16);
        let _ = stream.write_all(head.as_bytes()).await;
        for _ in 0..16 {
            if stream.write_all(&vec![7; PIECE]).await.is_err() {
                return;
            }
        }
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let gateway = gateway(json!({ "urls": [upstream.url()], "idle_timeout": "100ms" }), json!({})).await;
    let mut raw = gateway.raw().await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    raw.read_until("\r\n\r\n").await;
    // Longer than the upstream may pause; nobody reads, so nobody asks it for more.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut rest = 0;
    let mut stream = raw.into_stream();
    let mut buffer = vec![0; 65_536];
    while let Ok(read) = tokio::time::timeout(crate::PATIENCE, stream.read(&mut buffer)).await.unwrap() {
        if read == 0 {
            break;
        }
        rest += read;
    }
    assert!(rest > PIECE * 15, "only {rest} bytes came");
}

#[tokio::test]
async fn what_is_compressed_stays_so() {
    let compressed: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3];
    let upstream = TestUpstream::http(move |seen| async move {
        assert_eq!(seen.header("accept-encoding"), "gzip, br");
        Response::builder().header("content-encoding", "gzip").body(compressed.to_vec().into()).unwrap()
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let request =
        Request::get("/").header("host", "a").header("accept-encoding", "gzip, br").body("").unwrap();
    let answer = gateway.client().await.send(request).await;
    assert_eq!((answer.header("content-encoding"), answer.body.as_ref()), ("gzip", compressed));
}

#[tokio::test]
async fn response_heads_are_limited() {
    for (what, fields) in [
        ("300 KiB", format!("X: {}\r\n", "y".repeat(300_000))),
        ("more fields than anybody needs", "X: y\r\n".repeat(600)),
    ] {
        let upstream = TestUpstream::raw(move |mut stream| {
            let head = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n");
            async move {
                let _ = stream.read(&mut [0; 4_096]).await;
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.read(&mut [0; 1]).await;
            }
        })
        .await;
        assert_eq!(gateway_to(&upstream).await.get("/").await.status(), 502, "{what}");
    }
}

#[tokio::test]
async fn statuses_without_a_body_say_no_length() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 4_096]).await;
        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello").await;
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    for _ in 0..2 {
        let mut raw = gateway.raw().await;
        raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        let answer = raw.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 204 ") && !answer.contains("content-length"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
}

/// Open WebSockets are connections as well.
#[tokio::test]
async fn upgraded_connections_count_as_connections() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 4_096]).await;
        let _ = stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
            .await;
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let mut settings = ProxySettings::default();
    settings.limits.connections = Some(1);
    let gateway =
        TestGateway::build(Gateway::builder().spec(all_to(upstream.url())).settings(settings)).await;
    let mut upgraded = gateway.raw().await;
    upgraded.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n").await;
    upgraded.read_until("101").await;
    let mut second = gateway.raw().await;
    assert!(second.read_to_end().await.starts_with("HTTP/1.1 503 "));
}

/// A mirror that takes nothing delays nobody, and upgrades are not for mirrors.
#[tokio::test]
async fn a_mirror_that_is_stuck_changes_nothing() {
    let (upstream, mirror) = (TestUpstream::echo().await, silent().await);
    let gateway = TestGateway::start([
        resource(Service, json!({ "name": "s", "urls": [upstream.url()] })),
        resource(Service, json!({ "name": "m", "urls": [mirror.url()] })),
        resource(
            Route,
            json!({ "name": "r", "paths": ["/**"], "service": "s", "mirror": { "service": "m" } }),
        ),
    ])
    .await;
    let mut client = gateway.client().await;
    for _ in 0..300 {
        let request = Request::post("/").header("host", "a").body("x".repeat(5_000)).unwrap();
        assert_eq!(client.send(request).await.status(), 200);
    }
    let before = mirror.connections();
    let mut raw = gateway.raw().await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: x\r\n\r\n").await;
    raw.read_to_end().await;
    assert_eq!(mirror.connections(), before, "no copy of an upgrade");
}
