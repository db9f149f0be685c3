use std::net::SocketAddr;

use dgate_core::Body;
use dgate_proxy::testing::{TestClient, TestUpstream};
use futures_util::{SinkExt, StreamExt};
use http::{Response, StatusCode};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::*;

/// The application on a port of its own.
struct App {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl App {
    async fn in_front_of(upstream: &TestUpstream) -> Self {
        let gateway = Gateway::builder()
            .resource(Service::new("users", [upstream.url()]))
            .resource(Route::new("users", "/users/**").to_service("users"))
            .build()
            .await
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(serve(listener, gateway, async { drop(stopped.await) }));
        Self { address, stop, server }
    }

    async fn get(&self, path: &str) -> dgate_proxy::testing::Answer {
        let request = http::Request::get(path).header("host", "shop.example").body(Body::empty()).unwrap();
        TestClient::http1(self.address).await.send(request).await
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.server.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn each_side_answers_what_is_its_own() {
    let upstream = TestUpstream::echo().await;
    let app = App::in_front_of(&upstream).await;
    assert_eq!(app.get("/").await.text(), "the application's own page\n");
    assert_eq!(app.get("/users/7?a=b").await.json()["path"], "/users/7?a=b");
    assert_eq!(app.get("/api/users/7").await.json()["path"], "/users/7", "the prefix is the application's");
    let unknown = app.get("/nothing").await;
    assert_eq!((unknown.status(), unknown.text().as_str()), (StatusCode::NOT_FOUND, "No such route\n"));
    app.stop().await;
}

#[tokio::test]
async fn the_upstream_learns_who_asks() {
    let upstream = TestUpstream::echo().await;
    let app = App::in_front_of(&upstream).await;
    app.get("/users/7").await;
    let seen = &upstream.seen()[0];
    let port = app.address.port().to_string();
    for (name, value) in [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "shop.example"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", port.as_str()),
    ] {
        assert_eq!(seen.header(name), value, "{name}");
    }
    app.stop().await;
}

#[tokio::test]
async fn http2_comes_through_as_well() {
    let upstream = TestUpstream::echo().await;
    let app = App::in_front_of(&upstream).await;
    let mut client = TestClient::http2(app.address).await;
    let url = format!("http://{}/users/7", app.address);
    let answer = client.send(http::Request::get(url).body("").unwrap()).await;
    assert_eq!(answer.json()["path"], "/users/7");
    drop(client);
    app.stop().await;
}

#[tokio::test]
async fn websockets_come_through_and_are_told_when_it_is_over() {
    let upstream = TestUpstream::raw(|stream| async {
        let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
        while let Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) = socket.next().await {
            if socket.send(message).await.is_err() {
                return;
            }
        }
    })
    .await;
    let app = App::in_front_of(&upstream).await;
    let stream = TcpStream::connect(app.address).await.unwrap();
    let url = format!("ws://{}/users/chat", app.address);
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    let stopping = tokio::spawn(app.stop());
    match socket.next().await.unwrap().unwrap() {
        Message::Close(Some(frame)) => assert_eq!(frame.code, CloseCode::Away),
        other => panic!("{other:?}"),
    }
    drop(socket);
    stopping.await.unwrap();
}

#[tokio::test]
async fn requests_under_way_are_answered_before_it_stops() {
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let upstream = TestUpstream::http({
        let (arrived, go_on) = (arrived.clone(), go_on.clone());
        move |_| {
            let (arrived, go_on) = (arrived.clone(), go_on.clone());
            async move {
                arrived.notify_one();
                go_on.notified().await;
                Response::new("late".into())
            }
        }
    })
    .await;
    let app = App::in_front_of(&upstream).await;
    let mut client = TestClient::http1(app.address).await;
    let request = http::Request::get("/users/7").header("host", "a").body("").unwrap();
    let answer = tokio::spawn(async move { client.send(request).await });
    arrived.notified().await;
    let stopping = tokio::spawn(app.stop());
    go_on.notify_one();
    assert_eq!(answer.await.unwrap().text(), "late");
    stopping.await.unwrap();
}
