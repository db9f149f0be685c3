use std::sync::{Arc, Mutex};

use dgate_core::{Body, GatewayError};
use dgate_proxy::SharedService;
use dgate_proxy::testing::{Answer, TestGateway, TestUpstream};
use http::{Request, Response, StatusCode};
use tokio::sync::Semaphore;

use super::*;

async fn get(gateway: &TestGateway, path: &str, key: &str) -> Answer {
    let request =
        Request::get(path).header("host", "a").header("x-api-key", key).header("x-account", "forged");
    gateway.client().await.send(request.body("").unwrap()).await
}

#[tokio::test]
async fn the_edge_turns_away_who_has_no_key() {
    let upstream = TestUpstream::echo().await;
    let attempts: Arc<Mutex<usize>> = Arc::default();
    let count = attempts.clone();
    let gateway = TestGateway::build(gateway(&[upstream.url()], move |_| *count.lock().unwrap() += 1)).await;
    for path in ["/users/7", "/no/such/route"] {
        let answer = get(&gateway, path, "guessed").await;
        assert_eq!(
            (answer.status(), answer.header("www-authenticate")),
            (StatusCode::UNAUTHORIZED, "ApiKey")
        );
    }
    assert_eq!(*attempts.lock().unwrap(), 0, "nobody below was asked");
    let answer = get(&gateway, "/users/7", "k-2").await.json();
    assert_eq!(answer["headers"]["x-account"], "globex");
    assert!(answer["headers"].get("x-api-key").is_none(), "the key goes no further");
    assert_eq!(get(&gateway, "/no/such/route", "k-1").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_upstream_layer_sees_each_attempt() {
    let upstream = TestUpstream::echo().await;
    let (alive, dead) = (upstream.url(), "http://127.0.0.1:1".to_owned());
    let attempts: Arc<Mutex<Vec<String>>> = Arc::default();
    let report = {
        let attempts = attempts.clone();
        move |attempt: &Attempt<'_>| attempts.lock().unwrap().push(attempt.to_string())
    };
    let gateway = TestGateway::build(gateway(&[alive.clone(), dead.clone()], report)).await;
    // Endpoints are asked in turn, so one of two requests meets the dead one first.
    for _ in 0..2 {
        let answer = get(&gateway, "/users/7", "k-1").await;
        assert_eq!(answer.status(), StatusCode::OK, "the client does not notice");
        assert_eq!(answer.json()["headers"]["authorization"], "Bearer s3cret");
    }
    let attempts = attempts.lock().unwrap();
    let count = |start: &str| attempts.iter().filter(|attempt| attempt.starts_with(start)).count();
    assert_eq!(count(&format!("{alive}: 200 OK after ")), 2, "{attempts:?}");
    assert!(count(&format!("{dead}: upstream_refused")) > 0, "{attempts:?}");
}

#[tokio::test]
async fn a_route_layer_knows_the_route() {
    let (asked, answers) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let upstream = TestUpstream::http({
        let (asked, answers) = (asked.clone(), answers.clone());
        move |_| {
            let (asked, answers) = (asked.clone(), answers.clone());
            async move {
                asked.add_permits(1);
                answers.acquire().await.unwrap().forget();
                Response::new(Body::from("done"))
            }
        }
    })
    .await;
    let limits = RouteLimits::new(1);
    let builder = Gateway::builder()
        .resource(Service::new("s", [upstream.url()]))
        .resource(Route::new("slow", "/slow").to_service("s"))
        .resource(Route::new("other", "/other").to_service("s"))
        .route_layer(from_fn(move |request, next| limits.clone().pass(request, next)));
    let gateway = Arc::new(TestGateway::build(builder).await);
    let spawn = |path: &'static str| {
        let gateway = gateway.clone();
        tokio::spawn(async move { gateway.get(path).await })
    };
    let first = spawn("/slow");
    asked.acquire().await.unwrap().forget();
    assert_eq!(gateway.get("/slow").await.status(), StatusCode::TOO_MANY_REQUESTS);
    let other = spawn("/other");
    asked.acquire().await.unwrap().forget();
    answers.add_permits(3);
    assert_eq!(first.await.unwrap().text(), "done");
    assert_eq!(other.await.unwrap().text(), "done", "another route has room of its own");
    assert_eq!(gateway.get("/slow").await.text(), "done", "and so has this one again");
}

/// The first layer that is added to a slot is the outermost, and the slots lie in each other.
#[tokio::test]
async fn layers_stand_in_the_order_in_which_they_are_added() {
    let upstream = TestUpstream::echo().await;
    let mark = |name: &'static str| {
        from_fn(move |mut request: Request<Body>, next: SharedService| async move {
            request.headers_mut().append("x-way-in", HeaderValue::from_static(name));
            let mut response = next.call(request).await?;
            response.headers_mut().append("x-way-out", HeaderValue::from_static(name));
            Ok::<_, GatewayError>(response)
        })
    };
    let builder = Gateway::builder()
        .resource(Service::new("s", [upstream.url()]))
        .resource(Route::new("all", "/**").to_service("s"))
        .upstream_layer(mark("upstream"))
        .route_layer(mark("route"))
        .edge_layer(mark("edge 1"))
        .edge_layer(mark("edge 2"));
    let answer = TestGateway::build(builder).await.get("/").await;
    let names = |headers: &http::HeaderMap, name: &str| -> Vec<String> {
        headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    };
    let way_in = names(&upstream.seen()[0].headers, "x-way-in");
    assert_eq!(way_in, ["edge 1", "edge 2", "route", "upstream"]);
    assert_eq!(names(answer.headers(), "x-way-out"), ["upstream", "route", "edge 2", "edge 1"]);
}
