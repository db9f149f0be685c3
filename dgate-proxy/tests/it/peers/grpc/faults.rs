//! Calls that go wrong, and what the caller is told.

use std::time::Duration;

use bytes::Bytes;
use dgate_proxy::testing::{TestClient, TestGateway};
use serde_json::json;
use tonic::{Code, Request};

use super::client::Client;
use super::server::GrpcServer;
use super::{Line, calls, resources};

#[tokio::test]
async fn an_upstream_that_is_down_is_unavailable() {
    let mut server = GrpcServer::plain();
    server.kill().await;
    let gateway = TestGateway::start(resources(&server.url(), &json!({}))).await;
    let status = Client::plain(gateway.address()).await.say(Bytes::new()).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "Upstream refused the connection"));

    // On the wire it is one head that is the end as well.
    let request = http::Request::post(gateway.url("/talk.Talk/Say"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(vec![0_u8; 5])
        .unwrap();
    let answer = TestClient::http2(gateway.address()).await.send(request).await;
    assert_eq!((answer.status().as_u16(), answer.header("grpc-status")), (200, "14"));
    assert_eq!(answer.header("content-type"), "application/grpc");
    assert!(answer.body.is_empty() && answer.trailers.is_empty());
}

#[tokio::test]
async fn what_no_route_leads_to_is_unimplemented() {
    let mut line = Line::plain().await;
    for method in ["/other.Service/Do", "/talk.Talk/Shout"] {
        let status = line.client.unary(method, Bytes::new()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{method}: {status}");
    }
}

#[tokio::test]
async fn callers_that_go_away_are_noticed() {
    for mut line in [Line::plain().await, Line::encrypted().await] {
        let mut client = line.client.clone();
        let call = tokio::spawn(async move { client.say(Bytes::from_static(b"never")).await });
        assert_eq!(line.server.event().await, "never was asked");
        call.abort();
        assert_eq!(line.server.event().await, "never was given up");

        let endless = Bytes::from(u32::MAX.to_string());
        let mut numbers = line.client.count(endless).await.unwrap().into_inner();
        assert_eq!(numbers.message().await.unwrap().unwrap(), "0");
        drop(numbers);
        assert_eq!(line.server.event().await, "count was given up");
        line.client.say(Bytes::new()).await.expect("the connection goes on");
    }
}

/// tonic's own client cannot do that in the middle of its messages.
#[tokio::test]
async fn a_call_that_is_reset_between_two_messages_is_noticed() {
    let mut line = Line::plain().await;
    let tcp = tokio::net::TcpStream::connect(line.gateway.address()).await.unwrap();
    let (mut client, connection) = h2::client::handshake(tcp).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::post(line.gateway.url("/talk.Talk/Chat"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .unwrap();
    let (response, mut messages) = client.send_request(request, false).unwrap();
    messages.send_data(Bytes::from_static(b"\0\0\0\0\x05hello"), false).unwrap();
    let mut answers = response.await.unwrap().into_body();
    assert_eq!(answers.data().await.unwrap().unwrap(), &b"\0\0\0\0\x09re: hello"[..]);
    messages.send_reset(h2::Reason::CANCEL);
    assert_eq!(line.server.event().await, "chat was given up");
    assert!(!connection.is_finished());
}

#[tokio::test]
async fn a_callers_deadline_reaches_the_server() {
    let mut line = Line::plain().await;
    let mut request = Request::new(Bytes::from_static(b"never"));
    request.set_timeout(Duration::from_millis(100));
    let status = line.client.say(request).await.unwrap_err();
    assert!(matches!(status.code(), Code::Cancelled | Code::DeadlineExceeded), "{status}");
    assert_eq!(line.server.event().await, "never was asked");
    assert_eq!(line.server.event().await, "never was given up");
}

#[tokio::test]
async fn an_upstream_that_takes_too_long_exceeds_the_deadline() {
    let mut line = Line::with(&json!({ "request_timeout": "100ms", "retries": 0 })).await;
    let status = line.client.say(Bytes::from_static(b"never")).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::DeadlineExceeded, "Upstream timeout"));
    assert_eq!(line.server.event().await, "never was asked");
    assert_eq!(line.server.event().await, "never was given up");
}

#[tokio::test]
async fn a_server_that_dies_in_a_call_ends_it_with_an_error() {
    for mut line in [Line::plain().await, Line::encrypted().await] {
        let (says, messages) = calls::channel();
        let mut answers = line.client.chat(messages).await.unwrap().into_inner();
        says.send(Bytes::from_static(b"hello")).unwrap();
        answers.message().await.unwrap().unwrap();
        line.server.kill().await;
        let end =
            tokio::time::timeout(crate::PATIENCE, answers.message()).await.expect("an end in good time");
        assert_ne!(end.unwrap_err().code(), Code::Ok);
        let status = line.client.say(Bytes::new()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status}");
    }
}
