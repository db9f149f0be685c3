//! Upstreams that answer with something that is not quite HTTP, as clients of all protocols see it.

use dgate_proxy::testing::TestUpstream;
use tokio::io::AsyncWriteExt;

use super::super::support::{curl, run};
use super::read_head;
use crate::gateway_to;

async fn saying(response: &'static str) -> TestUpstream {
    TestUpstream::raw(move |mut stream| async move {
        while read_head(&mut stream).await.is_some() {
            if stream.write_all(response.as_bytes()).await.is_err() {
                return;
            }
        }
    })
    .await
}

#[tokio::test]
async fn it_is_a_bad_gateway_for_everybody() {
    for response in [
        "\0\x01\x02 garbage without an end\r\n\r\n",
        "HTTP/1.1 2OO OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "ICY 200 OK\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: surprise\r\nConnection: upgrade\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ] {
        let upstream = saying(response).await;
        let gateway = gateway_to(&upstream).await;
        for option in ["--http1.0", "--http1.1", "--http2-prior-knowledge"] {
            let output = run(curl().args([option, "-w", "%{response_code}"]).arg(gateway.url("/"))).await;
            let expected = "Upstream sent an invalid answer\n502";
            assert_eq!((output.code, output.stdout.as_str()), (0, expected), "{option}: {response:?}");
        }
        assert_eq!(upstream.connections(), 3, "no such connection is used again: {response:?}");
    }
}

#[tokio::test]
async fn hints_come_before_the_answer() {
    let upstream = saying(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n\
         HTTP/1.1 103 Early Hints\r\nLink: </b.js>; rel=preload\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let gateway = gateway_to(&upstream).await;
    for (option, hints) in [("--http1.0", 0), ("--http1.1", 2), ("--http2-prior-knowledge", 2)] {
        let output = run(curl().args([option, "--include"]).arg(gateway.url("/"))).await;
        assert_eq!((output.code, output.stdout.matches(" 103").count()), (0, hints), "{option}: {output:?}");
        assert_eq!(output.stdout.matches("rel=preload").count(), hints, "{option}: {output:?}");
        assert!(output.stdout.ends_with("\r\n\r\nok"), "{option}: {output:?}");
    }
}
