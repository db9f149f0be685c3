//! All endpoints are down, and come back.

use dgate_core::Kind::*;
use dgate_core::apply::ChangeSet;
use serde_json::json;
use tokio::net::TcpSocket;

use super::{answering, gateway};
use crate::resource;

/// Two addresses that are taken, where nobody listens yet.
fn addresses() -> ([TcpSocket; 2], Vec<String>) {
    let sockets = [(); 2].map(|()| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        socket
    });
    let urls = sockets.iter().map(|socket| format!("http://{}", socket.local_addr().unwrap())).collect();
    (sockets, urls)
}

#[tokio::test]
async fn refusals_are_told_and_recovery_needs_no_waiting() {
    let (sockets, urls) = addresses();
    // Ejections last longer than this test: only asking those that are out shows that they are back.
    let options = json!({ "retries": 1, "health_check": { "passive": { "eject_for": "10m" } } });
    let gateway = gateway(&urls, options).await;
    for _ in 0..50 {
        let answer = gateway.get("/").await;
        assert_eq!(
            (answer.status().as_u16(), answer.text().trim()),
            (502, "Upstream refused the connection")
        );
    }
    let _servers = sockets.map(|socket| answering(socket.listen(100).unwrap()));
    for _ in 0..50 {
        assert_eq!(gateway.get("/").await.text(), "answer");
    }
}

#[tokio::test]
async fn who_fails_closed_asks_nobody_until_checks_are_good_again() {
    let (sockets, urls) = addresses();
    let active = json!({ "path": "/", "interval": "20ms", "healthy_after": 1, "unhealthy_after": 1 });
    let gateway = gateway(&urls, json!({ "health_check": { "active": active, "fail_closed": true } })).await;
    crate::eventually("they are found to be down", async || {
        gateway.get("/").await.text().trim() == "No endpoint available"
    })
    .await;
    let _servers = sockets.map(|socket| answering(socket.listen(100).unwrap()));
    crate::eventually("they are found to be up", async || gateway.get("/").await.text() == "answer").await;
}

/// A change that adds a good endpoint helps at once.
#[tokio::test]
async fn a_new_endpoint_helps_at_once() {
    let (_sockets, mut urls) = addresses();
    let gateway = gateway(&urls, json!({ "retries": 0 })).await;
    for _ in 0..20 {
        assert_eq!(gateway.get("/").await.status(), 502);
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    urls = vec![format!("http://{}", socket.local_addr().unwrap())];
    let _server = answering(socket.listen(100).unwrap());
    let service = json!({ "name": "s", "urls": urls, "retries": 0 });
    gateway.apply(ChangeSet::new().put(resource(Service, service))).await.unwrap();
    assert_eq!(gateway.get("/").await.text(), "answer");
}
