//! Hooks, run by a runner written in Rust: the slot that modules will take.

use std::sync::Arc;

use dgate_core::Kind::*;
use dgate_core::apply::ChangeSet;
use dgate_core::context::RequestContext;
use dgate_core::error::{ErrorKind, GatewayError};
use dgate_core::hook::{HookChain, HookRunner, HookSession, Hooks};
use dgate_core::snapshot::{CompiledRoute, NamespaceSnapshot};
use dgate_core::{Body, BoxFuture, Problem, Problems};
use dgate_proxy::Gateway;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use http::{Request, Response};
use serde_json::json;

use crate::resource;

/// Runs modules whose source says which hooks they have.
struct NativeRunner;

struct Chain {
    hooks: Hooks,
    source: String,
}

struct Session {
    id: String,
    greeting: String,
    source: String,
}

impl HookRunner for NativeRunner {
    fn prepare<'a>(
        &'a self,
        namespace: &'a NamespaceSnapshot,
        _: &'a CompiledRoute,
        modules: &'a [String],
        _: Option<&'a Arc<dyn HookChain>>,
    ) -> BoxFuture<'a, Result<Arc<dyn HookChain>, Problems>> {
        let source: String = modules
            .iter()
            .map(|name| namespace.resources.modules.get(name).unwrap().spec.source().unwrap())
            .collect();
        let hooks = Hooks::default().with(|hooks| {
            hooks.fetch_upstream = source.contains("fetch");
            hooks.modify_request = source.contains("request");
            hooks.handle_request = source.contains("handler");
            hooks.modify_response = source.contains("response");
            hooks.handle_error = source.contains("error");
        });
        Box::pin(async move {
            if source.contains("broken") {
                return Err(Problem::error("/modules", "the module does not compile").into());
            }
            Ok(Arc::new(Chain { hooks, source }) as Arc<dyn HookChain>)
        })
    }
}

impl HookChain for Chain {
    fn hooks(&self) -> Hooks {
        self.hooks
    }

    fn begin(&self, context: &RequestContext) -> Box<dyn HookSession> {
        let matched = context.matched.as_ref().unwrap();
        Box::new(Session {
            id: context.record.id.to_string(),
            greeting: matched.path_parameter("*").unwrap_or("-").to_owned(),
            source: self.source.clone(),
        })
    }
}

impl HookSession for Session {
    fn fetch_upstream<'a>(
        &'a mut self,
        _: &'a mut Request<Body>,
    ) -> BoxFuture<'a, Result<Option<String>, GatewayError>> {
        let url = self.source.split_whitespace().find(|word| word.starts_with("http")).map(str::to_owned);
        Box::pin(async move { Ok(url) })
    }

    fn modify_request<'a>(
        &'a mut self,
        request: &'a mut Request<Body>,
    ) -> BoxFuture<'a, Result<(), GatewayError>> {
        Box::pin(async move {
            request.headers_mut().insert("x-greeting", self.greeting.parse().unwrap());
            if self.source.contains("replace") {
                let body = std::mem::take(request.body_mut()).collect_limited(1_000).await.unwrap().bytes;
                *request.body_mut() = Body::from(format!("<{}>", String::from_utf8_lossy(&body)));
            }
            Ok(())
        })
    }

    fn handle_request<'a>(
        &'a mut self,
        request: &'a mut Request<Body>,
    ) -> BoxFuture<'a, Result<Option<Response<Body>>, GatewayError>> {
        Box::pin(async move {
            if request.headers().contains_key("x-fail") {
                return Err(GatewayError::new(ErrorKind::ModuleError).because("the module threw"));
            }
            assert!(!request.headers().contains_key("x-panic"), "a module panics");
            let answers = !request.headers().contains_key("x-pass");
            Ok(answers.then(|| Response::new(Body::from(format!("handled {}", self.greeting)))))
        })
    }

    fn modify_response<'a>(
        &'a mut self,
        response: &'a mut Response<Body>,
    ) -> BoxFuture<'a, Result<(), GatewayError>> {
        Box::pin(async move {
            response.headers_mut().insert("x-seen-by", self.id.parse().unwrap());
            Ok(())
        })
    }

    fn handle_error<'a>(
        &'a mut self,
        error: &'a GatewayError,
    ) -> BoxFuture<'a, Result<Option<Response<Body>>, GatewayError>> {
        let text = format!("sorry: {}", error.kind().code());
        Box::pin(async move { Ok(Some(Response::builder().status(418).body(Body::from(text)).unwrap())) })
    }
}

async fn gateway(source: &str, service_url: &str) -> TestGateway {
    let mut route = json!({ "name": "r", "paths": ["/m/**"], "modules": ["m"] });
    let mut resources = vec![resource(Module, json!({ "name": "m", "payload_raw": source }))];
    if !service_url.is_empty() {
        resources.push(resource(Service, json!({ "name": "s", "urls": [service_url], "retries": 0 })));
        route["service"] = "s".into();
    }
    resources.push(resource(Route, route));
    TestGateway::build(Gateway::builder().hook_runner(Arc::new(NativeRunner)).spec(resources)).await
}

async fn get(gateway: &TestGateway, header: &str) -> (u16, String) {
    let request = Request::get("/m/ann").header("host", "a").header(header, "1").body("").unwrap();
    let answer = gateway.client().await.send(request).await;
    (answer.status().as_u16(), answer.text())
}

#[tokio::test]
async fn hooks_change_requests_and_responses() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway("request response replace", &upstream.url()).await;
    let request = Request::post("/m/ann").header("host", "a").body("hello").unwrap();
    let answer = gateway.client().await.send(request).await;
    assert_eq!(answer.json()["headers"]["x-greeting"], "ann");
    assert_eq!(answer.json()["body"], "<hello>");
    assert_eq!(answer.json()["headers"]["content-length"], "7", "the length fits the new body");
    assert_eq!(answer.header("x-seen-by"), answer.header("x-request-id"));
}

#[tokio::test]
async fn handlers_answer_with_and_without_a_service() {
    let upstream = TestUpstream::echo().await;
    let alone = gateway("handler", "").await;
    assert_eq!(get(&alone, "x").await, (200, "handled ann".into()));
    assert_eq!(get(&alone, "x-pass").await.0, 501);
    let with_service = gateway("handler", &upstream.url()).await;
    assert_eq!(get(&with_service, "x").await.1, "handled ann");
    assert!(get(&with_service, "x-pass").await.1.contains("\"path\":\"/m/ann\""));
}

#[tokio::test]
async fn failures_and_panics_have_their_answers() {
    let plain = gateway("handler", "").await;
    assert_eq!(get(&plain, "x-fail").await, (500, "Module error\n".into()));
    assert_eq!(get(&plain, "x-panic").await, (500, "Internal error\n".into()));
    assert_eq!(get(&plain, "x").await.0, 200, "the gateway goes on");
    let caring = gateway("handler error", "").await;
    assert_eq!(get(&caring, "x-fail").await, (418, "sorry: module_error".into()));
    let upstream_down = gateway("error", "http://127.0.0.1:1").await;
    assert_eq!(get(&upstream_down, "x").await, (418, "sorry: upstream_refused".into()));
}

#[tokio::test]
async fn a_module_may_choose_the_upstream() {
    let (usual, other) = (TestUpstream::echo().await, TestUpstream::echo().await);
    let gateway = self::gateway(&format!("fetch {}/base", other.url()), &usual.url()).await;
    for _ in 0..3 {
        assert_eq!(get(&gateway, "x").await.0, 200);
    }
    assert!(usual.seen().is_empty());
    assert_eq!(other.seen()[0].uri, "/base/m/ann");
    assert_eq!(other.connections(), 1, "connections are kept there, too");
}

#[tokio::test]
async fn modules_that_do_not_compile_change_nothing() {
    let upstream = TestUpstream::echo().await;
    let gateway = gateway("request", &upstream.url()).await;
    let broken = ChangeSet::new().put(resource(Module, json!({ "name": "m", "payload_raw": "broken" })));
    assert!(gateway.apply(broken).await.unwrap_err().to_string().contains("does not compile"));
    assert_eq!(get(&gateway, "x").await.0, 200);
    let other = ChangeSet::new().put(resource(Module, json!({ "name": "m", "payload_raw": "handler" })));
    gateway.apply(other).await.unwrap();
    assert_eq!(get(&gateway, "x").await.1, "handled ann", "a changed module changes its routes");
}

#[tokio::test]
async fn without_a_runner_modules_are_refused() {
    let resources = [
        resource(Module, json!({ "name": "m", "payload_raw": "" })),
        resource(Route, json!({ "name": "r", "paths": ["/"], "modules": ["m"] })),
    ];
    let error = Gateway::builder().spec(resources).build().await.unwrap_err().to_string();
    assert!(error.contains("route/default/r /modules: this gateway cannot run modules"), "{error}");
}
