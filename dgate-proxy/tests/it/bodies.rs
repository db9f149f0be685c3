use std::time::Duration;

use bytes::Bytes;
use dgate_core::Body;
use dgate_core::body::BodyError;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::{all_to, gateway_to};

/// A body from frames that come through a channel.
pub(crate) fn channel() -> (mpsc::Sender<Result<Frame<Bytes>, BodyError>>, Body) {
    let (frames, received) = mpsc::channel(16);
    let stream = stream::unfold(received, |mut received| async { Some((received.recv().await?, received)) });
    (frames, Body::new(StreamBody::new(stream.boxed())))
}

#[allow(clippy::unnecessary_wraps, reason = "what the channel takes")]
fn data(text: &'static str) -> Result<Frame<Bytes>, BodyError> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

#[tokio::test]
async fn uploads_of_every_framing_arrive_whole() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    let mut raw = gateway.raw().await;
    raw.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").await;
    raw.read_until("\"path\":\"/length\"").await;
    raw.send("POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n").await;
    raw.read_until("\"path\":\"/chunked\"").await;
    raw.send("POST /empty HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").await;
    raw.read_until("\"path\":\"/empty\"").await;
    let seen = upstream.seen();
    assert_eq!(seen.iter().map(|seen| seen.body.len()).collect::<Vec<_>>(), [5, 5, 0]);
    assert_eq!(seen[1].trailers["x-sum"], "7");
    assert_eq!((seen[0].header("content-length"), seen[0].header("transfer-encoding")), ("5", ""));
    assert_eq!((seen[1].header("content-length"), seen[1].header("transfer-encoding")), ("", "chunked"));
    assert_eq!(seen[2].header("content-length"), "0");
    assert_eq!(upstream.connections(), 1, "the upstream's connection is used again");
}

#[tokio::test]
async fn permission_to_send_is_given_when_the_upstream_is_there() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    let mut raw = gateway.raw().await;
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n").await;
    raw.read_until("HTTP/1.1 100 Continue\r\n\r\n").await;
    raw.send("hello").await;
    raw.read_until("\"body\":\"hello\"").await;
    assert_eq!(upstream.seen()[0].header("expect"), "");

    // Who is refused is not asked to send anything, and the connection ends: nobody knows what comes next.
    let refusing = TestGateway::start([]).await;
    let mut raw = refusing.raw().await;
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n").await;
    let answer = raw.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[tokio::test]
async fn events_arrive_before_the_upstream_ends() {
    let (frames, body) = channel();
    let body = std::sync::Mutex::new(Some(body));
    let body = std::sync::Arc::new(body);
    let upstream = TestUpstream::streaming(move |_| {
        let body = body.lock().unwrap().take().unwrap();
        async move { Response::builder().header("content-type", "text/event-stream").body(body).unwrap() }
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut client = gateway.client().await;
    let response = client.begin(Request::get("/events").header("host", "a").body("").unwrap()).await.unwrap();
    let mut events = response.into_body();
    for text in ["data: one\n\n", "data: two\n\n"] {
        frames.send(data(text)).await.unwrap();
        let event = events.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(event, text);
    }
    drop(frames);
    assert!(events.frame().await.is_none());
}

#[tokio::test]
async fn trailers_pass_through() {
    let upstream = TestUpstream::streaming(|_| async {
        let (frames, body) = channel();
        frames.try_send(data("hello")).unwrap();
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "7".parse().unwrap());
        frames.try_send(Ok(Frame::trailers(trailers))).unwrap();
        Response::builder().header("trailer", "x-sum").body(body).unwrap()
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut client = gateway.client().await;
    let request = Request::get("/").header("host", "a").header("te", "trailers").body("").unwrap();
    let answer = client.send(request).await;
    assert_eq!(
        (answer.text().as_str(), answer.trailers.get("x-sum").unwrap().to_str().unwrap()),
        ("hello", "7")
    );
}

#[tokio::test]
async fn interim_responses_pass_through() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 4_096]).await;
        let response = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x\r\n\r\n\
                        HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        let _ = stream.write_all(response.as_bytes()).await;
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut raw = gateway.raw().await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let answer = raw.read_to_end().await;
    assert!(
        answer.starts_with(
            "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n"
        ),
        "{answer}"
    );
    let mut raw = gateway.raw().await;
    raw.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n").await;
    let answer = raw.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "HTTP/1.0 knows no interim responses: {answer}");
}

#[tokio::test]
async fn http_1_0_clients_get_what_they_can_read() {
    let upstream = TestUpstream::streaming(|_| async {
        let (frames, body) = channel();
        frames.try_send(data("hello ")).unwrap();
        frames.try_send(data("world")).unwrap();
        Response::new(body)
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut raw = gateway.raw().await;
    raw.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n").await;
    let answer = raw.read_to_end().await;
    assert!(answer.ends_with("\r\n\r\nhello world"), "{answer}");
    assert!(!answer.contains("chunked") && answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_response_without_length_ends_with_the_upstreams_connection() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 4_096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").await;
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    assert_eq!(gateway.get("/").await.text(), "hello");
}

#[tokio::test]
async fn an_upstream_that_breaks_off_never_looks_complete() {
    for head in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let upstream = TestUpstream::raw(move |mut stream| async move {
            let _ = stream.read(&mut [0; 4_096]).await;
            let body = if head.starts_with('C') { "hello" } else { "5\r\nhello\r\n" };
            let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}").as_bytes()).await;
        })
        .await;
        let gateway = gateway_to(&upstream).await;
        let mut client = gateway.client().await;
        let request = Request::get("/").header("host", "a").body("").unwrap();
        assert!(client.try_send(request).await.is_err(), "{head}");
        let mut raw = gateway.raw().await;
        raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let answer = raw.read_to_end().await;
        assert!(answer.contains("hello") && !answer.ends_with("0\r\n\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_the_upstream() {
    let (gone, mut is_gone) = mpsc::unbounded_channel();
    let upstream = TestUpstream::raw(move |mut stream| {
        let gone = gone.clone();
        async move {
            let read = stream.read(&mut [0; 4_096]).await.unwrap();
            // An idle connection is closed as well; it has not asked for anything.
            if read > 0 {
                assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
                gone.send(()).unwrap();
            }
        }
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut raw = gateway.raw().await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    crate::eventually("the request arrives", async || upstream.connections() == 1).await;
    drop(raw);
    tokio::time::timeout(crate::PATIENCE, is_gone.recv()).await.expect("the upstream notices").unwrap();
}

#[tokio::test]
async fn a_client_that_goes_away_while_events_are_sent_cancels_the_upstream() {
    let (frames, body) = channel();
    let body = std::sync::Arc::new(std::sync::Mutex::new(Some(body)));
    let upstream = TestUpstream::streaming(move |_| {
        let body = body.lock().unwrap().take().unwrap();
        async move { Response::new(body) }
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut raw = gateway.raw().await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    frames.send(data("first")).await.unwrap();
    raw.read_until("first").await;
    drop(raw);
    // The upstream is told without having to send anything.
    tokio::time::timeout(crate::PATIENCE, frames.closed()).await.expect("the upstream notices");
}

#[tokio::test]
async fn large_bodies_stream_both_ways() {
    const SIZE: usize = 20 << 20;
    let upstream = TestUpstream::streaming(|request| async move { Response::new(request.into_body()) }).await;
    let gateway = gateway_to(&upstream).await;
    let mut client = gateway.client().await;
    let chunk = Bytes::from(vec![7_u8; 64 * 1_024]);
    let frames =
        stream::iter((0..SIZE / chunk.len()).map(move |_| Ok::<_, BodyError>(Frame::data(chunk.clone()))));
    let request = Request::post("/").header("host", "a").body(Body::new(StreamBody::new(frames))).unwrap();
    let mut body = client.begin(request).await.unwrap().into_body();
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        assert!(data.iter().all(|byte| *byte == 7));
        received += data.len();
    }
    assert_eq!(received, SIZE);
}

#[tokio::test]
async fn an_answer_that_comes_before_the_upload_is_over_is_passed_on() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 1_024]).await;
        let _ = stream
            .write_all(b"HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nno!")
            .await;
        let _ = stream.shutdown().await;
        // A polite upstream reads what is on its way.
        let _ = tokio::time::timeout(
            Duration::from_secs(5),
            tokio::io::copy(&mut stream, &mut tokio::io::sink()),
        )
        .await;
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut raw = gateway.raw().await;
    raw.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n{}",
        "x".repeat(100_000)
    ))
    .await;
    let answer = raw.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.ends_with("no!"), "{answer}");
}

#[tokio::test]
async fn a_silent_upstream_times_out() {
    let service = |timeout: &str| {
        let upstream = TestUpstream::raw(|mut stream| async move {
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello").await;
            let _ = stream.read(&mut [0; 1]).await;
        });
        let timeout = timeout.to_owned();
        async move {
            let upstream = upstream.await;
            let service =
                serde_json::json!({ "name": "s", "urls": [upstream.url()], "idle_timeout": timeout });
            let route = serde_json::json!({ "name": "all", "paths": ["/**"], "service": "s" });
            let resources = [
                crate::resource(dgate_core::Kind::Service, service),
                crate::resource(dgate_core::Kind::Route, route),
            ];
            (TestGateway::start(resources).await, upstream)
        }
    };
    let (gateway, _upstream) = service("100ms").await;
    let mut client = gateway.client().await;
    let broken = client.try_send(Request::get("/").header("host", "a").body("").unwrap()).await;
    assert!(broken.is_err(), "a response that pauses for too long breaks off");

    let silent = TestUpstream::raw(|mut stream| async move {
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    let mut resources = all_to(silent.url());
    resources[0] = crate::resource(
        dgate_core::Kind::Service,
        serde_json::json!({ "name": "s", "urls": [silent.url()], "request_timeout": "100ms" }),
    );
    let answer = TestGateway::start(resources).await.get("/").await;
    assert_eq!((answer.status().as_u16(), answer.text().trim()), (504, "Upstream timeout"));
}
