use dgate_proxy::testing::{Answer, TestClient, TestUpstream};

use super::*;

#[tokio::test]
async fn both_planes_change_together_or_not_at_all() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway(&upstream.url()).await.unwrap();
    let handle = gateway.handle().clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app(gateway)).await });
    let ask = async |path: &str| -> Answer {
        let request = http::Request::get(path).header("host", "a").body("").unwrap();
        TestClient::http1(address).await.send(request).await
    };
    assert_eq!(ask("/catalogue").await.text(), "/users/** within 10s\n");
    assert_eq!(ask("/users/7").await.status(), 200);

    let mut reports = Route::new("reports", "/reports/**").to_service("users");
    let refused = handle.apply(reports.clone()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "route/default/reports /timeout: a route needs a timeout here (such as `timeout: 10s`)"
    );
    assert_eq!(ask("/reports/1").await.status(), 404, "the other plane has not changed, either");

    reports.timeout = Some(HumanDuration::from_secs(60));
    handle.apply(reports).await.unwrap();
    assert_eq!(ask("/catalogue").await.text(), "/reports/** within 1m\n/users/** within 10s\n");
    assert_eq!(ask("/reports/1").await.status(), 200);
}
