//! Connections to nginx: kept while it keeps them, and no error when it does not.

use dgate_proxy::testing::TestGateway;

use super::support::{Nginx, assert_all_succeeded, h2load};
use crate::all_to;

async fn with_file(directives: &str) -> (Nginx, TestGateway) {
    let nginx = Nginx::start(directives).await;
    nginx.put("fox.txt", "fox");
    let gateway = TestGateway::start(all_to(nginx.url())).await;
    (nginx, gateway)
}

#[tokio::test]
async fn one_connection_is_enough_for_one_client_after_another() {
    let (_nginx, gateway) = with_file("").await;
    let first = gateway.get("/fox.txt").await;
    for path in ["/fox.txt", "/nothing", "/fox.txt"].into_iter().cycle().take(30) {
        assert_eq!(gateway.get(path).await.header("x-connection"), first.header("x-connection"));
    }
}

#[tokio::test]
async fn nginx_may_close_whenever_it_likes() {
    for directives in ["keepalive_requests 3;", "keepalive_timeout 1ms;", "keepalive_timeout 0;"] {
        let (_nginx, gateway) = with_file(directives).await;
        for protocol in [&["--h1"][..], &["-m", "4"]] {
            let load = h2load(&gateway.url("/fox.txt"), 2_000, 8, protocol).await;
            assert_all_succeeded(&load, 2_000);
        }
    }
}
