//! Responses that break off never look complete: curl knows the difference.

use dgate_proxy::Gateway;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::super::support::{curl, run, tls};
use super::read_head;
use crate::all_to;
use crate::tls::Authority;

/// How an upstream breaks off.
#[derive(Debug, Clone, Copy)]
enum Break {
    Close,
    Reset,
}

/// Begins a response with this framing, and breaks off.
async fn breaking(framing: &'static str, how: Break) -> TestUpstream {
    TestUpstream::raw(move |mut stream| async move {
        if read_head(&mut stream).await.is_none() {
            return;
        }
        let begin = if framing.starts_with('C') { "begin" } else { "5\r\nbegin\r\n" };
        let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n{begin}").as_bytes()).await;
        if let Break::Reset = how {
            reset(stream);
        }
    })
    .await
}

/// Without the goodbye of a clean end.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

#[tokio::test]
async fn curl_sees_that_it_is_not_all() {
    for framing in ["Content-Length: 100000", "Transfer-Encoding: chunked"] {
        for how in [Break::Close, Break::Reset] {
            let upstream = breaking(framing, how).await;
            let authority = Authority::new();
            let plain = TestGateway::start(all_to(upstream.url())).await;
            let settings = tls::settings(&authority, "a.example");
            let builder = Gateway::builder().spec(all_to(upstream.url())).settings(settings);
            let encrypted = TestGateway::build_tls(builder).await;
            let encrypted = format!("https://{}/", encrypted.address());
            for (option, url) in [
                ("--http1.0", plain.url("/")),
                ("--http1.1", plain.url("/")),
                ("--http2-prior-knowledge", plain.url("/")),
                ("--http1.0", encrypted.clone()),
                ("--http1.1", encrypted.clone()),
                ("--http2", encrypted.clone()),
            ] {
                let output = run(curl().args([option, "--insecure", &url])).await;
                // Either it fails before anything of it came, or in the middle: it does not end well.
                let is_error = output.code == 22 || output.stdout.contains("Upstream");
                assert!(
                    matches!(output.code, 18 | 56 | 92) && !is_error,
                    "{framing} {how:?} {option} {url}: {output:?}"
                );
            }
        }
    }
}
