//! A disk that takes its time.

use std::sync::Arc;

use dgate_core::Body;
use dgate_core::apply::ChangeSet;
use dgate_core::resource::{Route, Service};
use dgate_core::store::GatedStore;
use dgate_proxy::Gateway;
use dgate_proxy::testing::TestUpstream;
use http::Request;
use tower_service::Service as _;

async fn status(gateway: &Gateway, path: &str) -> u16 {
    let request = Request::get(path).header("host", "localhost").body(Body::empty()).unwrap();
    let Ok(response) = gateway.clone().call(request).await;
    response.status().as_u16()
}

#[tokio::test]
async fn requests_are_proxied_while_a_change_waits_for_the_disk() {
    let upstream = TestUpstream::echo().await;
    let store = Arc::new(GatedStore::new());
    let gateway = Gateway::builder().store(store.clone()).build().await.unwrap();
    let changes = ChangeSet::new()
        .put(Service::new("s", [upstream.url()]))
        .put(Route::new("old", "/old").to_service("s"));
    gateway.handle().apply(changes).await.unwrap();
    store.commits.set(false);
    let handle = gateway.handle().clone();
    let change = tokio::spawn(async move { handle.apply(Route::new("new", "/new").to_service("s")).await });
    for _ in 0..100 {
        assert_eq!(status(&gateway, "/old").await, 200);
        assert_eq!(status(&gateway, "/new").await, 404, "what is not on the disk is not live");
        assert!(!change.is_finished());
    }
    store.commits.set(true);
    assert_eq!(change.await.unwrap().unwrap().revision, 2);
    assert_eq!(status(&gateway, "/new").await, 200);
}
