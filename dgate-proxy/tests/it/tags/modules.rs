//! A runner whose modules answer with what they are and what they see.

use std::sync::Arc;

use dgate_core::Kind::*;
use dgate_core::context::RequestContext;
use dgate_core::hook::{HookChain, HookRunner, HookSession, Hooks};
use dgate_core::snapshot::{CompiledRoute, NamespaceSnapshot};
use dgate_core::{Body, BoxFuture, GatewayError, Problems};
use http::{Request, Response};
use serde_json::{Value, json};

use super::{ask, gateway};
use crate::resource;

/// Modules answer with their names, and with the tags that they see.
pub(super) struct Names;

struct Chain(Vec<String>);

struct Session(String);

impl HookRunner for Names {
    fn prepare<'a>(
        &'a self,
        _: &'a NamespaceSnapshot,
        _: &'a CompiledRoute,
        modules: &'a [String],
        _: Option<&'a Arc<dyn HookChain>>,
    ) -> BoxFuture<'a, Result<Arc<dyn HookChain>, Problems>> {
        Box::pin(async move { Ok(Arc::new(Chain(modules.to_vec())) as Arc<dyn HookChain>) })
    }
}

impl HookChain for Chain {
    fn hooks(&self) -> Hooks {
        Hooks::default().with(|hooks| hooks.handle_request = true)
    }

    fn begin(&self, context: &RequestContext) -> Box<dyn HookSession> {
        Box::new(Session(format!("{} on {}", self.0.join("+"), context.tags().texts().join(" "))))
    }
}

impl HookSession for Session {
    fn handle_request<'a>(
        &'a mut self,
        _: &'a mut Request<Body>,
    ) -> BoxFuture<'a, Result<Option<Response<Body>>, GatewayError>> {
        let answer = Response::new(Body::full(self.0.clone()));
        Box::pin(async move { Ok(Some(answer)) })
    }
}

#[allow(clippy::needless_pass_by_value, reason = "reads well at the call")]
fn module(name: &str, tags: Value) -> dgate_core::resource::AnyResource {
    resource(Module, json!({ "name": name, "payload_raw": "", "tags": tags }))
}

/// At 50 %, user-3 draws `canary:v2` and user-2 does not; both draw what everybody draws.
#[tokio::test]
async fn a_request_gets_the_modules_that_apply_to_it_in_their_order() {
    let resources = [
        module("first", json!([])),
        module("new", json!(["#canary:v2"])),
        module("old", json!(["!canary:v2"])),
        module("never", json!(["#edge"])),
        resource(
            Route,
            json!({ "name": "r", "paths": ["/all"], "modules": ["first", "new", "old", "never"] }),
        ),
        resource(Route, json!({ "name": "only", "paths": ["/only"], "modules": ["new"] })),
    ];
    let tags = ["region:eu", "@(2022-01-01T00:00:00Z)#late", "canary@50%:v2", "all@100%:x", "none@0%:x"];
    let gateway = gateway(&tags, resources).await;
    let mut client = gateway.client().await;
    let mut of = async |path: &str, user: &str| ask(&mut client, path, &[("x-user", user)]).await;
    assert_eq!(of("/all", "user-3").await, "first+new on late region:eu canary:v2 all:x");
    assert_eq!(of("/all", "user-2").await, "first+old on late region:eu all:x");
    assert_eq!(of("/only", "user-3").await, "new on late region:eu canary:v2 all:x");
    assert_eq!(
        of("/only", "user-2").await,
        "501",
        "a route without modules and service has nobody to answer"
    );
}

#[tokio::test]
async fn modules_see_the_tags_of_their_namespace() {
    let resources = [
        resource(Namespace, json!({ "name": "default", "server_tags": ["shop:x", "canary@50%:v2"] })),
        module("m", json!(["#canary:v2"])),
        module("o", json!(["!canary:v2", "#shop"])),
        resource(Route, json!({ "name": "r", "paths": ["/"], "modules": ["m", "o"] })),
    ];
    let gateway = gateway(&["edge"], resources).await;
    let mut client = gateway.client().await;
    assert_eq!(ask(&mut client, "/", &[("x-user", "user-3")]).await, "m on edge shop:x canary:v2");
    assert_eq!(ask(&mut client, "/", &[("x-user", "user-2")]).await, "o on edge shop:x");
}

#[tokio::test]
async fn modules_of_a_route_ask_for_a_few_canaries_at_most() {
    let tags: Vec<String> = (0..6).map(|index| format!("canary@50%:v{index}")).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    let gateway = gateway(
        &tags,
        (0..6).map(|index| module(&format!("m{index}"), json!([format!("#canary:v{index}")]))),
    )
    .await;
    let route = |count: usize| {
        let modules: Vec<String> = (0..count).map(|index| format!("m{index}")).collect();
        resource(Route, json!({ "name": "r", "paths": ["/"], "modules": modules }))
    };
    gateway.apply(route(5)).await.unwrap();
    let error = gateway.apply(route(6)).await.unwrap_err();
    assert!(error.to_string().contains("its modules ask for 6 canary tags: 5 is the most"), "{error}");
}
