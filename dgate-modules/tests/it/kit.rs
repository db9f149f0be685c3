//! Gateways with modules.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dgate_core::Kind;
use dgate_core::apply::resource_set;
use dgate_core::resource::{AnyResource, Module};
use dgate_core::store::MemoryStore;
use dgate_modules::local::{LocalGateway, Network, Trial};
use dgate_modules::{ModuleRunner, ModuleSettings};
use dgate_proxy::Gateway;
use dgate_proxy::testing::{Answer, TestGateway};
use http::Request;
use serde_json::{Value, json};

/// A resource of a kind from JSON.
pub(crate) fn resource(kind: Kind, value: Value) -> AnyResource {
    dgate_core::with_kind!(kind, R => dgate_core::decode::<R>(value).unwrap().into())
}

/// A TypeScript module.
pub(crate) fn module(name: &str, source: &str) -> AnyResource {
    resource(Kind::Module, json!({ "name": name, "payload_raw": source }))
}

/// A route at `/NAME/**` to a service `s`, if there is an upstream.
pub(crate) struct Setup {
    pub(crate) settings: ModuleSettings,
    pub(crate) resources: Vec<AnyResource>,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self { settings: ModuleSettings::default(), resources: Vec::new() }
    }

    pub(crate) fn with(mut self, resource: AnyResource) -> Self {
        self.resources.push(resource);
        self
    }

    /// A module of its own name on a route `/m/{id}/**`.
    pub(crate) fn module(self, source: &str) -> Self {
        self.with(module("m", source))
    }

    /// The route through modules; with a service when there is an upstream.
    pub(crate) fn route(mut self, modules: &[&str], upstream: Option<&str>) -> Self {
        let mut route = json!({ "name": "r", "paths": ["/m/{id}/**", "/m/{id}"], "modules": modules });
        if let Some(url) = upstream {
            let service = json!({ "name": "s", "urls": [url], "retries": 0 });
            self.resources.push(resource(Kind::Service, service));
            route["service"] = "s".into();
        }
        self.resources.push(resource(Kind::Route, route));
        self
    }

    pub(crate) async fn start(self) -> TestGateway {
        let runner = Arc::new(ModuleRunner::new(self.settings));
        TestGateway::build(Gateway::builder().hook_runner(runner).spec(self.resources)).await
    }

    /// Why it does not start.
    pub(crate) async fn refused(self) -> String {
        let runner = Arc::new(ModuleRunner::new(self.settings));
        let built = Gateway::builder().hook_runner(runner).spec(self.resources).build().await;
        built.expect_err("the gateway refuses").to_string()
    }
}

/// A gateway with one module on a route to an upstream.
pub(crate) async fn with_upstream(source: &str, upstream: &str) -> TestGateway {
    Setup::new().module(source).route(&["m"], Some(upstream)).start().await
}

/// A gateway with one module that answers by itself.
pub(crate) async fn handler(source: &str) -> TestGateway {
    Setup::new().module(source).route(&["m"], None).start().await
}

/// Sends a request to `/m/ann…`.
pub(crate) async fn get(gateway: &TestGateway, target: &str) -> Answer {
    let request = Request::get(target).header("host", "a.example").body("").unwrap();
    gateway.client().await.send(request).await
}

/// Runs the body of a handler on this thread, with a minute to compute, and returns what it answered or what went wrong.
pub(crate) async fn run(body: &str, settings: ModuleSettings) -> Result<String, String> {
    run_as(body, settings.with(|settings| settings.limits.cpu = Duration::from_secs(60))).await
}

/// The same with the time to compute that the settings give.
pub(crate) async fn run_as(body: &str, settings: ModuleSettings) -> Result<String, String> {
    let imports = "import { sleep } from 'dgate'; import { addDocument } from 'dgate/state'; import { setCache } from 'dgate/storage';";
    let source = format!("{imports}\nexport async function requestHandler(ctx) {{ {body} }}");
    let trial = Trial {
        revision: 1,
        resources: resource_set([Module::new("m", source).into()]),
        documents: Arc::new(MemoryStore::new()),
        settings,
        network: Network::default(),
    };
    let gateway = LocalGateway::of_module(trial, "default", "m", "/**").await.map_err(|e| e.to_string())?;
    let reply = gateway.send(Request::get("/").body(Bytes::new()).unwrap()).await;
    match &*reply.failures {
        [] => Ok(String::from_utf8(reply.response.body().to_vec()).unwrap()),
        [failure, ..] => Err(format!("{}: {}", failure.kind, failure.message)),
    }
}
