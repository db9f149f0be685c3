use std::time::Duration;

use dgate_proxy::drain::Stage;
use dgate_proxy::testing::TestUpstream;
use http::Response;

use crate::gateway_to;

#[tokio::test]
async fn requests_are_answered_to_their_end_and_idle_connections_close() {
    let upstream = TestUpstream::http(|_| async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        Response::new("answer".into())
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut idle = gateway.raw().await;
    idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    idle.read_until("answer").await;
    let mut busy = gateway.raw().await;
    busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    crate::eventually("the request is on its way", async || upstream.seen().len() == 2).await;
    gateway.gateway().drain().advance_to(Stage::Draining);
    assert_eq!(idle.read_to_end().await, "", "closed at once");
    let answer = busy.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.ends_with("answer"), "{answer}");
    gateway.stop().await;
}

#[tokio::test]
async fn http2_connections_get_goaway_and_finish() {
    let upstream = TestUpstream::http(|_| async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        Response::new("answer".into())
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut client = dgate_proxy::testing::TestClient::http2(gateway.address()).await;
    let drain = gateway.gateway().drain().clone();
    let seen = async {
        crate::eventually("the request is on its way", async || !upstream.seen().is_empty()).await;
        drain.advance_to(Stage::Draining);
    };
    let request = http::Request::get("http://a/").body("").unwrap();
    let (answer, ()) = tokio::join!(client.send(request), seen);
    assert_eq!(answer.text(), "answer");
    gateway.stop().await;
}
