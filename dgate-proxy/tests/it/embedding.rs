//! The gateway and its layers in other people's programs.

mod alone;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use dgate_core::context::{ConnectionInfo, RequestContext};
use dgate_core::resource::Route;
use dgate_core::{Body, GatewayError};
use dgate_proxy::testing::{TestGateway, TestUpstream};
use dgate_proxy::upstream::Target;
use dgate_proxy::{Gateway, SharedService};
use http::{Request, Response};
use tower::{Layer, Service, ServiceExt};

use crate::all_to;

/// Counts calls and adds a header, at whatever height.
#[derive(Clone)]
struct Mark {
    name: &'static str,
    calls: Arc<AtomicUsize>,
    saw_route: Arc<AtomicUsize>,
}

impl Mark {
    fn new(name: &'static str) -> Self {
        Self { name, calls: Arc::default(), saw_route: Arc::default() }
    }
}

impl Layer<SharedService> for Mark {
    type Service = Marked;

    fn layer(&self, inner: SharedService) -> Marked {
        Marked { inner, mark: self.clone() }
    }
}

#[derive(Clone)]
struct Marked {
    inner: SharedService,
    mark: Mark,
}

impl Service<Request<Body>> for Marked {
    type Response = Response<Body>;
    type Error = GatewayError;
    type Future = dgate_core::BoxFuture<'static, Result<Response<Body>, GatewayError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        self.mark.calls.fetch_add(1, Ordering::Relaxed);
        let context = request.extensions().get::<RequestContext>().unwrap();
        self.mark.saw_route.fetch_add(usize::from(context.matched.is_some()), Ordering::Relaxed);
        let name = self.mark.name;
        request.headers_mut().append("x-marks", name.parse().unwrap());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            response.headers_mut().append("x-marked", name.parse().unwrap());
            Ok(response)
        })
    }
}

#[tokio::test]
async fn layers_stand_where_they_were_put() {
    let upstream = TestUpstream::echo().await;
    let (edge, outer, route, attempt) =
        (Mark::new("edge"), Mark::new("outer"), Mark::new("route"), Mark::new("upstream"));
    let mut resources = all_to("http://127.0.0.1:1");
    resources[0] =
        dgate_core::resource::Service::new("s", ["http://127.0.0.1:1".to_owned(), upstream.url()]).into();
    let builder = Gateway::builder()
        .spec(resources)
        .edge_layer(outer.clone())
        .edge_layer(edge.clone())
        .route_layer(route.clone())
        .upstream_layer(attempt.clone());
    let gateway = TestGateway::build(builder).await;
    let mut client = gateway.client().await;
    for _ in 0..4 {
        let answer = client.send(Request::get("/x").header("host", "a").body("").unwrap()).await;
        assert_eq!(answer.status(), 200);
        let marks: Vec<_> = answer
            .headers()
            .get_all("x-marked")
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect();
        assert_eq!(marks, ["upstream", "route", "edge", "outer"]);
    }
    let seen = &upstream.seen()[0];
    let marks: Vec<_> = seen.headers.get_all("x-marks").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(marks, ["outer", "edge", "route", "upstream"]);
    let counts = |mark: &Mark| (mark.calls.load(Ordering::Relaxed), mark.saw_route.load(Ordering::Relaxed));
    assert_eq!(counts(&edge), (4, 0), "before matching");
    assert_eq!(counts(&route), (4, 4), "after matching");
    assert!(counts(&attempt).0 > 4, "once an attempt: the dead endpoint was tried as well");
}

/// An upstream layer can sign what it sees: the endpoint is chosen, and sees the request just so; what an attempt's layers
/// add is not there in the next one.
#[tokio::test]
async fn upstream_layers_see_what_the_endpoint_sees() {
    let upstream = TestUpstream::echo().await;
    let url = format!("{}/base", upstream.url());
    let seen: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let sign = tower::layer::layer_fn({
        let seen = seen.clone();
        move |inner: SharedService| {
            let seen = seen.clone();
            tower::service_fn(move |mut request: Request<Body>| {
                let url = request.extensions().get::<Target>().unwrap().url().to_owned();
                let host = request.headers()["host"].to_str().unwrap();
                let signed = format!("{host} {}", request.uri());
                request.headers_mut().append("x-signed", signed.parse().unwrap());
                seen.lock().unwrap().push((url, signed));
                inner.call(request)
            })
        }
    });
    let service =
        dgate_core::resource::Service::new("s", ["http://127.0.0.1:1/dead".to_owned(), url.clone()]);
    let builder = Gateway::builder()
        .resource(service)
        .resource(Route::new("all", "/**").to_service("s"))
        .upstream_layer(sign);
    let gateway = TestGateway::build(builder).await;
    for _ in 0..4 {
        assert_eq!(gateway.get("/x?y").await.status(), 200);
    }
    let authority = upstream.address().to_string();
    for request in upstream.seen() {
        assert_eq!((request.uri.as_str(), request.header("host")), ("/base/x?y", authority.as_str()));
        let signatures: Vec<_> = request.headers.get_all("x-signed").iter().collect();
        assert_eq!(signatures, [format!("{authority} /base/x?y").as_str()]);
    }
    let seen = seen.lock().unwrap();
    assert!(
        seen.contains(&("http://127.0.0.1:1/dead".to_owned(), "127.0.0.1:1 /dead/x?y".to_owned())),
        "{seen:?}"
    );
    assert!(seen.contains(&(url, format!("{authority} /base/x?y"))), "{seen:?}");
}

#[tokio::test]
async fn anybodys_tower_layers_fit() {
    let upstream = TestUpstream::http(|_| async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        Response::new("late".into())
    })
    .await;
    let builder = Gateway::builder()
        .spec(all_to(upstream.url()))
        .upstream_layer(tower::timeout::TimeoutLayer::new(Duration::from_millis(50)))
        .edge_layer(tower::limit::ConcurrencyLimitLayer::new(10));
    let gateway = TestGateway::build(builder).await;
    let answer = gateway.get("/").await;
    assert_eq!(answer.status(), 500, "a foreign layer's own error is an internal one");
}

#[tokio::test]
async fn the_gateway_is_a_service_for_any_body() {
    let upstream = TestUpstream::echo().await;
    let gateway = Gateway::builder().spec(all_to(upstream.url())).build().await.unwrap();
    let mut request = Request::post("http://shop.example/x")
        .body(http_body_util::Full::new(bytes::Bytes::from("hello")))
        .unwrap();
    request.extensions_mut().insert(ConnectionInfo::new("9.8.7.6:5".parse().unwrap()).encrypted(true));
    let response = gateway.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let seen = &upstream.seen()[0];
    assert_eq!((seen.header("x-forwarded-for"), seen.header("x-forwarded-proto")), ("9.8.7.6", "https"));
    assert!(!seen.headers.contains_key("x-forwarded-port"), "nobody said which port it was");
    assert_eq!((seen.header("x-forwarded-host"), seen.body.as_ref()), ("shop.example", &b"hello"[..]));
}

/// A host's own hyper server carries upgrades as well.
#[tokio::test]
async fn upgrades_work_behind_a_hosts_server() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let upstream = TestUpstream::raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 4_096]).await;
        stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n")
            .await
            .unwrap();
        let (mut from, mut to) = stream.split();
        let _ = tokio::io::copy(&mut from, &mut to).await;
    })
    .await;
    let gateway = Gateway::builder().spec(all_to(upstream.url())).build().await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = hyper::service::service_fn(move |request| gateway.clone().oneshot(request));
        let io = hyper_util::rt::TokioIo::new(stream);
        hyper::server::conn::http1::Builder::new()
            .serve_connection(io, service)
            .with_upgrades()
            .await
            .unwrap();
    });
    let mut raw = dgate_proxy::testing::RawConnection::open(address).await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n").await;
    raw.read_until("\r\n\r\n").await;
    raw.send("hello").await;
    raw.read_until("hello").await;
}

/// One of our layers in a stack that is not ours.
#[tokio::test]
async fn a_layer_works_alone() {
    let slow = tower::service_fn(|_: Request<Body>| async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        Ok::<_, GatewayError>(Response::new(Body::empty()))
    });
    let limit = dgate_proxy::edge::InFlightLimitLayer::new(1);
    let mut service =
        limit.layer(dgate_proxy::upstream::TimeoutLayer::new(Duration::from_millis(50)).layer(slow));
    let first = service.call(Request::new(Body::empty()));
    let second = service.call(Request::new(Body::empty()));
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.unwrap_err().kind(), dgate_core::ErrorKind::UpstreamTimeout);
    assert_eq!(second.unwrap_err().kind(), dgate_core::ErrorKind::Overloaded);
    assert!(
        service.call(Request::new(Body::empty())).await.is_err(),
        "the place is free again, and slow again"
    );
}
