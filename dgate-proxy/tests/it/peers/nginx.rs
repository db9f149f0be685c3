//! nginx serves files behind the gateway: what comes through is what nginx says.

use std::collections::BTreeMap;

use dgate_proxy::testing::{Answer, TestClient, TestGateway};
use http::{Request, StatusCode};

use super::support::{Nginx, curl, run};
use crate::all_to;

const TEXT: &str = "The quick brown fox jumps over the lazy dog.\n";

async fn with_files(directives: &str) -> (Nginx, TestGateway) {
    let nginx = Nginx::start(directives).await;
    nginx.put("fox.txt", TEXT);
    nginx.put("large.bin", large());
    nginx.put("directory/index.html", "<p>index</p>");
    let gateway = TestGateway::start(all_to(nginx.url())).await;
    (nginx, gateway)
}

fn large() -> Vec<u8> {
    (0..3_u32 << 20).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<String> {
    let request = Request::builder().method(method).uri(format!("http://files.example{path}"));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(String::new()).unwrap()
}

/// What has to be the same on both sides of the gateway.
fn end_to_end(answer: &Answer) -> (StatusCode, BTreeMap<String, String>, &[u8]) {
    const OURS_OR_VARYING: [&str; 6] =
        ["connection", "date", "keep-alive", "transfer-encoding", "x-connection", "x-request-id"];
    let headers =
        answer.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()));
    let headers =
        headers.filter(|(name, _): &(_, String)| !OURS_OR_VARYING.contains(&name.as_str())).collect();
    (answer.status(), headers, &answer.body)
}

/// Asks nginx itself, and through the gateway over both protocols. All have to agree.
async fn ask(
    nginx: &Nginx,
    gateway: &TestGateway,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut direct = TestClient::http1(nginx.address()).await;
    let mut asked = request(method, path, headers);
    *asked.uri_mut() = path.parse().unwrap();
    asked.headers_mut().insert("host", nginx.address().to_string().parse().unwrap());
    let direct = direct.send(asked.clone()).await;
    let mut http1 = gateway.client().await;
    asked.headers_mut().insert("host", "files.example".parse().unwrap());
    let over_http1 = http1.send(asked.clone()).await;
    let mut http2 = TestClient::http2(gateway.address()).await;
    let over_http2 = http2.send(request(method, path, headers)).await;
    assert_eq!(end_to_end(&over_http1), end_to_end(&direct), "{method} {path} {headers:?} over HTTP/1.1");
    assert_eq!(end_to_end(&over_http2), end_to_end(&direct), "{method} {path} {headers:?} over HTTP/2");
    // The same connection goes on, whatever kind of answer it was.
    assert_eq!(http1.send(asked).await.status(), direct.status());
    direct
}

#[tokio::test]
async fn files_come_through_whole_and_as_heads_only() {
    let (nginx, gateway) = with_files("").await;
    let answer = ask(&nginx, &gateway, "GET", "/fox.txt", &[]).await;
    assert_eq!((answer.status().as_u16(), answer.text().as_str()), (200, TEXT));
    assert!(answer.header("server").starts_with("nginx/"), "{:?}", answer.headers());
    let answer = ask(&nginx, &gateway, "GET", "/large.bin", &[]).await;
    assert!(answer.body == large());
    let answer = ask(&nginx, &gateway, "HEAD", "/large.bin", &[]).await;
    assert_eq!((answer.header("content-length"), answer.body.len()), ("3145728", 0));
    let answer = ask(&nginx, &gateway, "GET", "/nothing", &[]).await;
    assert_eq!(answer.status(), 404);
    let answer = ask(&nginx, &gateway, "POST", "/fox.txt", &[]).await;
    assert_eq!(answer.status(), 405, "nginx's own, not ours");
}

#[tokio::test]
async fn parts_of_files_come_through() {
    let (nginx, gateway) = with_files("").await;
    for (range, body) in [("bytes=4-8", "quick"), ("bytes=40-", "dog.\n"), ("bytes=-5", "dog.\n")] {
        let answer = ask(&nginx, &gateway, "GET", "/fox.txt", &[("range", range)]).await;
        assert_eq!((answer.status().as_u16(), answer.text().as_str()), (206, body), "{range}");
        assert!(answer.header("content-range").ends_with("/45"), "{range}: {:?}", answer.headers());
    }
    // Between parts nginx makes up a boundary of its own each time.
    for mut client in [gateway.client().await, TestClient::http2(gateway.address()).await] {
        let mut several = request("GET", "/fox.txt", &[("range", "bytes=0-2,16-18")]);
        several.headers_mut().insert("host", "files.example".parse().unwrap());
        let answer = client.send(several).await;
        let boundary = answer.header("content-type").strip_prefix("multipart/byteranges; boundary=").unwrap();
        let part = |range, text| {
            format!(
                "\r\n--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes {range}/45\r\n\r\n{text}"
            )
        };
        let expected = format!("{}{}\r\n--{boundary}--\r\n", part("0-2", "The"), part("16-18", "fox"));
        assert_eq!((answer.status().as_u16(), answer.text()), (206, expected));
    }
    let answer = ask(&nginx, &gateway, "GET", "/fox.txt", &[("range", "bytes=45-")]).await;
    assert_eq!((answer.status().as_u16(), answer.header("content-range")), (416, "bytes */45"));
    let changed = [("range", "bytes=4-8"), ("if-range", "\"another\"")];
    assert_eq!(ask(&nginx, &gateway, "GET", "/fox.txt", &changed).await.text(), TEXT);
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent() {
    let (nginx, gateway) = with_files("").await;
    let answer = ask(&nginx, &gateway, "GET", "/fox.txt", &[]).await;
    let (tag, date) = (answer.header("etag"), answer.header("last-modified"));
    for condition in [("if-none-match", tag), ("if-modified-since", date)] {
        for method in ["GET", "HEAD"] {
            let answer = ask(&nginx, &gateway, method, "/fox.txt", &[condition]).await;
            assert_eq!((answer.status().as_u16(), answer.header("etag")), (304, tag), "{condition:?}");
        }
    }
    let answer = ask(&nginx, &gateway, "GET", "/fox.txt", &[("if-none-match", "\"another\"")]).await;
    assert_eq!(answer.text(), TEXT);
    let answer = ask(&nginx, &gateway, "GET", "/fox.txt", &[("if-match", "\"another\"")]).await;
    assert_eq!(answer.status(), 412);
}

#[tokio::test]
async fn redirects_are_for_the_client() {
    let (nginx, gateway) = with_files(
        "location = /moved { return 301 https://elsewhere.example/a?b=c; }
         location = /other { return 307 /fox.txt; }
         absolute_redirect off;",
    )
    .await;
    for (path, status, location) in [
        ("/moved", 301, "https://elsewhere.example/a?b=c"),
        ("/other", 307, "/fox.txt"),
        ("/directory", 301, "/directory/"),
    ] {
        let answer = ask(&nginx, &gateway, "GET", path, &[]).await;
        assert_eq!((answer.status().as_u16(), answer.header("location")), (status, location));
    }
}

#[tokio::test]
async fn compressed_answers_stay_as_they_are() {
    // nginx takes `Via` for a reason not to compress, unless it is told otherwise.
    let (nginx, gateway) =
        with_files("gzip on; gzip_proxied any; gzip_types text/plain; gzip_min_length 1; gzip_vary on;")
            .await;
    let answer = ask(&nginx, &gateway, "GET", "/fox.txt", &[("accept-encoding", "gzip")]).await;
    assert_eq!((answer.header("content-encoding"), answer.header("vary")), ("gzip", "Accept-Encoding"));
    assert!(answer.body.starts_with(&[0x1f, 0x8b]) && answer.header("etag").starts_with("W/"));
    let unpacked = run(curl().arg("--compressed").arg(gateway.url("/fox.txt"))).await;
    assert_eq!((unpacked.code, unpacked.stdout.as_str()), (0, TEXT));
    assert_eq!(ask(&nginx, &gateway, "GET", "/fox.txt", &[]).await.text(), TEXT);
}
