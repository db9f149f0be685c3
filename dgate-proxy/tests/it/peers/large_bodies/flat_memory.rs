use dgate_core::Body;
use dgate_proxy::testing::{TestClient, TestUpstream};
use http::{Method, Request, Response};

use super::gateway_process::{GatewayProcess, be_gateway};
use super::pattern;

const SIZE: usize = 100_000_000;

/// What a gateway may need more for a hundred megabytes than for one, in KiB.
const MOST: u64 = 6 * 1_024;

/// Gives and takes what it is asked to.
async fn answer(request: Request<Body>) -> Response<Body> {
    if *request.method() == Method::GET {
        let (size, framing) = request.uri().path()[1..].split_once('/').unwrap();
        Response::new(pattern::body(size.parse().unwrap(), framing == "declared"))
    } else {
        let size = pattern::check(request.into_body()).await.unwrap();
        Response::new(size.to_string().into())
    }
}

async fn download(client: &mut TestClient, size: usize, framing: &str) {
    let request = Request::get(format!("http://a/{size}/{framing}")).header("host", "a").body("").unwrap();
    let response = client.begin(request).await.unwrap();
    let length = response.headers().get("content-length").map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(length, (framing == "declared").then(|| size.to_string()));
    assert_eq!(pattern::check(response.into_body()).await.unwrap(), size);
}

async fn upload(client: &mut TestClient, size: usize, framing: &str) {
    let body = pattern::body(size, framing == "declared");
    let request = Request::put("http://a/").header("host", "a").body(body).unwrap();
    let response = client.begin(request).await.unwrap();
    let answer = response.into_body().collect_limited(100).await.unwrap();
    assert_eq!(answer.bytes, size.to_string());
}

/// Sends a hundred megabytes both ways and in both framings, and looks at what the gateway needed for it.
async fn stays_flat(gateway: &GatewayProcess, mut client: TestClient) {
    for framing in ["declared", "chunked"] {
        download(&mut client, 1_000_000, framing).await;
        upload(&mut client, 1_000_000, framing).await;
    }
    let before = gateway.peak_memory();
    for framing in ["declared", "chunked"] {
        download(&mut client, SIZE, framing).await;
        upload(&mut client, SIZE, framing).await;
    }
    let grown = gateway.peak_memory() - before;
    assert!(grown <= MOST, "{grown} KiB more than {before} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http1() {
    if be_gateway().await {
        return;
    }
    let upstream = TestUpstream::streaming(answer).await;
    let gateway =
        GatewayProcess::start("peers::large_bodies::flat_memory::over_http1", &upstream.url()).await;
    stays_flat(&gateway, TestClient::http1(gateway.address).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http2() {
    if be_gateway().await {
        return;
    }
    let upstream = TestUpstream::streaming_h2c(answer).await;
    let gateway =
        GatewayProcess::start("peers::large_bodies::flat_memory::over_http2", &upstream.url()).await;
    stays_flat(&gateway, TestClient::http2(gateway.address).await).await;
}
