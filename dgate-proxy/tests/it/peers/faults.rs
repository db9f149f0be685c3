//! Upstreams that break, vanish or talk nonsense, and what clients see of it.

mod all_down;
mod black_hole;
mod broken_bodies;
mod idle_closes;
mod nonsense;
mod restarts;

use dgate_core::Kind::*;
use dgate_proxy::testing::TestGateway;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::resource;

/// A gateway that leads everything to a service.
async fn gateway(urls: &[String], options: Value) -> TestGateway {
    let mut service = json!({ "name": "s", "urls": urls });
    service.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    TestGateway::start([
        resource(Service, service),
        resource(Route, json!({ "name": "r", "paths": ["/**"], "service": "s" })),
    ])
    .await
}

/// Reads the head of a request; nothing when there is none.
async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

/// Answers requests without bodies, until it is dropped.
fn answering(listener: TcpListener) -> JoinSet<()> {
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            connections.spawn(async move {
                while read_head(&mut stream).await.is_some() {
                    let answer =
                        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer").await;
                    if answer.is_err() {
                        break;
                    }
                }
            });
        }
    });
    server
}
