//! Tags through a running gateway: every form on every kind, who gets what, and what is said of it.

mod clients;
mod forms;
mod modules;
mod said;
mod time;
mod widening;

use std::sync::Arc;

use dgate_core::apply::{ChangeSet, Environment, Settings};
use dgate_core::resource::AnyResource;
use dgate_core::tags::ServerTags;
use dgate_proxy::testing::{TestClient, TestGateway, TestUpstream};
use dgate_proxy::{CanarySticky, Gateway, GatewayBuilder, ProxySettings};
use http::Request;

/// What a server with these tags is.
fn environment(tags: &[&str]) -> Environment {
    let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let (tags, problems) = ServerTags::parse(&tags);
    assert!(problems.is_empty(), "{problems}");
    Environment { tags, ..Environment::default() }
}

/// Users are told apart by the header `x-user`.
fn settings() -> ProxySettings {
    let mut settings = ProxySettings::default();
    settings.canary.sticky = CanarySticky::Header("x-user".parse().unwrap());
    settings
}

fn builder(tags: &[&str], resources: impl IntoIterator<Item = AnyResource>) -> GatewayBuilder {
    Gateway::builder()
        .environment(environment(tags))
        .settings(settings())
        .hook_runner(Arc::new(modules::Names))
        .spec(resources)
}

async fn gateway(tags: &[&str], resources: impl IntoIterator<Item = AnyResource>) -> TestGateway {
    TestGateway::build(builder(tags, resources)).await
}

/// Other tags for a server that runs, and other settings.
fn change(tags: &[&str], settings: ProxySettings) -> ChangeSet {
    ChangeSet {
        environment: Some(environment(tags)),
        settings: Some(Settings::new(Arc::new(settings))),
        ..ChangeSet::new()
    }
}

/// Answers with its name.
async fn named(name: &'static str) -> TestUpstream {
    TestUpstream::http(move |_| async move { http::Response::new(name.into()) }).await
}

/// What a user is answered: the body, or the status if it is not 200.
async fn ask(client: &mut TestClient, path: &str, headers: &[(&str, &str)]) -> String {
    let mut request = Request::get(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "localhost");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = client.send(request.body("").unwrap()).await;
    if answer.status() == 200 { answer.text() } else { answer.status().as_str().to_owned() }
}

/// The same on a connection of its own.
async fn ask_once(gateway: &TestGateway, path: &str, headers: &[(&str, &str)]) -> String {
    ask(&mut gateway.client().await, path, headers).await
}
