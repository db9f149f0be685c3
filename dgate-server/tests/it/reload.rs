//! Reading the configuration again.

use dgate_proxy::testing::TestUpstream;
use rustix::process::Signal;

use crate::load::Load;
use crate::running::{Directory, Running, configuration, get, line_of};

#[tokio::test]
async fn a_reload_changes_routes_without_a_failed_request() {
    let (one, two) = (TestUpstream::echo().await, TestUpstream::echo().await);
    let running = Running::start(&configuration(&one.url(), "")).await;
    let load = Load::start(running.address("proxy-http"), 8, "/x");
    load.more(50).await;
    for round in 0..10 {
        let url = if round % 2 == 0 { two.url() } else { one.url() };
        running.configure(&configuration(&url, &format!("tags: [round{round}]")));
        running.signal(Signal::HUP);
        crate::eventually("it was read again", async || {
            running.log().matches("the configuration was read again").count() > round
        })
        .await;
        load.more(20).await;
    }
    let report = load.finish().await;
    assert_eq!((report.failed.as_slice(), report.refused), (&[][..], 0));
    assert!(!one.seen().is_empty() && !two.seen().is_empty());
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_says_why() {
    let upstream = TestUpstream::echo().await;
    let running = Running::start(&configuration(&upstream.url(), "")).await;
    for (bad, said) in [
        ("proxy: [", "config.yaml:1"),
        ("prxy: {}", "unknown field `prxy`"),
        ("proxy: {init_resources: {routes: [{name: r, paths: [/x], service: nope}]}}", "nope"),
    ] {
        running.configure(bad);
        running.signal(Signal::HUP);
        running.says(said).await;
        assert_eq!(running.get("/x").await.status(), 200);
    }
    assert!(running.log().contains("the configuration stays as it was"));
}

#[tokio::test]
async fn a_port_that_is_taken_changes_nothing() {
    let upstream = TestUpstream::echo().await;
    let running = Running::start(&configuration(&upstream.url(), "")).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let text = configuration("http://127.0.0.1:1", "");
    running
        .configure(&text.replace("host: 127.0.0.1\n  port: 0", &format!("host: 127.0.0.1\n  port: {port}")));
    running.signal(Signal::HUP);
    running.says("another process listens there already").await;
    assert_eq!(running.get("/").await.status(), 200, "neither the listener nor the service has changed");
}

#[tokio::test]
async fn listeners_move_and_open_connections_go_on() {
    let upstream = TestUpstream::echo().await;
    let running = Running::start(&configuration(&upstream.url(), "")).await;
    let before = running.address("proxy-http");
    let load = Load::start(before, 2, "/x");
    load.more(5).await;
    let mut kept = dgate_proxy::testing::TestClient::http1(before).await;
    let request = || http::Request::get("/kept").header("host", "a").body(String::new()).unwrap();
    assert_eq!(kept.send(request()).await.status(), 200);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = configuration(&upstream.url(), "");
    running
        .configure(&text.replace("host: 127.0.0.1\n  port: 0", &format!("host: 127.0.0.1\n  port: {port}")));
    running.signal(Signal::HUP);
    running.says("the configuration was read again").await;
    let moved = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    assert_eq!(get(moved, "a", "/").await.status(), 200);
    assert_eq!(kept.send(request()).await.status(), 200, "a connection of the old listener goes on");
    crate::eventually("nobody listens there any more", async || {
        tokio::net::TcpStream::connect(before).await.is_err()
    })
    .await;
    assert_eq!(load.finish().await.failed, [""; 0]);
}

#[tokio::test]
async fn a_watched_file_is_read_when_it_changes() {
    let (one, two) = (TestUpstream::echo().await, TestUpstream::echo().await);
    let directory = Directory::new();
    directory.write("url", one.url());
    let watched = configuration("${file:url}", "watch: true");
    directory.write("config.yaml", &watched);
    let running = Running::start_in(directory, |_| {}).await;
    assert_eq!(running.get("/").await.status(), 200);
    // A file that the configuration names counts as well.
    running.directory.write("url", two.url());
    running.says("the configuration was read again").await;
    assert_eq!(running.get("/").await.status(), 200);
    assert_eq!((one.seen().len(), two.seen().len()), (1, 1));
    running.configure("watch: [");
    running.says("the configuration stays as it was").await;
    running.configure(&watched.replace("/**", "/only"));
    crate::eventually("the good one again", async || running.get("/").await.status() == 404).await;
}

#[tokio::test]
async fn what_takes_a_restart_is_said() {
    let upstream = TestUpstream::echo().await;
    let running = Running::start(&configuration(&upstream.url(), "runtime: {workers: 1}")).await;
    running.configure(&configuration(&upstream.url(), "runtime: {workers: 2}\nnode_id: other"));
    running.signal(Signal::HUP);
    running.says("`runtime` has changed, which takes a restart").await;
    running.says("`node_id` has changed, which takes a restart").await;
}

#[tokio::test]
async fn logs_are_opened_again() {
    let upstream = TestUpstream::echo().await;
    let text = configuration(&upstream.url(), "").replace("access_log: {format: off}", "");
    let running = Running::start(&format!("{text}access_log: {{path: access.log}}\n")).await;
    let log = running.directory.path().join("access.log");
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(running.get("/before").await.status(), 200);
    crate::eventually("a line", async || read(&log).contains("/before")).await;
    let renamed = running.directory.path().join("access.log.1");
    std::fs::rename(&log, &renamed).unwrap();
    running.signal(Signal::USR1);
    running.says("the access log was opened again").await;
    assert_eq!(running.get("/after").await.status(), 200);
    crate::eventually("a line in the new file", async || read(&log).contains("/after")).await;
    assert!(!read(&renamed).contains("/after"));
    // And a reload changes the format.
    running.configure(&format!("{text}access_log: {{path: access.log, format: common}}\n"));
    running.signal(Signal::HUP);
    running.says("the configuration was read again").await;
    running.get("/common").await;
    crate::eventually("a common line", async || read(&log).contains("\"GET /common HTTP/1.1\" 200")).await;
}

#[tokio::test]
async fn the_log_level_changes() {
    let upstream = TestUpstream::echo().await;
    let running = Running::start(&configuration(&upstream.url(), "")).await;
    running.configure(&configuration(&upstream.url(), "log_level: error"));
    running.signal(Signal::HUP);
    crate::eventually("it was read again", async || {
        running.metric("dgate_config_last_reload_success").await == Some(1.0)
            && line_of(&running.log(), "serving").is_some()
    })
    .await;
    running.configure(&configuration("http://127.0.0.1:1", "log_level: error"));
    running.signal(Signal::HUP);
    crate::eventually("the service has moved", async || running.get("/").await.status() == 502).await;
    assert!(!running.log().contains("a request failed"), "{}", running.log());
}
