//! What no client may say in HTTP/2, and what becomes of it on the way to HTTP/1.1.

use dgate_proxy::testing::TestGateway;

use super::frames::{Answer, DATA, END_HEADERS, END_STREAM, HEADERS, Wire, block, frame};
use crate::smuggling::Witness;

type Fields = &'static [(&'static str, &'static str)];

/// What becomes of a request.
enum Fate {
    /// It is answered with this status, and the upstream sees nothing.
    Status(u16),
    /// Its stream is reset, or the connection is ended, and the upstream sees nothing.
    Reset,
    /// It reaches the upstream in this form.
    Seen(&'static str),
}

use Fate::{Reset, Seen, Status};

const M: (&str, &str) = (":method", "GET");
const S: (&str, &str) = (":scheme", "http");
const P: (&str, &str) = (":path", "/");
const A: (&str, &str) = (":authority", "a");
const POST: (&str, &str) = (":method", "POST");

/// What it is, its fields, its body if it has one, its fate.
#[rustfmt::skip]
const MATRIX: &[(&str, Fields, Option<&str>, Fate)] = &[
    ("a request", &[M, S, P, A], None, Seen("GET /")),
    ("a host in place of an authority", &[M, S, P, ("host", "a")], None, Seen("GET /")),
    ("both, the same", &[M, S, P, A, ("host", "a")], None, Seen("GET /")),
    ("a body", &[POST, S, P, A], Some("hello"), Seen("POST / | transfer-encoding: chunked | 5\r\nhello\r\n0\r\n\r\n")),
    ("a body with a length", &[POST, S, P, A, ("content-length", "5")], Some("hello"), Seen("POST / | content-length: 5 | hello")),
    ("a length of zero", &[M, S, P, A, ("content-length", "0")], None, Seen("GET / | content-length: 0")),
    ("TE: trailers", &[M, S, P, A, ("te", "trailers")], None, Seen("GET /")),
    // Lengths.
    ("a length and no body", &[POST, S, P, A, ("content-length", "5")], None, Reset),
    ("two equal lengths", &[POST, S, P, A, ("content-length", "5"), ("content-length", "5")], Some("hello"), Status(400)),
    ("two equal lengths of zero", &[M, S, P, A, ("content-length", "0"), ("content-length", "0")], None, Status(400)),
    ("two different lengths", &[M, S, P, A, ("content-length", "0"), ("content-length", "5")], None, Reset),
    ("a length with a sign", &[POST, S, P, A, ("content-length", "+5")], Some("hello"), Reset),
    ("an empty length", &[M, S, P, A, ("content-length", "")], None, Status(400)),
    ("a list of lengths", &[POST, S, P, A, ("content-length", "5, 5")], Some("hello"), Reset),
    // What belongs to HTTP/1.1.
    ("an encoding", &[POST, S, P, A, ("transfer-encoding", "chunked")], Some("0\r\n\r\n"), Reset),
    ("a connection", &[M, S, P, A, ("connection", "keep-alive")], None, Reset),
    ("a keep-alive", &[M, S, P, A, ("keep-alive", "5")], None, Reset),
    ("a proxy-connection", &[M, S, P, A, ("proxy-connection", "x")], None, Reset),
    ("an upgrade", &[M, S, P, A, ("upgrade", "websocket")], None, Reset),
    ("TE: gzip", &[M, S, P, A, ("te", "gzip")], None, Reset),
    ("an encoding with an underscore", &[POST, S, P, A, ("transfer_encoding", "chunked")], Some("x"), Seen("POST / | transfer-encoding: chunked | 1\r\nx\r\n0\r\n\r\n")),
    // Fields.
    ("a line end in a value", &[M, S, P, A, ("x", "y\r\nHost: b")], None, Reset),
    ("a line feed in a value", &[M, S, P, A, ("x", "y\nHost: b")], None, Reset),
    ("a carriage return in a value", &[M, S, P, A, ("x", "y\rz")], None, Reset),
    ("a NUL in a value", &[M, S, P, A, ("x", "y\0")], None, Reset),
    ("a line end in a name", &[M, S, P, A, ("x: y\r\nz", "1")], None, Reset),
    ("a colon in a name", &[M, S, P, A, ("transfer-encoding: chunked\r\nx", "1")], None, Reset),
    ("a space in a name", &[M, S, P, A, ("x y", "1")], None, Reset),
    ("a capital letter in a name", &[M, S, P, A, ("Host", "b")], None, Reset),
    ("an empty name", &[M, S, P, A, ("", "1")], None, Reset),
    // Pseudo-fields.
    ("no method", &[S, P, A], None, Reset),
    ("a method with a space", &[(":method", "GET /x HTTP/1.1"), S, P, A], None, Reset),
    ("a method with a line end", &[(":method", "GET / HTTP/1.1\r\nx: y\r\n\r\n"), S, P, A], None, Reset),
    ("no scheme", &[M, P, A], None, Reset),
    ("another scheme", &[M, (":scheme", "ftp"), P, A], None, Status(400)),
    ("a scheme with a path", &[M, (":scheme", "http://b/x?"), P, A], None, Reset),
    ("no path", &[M, S, A], None, Reset),
    ("an empty path", &[M, S, (":path", ""), A], None, Reset),
    ("a path with a space", &[M, S, (":path", "/x HTTP/1.1"), A], None, Reset),
    ("a path with a line end", &[M, S, (":path", "/ HTTP/1.1\r\nx: y\r\n"), A], None, Reset),
    ("a path with a NUL", &[M, S, (":path", "/\0"), A], None, Reset),
    ("a path beyond ASCII", &[M, S, (":path", "/\u{e9}"), A], None, Status(400)),
    ("a relative path", &[M, S, (":path", "x"), A], None, Reset),
    ("an absolute target", &[M, S, (":path", "http://b/"), A], None, Reset),
    ("an asterisk for GET", &[M, S, (":path", "*"), A], None, Status(400)),
    ("a query alone", &[M, S, (":path", "?x"), A], None, Status(400)),
    ("two paths", &[M, S, P, (":path", "/x"), A], None, Reset),
    ("no host at all", &[M, S, P], None, Status(400)),
    ("an empty authority", &[M, S, P, (":authority", "")], None, Reset),
    ("an authority with a user", &[M, S, P, (":authority", "u@a")], None, Status(400)),
    ("an authority with a path", &[M, S, P, (":authority", "a/b")], None, Reset),
    ("an authority with a line end", &[M, S, P, (":authority", "a\r\nx: y")], None, Reset),
    ("an authority with a space", &[M, S, P, (":authority", "a b")], None, Reset),
    ("two hosts", &[M, S, P, ("host", "a"), ("host", "b")], None, Status(400)),
    ("two equal hosts", &[M, S, P, A, ("host", "a"), ("host", "a")], None, Status(400)),
    ("an authority and another host", &[M, S, P, A, ("host", "b")], None, Seen("GET /")),
    ("an authority and a host that is none", &[M, S, P, A, ("host", "b/c")], None, Status(400)),
    ("a host that is none", &[M, S, P, ("host", "a/b")], None, Status(400)),
    ("a field before a pseudo-field", &[M, S, ("x", "y"), P, A], None, Reset),
    ("a status", &[M, S, P, A, (":status", "200")], None, Reset),
    ("an unknown pseudo-field", &[M, S, P, A, (":x", "y")], None, Reset),
    ("CONNECT", &[(":method", "CONNECT"), (":authority", "a:443")], None, Status(400)),
    ("CONNECT with a protocol", &[(":method", "CONNECT"), (":protocol", "websocket"), S, P, A], None, Reset),
    // On the way to HTTP/1.1.
    ("a whole request in the path", &[M, S, (":path", "/%0d%0aGET%20/x"), A], None, Seen("GET /%0D%0AGET%20/x")),
    ("dots above the root", &[M, S, (":path", "/../x"), A], None, Seen("GET /x")),
];

#[tokio::test]
async fn nothing_is_smuggled_from_http2_to_http1() {
    assert!(MATRIX.len() > 60);
    let witness = Witness::start().await;
    let gateway = witness.gateway().await;
    let mut wrong = Vec::new();
    for (what, fields, body, fate) in MATRIX {
        let mut wire = Wire::open(&gateway).await;
        let end = if body.is_some() { 0 } else { END_STREAM };
        wire.send(&frame(HEADERS, END_HEADERS | end, 1, &block(fields))).await;
        if let Some(body) = body {
            wire.send(&frame(DATA, END_STREAM, 1, body.as_bytes())).await;
        }
        let answer = wire.answer(1).await;
        let saw = witness.saw();
        let is_right = match (fate, answer) {
            (Status(expected), Answer::Status(status)) => *expected == status && saw.is_empty(),
            (Reset, Answer::Reset(_) | Answer::Closed) => saw.is_empty(),
            (Seen(expected), Answer::Status(200)) => saw == [*expected],
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{what}: {answer:?}, the upstream saw {saw:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The length that the head says is the length of the data, or nothing of the request is ever complete.
#[tokio::test]
async fn a_body_of_another_length_than_said_never_looks_complete() {
    for body in ["hel", "hello!"] {
        let witness = Witness::start().await;
        let gateway = witness.gateway().await;
        let mut wire = Wire::open(&gateway).await;
        let head = block(&[POST, S, P, A, ("content-length", "5")]);
        wire.send(&frame(HEADERS, END_HEADERS, 1, &head)).await;
        wire.send(&frame(DATA, END_STREAM, 1, body.as_bytes())).await;
        let answer = wire.answer(1).await;
        assert!(matches!(answer, Answer::Reset(_) | Answer::Closed), "{body}: {answer:?}");
        assert!(witness.saw().is_empty(), "{body}");
    }
}

#[tokio::test]
async fn trailers_say_nothing_about_framing() {
    let witness = Witness::start().await;
    let gateway: TestGateway = witness.gateway().await;
    let mut wire = Wire::open(&gateway).await;
    wire.send(&frame(HEADERS, END_HEADERS, 1, &block(&[POST, S, P, A]))).await;
    wire.send(&frame(DATA, 0, 1, b"hello")).await;
    let trailers =
        block(&[("content-length", "9"), ("host", "b"), ("x-forwarded-for", "6.6.6.6"), ("x-sum", "7")]);
    wire.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &trailers)).await;
    assert_eq!(wire.answer(1).await, Answer::Status(200));
    assert_eq!(witness.saw(), ["POST / | transfer-encoding: chunked | 5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n"]);
}

#[tokio::test]
async fn limits_hold_for_http2_as_well() {
    let witness = Witness::start().await;
    let gateway = witness.gateway().await;
    let long = format!("/{}", "x".repeat(9_000));
    let many: Vec<_> = (0..101).map(|index| (format!("x-{index}"), "1".to_owned())).collect();
    let large: Vec<_> = (0..50).map(|index| (format!("x-{index}"), "1".repeat(2_000))).collect();
    let with = |fields: &[(String, String)]| {
        let all: Vec<_> =
            [M, S, P, A].iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        block(&[&all, fields].concat())
    };
    for (what, head, expected) in [
        ("a long path", block(&[M, S, (":path", &long), A]), 414),
        ("many fields", with(&many), 431),
        ("large fields", with(&large), 431),
    ] {
        let mut wire = Wire::open(&gateway).await;
        let mut pieces = head.chunks(16_000).peekable();
        let mut kind = HEADERS;
        while let Some(piece) = pieces.next() {
            let end = if pieces.peek().is_none() { END_HEADERS } else { 0 };
            let end_stream = if kind == HEADERS { END_STREAM } else { 0 };
            wire.send(&frame(kind, end | end_stream, 1, piece)).await;
            kind = super::frames::CONTINUATION;
        }
        assert_eq!(wire.answer(1).await, Answer::Status(expected), "{what}");
    }
    assert!(witness.saw().is_empty());
}

#[tokio::test]
async fn cookies_become_one_field() {
    let upstream = dgate_proxy::testing::TestUpstream::echo().await;
    let gateway = crate::gateway_to(&upstream).await;
    let mut wire = Wire::open(&gateway).await;
    let mut fields = vec![M, S, P, A];
    // More than the limit for fields.
    fields.extend(std::iter::repeat_n(("cookie", "a=1"), 150));
    wire.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&fields))).await;
    assert_eq!(wire.answer(1).await, Answer::Status(200));
    let seen = &upstream.seen()[0];
    assert_eq!(seen.headers.get_all("cookie").iter().count(), 1);
    assert_eq!(seen.header("cookie"), vec!["a=1"; 150].join("; "));
}
