//! An Admin API over a pipeline without data planes.

use std::net::SocketAddr;
use std::sync::Arc;

use dgate_admin::Fingerprints;
use dgate_admin::api::{
    AdminApi, Context, Feed, GatewayServer, Listener, LogTap, ModuleTrial, ServerInfo, UpstreamConnections,
    model::ModuleRan,
};
use dgate_admin::auth::Auth;
use dgate_core::apply::{Applier, Environment};
use dgate_core::endpoint::Endpoint;
use dgate_core::event::EventBus;
use dgate_core::store::{MemoryStore, Store};
use dgate_core::{Body, BoxFuture, Problem, Problems};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use serde_json::Value;

pub(crate) struct Kit {
    pub(crate) api: AdminApi,
    pub(crate) applier: Applier,
    pub(crate) logs: LogTap,
    pub(crate) events: EventBus,
}

/// An answer that is at hand as a whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }
}

struct Server;

impl GatewayServer for Server {
    fn is_ready(&self) -> bool {
        true
    }

    fn metrics(&self) -> Option<String> {
        Some("up 1\n".to_owned())
    }

    fn info(&self) -> ServerInfo {
        ServerInfo {
            version: "0".to_owned(),
            node: "test".to_owned(),
            storage: "memory".to_owned(),
            started_at: jiff::Timestamp::now(),
            listeners: vec![Listener { name: "admin".to_owned(), address: "127.0.0.1:1".to_owned() }],
        }
    }

    fn send(&self, request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
        let text = format!("{} {} for {:?}", request.method(), request.uri(), request.headers()["host"]);
        Box::pin(std::future::ready(Response::new(Body::full(text))))
    }

    fn run_module(&self, _: ModuleTrial) -> BoxFuture<'static, Result<ModuleRan, Problems>> {
        let problem = Problem::error("/payload_raw", "there are no modules without an engine");
        Box::pin(std::future::ready(Err(problem.into())))
    }

    fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        Vec::new()
    }

    fn client_connections(&self) -> (usize, usize) {
        (0, 0)
    }

    fn upstream_connections(&self) -> Vec<UpstreamConnections> {
        Vec::new()
    }
}

pub(crate) const LOCAL: ([u8; 4], u16) = ([127, 0, 0, 1], 50_000);

impl Kit {
    pub(crate) async fn start() -> Self {
        Self::with(Arc::new(MemoryStore::new()), Auth::none()).await
    }

    pub(crate) async fn with(store: Arc<dyn Store>, auth: Auth) -> Self {
        let events = EventBus::default();
        let feed = Feed::new(Arc::new(events.clone()));
        let (applier, mut worker) =
            Applier::new(store.clone(), Vec::new(), Arc::new(feed.clone()), Environment::default());
        worker.load().await.unwrap();
        tokio::spawn(worker.run());
        let logs = LogTap::default();
        let context = Context {
            applier: applier.clone(),
            store,
            feed,
            events: events.clone(),
            logs: logs.clone(),
            fingerprints: Fingerprints::new(b"a key for tests"),
            server: Arc::new(Server),
        };
        Self { api: AdminApi::new(context, auth), applier, logs, events }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        self.send_from(request, LOCAL.into()).await
    }

    pub(crate) async fn send_from(&self, request: Request<Body>, from: SocketAddr) -> Answer {
        let response = self.api.answer(request, from).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect_limited(64 << 20).await.unwrap().bytes;
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.send(request(method, path, body, &[])).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, None).await
    }
}

pub(crate) fn request(
    method: Method,
    path: &str,
    body: Option<Value>,
    headers: &[(&str, &str)],
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map_or_else(Body::empty, |body| Body::full(body.to_string()));
    request.body(body).unwrap()
}
