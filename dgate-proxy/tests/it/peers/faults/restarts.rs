//! nginx is killed and started again while requests run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use dgate_proxy::testing::TestGateway;
use http::Request;
use serde_json::json;
use tokio::task::JoinSet;

use super::super::support::Nginx;
use super::gateway;

/// Clients that ask one request after another, until they are told to stop.
struct Load {
    clients: JoinSet<()>,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    failed: Arc<AtomicUsize>,
}

impl Load {
    async fn begin(gateway: &TestGateway) -> Self {
        let (stop, answered, failed) = (Arc::default(), Arc::default(), Arc::default());
        let mut load = Self { clients: JoinSet::new(), stop, answered, failed };
        for _ in 0..8 {
            let mut client = gateway.client().await;
            let (stop, answered, failed) = (load.stop.clone(), load.answered.clone(), load.failed.clone());
            load.clients.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let request = Request::get("/fox.txt").header("host", "a").body("").unwrap();
                    let answer = client.send(request).await;
                    let count = if answer.text() == "fox" { &answered } else { &failed };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        load.go_on().await;
        load
    }

    /// Waits until some more requests were answered well.
    async fn go_on(&self) {
        let goal = self.answered.load(Ordering::Relaxed) + 300;
        crate::eventually("requests are answered", async || self.answered.load(Ordering::Relaxed) >= goal)
            .await;
    }

    /// How many requests failed.
    async fn end(mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(client) = self.clients.join_next().await {
            client.unwrap();
        }
        self.failed.load(Ordering::Relaxed)
    }
}

async fn with_file() -> Nginx {
    let nginx = Nginx::start("").await;
    nginx.put("fox.txt", "fox");
    nginx
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_is_not_missed() {
    let mut both = [with_file().await, with_file().await];
    let options = json!({ "health_check": { "passive": { "eject_for": "100ms" } } });
    let gateway = gateway(&both.each_ref().map(Nginx::url), options).await;
    let load = Load::begin(&gateway).await;
    for index in [0, 1, 0] {
        both[index].kill().await;
        load.go_on().await;
        both[index].restart().await;
        // Until it is asked again, so that the other may go.
        let address = both[index].address();
        crate::eventually("it is in use again", async || serves(&gateway, address).await).await;
    }
    assert_eq!(load.end().await, 0, "requests failed");
}

/// Whether a request through the gateway reaches this nginx.
async fn serves(gateway: &TestGateway, address: std::net::SocketAddr) -> bool {
    gateway.get("/fox.txt").await.header("x-server-port") == address.port().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_only_one_is_missed_until_it_is_back() {
    let mut nginx = with_file().await;
    let gateway = gateway(&[nginx.url()], json!({})).await;
    let load = Load::begin(&gateway).await;
    nginx.kill().await;
    crate::eventually("it is missed", async || load.failed.load(Ordering::Relaxed) > 0).await;
    nginx.restart().await;
    load.go_on().await;
    let before = load.failed.load(Ordering::Relaxed);
    load.go_on().await;
    assert_eq!(load.end().await, before, "requests failed after it was back");
}
