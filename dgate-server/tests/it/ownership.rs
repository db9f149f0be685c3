//! `init_resources`: what the file owns, and what it leaves alone.

use dgate_core::apply::ChangeSet;
use dgate_core::resource::{Route, Service};
use dgate_core::{Key, Kind};
use dgate_proxy::testing::TestClient;
use dgate_server::{Server, config};
use http::Request;

use crate::running::{Directory, Running};

fn loaded(resources: &str) -> config::Loaded {
    let text = format!(
        "proxy: {{host: 127.0.0.1, port: 0, init_resources: {resources}}}\nadmin: {{port: 0}}\nstorage: {{type: memory}}\naccess_log: {{format: off}}"
    );
    config::load_text(&text, "test.yaml").unwrap()
}

const BOTH: &str = "{services: [{name: s, urls: ['http://a:1']}], routes: [{name: one, paths: [/one], service: s}, {name: two, paths: [/two], service: s}]}";
const ONE: &str =
    "{services: [{name: s, urls: ['http://a:1']}], routes: [{name: one, paths: [/one], service: s}]}";

async fn has_route(server: &Server, name: &str) -> bool {
    let (_, resources) = server.gateway().handle().store().load().await.unwrap();
    resources.get(&Key::new(Kind::Route, "default", name)).is_some()
}

#[tokio::test]
async fn what_is_listed_comes_and_goes_and_what_others_made_stays() {
    let mut server = Server::start(loaded(BOTH)).await.unwrap();
    let handle = server.gateway().handle().clone();
    let theirs = ChangeSet::new()
        .put(Service::new("t", ["http://b:1"]))
        .put(Route::new("three", "/3").to_service("t"));
    handle.apply(theirs).await.unwrap();
    let reloaded = server.reload(loaded(ONE)).await.unwrap();
    assert_eq!((reloaded.created, reloaded.updated, reloaded.deleted), (0, 0, 1));
    assert!(has_route(&server, "one").await && has_route(&server, "three").await);
    assert!(!has_route(&server, "two").await, "what was listed before and is no longer goes");
    server.shutdown().await;
}

#[tokio::test]
async fn the_same_again_is_no_revision() {
    let mut server = Server::start(loaded(BOTH)).await.unwrap();
    let before = server.gateway().handle().live().load().revision;
    let reloaded = server.reload(loaded(BOTH)).await.unwrap();
    assert_eq!((reloaded.revision, reloaded.updated), (before, 0));
    server.shutdown().await;
}

#[tokio::test]
async fn what_belongs_to_others_is_left_alone_with_a_warning() {
    let mut server = Server::start(loaded("{}")).await.unwrap();
    let handle = server.gateway().handle().clone();
    handle.apply(ChangeSet::new().put(Service::new("s", ["http://theirs:1"]))).await.unwrap();
    let reloaded = server.reload(loaded(ONE)).await.unwrap();
    assert_eq!(reloaded.created, 1, "the route is new");
    let warning = reloaded.warnings.iter().find(|warning| warning.message.contains("left as it is"));
    assert!(warning.is_some(), "{}", reloaded.warnings);
    let (_, resources) = handle.store().load().await.unwrap();
    let service = resources.get(&Key::new(Kind::Service, "default", "s")).unwrap();
    assert!(serde_json::to_string(&service.spec).unwrap().contains("theirs"));
    server.shutdown().await;
}

#[tokio::test]
async fn documents_are_created_and_never_overwritten() {
    let with = |value: u32| {
        loaded(&format!(
            "{{collections: [{{name: c}}], documents: [{{id: d, collection: c, data: {{value: {value}}}}}]}}"
        ))
    };
    let mut server = Server::start(with(1)).await.unwrap();
    server.reload(with(2)).await.unwrap();
    let store = server.gateway().handle().store().clone();
    let key = Key::new(Kind::Document, "default", "c/d");
    let document = store.document(&key).await.unwrap().unwrap();
    assert!(serde_json::to_string(&document.spec).unwrap().contains("\"value\":1"));
    server.shutdown().await;
}

#[tokio::test]
async fn skip_validation_leaves_out_what_is_wrong() {
    let mixed = "{skip_validation: true, services: [{name: s, urls: ['http://a:1']}], routes: [{name: one, paths: [/one], service: s}, {name: bad, paths: [/bad], service: nope}]}";
    let server = Server::start(loaded(mixed)).await.unwrap();
    assert!(has_route(&server, "one").await && !has_route(&server, "bad").await);
    server.shutdown().await;
    let strict = mixed.replace("skip_validation: true, ", "");
    let error = Server::start(loaded(&strict)).await.unwrap_err().to_string();
    assert!(error.contains("nope"), "{error}");
}

#[tokio::test]
async fn it_is_the_same_across_restarts_on_a_file() {
    let start = async |directory: Directory, resources: &str| {
        let text = format!(
            "proxy: {{host: 127.0.0.1, port: 0, init_resources: {resources}}}\nadmin: {{port: 0}}\nstorage: {{dir: data}}\naccess_log: {{format: off}}\nlog_format: json"
        );
        directory.write("config.yaml", text);
        Running::start_in(directory, |_| {}).await
    };
    let revision =
        async |running: &Running| running.admin("/api/v1/stats").await.json()["revision"].as_u64().unwrap();
    let has = async |running: &Running, name: &str| {
        running.admin(&format!("/api/v1/route/default/{name}")).await.status() == 200
    };
    let running = start(Directory::new(), BOTH).await;
    let theirs = Request::put("/api/v1/route/default/three").header("host", "localhost");
    let theirs = theirs.body(r#"{"paths":["/3"],"service":"s"}"#.to_owned()).unwrap();
    assert_eq!(TestClient::http1(running.address("admin")).await.send(theirs).await.status(), 201);
    let before = revision(&running).await;

    let running = start(running.stop_and_keep().await, BOTH).await;
    assert_eq!(revision(&running).await, before, "the same again is no revision");
    assert!(has(&running, "two").await && has(&running, "three").await);

    let running = start(running.stop_and_keep().await, ONE).await;
    assert_eq!(revision(&running).await, before + 1);
    assert!(has(&running, "one").await && has(&running, "three").await);
    assert!(!has(&running, "two").await, "what was listed before the restart and is no longer goes");
}
