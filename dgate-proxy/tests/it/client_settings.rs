//! How the gateway behaves as a client: each setting has an effect.

use std::net::SocketAddr;
use std::time::Duration;

use dgate_core::resource::AnyResource;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use dgate_proxy::{ClientSettings, Gateway, ProxySettings};
use http::Response;
use tokio::net::UdpSocket;

use crate::{all_to, eventually};

fn settings(change: impl FnOnce(&mut ClientSettings)) -> ProxySettings {
    let mut settings = ProxySettings::default();
    change(&mut settings.client);
    settings
}

async fn gateway(
    resources: impl IntoIterator<Item = AnyResource>,
    change: impl FnOnce(&mut ClientSettings),
) -> TestGateway {
    TestGateway::build(Gateway::builder().spec(resources).settings(settings(change))).await
}

/// A DNS server that knows one address for every name.
async fn dns(address: [u8; 4]) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let local = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let question = &buffer[12..length];
            let name = question.iter().position(|b| *b == 0).unwrap();
            let question = &question[..name + 5];
            let is_a = question[name + 1..name + 3] == [0, 1];
            let mut answer = buffer[..2].to_vec();
            answer.extend_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
            answer.extend_from_slice(question);
            if is_a {
                answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
                answer.extend_from_slice(&address);
            }
            socket.send_to(&answer, peer).await.unwrap();
        }
    });
    local
}

#[tokio::test]
async fn names_are_resolved_by_the_given_server() {
    let upstream = TestUpstream::echo().await;
    let port = upstream.address().port();
    let server = dns([127, 0, 0, 1]).await;
    let url = format!("http://only-there.example:{port}");
    let gateway = gateway(all_to(url), |client| client.dns_server = Some(server)).await;
    let answer = gateway.get("/").await;
    assert_eq!(answer.json()["headers"]["host"], format!("only-there.example:{port}"));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_waited_for() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = silent.local_addr().unwrap();
    let mut resources = all_to("http://only-there.example");
    resources[0] = crate::resource(
        dgate_core::Kind::Service,
        serde_json::json!({ "name": "s", "urls": ["http://only-there.example"], "retries": 0, "connect_timeout": "1h" }),
    );
    let gateway = gateway(resources, |client| {
        client.dns_server = Some(server);
        client.dns_timeout = Duration::from_millis(100);
    })
    .await;
    let answer = gateway.get("/").await;
    assert_eq!((answer.status().as_u16(), answer.text().trim()), (502, "Upstream cannot be reached"));
}

#[tokio::test]
async fn private_addresses_can_be_forbidden() {
    let upstream = TestUpstream::echo().await;
    let port = upstream.address().port();
    let server = dns([127, 0, 0, 1]).await;
    for url in [upstream.url(), format!("http://localhost:{port}"), format!("http://public.example:{port}")] {
        let gateway = gateway(all_to(url.clone()), |client| {
            client.disable_private_ips = true;
            client.dns_server = Some(server);
        })
        .await;
        assert_eq!(gateway.get("/").await.status(), 502, "{url}");
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn connections_can_be_used_once_only() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway(all_to(upstream.url()), |client| client.disable_keep_alives = true).await;
    for _ in 0..3 {
        assert_eq!(gateway.get("/").await.status(), 200);
    }
    assert_eq!(upstream.connections(), 3);
    assert!(upstream.seen().iter().all(|seen| seen.header("connection") == "close"), "the upstream is told");
}

#[tokio::test]
async fn idle_connections_are_kept_for_so_long() {
    let upstream = TestUpstream::echo().await;
    let gateway =
        gateway(all_to(upstream.url()), |client| client.idle_timeout = Duration::from_millis(20)).await;
    gateway.get("/").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    gateway.get("/").await;
    assert_eq!(upstream.connections(), 2);
}

/// An upstream that answers when so many requests are there, so that each needs a connection of its own.
async fn together(count: usize) -> TestUpstream {
    let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(count));
    TestUpstream::http(move |seen| {
        let barrier = barrier.clone();
        async move {
            if seen.uri == "/together" {
                barrier.wait().await;
            }
            Response::new("ok".into())
        }
    })
    .await
}

async fn all_together(gateway: &TestGateway, count: usize) {
    let answers = futures_util::future::join_all((0..count).map(|_| gateway.get("/together"))).await;
    assert!(answers.iter().all(|answer| answer.status() == 200));
}

#[tokio::test]
async fn only_so_many_idle_connections_to_one_host_are_kept() {
    let upstream = together(4).await;
    let gateway = gateway(all_to(upstream.url()), |client| client.max_idle_per_host = 1).await;
    all_together(&gateway, 4).await;
    all_together(&gateway, 4).await;
    assert_eq!(upstream.connections(), 7, "one of four was kept");
}

#[tokio::test]
async fn only_so_many_idle_connections_are_kept_at_all() {
    let upstream = together(4).await;
    let gateway = gateway(all_to(upstream.url()), |client| client.max_idle = Some(1)).await;
    all_together(&gateway, 4).await;
    // They are looked at now and then.
    let mut opened = upstream.connections();
    eventually("three of four are closed", async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = opened;
        all_together(&gateway, 4).await;
        opened = upstream.connections();
        opened == before + 3
    })
    .await;
}

#[tokio::test]
async fn there_are_only_so_many_connections_to_one_host() {
    let upstream = TestUpstream::http(|_| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Response::new("ok".into())
    })
    .await;
    let gateway = gateway(all_to(upstream.url()), |client| client.max_per_host = Some(2)).await;
    let answers = futures_util::future::join_all((0..10).map(|_| gateway.get("/"))).await;
    assert!(answers.iter().all(|answer| answer.status() == 200));
    assert_eq!(upstream.connections(), 2);
}

/// What is forbidden later holds for endpoints that are in use, and what is allowed again as well.
#[tokio::test]
async fn settings_of_the_client_change_live() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway(all_to(upstream.url()), |_| {}).await;
    assert_eq!(gateway.get("/").await.status(), 200);
    for (forbidden, expected) in [(true, 502), (false, 200)] {
        let changed = settings(|client| client.disable_private_ips = forbidden);
        gateway.gateway().handle().reconfigure(changed).await.unwrap();
        assert_eq!(gateway.get("/").await.status(), expected);
    }
}
