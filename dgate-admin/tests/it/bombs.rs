//! What is sent to bring the server down.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame, SizeHint};
use serde_json::json;

use crate::kit::{Kit, LOCAL};

/// As many bytes as are wanted, and how many were.
struct Large {
    left: usize,
    read: Arc<AtomicUsize>,
    says_so: bool,
}

impl Body for Large {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let size = self.left.min(64 << 10);
        self.left -= size;
        self.read.fetch_add(size, Ordering::Relaxed);
        Poll::Ready((size > 0).then(|| Ok(Frame::data(Bytes::from(vec![b' '; size])))))
    }

    fn size_hint(&self) -> SizeHint {
        if self.says_so { SizeHint::with_exact(self.left as u64) } else { SizeHint::new() }
    }
}

#[tokio::test]
async fn a_body_of_100_mb_is_refused_without_being_kept() {
    let kit = Kit::start().await;
    for (says_so, most) in [(true, 0), (false, 33 << 20)] {
        let read = Arc::new(AtomicUsize::new(0));
        let body = Large { left: 100 << 20, read: read.clone(), says_so };
        let request = Request::post("/api/v1/apply").body(body).unwrap();
        let response = kit.api.answer(request, LOCAL.into()).await;
        assert_eq!(response.status(), 413);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert!(read.load(Ordering::Relaxed) <= most, "{} bytes were read", read.load(Ordering::Relaxed));
    }
}

#[tokio::test]
async fn json_that_explodes_is_refused() {
    let kit = Kit::start().await;
    kit.put("/api/v1/collection/default/c", json!({})).await.is(201);
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let data = |data: &str| format!("{{\"data\":{data}}}");
    for (body, status) in [
        (data(&deep("[", "]")), 400),
        (data(&deep("{\"a\":", "}")), 400),
        (deep("[", ""), 400),
        (data("1e999999"), 400),
        (data("\"\\ud800\""), 400),
        (data("\u{1}"), 400),
        ("[".to_owned(), 400),
        ("{} {}".to_owned(), 400),
        (deep("[],", "").replacen("[]", "[[]", 1) + "[]]", 422),
        (format!("{{{}\"data\":1}}", "\"x\":1,".repeat(1_000)), 422),
    ] {
        let shown: String = body.chars().take(30).collect();
        let request = Request::put("/api/v1/document/default/c/d").header("content-type", "application/json");
        let request = request.body(dgate_core::Body::full(body)).unwrap();
        let answer = kit.send(request).await;
        assert_eq!(answer.status, status, "{shown}: {:#}", answer.body);
        // Whatever was sent, the answer is short.
        assert!(answer.body.to_string().len() < 200_000, "{shown}");
    }
    kit.get("/api/v1/document/default/c/d").await.is(404);
    assert_eq!(kit.get("/api/v1/stats").await.is(200)["data"]["revision"], 1);
}
