//! Hosts and paths as curl sends them.

use dgate_core::Kind::*;
use dgate_core::resource::AnyResource;
use dgate_proxy::Gateway;
use dgate_proxy::testing::TestUpstream;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::super::support::{Nginx, curl, run};
use super::{Site, WAYS};
use crate::{all_to, resource};

#[tokio::test]
async fn paths_take_one_form_before_they_are_matched() {
    let upstream = TestUpstream::echo().await;
    let site = Site::new([
        resource(Service, json!({ "name": "s", "urls": [upstream.url()] })),
        resource(Route, json!({ "name": "r", "paths": ["/public/**"], "service": "s" })),
    ])
    .await;
    for way in WAYS {
        for (sent, seen) in [
            ("/public/a/../b", Some("/public/b")),
            ("/public/./a//b/", Some("/public/a//b/")),
            ("/private/%2e%2E/public/x", Some("/public/x")),
            ("/public/a%2Fb%2f..", Some("/public/a%2Fb%2F..")),
            ("/public/%7Euser?q=/../x", Some("/public/~user?q=/../x")),
            ("/public/../private", None),
            ("/public/%2e%2e/private", None),
            ("/../../public/x", Some("/public/x")),
        ] {
            let output = site.ask(way, sent, &["--path-as-is", "-w", "\n%{response_code}"]).await;
            let (body, status) = output.stdout.rsplit_once('\n').unwrap();
            let path: Option<Value> = serde_json::from_str(body).ok().map(|seen: Value| seen["path"].clone());
            let expected = if seen.is_some() { "200" } else { "404" };
            assert_eq!((status, path), (expected, seen.map(Value::from)), "{way:?} {sent}");
        }
    }
}

/// A namespace with a domain, and a route that leads to its own upstream.
fn namespace(name: &str, pattern: &str, upstream: &TestUpstream) -> [AnyResource; 4] {
    [
        resource(Namespace, json!({ "name": name })),
        resource(Domain, json!({ "name": name, "namespace": name, "patterns": [pattern] })),
        resource(Service, json!({ "name": "s", "namespace": name, "urls": [upstream.url()] })),
        resource(Route, json!({ "name": "r", "namespace": name, "paths": ["/**"], "service": "s" })),
    ]
}

async fn named(name: &'static str) -> TestUpstream {
    TestUpstream::http(move |_| async move { http::Response::new(name.into()) }).await
}

#[tokio::test]
async fn the_host_decides_on_the_namespace() {
    let (one, other) = (named("one").await, named("other").await);
    let resources = [namespace("one", "site.example", &one), namespace("other", "*.other.example", &other)];
    let site = Site::new(resources.into_iter().flatten()).await;
    for way in WAYS {
        assert_eq!(site.ask(way, "/", &[]).await.stdout, "one", "{way:?}");
        for (host, body) in
            [("SITE.Example", "one"), ("www.other.example:81", "other"), ("b.a", "No such route\n")]
        {
            let output = site.ask(way, "/", &["-H", &format!("Host: {host}")]).await;
            assert_eq!(output.stdout, body, "{way:?} {host}: {}", output.stderr);
        }
    }
}

#[tokio::test]
async fn parts_of_files_and_broken_off_downloads() {
    let nginx = Nginx::start("").await;
    nginx.put("fox.txt", "The quick brown fox");
    let site = Site::new(all_to(nginx.url())).await;
    for way in WAYS {
        assert_eq!(site.ask(way, "/fox.txt", &["--range", "4-8"]).await.stdout, "quick", "{way:?}");
        let file = site.directory.path().join("half");
        std::fs::write(&file, "The quick ").unwrap();
        let output = site.ask(way, "/fox.txt", &["--continue-at", "-", "-o", "half"]).await;
        assert_eq!(output.code, 0, "{way:?}: {}", output.stderr);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "The quick brown fox", "{way:?}");
    }
}

/// A gateway behind a gateway, both by the address of IPv6.
#[tokio::test]
async fn ipv6_addresses_are_hosts() {
    let upstream = TestUpstream::echo().await;
    let mut url = upstream.url();
    for _ in 0..2 {
        let listener = TcpListener::bind("[::1]:0").await.unwrap();
        let next = format!("http://{}", listener.local_addr().unwrap());
        let gateway = Gateway::builder().spec(all_to(url)).build().await.unwrap();
        tokio::spawn(std::future::IntoFuture::into_future(gateway.serve(listener)));
        url = next;
    }
    for protocol in ["--http1.1", "--http2-prior-knowledge"] {
        let output = run(curl().args([protocol, "--globoff"]).arg(format!("{url}/path"))).await;
        let seen: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!((&seen["path"], &seen["headers"]["x-real-ip"]), (&"/path".into(), &"::1".into()));
        assert_eq!(seen["headers"]["forwarded"].as_str().unwrap().matches("for=\"[::1]\"").count(), 1);
        assert!(seen["headers"]["x-forwarded-host"].as_str().unwrap().starts_with("[::1]:"), "{seen}");
        assert_eq!(seen["headers"]["via"], "1.1 dgate, 1.1 dgate");
    }
}
