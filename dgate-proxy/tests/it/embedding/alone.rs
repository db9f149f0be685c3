//! Each layer on its own, with no gateway around it.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use dgate_core::apply::{Applier, ChangeSet, Environment};
use dgate_core::context::{ConnectionInfo, RequestContext};
use dgate_core::error::{GatewayError, Retry as Safety};
use dgate_core::event::NoEvents;
use dgate_core::hook::{HookChain, HookSession, Hooks};
use dgate_core::publish::Live;
use dgate_core::resource::{
    ActiveHealth, Balance, HashKey, HashOptions, Namespace, RetryOn, Route, Service as Upstream,
};
use dgate_core::store::MemoryStore;
use dgate_core::units::Percent;
use dgate_core::{Body, BoxFuture, ErrorKind};
use dgate_proxy::edge::{PinSnapshotLayer, RescueLayer};
use dgate_proxy::hooks::RunHooksLayer;
use dgate_proxy::route::{AdmitLayer, LimitBodyLayer, MatchDomainLayer, MatchRouteLayer};
use dgate_proxy::testing::TestUpstream;
use dgate_proxy::upstream::{
    ForwardLayer, MirrorTrafficLayer, RetryLayer, RetryRules, SelectEndpointLayer, Send, Target,
    TrackHealthLayer,
};
use dgate_proxy::{ProxySettings, SharedService};
use http::{Method, Request, Response, StatusCode};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::eventually;

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

async fn text(body: Body) -> String {
    String::from_utf8(body.collect_limited(1 << 20).await.unwrap().bytes.to_vec()).unwrap()
}

/// What is live when these changes are applied by the pipeline alone.
async fn live(changes: ChangeSet) -> Live {
    let (applier, mut worker) =
        Applier::new(Arc::new(MemoryStore::new()), Vec::new(), Arc::new(NoEvents), Environment::default());
    worker.load().await.unwrap();
    tokio::spawn(worker.run());
    applier.apply(changes).await.unwrap();
    applier.live().clone()
}

/// Fails so many times, then answers with the request's body.
fn flaky(
    times: usize,
    error: impl Fn() -> GatewayError + Clone + std::marker::Send + 'static,
) -> (
    Arc<AtomicUsize>,
    impl Service<Request<Body>, Response = Response<Body>, Error = GatewayError, Future: std::marker::Send>
    + Clone,
) {
    let calls: Arc<AtomicUsize> = Arc::default();
    let service = service_fn({
        let calls = calls.clone();
        move |request: Request<Body>| {
            let call = calls.fetch_add(1, Ordering::Relaxed);
            let error = error.clone();
            async move {
                let body = text(request.into_body()).await;
                if call < times { Err(error()) } else { Ok(Response::new(body.into())) }
            }
        }
    });
    (calls, service)
}

#[tokio::test(start_paused = true)]
async fn retry_tries_again_whatever_is_below() {
    let rules = RetryRules { retries: 2, on: vec![RetryOn::Reset], ..RetryRules::default() };
    let reset = || GatewayError::new(ErrorKind::UpstreamReset).retryable(Safety::Idempotent);
    for (method, times, calls) in [(Method::PUT, 2, 3), (Method::PUT, 3, 3), (Method::POST, 1, 1)] {
        let (seen, service) = flaky(times, reset);
        // A layer that has to be asked whether it is ready before each attempt.
        let service = ServiceBuilder::new()
            .layer(RetryLayer::new(rules.clone()))
            .layer(tower::limit::ConcurrencyLimitLayer::new(1))
            .service(service);
        let request = Request::builder().method(&method).body(Body::from("hello")).unwrap();
        let result = service.oneshot(request).await;
        assert_eq!(seen.load(Ordering::Relaxed), calls, "{method}, {times} failures");
        match result {
            Ok(response) => assert_eq!(text(response.into_body()).await, "hello"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::UpstreamReset),
        }
    }
    let (seen, service) = flaky(1, || GatewayError::new(ErrorKind::UpstreamTimeout));
    let result = RetryLayer::new(rules).layer(service).oneshot(get("/")).await;
    assert_eq!((result.unwrap_err().kind(), seen.load(Ordering::Relaxed)), (ErrorKind::UpstreamTimeout, 1));
}

#[tokio::test]
async fn endpoints_are_chosen_and_asked() {
    let (one, two) = (TestUpstream::echo().await, TestUpstream::echo().await);
    let service =
        Upstream::new("echo", ["http://127.0.0.1:1".to_owned(), format!("{}/base", one.url()), two.url()]);
    let client = ServiceBuilder::new()
        .layer(RetryLayer::new(RetryRules::from(&service)))
        .layer(SelectEndpointLayer::new(service).unwrap())
        .layer(TrackHealthLayer::default())
        .service(Send::default());
    for _ in 0..6 {
        let response = client.clone().oneshot(get("/x")).await.unwrap();
        assert_eq!(response.status(), 200);
    }
    assert!(one.seen().iter().all(|seen| seen.uri == "/base/x"));
    assert!(one.seen().len() >= 2 && two.seen().len() >= 2, "both have their share");
}

#[tokio::test]
async fn endpoints_that_fail_are_left_alone() {
    let mut service = Upstream::new("s", ["http://bad.example", "http://good.example"]);
    service.health_check.passive.max_failures = 1;
    service.health_check.passive.max_ejected_percent = Percent::whole(50);
    // Somebody else's client: it is told whom to ask.
    let client = service_fn(|request: Request<Body>| async move {
        let url = request.extensions().get::<Target>().unwrap().url().to_owned();
        if url.contains("bad") { Err(ErrorKind::UpstreamReset.into()) } else { Ok(Response::new(url.into())) }
    });
    let client = ServiceBuilder::new()
        .layer(SelectEndpointLayer::new(service).unwrap())
        .layer(TrackHealthLayer::default())
        .service(client);
    let mut failures = 0;
    for _ in 0..10 {
        failures += usize::from(client.clone().oneshot(get("/")).await.is_err());
    }
    assert_eq!(failures, 1);
}

#[tokio::test]
async fn endpoints_are_checked_without_a_gateway() {
    let upstream = TestUpstream::http(|seen| async move {
        let mut response = Response::new("".into());
        if seen.uri == "/health" {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
        response
    })
    .await;
    let active: ActiveHealth = dgate_core::decode(serde_json::json!({
        "path": "/health", "interval": "5ms", "unhealthy_after": 1,
    }))
    .unwrap();
    let mut service = Upstream::new("s", [upstream.url()]);
    service.health_check.active = Some(active);
    service.health_check.fail_closed = true;
    let client = SelectEndpointLayer::new(service).unwrap().layer(Send::default());
    eventually("the endpoint fails its checks", async || {
        matches!(client.clone().oneshot(get("/")).await, Err(error) if error.kind() == ErrorKind::NoEndpoint)
    })
    .await;
}

#[tokio::test]
async fn a_service_that_is_wrong_is_refused() {
    for (service, problem) in [
        (Upstream::new("s", ["ftp://a"]), "/urls/0"),
        (Upstream::new("s", ["tcp://a:1"]), "/urls"),
        (Upstream { tags: vec!["#eu".to_owned()], ..Upstream::new("s", ["http://a"]) }, "/tags"),
        (Upstream { namespace: "shop".to_owned(), ..Upstream::new("-s", ["http://a"]) }, "/name"),
    ] {
        let problems = SelectEndpointLayer::new(service).unwrap_err();
        assert!(problems.iter().any(|found| found.pointer == problem), "{problem}: {problems}");
    }
    let elsewhere = Upstream { namespace: "shop".to_owned(), ..Upstream::new("s", ["http://a"]) };
    assert!(SelectEndpointLayer::new(elsewhere).is_ok());
}

#[tokio::test]
async fn requests_are_matched_and_prepared() {
    let changes = ChangeSet::new()
        .put(Namespace::new("default"))
        .put(Upstream::new("users", ["http://unused.example"]))
        .put(Route::new("user", "/users/{id}").to_service("users"));
    let who = service_fn(|request: Request<Body>| async move {
        let context = request.extensions().get::<RequestContext>().unwrap();
        let matched = context.matched.as_ref().unwrap();
        let id = matched.path_parameter("id").unwrap();
        let from = request.headers()["x-forwarded-for"].to_str().unwrap();
        Ok::<_, GatewayError>(Response::new(format!("{} {id} {from}", matched.route.name).into()))
    });
    let router = ServiceBuilder::new()
        .layer(PinSnapshotLayer::new(live(changes).await))
        .layer(RescueLayer)
        .layer(MatchDomainLayer)
        .layer(MatchRouteLayer)
        .layer(LimitBodyLayer::new(3))
        .layer(ForwardLayer::default())
        .service(who);
    let mut request = get("http://any.example/users/7");
    request.extensions_mut().insert(ConnectionInfo::new("9.8.7.6:5".parse().unwrap()));
    let response = router.clone().oneshot(request).await.unwrap();
    assert_eq!(text(response.into_body()).await, "user 7 9.8.7.6");
    assert_eq!(router.clone().oneshot(get("/other")).await.unwrap().status(), 404);
    let large = Request::put("/users/7").body(Body::from("four")).unwrap();
    assert_eq!(router.oneshot(large).await.unwrap().status(), 413);
}

#[tokio::test]
async fn clients_are_admitted() {
    let mut settings = ProxySettings::default();
    settings.allow_list = vec!["10.0.0.0/8".parse().unwrap()];
    let service = ServiceBuilder::new()
        .layer(PinSnapshotLayer::new(live(ChangeSet::new()).await))
        .layer(AdmitLayer::new(settings))
        .service(service_fn(|_: Request<Body>| async {
            Ok::<_, GatewayError>(Response::new(Body::empty()))
        }));
    for (peer, refused) in [("10.1.1.1:1", None), ("9.1.1.1:1", Some(ErrorKind::ClientNotAllowed))] {
        let mut request = get("/");
        request.extensions_mut().insert(ConnectionInfo::new(peer.parse().unwrap()));
        let result = service.clone().oneshot(request).await;
        assert_eq!(result.err().map(|error| error.kind()), refused, "{peer}");
    }
}

/// Adds a header on the way down, and takes the place of errors on the way up.
struct Greeting;

impl HookChain for Greeting {
    fn hooks(&self) -> Hooks {
        Hooks::default().with(|hooks| (hooks.modify_request, hooks.handle_error) = (true, true))
    }

    fn begin(&self, _: &RequestContext) -> Box<dyn HookSession> {
        Box::new(Self)
    }
}

impl HookSession for Greeting {
    fn modify_request<'a>(
        &'a mut self,
        request: &'a mut Request<Body>,
    ) -> BoxFuture<'a, Result<(), GatewayError>> {
        request.headers_mut().insert("x-greeting", "hello".parse().unwrap());
        Box::pin(std::future::ready(Ok(())))
    }

    fn handle_error<'a>(
        &'a mut self,
        error: &'a GatewayError,
    ) -> BoxFuture<'a, Result<Option<Response<Body>>, GatewayError>> {
        Box::pin(std::future::ready(Ok(Some(Response::new(error.kind().code().into())))))
    }
}

#[tokio::test]
async fn hooks_run_for_every_request() {
    let echo = service_fn(|request: Request<Body>| async move {
        match request.uri().path() {
            "/" => Ok(Response::new(request.headers()["x-greeting"].to_str().unwrap().to_owned().into())),
            _ => Err(GatewayError::new(ErrorKind::UpstreamTimeout)),
        }
    });
    let hooked = ServiceBuilder::new()
        .layer(RunHooksLayer::new(Arc::new(Greeting)))
        .layer(tower::limit::ConcurrencyLimitLayer::new(1))
        .service(echo);
    let error = hooked.clone().oneshot(get("/")).await.unwrap_err();
    assert!(error.to_string().contains("PinSnapshot"), "hooks are never skipped in silence: {error}");
    let service = PinSnapshotLayer::new(live(ChangeSet::new()).await).layer(hooked);
    for (path, answer) in [("/", "hello"), ("/slow", "upstream_timeout")] {
        let response = service.clone().oneshot(get(path)).await.unwrap();
        assert_eq!(text(response.into_body()).await, answer);
    }
}

#[tokio::test]
async fn traffic_is_mirrored() {
    let copies = TestUpstream::echo().await;
    let mirror = SelectEndpointLayer::new(Upstream::new("copies", [copies.url()])).unwrap();
    let mirror = SharedService::new(mirror.layer(Send::default()));
    let echo = service_fn(|request: Request<Body>| async move {
        Ok::<_, GatewayError>(Response::new(request.into_body()))
    });
    for (share, expected) in [(0, 0), (100, 3)] {
        let service = MirrorTrafficLayer::new(mirror.clone(), Percent::whole(share)).layer(echo);
        for _ in 0..3 {
            let request = Request::post("/x").body(Body::from("hello")).unwrap();
            let response = service.clone().oneshot(request).await.unwrap();
            assert_eq!(text(response.into_body()).await, "hello");
        }
        eventually("copies arrive", async || copies.seen().len() >= expected).await;
        assert!(copies.seen().iter().all(|seen| seen.body == "hello"));
        assert_eq!(copies.seen().len(), expected);
    }
}

/// Ready when asked for the second time; or never, for a reason.
#[derive(Clone)]
struct Slow {
    asked: usize,
    fails: bool,
}

impl Service<Request<Body>> for Slow {
    type Response = Response<Body>;
    type Error = GatewayError;
    type Future = std::future::Ready<Result<Response<Body>, GatewayError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        self.asked += 1;
        match (self.asked, self.fails) {
            (1, _) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            (_, true) => Poll::Ready(Err(ErrorKind::UpstreamOverloaded.into())),
            (_, false) => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        assert!(self.asked > 1, "not ready");
        std::future::ready(Ok(Response::new(Body::empty())))
    }
}

#[tokio::test]
async fn rescue_waits_until_what_is_below_is_ready() -> Result<(), Infallible> {
    for (fails, status) in [(false, 200), (true, 503)] {
        let service = RescueLayer.layer(Slow { asked: 0, fails });
        assert_eq!(service.oneshot(get("/")).await?.status(), status);
    }
    Ok(())
}

#[tokio::test]
async fn the_same_key_meets_the_same_endpoint() {
    let mut service = Upstream::new("s", ["http://a.example", "http://b.example", "http://c.example"]);
    service.balance = Balance::Hash(HashOptions { on: HashKey::Header("x-user".to_owned()) });
    let whom = service_fn(|request: Request<Body>| async move {
        let url = request.extensions().get::<Target>().unwrap().url().to_owned();
        Ok::<_, GatewayError>(Response::new(url.into()))
    });
    let client = SelectEndpointLayer::new(service).unwrap().layer(whom);
    let ask = async |user: usize| {
        let request = Request::get("/").header("x-user", user).body(Body::empty()).unwrap();
        text(client.clone().oneshot(request).await.unwrap().into_body()).await
    };
    let mut asked = std::collections::BTreeSet::new();
    for user in 0..50 {
        let endpoint = ask(user).await;
        assert_eq!(ask(user).await, endpoint, "user {user}");
        asked.insert(endpoint);
    }
    assert_eq!(asked.len(), 3, "all have their share");
}
