//! Requests that could be read in two ways, over raw sockets: what becomes of each, and what the upstream sees of it.

use std::sync::{Arc, Mutex};

use dgate_core::Kind::*;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::resource;

/// An upstream that reads requests naively, and notes of each: the request line, how it is framed, its body as it came.
pub(crate) struct Witness {
    upstream: TestUpstream,
    saw: Arc<Mutex<Vec<String>>>,
}

impl Witness {
    pub(crate) async fn start() -> Self {
        let saw: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = saw.clone();
        let upstream = TestUpstream::raw(move |stream| read_requests(stream, noted.clone())).await;
        Self { upstream, saw }
    }

    /// What it saw since it was asked last.
    pub(crate) fn saw(&self) -> Vec<String> {
        std::mem::take(&mut *self.saw.lock().unwrap())
    }

    /// A gateway that leads everything to it, hosts as they are.
    pub(crate) async fn gateway(&self) -> TestGateway {
        TestGateway::start([
            resource(Service, json!({ "name": "s", "urls": [self.upstream.url()] })),
            resource(
                Route,
                json!({ "name": "all", "paths": ["/**"], "service": "s", "preserve_host": true }),
            ),
        ])
        .await
    }
}

async fn read_requests(mut stream: TcpStream, noted: Arc<Mutex<Vec<String>>>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        while let Some((note, length)) = whole_request(&bytes) {
            bytes.drain(..length);
            noted.lock().unwrap().push(note);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}

/// The first whole request in some bytes, in short, and how long it is. The host is only mentioned when it is not `a`.
fn whole_request(bytes: &[u8]) -> Option<(String, usize)> {
    let text = String::from_utf8_lossy(bytes);
    let (head, rest) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1");
    let telling: Vec<_> = lines
        .filter(|line| {
            ["content-length", "transfer-encoding", "host"].iter().any(|name| line.starts_with(name))
        })
        .filter(|line| *line != "host: a")
        .collect();
    let of = |name: &str| telling.iter().find_map(|line| line.strip_prefix(name));
    let length = match (of("content-length: "), of("transfer-encoding: chunked")) {
        (Some(length), _) => length.parse().unwrap(),
        (None, Some(_)) if rest.starts_with("0\r\n") => rest.find("\r\n\r\n")? + 4,
        (None, Some(_)) => {
            rest.find("\r\n0\r\n").and_then(|at| Some(at + 7 + rest[at + 3..].find("\r\n\r\n")?))?
        }
        (None, None) => 0,
    };
    let body = rest.get(..length)?;
    let parts: Vec<_> = [&[line], telling.as_slice(), &[body]].concat();
    let note: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Some((note.join(" | "), head.len() + 4 + length))
}

/// What becomes of a request.
enum Fate {
    /// It is refused with this status, the connection is closed, and the upstream sees no whole request.
    Refused(u16),
    /// It reaches the upstream in this form.
    Seen(&'static str),
}

use Fate::{Refused, Seen};

const G: &str = "GET / HTTP/1.1\r\nHost: a\r\n";
const P: &str = "POST / HTTP/1.1\r\nHost: a\r\n";

/// What it is, its head's beginning, the rest, its fate.
#[rustfmt::skip]
const MATRIX: &[(&str, &str, &str, Fate)] = &[
    // Content-Length.
    ("a length", P, "Content-Length: 5\r\n\r\nhello", Seen("POST / | content-length: 5 | hello")),
    ("a length of zero", P, "Content-Length: 0\r\n\r\n", Seen("POST / | content-length: 0")),
    ("zeros before a length", P, "Content-Length: 005\r\n\r\nhello", Seen("POST / | content-length: 5 | hello")),
    ("a length with a tab before", P, "Content-Length:\t5\r\n\r\nhello", Seen("POST / | content-length: 5 | hello")),
    ("a GET with a length", G, "Content-Length: 5\r\n\r\nhello", Seen("GET / | content-length: 5 | hello")),
    ("a GET with a length of zero", G, "Content-Length: 0\r\n\r\n", Seen("GET / | content-length: 0")),
    ("two equal lengths", P, "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", Refused(400)),
    ("two equal lengths of zero", G, "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", Refused(400)),
    ("two different lengths", P, "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", Refused(400)),
    ("a list of lengths", P, "Content-Length: 5, 5\r\n\r\nhello", Refused(400)),
    ("an empty length", P, "Content-Length:\r\n\r\n", Refused(400)),
    ("a length with a plus", P, "Content-Length: +5\r\n\r\nhello", Refused(400)),
    ("a length with a minus", P, "Content-Length: -5\r\n\r\n", Refused(400)),
    ("a hexadecimal length", P, "Content-Length: 0x5\r\n\r\nhello", Refused(400)),
    ("a length with a unit", P, "Content-Length: 5b\r\n\r\nhello", Refused(400)),
    ("a length with a point", P, "Content-Length: 5.0\r\n\r\nhello", Refused(400)),
    ("a length with a space inside", P, "Content-Length: 1 5\r\n\r\nhello", Refused(400)),
    ("a quoted length", P, "Content-Length: \"5\"\r\n\r\nhello", Refused(400)),
    ("a length of 2⁶⁴", P, "Content-Length: 18446744073709551616\r\n\r\n", Refused(400)),
    ("a length in foreign digits", P, "Content-Length: ５\r\n\r\nhello", Refused(400)),
    ("a vertical tab before a length", P, "Content-Length: \x0b5\r\n\r\nhello", Refused(400)),
    // Transfer-Encoding.
    ("chunks", P, "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", Seen("POST / | transfer-encoding: chunked | 5\r\nhello\r\n0\r\n\r\n")),
    ("chunks with extensions", P, "Transfer-Encoding: Chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n0;z\r\n\r\n", Seen("POST / | transfer-encoding: chunked | 5\r\nhello\r\n0\r\n\r\n")),
    ("chunks and a forbidden trailer", P, "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\nHost: b\r\n\r\n", Seen("POST / | transfer-encoding: chunked | 0\r\n\r\n")),
    ("a GET with chunks", G, "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Seen("GET / | transfer-encoding: chunked | 0\r\n\r\n")),
    ("CL.TE", P, "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", Refused(400)),
    ("TE.CL", P, "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\nGPOST", Refused(400)),
    ("TE.TE", P, "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n", Refused(400)),
    ("TE.TE, other way round", P, "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("chunked twice", P, "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("chunked, not last", P, "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", Refused(400)),
    ("gzip, chunked", P, "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("identity", P, "Transfer-Encoding: identity\r\n\r\n", Refused(400)),
    ("identity, chunked", P, "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("an empty encoding", P, "Transfer-Encoding:\r\n\r\n", Refused(400)),
    ("an empty list member", P, "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("an obfuscated encoding", P, "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("a parameter", P, "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", Refused(400)),
    ("a quoted encoding", P, "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", Refused(400)),
    ("a vertical tab before the encoding", P, "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("a NUL behind the encoding", P, "Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n", Refused(400)),
    ("a no-break space behind the encoding", P, "Transfer-Encoding: chunked\u{a0}\r\n\r\n0\r\n\r\n", Refused(400)),
    ("a space before the colon", P, "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("a tab before the colon", P, "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("a folded encoding", P, "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("a bare CR in front of the encoding", P, "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("a bare LF in front of the encoding", P, "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\n", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("chunked in HTTP/1.0, kept alive", "POST / HTTP/1.0\r\nHost: a\r\n", "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused(400)),
    ("an encoding with an underscore", P, "Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello", Seen("POST / | content-length: 5 | hello")),
    // Chunk framing.
    ("a lone LF behind a size", P, "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", Refused(400)),
    ("a lone LF behind a chunk", P, "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n", Refused(400)),
    ("a lone CR behind a size", P, "Transfer-Encoding: chunked\r\n\r\n5\rX\r\nhello\r\n0\r\n\r\n", Refused(400)),
    ("more data than said", P, "Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n", Refused(400)),
    ("less data than said", P, "Transfer-Encoding: chunked\r\n\r\n9\r\nhello\r\n0\r\n\r\nmore", Refused(400)),
    ("a size with a sign", P, "Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n", Refused(400)),
    ("a size with 0x", P, "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", Refused(400)),
    ("a space before a size", P, "Transfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n", Refused(400)),
    ("a space behind a size", P, "Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n", Refused(400)),
    ("an underscore in a size", P, "Transfer-Encoding: chunked\r\n\r\n0_5\r\nhello\r\n0\r\n\r\n", Refused(400)),
    ("a size of 2⁶⁴ and more", P, "Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n", Refused(400)),
    ("no size at all", P, "Transfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n", Refused(400)),
    ("a lone LF in an extension", P, "Transfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n", Refused(400)),
    ("a lone CR in an extension", P, "Transfer-Encoding: chunked\r\n\r\n5;a\rb\r\nhello\r\n0\r\n\r\n", Refused(400)),
    ("a NUL in an extension", P, "Transfer-Encoding: chunked\r\n\r\n5;a\0b\r\nhello\r\n0\r\n\r\n", Refused(400)),
    ("a lone LF behind the last chunk", P, "Transfer-Encoding: chunked\r\n\r\n0\n\r\n", Refused(400)),
    ("a lone LF behind a trailer", P, "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\r\n\r\n", Refused(400)),
    ("a space before a trailer's colon", P, "Transfer-Encoding: chunked\r\n\r\n0\r\nX : y\r\n\r\n", Refused(400)),
    ("a folded trailer", P, "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n z\r\n\r\n", Refused(400)),
    // Fields.
    ("a folded line", G, "X-A: b\r\n c\r\n\r\n", Refused(400)),
    ("a line folded by a tab", G, "X-A: b\r\n\tc\r\n\r\n", Refused(400)),
    ("a folded first line", "GET / HTTP/1.1\r\n Host: a\r\n", "\r\n", Refused(400)),
    ("a bare CR in a value", G, "X-A: b\rX-B: c\r\n\r\n", Refused(400)),
    ("a bare CR before the end", G, "X-A: b\r\r\n\r\n", Refused(400)),
    ("a bare LF at the end of a line", "GET / HTTP/1.1\r\nHost: a\n", "X-A: b\r\n\r\n", Refused(400)),
    ("bare LFs everywhere", "GET / HTTP/1.1\nHost: a\n", "\nX: \r\n\r\n", Refused(400)),
    ("a NUL in a value", G, "X-A: b\0c\r\n\r\n", Refused(400)),
    ("a DEL in a value", G, "X-A: b\x7fc\r\n\r\n", Refused(400)),
    ("a NUL in a name", G, "X\0A: b\r\n\r\n", Refused(400)),
    ("a letter beyond ASCII in a name", G, "X-Ä: b\r\n\r\n", Refused(400)),
    ("a name that is none", G, "X[A]: b\r\n\r\n", Refused(400)),
    ("no name", G, ": b\r\n\r\n", Refused(400)),
    ("no colon", G, "X-A\r\n\r\n", Refused(400)),
    // Host and target.
    ("no host", "GET / HTTP/1.1\r\n", "\r\n", Refused(400)),
    ("two hosts", G, "Host: b\r\n\r\n", Refused(400)),
    ("two equal hosts", G, "Host: a\r\n\r\n", Refused(400)),
    ("two hosts and an absolute target", "GET http://a/ HTTP/1.1\r\nHost: a\r\n", "Host: b\r\n\r\n", Refused(400)),
    ("a list of hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n", "\r\n", Refused(400)),
    ("a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n", "\r\n", Refused(400)),
    ("a host with a user", "GET / HTTP/1.1\r\nHost: a@b\r\n", "\r\n", Refused(400)),
    ("a host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n", "\r\n", Refused(400)),
    ("a host with a port that is none", "GET / HTTP/1.1\r\nHost: a:b\r\n", "\r\n", Refused(400)),
    ("something behind an IPv6 address", "GET / HTTP/1.1\r\nHost: [::1]evil\r\n", "\r\n", Refused(400)),
    ("a path behind an IPv6 address", "GET / HTTP/1.1\r\nHost: [::1]:80/x\r\n", "\r\n", Refused(400)),
    ("a host that is only a port", "GET / HTTP/1.1\r\nHost: :80\r\n", "\r\n", Refused(400)),
    ("an absolute target", "GET http://b/x?y HTTP/1.1\r\nHost: a\r\n", "\r\n", Seen("GET /x?y | host: b")),
    ("an absolute target without path", "GET http://b HTTP/1.1\r\nHost: a\r\n", "\r\n", Seen("GET / | host: b")),
    ("an absolute target with a query alone", "GET http://b?y HTTP/1.1\r\nHost: a\r\n", "\r\n", Seen("GET /?y | host: b")),
    ("an absolute target without host", "GET http:///x HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("an absolute target with a user", "GET http://u@b/ HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("a foreign scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("an authority as target", "GET a:80 HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n", "\r\n", Refused(400)),
    ("CONNECT to a path", "CONNECT / HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("a relative target", "GET x HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("an asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("a tab in the target", "GET /a\tb HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("a bare CR in the target", "GET /a\rb HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("a NUL in the target", "GET /a\0b HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("a raw byte in the target", "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("a whole request in the target", "GET /%0d%0a%0d%0aGET%20/x HTTP/1.1\r\nHost: a\r\n", "\r\n", Seen("GET /%0D%0A%0D%0AGET%20/x")),
    ("dots above the root", "GET /../../x HTTP/1.1\r\nHost: a\r\n", "\r\n", Seen("GET /x")),
    // The request line.
    ("no version", "GET /\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("a tab in place of a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("a space before the method", " GET / HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("a space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n", "\r\n", Refused(400)),
    ("a method that is none", "G(T / HTTP/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("a version in small letters", "GET / http/1.1\r\nHost: a\r\n", "\r\n", Refused(400)),
    ("another version", "GET / HTTP/1.2\r\nHost: a\r\n", "\r\n", Refused(505)),
    ("a TLS hello", "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03\r\n", "\r\n", Refused(400)),
    // Connection.
    ("a host that Connection lists", G, "Connection: host\r\n\r\n", Seen("GET /")),
    ("a length that Connection lists", P, "Connection: content-length\r\nContent-Length: 5\r\n\r\nhello", Seen("POST / | content-length: 5 | hello")),
    ("an encoding that Connection lists", P, "Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Seen("POST / | transfer-encoding: chunked | 0\r\n\r\n")),
];

#[tokio::test]
async fn nothing_that_could_be_read_two_ways_gets_through() {
    assert!(MATRIX.len() > 100);
    let witness = Witness::start().await;
    let gateway = witness.gateway().await;
    let mut wrong = Vec::new();
    for (what, begin, rest, fate) in MATRIX {
        let mut raw = gateway.raw().await;
        // What follows must not be taken for a request of its own, unless the one before was clear.
        raw.send(format!("{begin}{rest}GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
        let answer = raw.read_to_end().await;
        let saw = witness.saw();
        let answers = answer.matches("HTTP/1.1 ").count();
        let is_right = match fate {
            Refused(status) => {
                answer.starts_with(&format!("HTTP/1.1 {status} "))
                    && answers == 1
                    && answer.contains("connection: close\r\n")
                    && answer.contains("x-request-id: ")
                    && saw.is_empty()
            }
            Seen(expected) => {
                answer.matches("HTTP/1.1 200 ").count() == 2
                    && answers == 2
                    && saw == [*expected, "GET /next"]
            }
        };
        if !is_right {
            wrong.push(format!("{what}: the upstream saw {saw:?}, the client {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
