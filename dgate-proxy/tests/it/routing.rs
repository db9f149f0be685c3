use dgate_core::Kind::*;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use dgate_proxy::{Gateway, ProxySettings};
use http::Request;
use serde_json::json;

use crate::resource;

#[tokio::test]
async fn paths_are_stripped_and_prefixed_as_documented() {
    let upstream = TestUpstream::echo().await;
    let url = upstream.url();
    let gateway = TestGateway::start([
        resource(Service, json!({ "name": "plain", "urls": [url] })),
        resource(Service, json!({ "name": "based", "urls": [format!("{url}/base/")] })),
        resource(Service, json!({ "name": "quiet", "urls": [url], "disable_query_params": true })),
        resource(
            Route,
            json!({ "name": "strip", "paths": ["/route/**"], "strip_path": true, "service": "based" }),
        ),
        resource(
            Route,
            json!({ "name": "exact", "paths": ["/exact"], "strip_path": true, "service": "based" }),
        ),
        resource(Route, json!({ "name": "keep", "paths": ["/keep/{id}"], "service": "plain" })),
        resource(Route, json!({ "name": "quiet", "paths": ["/quiet/**"], "service": "quiet" })),
    ])
    .await;
    for (path, upstream_path) in [
        ("/route/img/x.svg?a=%20b&a=2", "/base/img/x.svg?a=%20b&a=2"),
        ("/route", "/base/"),
        ("/route/", "/base/"),
        ("/exact", "/base/"),
        ("/keep/7?x", "/keep/7?x"),
        ("/keep/a%2Fb", "/keep/a%2Fb"),
        ("/keep/../keep/%41", "/keep/A"),
        ("/quiet/x?secret=1", "/quiet/x"),
    ] {
        assert_eq!(gateway.get(path).await.json()["path"], upstream_path, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_apart() {
    let upstream = TestUpstream::echo().await;
    let gateway = TestGateway::start([
        resource(Service, json!({ "name": "s", "urls": [upstream.url()] })),
        resource(Route, json!({ "name": "r", "paths": ["/r"], "methods": ["GET", "PUT"], "service": "s" })),
        resource(Route, json!({ "name": "nothing", "paths": ["/nothing"] })),
    ])
    .await;
    assert_eq!(gateway.get("/other").await.status(), 404);
    assert_eq!(gateway.get("/nothing").await.status(), 501);
    let mut client = gateway.client().await;
    let post = Request::post("/r").header("host", "a").body("").unwrap();
    let answer = client.send(post).await;
    assert_eq!((answer.status().as_u16(), answer.header("allow")), (405, "GET, HEAD, PUT"));
    let head = Request::head("/r").header("host", "a").body("").unwrap();
    assert_eq!(client.send(head).await.status(), 200, "HEAD falls back to GET");
}

#[tokio::test]
async fn hosts_lead_to_namespaces() {
    let upstream = TestUpstream::echo().await;
    let gateway = TestGateway::start([
        resource(Namespace, json!({ "name": "shop" })),
        resource(Domain, json!({ "name": "d", "namespace": "shop", "patterns": ["*.shop.example"] })),
        resource(Service, json!({ "name": "s", "namespace": "shop", "urls": [upstream.url()] })),
        resource(Route, json!({ "name": "r", "namespace": "shop", "paths": ["/**"], "service": "s" })),
        resource(Service, json!({ "name": "s", "urls": [upstream.url()] })),
        resource(Route, json!({ "name": "r", "paths": ["/only-default"], "service": "s" })),
    ])
    .await;
    let mut client = gateway.client().await;
    let mut namespace = async |host: &str, path: &str| {
        let answer = client.send(Request::get(path).header("host", host).body("").unwrap()).await;
        if answer.status() == 200 {
            answer.json()["headers"]["x-dgate-namespace"].as_str().unwrap().to_owned()
        } else {
            answer.status().as_u16().to_string()
        }
    };
    assert_eq!(namespace("a.shop.example", "/x").await, "shop");
    assert_eq!(namespace("A.Shop.Example:8080", "/x").await, "shop");
    assert_eq!(namespace("other.example", "/only-default").await, "default");
    assert_eq!(namespace("other.example", "/x").await, "404");
}

#[tokio::test]
async fn an_absolute_target_wins_over_host() {
    let upstream = TestUpstream::echo().await;
    let gateway = TestGateway::start([
        resource(Namespace, json!({ "name": "n" })),
        resource(Domain, json!({ "name": "d", "namespace": "n", "patterns": ["b.example"] })),
        resource(Service, json!({ "name": "s", "namespace": "n", "urls": [upstream.url()] })),
        resource(
            Route,
            json!({ "name": "r", "namespace": "n", "paths": ["/**"], "service": "s", "preserve_host": true }),
        ),
    ])
    .await;
    let mut raw = gateway.raw().await;
    raw.send("GET http://b.example/x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n").await;
    let answer = raw.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let seen = &upstream.seen()[0];
    assert_eq!((seen.uri.as_str(), seen.header("host")), ("/x", "b.example"));
}

#[tokio::test]
async fn strict_mode_says_nothing_to_strangers() {
    let settings = {
        let mut settings = ProxySettings::default();
        settings.strict_mode = true;
        settings
    };
    let resources = [resource(Domain, json!({ "name": "d", "patterns": ["known.example"] }))];
    let gateway = TestGateway::build(Gateway::builder().spec(resources).settings(settings)).await;
    let mut raw = gateway.raw().await;
    raw.send("GET / HTTP/1.1\r\nHost: unknown.example\r\n\r\n").await;
    assert_eq!(raw.read_to_end().await, "");
    let mut raw = gateway.raw().await;
    raw.send("GET / HTTP/1.1\r\nHost: known.example\r\nConnection: close\r\n\r\n").await;
    assert!(raw.read_to_end().await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn who_may_not_come_in_is_refused() {
    let upstream = TestUpstream::echo().await;
    let start = async |change: fn(&mut ProxySettings)| {
        let mut settings = ProxySettings::default();
        change(&mut settings);
        TestGateway::build(Gateway::builder().spec(crate::all_to(upstream.url())).settings(settings)).await
    };
    let answer =
        start(|settings| settings.allow_list = vec!["10.0.0.0/8".parse().unwrap()]).await.get("/").await;
    assert_eq!((answer.status().as_u16(), answer.text().trim()), (403, "Client not allowed"));
    let answer =
        start(|settings| settings.allow_list = vec!["127.0.0.0/8".parse().unwrap()]).await.get("/").await;
    assert_eq!(answer.status(), 200);
    let domains = start(|settings| settings.allowed_domains = vec!["*.example".parse().unwrap()]).await;
    assert_eq!(domains.get("/").await.status(), 403);
    let mut client = domains.client().await;
    let request = Request::get("/").header("host", "a.example").body("").unwrap();
    assert_eq!(client.send(request).await.status(), 200);
}

#[tokio::test]
async fn plain_requests_are_sent_to_https_where_wanted() {
    let mut settings = ProxySettings::default();
    settings.redirect_https = vec!["*.example".parse().unwrap()];
    settings.https_port = Some(8443);
    settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let upstream = TestUpstream::echo().await;
    let builder = Gateway::builder().spec(crate::all_to(upstream.url())).settings(settings);
    let gateway = TestGateway::build(builder).await;
    let mut client = gateway.client().await;
    let request = |proto: &str| {
        let request =
            Request::post("/a?b=c").header("host", "x.example:8080").header("x-forwarded-proto", proto);
        request.body("").unwrap()
    };
    let answer = client.send(request("http")).await;
    assert_eq!((answer.status().as_u16(), answer.header("location")), (307, "https://x.example:8443/a?b=c"));
    assert_eq!(
        client.send(request("https")).await.status(),
        200,
        "the client spoke https to the proxy in front"
    );
    assert_eq!(gateway.get("/").await.status(), 200, "other hosts stay as they are");
}
