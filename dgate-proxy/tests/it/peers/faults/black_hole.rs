//! An endpoint that does not even refuse.

use std::time::Duration;

use http::Request;
use serde_json::json;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::{answering, gateway};

/// A listener whose queue is full: what else comes to it is dropped by the kernel.
async fn black_hole() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(connected) =
        tokio::time::timeout(Duration::from_millis(500), TcpStream::connect(address)).await
    {
        queued.push(connected.unwrap());
        assert!(queued.len() < 100, "the queue is never full");
    }
    (listener, queued)
}

#[tokio::test]
async fn requests_go_elsewhere_whatever_their_method() {
    let (hole, _queued) = black_hole().await;
    let good = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let urls = [&hole, &good].map(|listener| format!("http://{}", listener.local_addr().unwrap()));
    let _server = answering(good);
    let gateway = gateway(&urls, json!({ "connect_timeout": "100ms" })).await;
    let mut client = gateway.client().await;
    for index in 0..30 {
        let method = if index % 2 == 0 { "GET" } else { "POST" };
        let request = Request::builder().method(method).uri("/").header("host", "a").body("").unwrap();
        assert_eq!(client.send(request).await.text(), "answer", "{method}");
    }
}

#[tokio::test]
async fn alone_it_is_told_to_be_out_of_reach() {
    let (hole, _queued) = black_hole().await;
    let urls = [format!("http://{}", hole.local_addr().unwrap())];
    let gateway = gateway(&urls, json!({ "connect_timeout": "50ms", "retries": 1 })).await;
    let answer = gateway.get("/").await;
    assert_eq!((answer.status().as_u16(), answer.text().trim()), (502, "Upstream cannot be reached"));
}
