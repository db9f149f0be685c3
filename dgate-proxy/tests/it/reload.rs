use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use dgate_core::apply::ChangeSet;
use dgate_core::resource::{Route, Service};
use dgate_proxy::testing::{TestGateway, TestUpstream};
use http::{Request, Response};
use http_body::Frame;

use crate::{all_to, gateway_to};

#[tokio::test]
async fn changes_go_live_without_a_failed_request() {
    let (one, two) = (TestUpstream::echo().await, TestUpstream::echo().await);
    let gateway = Arc::new(TestGateway::start(all_to(one.url())).await);
    let stop = Arc::new(AtomicBool::new(false));
    let sent = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (gateway, stop, sent) = (gateway.clone(), stop.clone(), sent.clone());
            tokio::spawn(async move {
                let mut client = gateway.client().await;
                while !stop.load(Ordering::Relaxed) {
                    let request = Request::get("/x").header("host", "a").body("").unwrap();
                    assert_eq!(client.send(request).await.status(), 200);
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for index in 0..60 {
        let url = if index % 2 == 0 { two.url() } else { one.url() };
        let changes = ChangeSet::new()
            .put(Service::new("s", [url]))
            .put(Route::new(format!("r{index}"), format!("/{index}")).to_service("s"));
        gateway.apply(changes).await.unwrap();
        tokio::task::yield_now().await;
    }
    crate::eventually("both were asked", async || !one.seen().is_empty() && !two.seen().is_empty()).await;
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    assert!(sent.load(Ordering::Relaxed) > 60);
    assert_eq!(gateway.gateway().handle().live().generations_alive(), 1);
}

#[tokio::test]
async fn long_responses_and_tunnels_hold_no_configuration() {
    let (frames, body) = crate::bodies::channel();
    let body = Arc::new(std::sync::Mutex::new(Some(body)));
    let upstream = TestUpstream::streaming(move |_| {
        let body = body.lock().unwrap().take().unwrap();
        async move { Response::new(body) }
    })
    .await;
    let gateway = gateway_to(&upstream).await;
    let mut client = gateway.client().await;
    let response = client.begin(Request::get("/").header("host", "a").body("").unwrap()).await.unwrap();
    let mut events = response.into_body();
    for index in 0..10 {
        gateway.apply(ChangeSet::new().put(Route::new("other", format!("/{index}")))).await.unwrap();
        let text = Bytes::from(index.to_string());
        frames.send(Ok(Frame::data(text.clone()))).await.unwrap();
        assert_eq!(events.frame().await.unwrap().unwrap().into_data().unwrap(), text, "the stream goes on");
        let live = gateway.gateway().handle().live();
        assert_eq!(live.generations_alive(), 1, "after change {index}");
    }
    // Even the service itself can go.
    gateway
        .apply(
            ChangeSet::new()
                .delete(dgate_core::Key::new(dgate_core::Kind::Service, "default", "s"))
                .cascade(),
        )
        .await
        .unwrap();
    frames.send(Ok(Frame::data(Bytes::from_static(b"last")))).await.unwrap();
    assert_eq!(events.frame().await.unwrap().unwrap().into_data().unwrap(), "last");
    assert_eq!(gateway.gateway().handle().live().generations_alive(), 1);
    assert_eq!(gateway.get("/").await.status(), 404);
}

#[tokio::test]
async fn connections_are_kept_across_changes() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    for index in 0..20 {
        assert_eq!(gateway.get("/").await.status(), 200);
        let mut service = Service::new("s", [upstream.url()]);
        service.retries = index;
        gateway.apply(ChangeSet::new().put(service)).await.unwrap();
    }
    assert_eq!(upstream.connections(), 1, "an edit that does not concern connections keeps them");
}

#[tokio::test]
async fn settings_change_live() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway_to(&upstream).await;
    assert_eq!(gateway.get("/").await.header("x-global"), "");
    let mut settings = dgate_proxy::ProxySettings::default();
    settings.global_headers = vec![("x-global".parse().unwrap(), "1".parse().unwrap())];
    gateway.gateway().handle().reconfigure(settings).await.unwrap();
    assert_eq!(gateway.get("/").await.header("x-global"), "1");
    gateway.apply(ChangeSet::new().put(Route::new("r", "/r"))).await.unwrap();
    assert_eq!(gateway.get("/").await.header("x-global"), "1", "other changes keep the settings");
}
