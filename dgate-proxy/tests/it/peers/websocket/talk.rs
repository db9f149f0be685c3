//! Both ends of a WebSocket: tungstenite.

use dgate_proxy::testing::{TestGateway, TestUpstream};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::{client, server};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, Utf8Bytes};
use tokio_tungstenite::tungstenite::{Error, Message};

pub(super) const PROTOCOL: &str = "sec-websocket-protocol";

/// What one end got to hear, besides messages that it answers.
pub(super) type Heard = mpsc::UnboundedReceiver<Message>;

/// A server that answers messages. Those that it does not answer can be heard.
pub(super) async fn server() -> (TestUpstream, Heard) {
    let (heard, hears) = mpsc::unbounded_channel();
    let upstream = TestUpstream::raw(move |stream| {
        let heard = heard.clone();
        async move {
            if let Ok(socket) = tokio_tungstenite::accept_hdr_async(stream, negotiate).await {
                serve(socket, heard).await;
            }
        }
    })
    .await;
    (upstream, hears)
}

/// Speaks `superchat` with whoever can, and not at all with whoever asks for `forbidden`.
#[allow(clippy::result_large_err, reason = "the signature is the library's")]
fn negotiate(
    request: &server::Request,
    mut response: server::Response,
) -> Result<server::Response, server::ErrorResponse> {
    let wanted = request.headers().get(PROTOCOL).map_or("", |value| value.to_str().unwrap());
    if wanted == "forbidden" {
        let refusal = Response::builder().status(StatusCode::FORBIDDEN).header("content-length", 10);
        return Err(refusal.header("x-reason", "taste").body(Some("not for us".to_owned())).unwrap());
    }
    if wanted.split(", ").any(|protocol| protocol == "superchat") {
        response.headers_mut().insert(PROTOCOL, HeaderValue::from_static("superchat"));
    }
    Ok(response)
}

async fn serve(mut socket: WebSocketStream<TcpStream>, heard: mpsc::UnboundedSender<Message>) {
    while let Some(Ok(message)) = socket.next().await {
        let answer = match &message {
            Message::Text(text) if *text == "ping me" => Message::Ping("are you there".into()),
            Message::Text(text) if *text == "in pieces" => {
                for frame in pieces(&["one ", "two ", "three"]) {
                    socket.send(frame).await.unwrap();
                }
                continue;
            }
            Message::Text(text) if *text == "go away" => closing(4_002, "as you like"),
            Message::Text(_) | Message::Binary(_) => message,
            _ => {
                let _ = heard.send(message);
                continue;
            }
        };
        socket.send(answer).await.unwrap();
    }
}

/// One text message in several frames.
pub(super) fn pieces(texts: &[&'static str]) -> Vec<Message> {
    let last = texts.len() - 1;
    let frame = |(index, text): (usize, &&'static str)| {
        let kind = if index == 0 { Data::Text } else { Data::Continue };
        Message::Frame(Frame::message(text.as_bytes(), OpCode::Data(kind), index == last))
    };
    texts.iter().enumerate().map(frame).collect()
}

pub(super) fn closing(code: u16, reason: &'static str) -> Message {
    Message::Close(Some(CloseFrame { code: CloseCode::from(code), reason: Utf8Bytes::from_static(reason) }))
}

/// Connects to a gateway, proposing protocols.
pub(super) async fn connect(
    gateway: &TestGateway,
    protocols: &'static str,
) -> Result<(WebSocketStream<TcpStream>, client::Response), Error> {
    connect_over(TcpStream::connect(gateway.address()).await?, protocols).await
}

/// Connects over a stream that is there already.
pub(super) async fn connect_over<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    protocols: &'static str,
) -> Result<(WebSocketStream<S>, client::Response), Error> {
    let mut request = "ws://chat.example/talk".into_client_request()?;
    if !protocols.is_empty() {
        request.headers_mut().insert(PROTOCOL, HeaderValue::from_static(protocols));
    }
    tokio_tungstenite::client_async(request, stream).await
}

/// Waits for the next message; nothing when the other end has closed.
pub(super) async fn next<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
) -> Option<Message> {
    let message = tokio::time::timeout(crate::PATIENCE, socket.next()).await.expect("a message in time");
    message.map(|message| message.unwrap())
}
