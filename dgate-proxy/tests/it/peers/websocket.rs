//! A real WebSocket client and server, with the gateway between them.

mod talk;

use dgate_proxy::Gateway;
use dgate_proxy::drain::{Busy, Stage};
use dgate_proxy::testing::TestGateway;
use futures_util::SinkExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::support::tls;
use crate::tls::Authority;
use crate::{all_to, gateway_to};
use talk::{PROTOCOL, closing, connect, connect_over, next, pieces, server};

#[tokio::test]
async fn the_server_chooses_the_protocol() {
    let (upstream, _heard) = server().await;
    let gateway = gateway_to(&upstream).await;
    for (proposed, chosen) in [("chat, superchat", Some("superchat")), ("chat", None), ("", None)] {
        let connected = connect(&gateway, proposed).await;
        match connected {
            Ok((_, response)) => {
                let protocol = response.headers().get(PROTOCOL).map(|value| value.to_str().unwrap());
                assert_eq!((response.status().as_u16(), protocol), (101, chosen));
            }
            // The client's own judgement: it proposed something, and nothing was chosen.
            Err(Error::Protocol(_)) => assert_eq!((proposed, chosen), ("chat", None)),
            Err(error) => panic!("{proposed}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_refusal_is_passed_on_with_its_words() {
    let (upstream, _heard) = server().await;
    let gateway = gateway_to(&upstream).await;
    let Err(Error::Http(response)) = connect(&gateway, "forbidden").await else { panic!("not refused") };
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-reason"]),
        (403, &"taste".parse().unwrap())
    );
    assert_eq!(response.body().as_deref(), Some(&b"not for us"[..]));
}

#[tokio::test]
async fn messages_of_all_sizes_and_kinds_pass_both_ways() {
    let (upstream, _heard) = server().await;
    let gateway = gateway_to(&upstream).await;
    exchange(connect(&gateway, "").await.unwrap().0).await;
}

#[tokio::test]
async fn over_tls_too() {
    let (upstream, _heard) = server().await;
    let authority = Authority::new();
    let settings = tls::settings(&authority, "chat.example");
    let gateway =
        TestGateway::build_tls(Gateway::builder().spec(all_to(upstream.url())).settings(settings)).await;
    let stream = tls::connect(&authority, gateway.address(), "chat.example", "http/1.1").await.unwrap();
    exchange(connect_over(stream, "").await.unwrap().0).await;
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocketStream<S>) {
    for size in [0, 1, 125, 126, 65_535, 65_536, 1 << 20] {
        for message in [Message::text("ü".repeat(size / 2)), Message::binary(vec![7; size])] {
            socket.send(message.clone()).await.unwrap();
            assert!(next(&mut socket).await.unwrap() == message, "{size} bytes");
        }
    }
    // Many at once, without waiting for any.
    for index in 0..1_000 {
        socket.feed(Message::text(index.to_string())).await.unwrap();
    }
    socket.flush().await.unwrap();
    for index in 0..1_000 {
        assert_eq!(next(&mut socket).await.unwrap(), Message::text(index.to_string()));
    }
}

#[tokio::test]
async fn messages_in_pieces_pass_both_ways() {
    let (upstream, _heard) = server().await;
    let gateway = gateway_to(&upstream).await;
    let (mut socket, _) = connect(&gateway, "").await.unwrap();
    let [first, second] = &pieces(&["hel", "lo"])[..] else { unreachable!() };
    socket.send(first.clone()).await.unwrap();
    // Control frames may come between the pieces of a message.
    socket.send(Message::Ping("between".into())).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap(), Message::Pong("between".into()));
    socket.send(second.clone()).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap(), Message::text("hello"));
    socket.send(Message::text("in pieces")).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap(), Message::text("one two three"));
}

#[tokio::test]
async fn pings_are_answered_by_the_other_end() {
    let (upstream, mut heard) = server().await;
    let gateway = gateway_to(&upstream).await;
    let (mut socket, _) = connect(&gateway, "").await.unwrap();
    socket.send(Message::text("ping me")).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap(), Message::Ping("are you there".into()));
    // The library answers when it is asked for the next message.
    socket.send(Message::text("and now")).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap(), Message::text("and now"));
    assert_eq!(heard.recv().await.unwrap(), Message::Pong("are you there".into()));
}

#[tokio::test]
async fn either_end_closes_with_its_own_code() {
    let (upstream, mut heard) = server().await;
    let gateway = gateway_to(&upstream).await;
    let (mut socket, _) = connect(&gateway, "").await.unwrap();
    socket.send(closing(4_001, "enough")).await.unwrap();
    assert_eq!(heard.recv().await.unwrap(), closing(4_001, "enough"));
    assert_eq!(next(&mut socket).await.unwrap(), closing(4_001, "enough"), "the server's answer");
    assert_eq!(next(&mut socket).await, None);

    drop(socket);
    let (mut socket, _) = connect(&gateway, "").await.unwrap();
    socket.send(Message::text("go away")).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap(), closing(4_002, "as you like"));
    assert_eq!(next(&mut socket).await, None);
    assert_eq!(heard.recv().await.unwrap(), closing(4_002, "as you like"), "the client's answer");
    drop(socket);
    let drain = gateway.gateway().drain().clone();
    crate::eventually("nothing is left", async || drain.count(Busy::Tunnel) == 0).await;
}

#[tokio::test]
async fn a_gateway_that_goes_away_says_so_to_both_ends() {
    let (upstream, mut heard) = server().await;
    let gateway = gateway_to(&upstream).await;
    let (mut socket, _) = connect(&gateway, "").await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap(), Message::text("hello"));
    gateway.gateway().drain().advance_to(Stage::Draining);
    assert_eq!(next(&mut socket).await.unwrap(), closing(1_001, ""));
    assert_eq!(heard.recv().await.unwrap(), closing(1_001, ""));
    // A closing handshake, not a broken connection.
    assert_eq!(next(&mut socket).await, None);
    gateway.stop().await;
}
