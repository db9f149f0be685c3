use dgate_core::ErrorKind;
use dgate_core::apply::ChangeSet;
use dgate_core::resource::Route;
use dgate_core::units::Percent;
use dgate_proxy::testing::{TestClient, TestUpstream};
use http::{Method, Response, StatusCode};

use super::*;

async fn text(response: Response<Body>) -> String {
    let body = response.into_body().collect_limited(1 << 20).await.unwrap();
    String::from_utf8(body.bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn limits_protect_an_application() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, limits::protect(limits::app())).await });
    for (size, status, says) in [
        (16 * 1024, StatusCode::OK, "16384 bytes\n"),
        (16 * 1024 + 1, StatusCode::PAYLOAD_TOO_LARGE, "Body too large: the limit is 16384 bytes\n"),
    ] {
        let request = Request::post("/").header("host", "a").body("x".repeat(size)).unwrap();
        let answer = TestClient::http1(address).await.send(request).await;
        assert_eq!((answer.status(), answer.text().as_str()), (status, says));
    }
}

#[tokio::test(start_paused = true)]
async fn retries_are_made_when_they_are_safe() {
    for (method, failures, expected) in [
        (Method::PUT, 3, Ok("hello")),
        (Method::PUT, 4, Err(ErrorKind::UpstreamReset)),
        (Method::POST, 1, Err(ErrorKind::UpstreamReset)),
    ] {
        let request = Request::builder().method(&method).body(Body::from("hello")).unwrap();
        let answer = match retries::resilient(retries::flaky(failures)).oneshot(request).await {
            Ok(response) => Ok(text(response).await),
            Err(error) => Err(error.kind()),
        };
        assert_eq!(answer.as_deref(), expected.as_ref().copied(), "{method} after {failures} failures");
    }
}

#[tokio::test]
async fn a_client_finds_the_endpoint_that_answers() {
    let upstream = TestUpstream::echo().await;
    let mut service =
        Service::new("users", [format!("{}/v1", upstream.url()), "http://127.0.0.1:1".to_owned()]);
    service.health_check.passive.max_failures = 1;
    service.health_check.passive.max_ejected_percent = Percent::whole(50);
    let client = client::client(service).unwrap();
    for _ in 0..10 {
        let response = client.clone().oneshot(get("/users/7").unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
    assert_eq!(upstream.seen().len(), 10);
    assert!(upstream.seen().iter().all(|seen| seen.uri == "/v1/users/7"));
    let problems = client::client(Service::new("users", ["mailto:somebody"])).unwrap_err();
    assert!(problems.to_string().starts_with("service/default/users /urls/0: "), "{problems}");
}

#[tokio::test]
async fn a_router_changes_while_it_runs() {
    let routes = router::Routes::start().await.unwrap();
    let router = routes.router();
    let ask = async |path: &str| {
        let response = router.clone().oneshot(get(path).unwrap()).await.unwrap();
        (response.status().as_u16(), text(response).await)
    };
    assert_eq!(ask("/hello/world").await, (200, "hello, world\n".to_owned()));
    assert_eq!(ask("/about").await, (404, "No such route\n".to_owned()));
    routes.change(ChangeSet::new().put(Route::new("about", "/about"))).await.unwrap();
    assert_eq!(ask("/about").await, (200, "this is about\n".to_owned()));
}
