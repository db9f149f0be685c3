//! Requests and responses that could be read in two ways.

use dgate_proxy::testing::TestUpstream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::gateway_to;

/// Each of these is refused, and nothing of it reaches the upstream.
const AMBIGUOUS: &[(&str, &str)] = &[
    (
        "two equal lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    ),
    (
        "two different lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    ),
    ("a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello"),
    ("a signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello"),
    ("a negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n"),
    ("a hexadecimal length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello"),
    ("a length too large", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"),
    (
        "CL.TE",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    ),
    (
        "TE.CL",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\nGPOST",
    ),
    (
        "TE.TE",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    ),
    ("an obfuscated encoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    (
        "a space before the colon",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ),
    ("a vertical tab", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n"),
    ("chunked, not last", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    ("chunked twice", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    ("chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a folded line", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n"),
    ("a folded first line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    ("a bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rX-B: c\r\n\r\n"),
    ("a bare LF at the end of a line", "GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n"),
    ("a NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n"),
    ("a name that is none", "GET / HTTP/1.1\r\nHost: a\r\nX[A]: b\r\n\r\n"),
    ("no name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"),
    ("no colon", "GET / HTTP/1.1\r\nHost: a\r\nX-A\r\n\r\n"),
    ("no host", "GET / HTTP/1.1\r\n\r\n"),
    ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ("two equal hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    ("a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    ("a host with a user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    ("a relative target", "GET x HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a raw byte in the target", "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a foreign scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
    ("no version", "GET /\r\nHost: a\r\n\r\n"),
    ("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a method that is none", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a TLS hello", "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03\r\n\r\n"),
];

#[tokio::test]
async fn ambiguous_requests_are_refused_and_the_connection_is_closed() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    for (what, request) in AMBIGUOUS {
        let mut raw = gateway.raw().await;
        // What follows must not be taken for a request of its own.
        raw.send(format!("{request}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        let answer = raw.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{what}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{what}: one answer, then the end: {answer}");
        assert!(answer.contains("connection: close\r\n"), "{what}: {answer}");
        assert!(answer.contains("x-request-id: "), "{what}: {answer}");
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

#[tokio::test]
async fn broken_chunks_are_refused_before_the_upstream_sees_an_end() {
    for (what, body) in [
        ("a lone line feed after a size", "5\nhello\r\n0\r\n\r\n"),
        ("a lone line feed after a chunk", "5\r\nhello\n0\r\n\r\n"),
        ("more data than said", "5\r\nhello!\r\n0\r\n\r\n"),
        ("a size that is no number", "x\r\nhello\r\n0\r\n\r\n"),
        ("a space after the size", "5 \r\nhello\r\n0\r\n\r\n"),
        ("a size too large", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
    ] {
        let upstream = TestUpstream::streaming(|request| async move {
            let whole = request.into_body().collect_limited(1 << 20).await;
            let text = if whole.is_ok() { "complete" } else { "broken" };
            http::Response::new(text.into())
        })
        .await;
        let gateway = gateway_to(&upstream).await;
        let mut raw = gateway.raw().await;
        raw.send(format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}")).await;
        let answer = raw.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{what}: {answer}");
    }
}

#[tokio::test]
async fn limits_of_heads_have_their_own_answers() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    for (request, status) in [
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(9_000)), 414),
        (format!("GET /{}", "x".repeat(70_000)), 414),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X-A: b\r\n".repeat(101)), 431),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nX-A: {}\r\n\r\n", "x".repeat(70_000)), 431),
        ("GET / HTTP/3.0\r\nHost: a\r\n\r\n".to_owned(), 505),
        ("GET / HTTP/1.2\r\nHost: a\r\n\r\n".to_owned(), 505),
    ] {
        let mut raw = gateway.raw().await;
        raw.send(&request).await;
        let answer = raw.read_to_end().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
    }
}

#[tokio::test]
async fn odd_but_clear_requests_are_served() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    for request in [
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nhOsT:   a  \r\nconnection: CLOSE\r\n\r\n",
        "GET /a|b{c}\"d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "PROPFIND / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: CHUNKED\r\n\r\n5;x=\"y\"\r\nhello\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-A: \u{e9}\r\n\r\n",
    ] {
        let mut raw = gateway.raw().await;
        raw.send(request).await;
        let answer = raw.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{request:?}: {answer}");
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    let mut raw = gateway.raw().await;
    raw.send(concat!(
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ))
    .await;
    let answers = raw.read_to_end().await;
    let places: Vec<_> = ["/1", "/2", "/3"]
        .iter()
        .map(|path| answers.find(&format!("\"path\":\"{path}\"")).unwrap())
        .collect();
    assert!(places.is_sorted(), "{answers}");
}

/// Broken upstream responses are never passed on.
#[tokio::test]
async fn broken_responses_become_502() {
    for (what, response) in [
        ("no status line", "hello\r\n\r\n"),
        ("a bad status", "HTTP/1.1 2000 OK\r\n\r\n"),
        ("another protocol", "SSH-2.0-OpenSSH\r\n\r\n"),
        ("a bad length", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
        (
            "length and encoding",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("a strange encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx"),
        (
            "an unasked upgrade",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        ),
        ("a folded header", "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n"),
        ("a NUL in a header", "HTTP/1.1 200 OK\r\nX-A: b\0\r\nContent-Length: 0\r\n\r\n"),
    ] {
        let upstream = TestUpstream::raw(move |mut stream| async move {
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(response.as_bytes()).await;
            let _ = stream.read(&mut [0; 1]).await;
        })
        .await;
        let answer = gateway_to(&upstream).await.get("/").await;
        assert_eq!(
            (answer.status().as_u16(), answer.text().trim()),
            (502, "Upstream sent an invalid answer"),
            "{what}"
        );
    }
}

/// What comes behind a complete response belongs to nobody: the connection is not used again.
#[tokio::test]
async fn surplus_bytes_behind_a_response_poison_nothing() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 4_096]).await;
        let response =
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nspoof";
        let _ = stream.write_all(response.as_bytes()).await;
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    for _ in 0..3 {
        assert_eq!(gateway.get("/").await.text(), "ok");
    }
    assert_eq!(upstream.connections(), 3);
}
