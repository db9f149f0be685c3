//! Load by programs made for it: every request is answered, and well.

use dgate_proxy::Gateway;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use http::Response;

use super::support::{assert_all_succeeded, h2load, program, run, tls};
use crate::tls::Authority;
use crate::{all_to, gateway_to};

const REQUESTS: u32 = 1_000;

async fn upstreams() -> [TestUpstream; 2] {
    let answer = |seen: dgate_proxy::testing::Seen| async move {
        Response::new(format!("{} {}", seen.method, seen.body.len()).into())
    };
    [TestUpstream::http(answer).await, TestUpstream::h2c(answer).await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h2load_over_all_protocols() {
    let body = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(body.path(), [b'x'; 5_000]).unwrap();
    for upstream in upstreams().await {
        let authority = Authority::new();
        let settings = tls::settings(&authority, "load.example");
        let plain = gateway_to(&upstream).await;
        let builder = Gateway::builder().spec(all_to(upstream.url())).settings(settings);
        let encrypted = TestGateway::build_tls(builder).await;
        let encrypted = format!("https://{}/", encrypted.address());
        for (url, options) in [
            (plain.url("/"), &["--h1"][..]),
            (plain.url("/"), &["-m", "20"]),
            (encrypted.clone(), &["--h1"]),
            (encrypted.clone(), &["-m", "20"]),
        ] {
            let load = h2load(&url, REQUESTS, 8, options).await;
            assert_all_succeeded(&load, REQUESTS);
            let options = [options, &["-d", body.path().to_str().unwrap()]].concat();
            let load = h2load(&url, REQUESTS / 4, 8, &options).await;
            assert_all_succeeded(&load, REQUESTS / 4);
        }
        let seen = upstream.seen();
        assert_eq!(seen.len(), (REQUESTS + REQUESTS / 4) as usize * 4);
        assert!(seen.iter().all(|seen| seen.body.len() == if seen.method == "POST" { 5_000 } else { 0 }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrk() {
    for upstream in upstreams().await {
        let gateway = gateway_to(&upstream).await;
        let load =
            run(program("wrk", "wrk").args(["-t", "1", "-c", "20", "-d", "1s"]).arg(gateway.url("/"))).await;
        assert_eq!(load.code, 0, "{}", load.stderr);
        assert!(load.stdout.contains(" requests in "), "{}", load.stdout);
        assert!(
            !load.stdout.contains("Non-2xx") && !load.stdout.contains("Socket errors"),
            "{}",
            load.stdout
        );
        assert!(!upstream.seen().is_empty());
    }
}
