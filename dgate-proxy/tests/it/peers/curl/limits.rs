//! Requests that are too large.

use dgate_proxy::testing::TestUpstream;

use super::{Site, WAYS};
use crate::all_to;

#[tokio::test]
async fn large_headers_pass_up_to_the_limit() {
    let upstream = TestUpstream::http(|seen| async move {
        http::Response::new(seen.header("x-large").len().to_string().into())
    })
    .await;
    let site = Site::new(all_to(upstream.url())).await;
    for way in WAYS {
        for (size, expected) in [(10_000, "10000 200"), (50_000, "50000 200")] {
            let header = format!("X-Large: {}", "x".repeat(size));
            let output = site.ask(way, "/", &["-H", &header, "-w", " %{response_code}"]).await;
            assert_eq!(output.stdout, expected, "{way:?}: {}", output.stderr);
        }
        // This curl sends no larger ones over HTTP/2.
        if way.version == "2" {
            continue;
        }
        let header = format!("X-Large: {}", "x".repeat(70_000));
        let options = ["-H", &header, "-o", "answer", "-w", "%{response_code}"];
        assert_eq!(site.ask(way, "/", &options).await.stdout, "431", "{way:?}");
    }
}

#[tokio::test]
async fn long_targets_and_bodies_are_refused() {
    let upstream = TestUpstream::echo().await;
    let site = Site::with(all_to(upstream.url()), |settings| settings.limits.body = Some(1_000)).await;
    for way in WAYS {
        let status = async |path: &str, body: &str| {
            let options = ["-o", "answer", "-w", "%{response_code}", "--data-binary", body];
            site.ask(way, path, &options).await.stdout
        };
        let path = |length: usize| format!("/{}", "p".repeat(length - 1));
        assert_eq!(status(&path(8_000), "").await, "200", "{way:?}");
        assert_eq!(status(&path(9_000), "").await, "414", "{way:?}");
        assert_eq!(status("/", &"b".repeat(1_000)).await, "200", "{way:?}");
        // This curl takes an answer in the middle of an upload for an error of HTTP/2, with any server.
        if way.version != "2" {
            assert_eq!(status("/", &"b".repeat(1_001)).await, "413", "{way:?}");
        }
    }
}
