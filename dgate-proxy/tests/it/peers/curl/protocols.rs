//! Versions of HTTP, and what differs between them.

use dgate_core::Body;
use dgate_proxy::testing::TestUpstream;
use http::{HeaderMap, Method, Request, Response};
use http_body::Frame;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use super::{HOST, Site, WAYS};
use crate::{all_to, bodies};

#[tokio::test]
async fn all_versions_are_answered() {
    let upstream = TestUpstream::echo().await;
    let site = Site::new(all_to(upstream.url())).await;
    for way in WAYS {
        let output = site.ask(way, "/a?b=c", &["-w", "\n%{http_version} %{response_code}"]).await;
        let (body, end) = output.stdout.rsplit_once('\n').unwrap();
        assert_eq!((output.code, end), (0, &*format!("{} 200", way.version)), "{way:?}");
        let seen: Value = serde_json::from_str(body).unwrap();
        let scheme = if way.encrypted { "https" } else { "http" };
        let host = format!("{HOST}:{}", site.address(way).port());
        assert_eq!(
            (&seen["path"], &seen["headers"]["x-forwarded-proto"]),
            (&"/a?b=c".into(), &scheme.into())
        );
        assert_eq!(seen["headers"]["x-forwarded-host"], host);
    }
}

#[tokio::test]
async fn several_requests_go_over_one_connection() {
    let upstream = TestUpstream::echo().await;
    let site = Site::new(all_to(upstream.url())).await;
    // This curl loses its way when it uses a connection with prior knowledge of HTTP/2 again, with any server.
    for way in WAYS.into_iter().filter(|way| !matches!(way.option, "--http1.0" | "--http2-prior-knowledge")) {
        let more = [site.url(way, "/2"), site.url(way, "/3")];
        let options = ["-w", "%{num_connects}\n", "-o", "1", "-o", "2", "-o", "3", &more[0], &more[1]];
        let output = site.ask(way, "/1", &options).await;
        assert_eq!((output.code, &*output.stdout), (0, "1\n0\n0\n"), "{way:?}: {}", output.stderr);
    }
}

#[tokio::test]
async fn heads_come_without_bodies() {
    let upstream = TestUpstream::streaming(|request: Request<Body>| async move {
        let is_head = *request.method() == Method::HEAD;
        let body = if is_head { Body::empty() } else { Body::from("x".repeat(1_000)) };
        Response::builder()
            .header("content-length", 1_000)
            .header("x-head", is_head.to_string())
            .body(body)
            .unwrap()
    })
    .await;
    let site = Site::new(all_to(upstream.url())).await;
    for way in WAYS {
        let output = site.ask(way, "/", &["--head"]).await;
        assert_eq!(output.code, 0, "{way:?}: {}", output.stderr);
        let head = output.stdout.to_ascii_lowercase();
        assert!(
            head.contains("\r\ncontent-length: 1000\r\n") && head.contains("\r\nx-head: true\r\n"),
            "{head}"
        );
    }
}

#[tokio::test]
async fn trailers_arrive_behind_the_body() {
    let answer = |_: Request<Body>| async {
        let (frames, body) = bodies::channel();
        frames.try_send(Ok(Frame::data("hello".into()))).unwrap();
        let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), "7".parse().unwrap())]);
        frames.try_send(Ok(Frame::trailers(trailers))).unwrap();
        Response::builder().header("trailer", "x-sum").body(body).unwrap()
    };
    for upstream in [TestUpstream::streaming(answer).await, TestUpstream::streaming_h2c(answer).await] {
        let site = Site::new(all_to(upstream.url())).await;
        for way in WAYS {
            let options =
                ["-H", "TE: trailers", "-H", "Connection: TE", "--dump-header", "head", "-o", "body"];
            let output = site.ask(way, "/", &options).await;
            assert_eq!(output.code, 0, "{way:?}: {}", output.stderr);
            let read = |file| std::fs::read_to_string(site.directory.path().join(file)).unwrap();
            assert_eq!(read("body"), "hello", "{way:?}");
            // HTTP/1.0 has no place for them.
            let has_trailers = read("head").to_ascii_lowercase().ends_with("\r\n\r\nx-sum: 7\r\n");
            let has_trailers = has_trailers || read("head").ends_with("\r\n\r\nx-sum: 7\r\n\r\n");
            assert_eq!(has_trailers, way.option != "--http1.0", "{way:?}: {}", read("head"));
        }
    }
}

#[tokio::test]
async fn a_client_that_gives_up_cancels_the_upstream() {
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
    let site = Site::new(all_to(upstream.url())).await;
    for way in WAYS {
        let output = site.ask(way, "/", &["--max-time", "0.3"]).await;
        assert_eq!(output.code, 28, "{way:?}: {}", output.stderr);
        let noticed = tokio::time::timeout(crate::PATIENCE, is_gone.recv()).await;
        noticed.unwrap_or_else(|_| panic!("{way:?}: the upstream does not notice")).unwrap();
    }
}
