//! The hook runner: programs for routes, sessions for requests.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use dgate_core::capability::{Documents, Fetch};
use dgate_core::context::RequestContext;
use dgate_core::hook::{HookChain, HookRunner, HookSession, Hooks};
use dgate_core::resource::Resource as _;
use dgate_core::snapshot::{CompiledRoute, NamespaceSnapshot};
use dgate_core::{Body, BoxFuture, ErrorKind, GatewayError, Problem, Problems, metric_names};
use http::{Request, Response};
use serde_json::Value;

use crate::capability::{Capabilities, Node};
use crate::engine::{Answer, Done, Task};
use crate::exchange::{Draft, ErrorInfo, Exchange, RequestInfo, RequestPart};
use crate::failure::Failure;
use crate::hook::Hook;
use crate::pool::{Deployed, Place, Pool, PoolSettings};
use crate::program::{self, Library};

/// Runs modules: the [`HookRunner`] for TypeScript and JavaScript.
///
/// Cheap to clone; all clones share one pool.
#[derive(Clone)]
pub struct ModuleRunner {
    library: Arc<Library>,
    pool: Arc<Pool>,
    defaults: Arc<[String]>,
}

/// What a [`ModuleRunner`] is made with.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ModuleSettings {
    /// What every module may do besides its own permissions.
    pub default_permissions: Vec<String>,
    /// How runtimes are kept.
    pub pool: PoolSettings,
    /// What identifies this server to modules.
    pub node: Node,
}

impl ModuleSettings {
    /// The same, changed; for `#[non_exhaustive]`'s sake.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl ModuleRunner {
    /// A runner without access to anything outside: see [`ModuleRunner::connect_fetch`] and its neighbours.
    pub fn new(settings: ModuleSettings) -> Self {
        let capabilities = Arc::new(Capabilities { node: settings.node, ..Capabilities::default() });
        Self {
            library: Arc::default(),
            pool: Arc::new(Pool::new(settings.pool, capabilities)),
            defaults: settings.default_permissions.into(),
        }
    }

    /// Gives modules a client. Only the first one counts.
    pub fn connect_fetch(&self, fetch: Arc<dyn Fetch>) {
        let _ = self.pool.shared.capabilities.fetch.set(fetch);
    }

    /// Gives modules documents. Only the first ones count.
    pub fn connect_documents(&self, documents: Arc<dyn Documents>) {
        let _ = self.pool.shared.capabilities.documents.set(documents);
    }

    /// Takes what modules emit: namespace, name and data. Only the first one counts.
    pub fn connect_events(&self, emit: impl Fn(&str, &str, Value) + Send + Sync + 'static) {
        let _ = self.pool.shared.capabilities.emit.set(Arc::new(emit));
    }
}

impl HookRunner for ModuleRunner {
    fn prepare<'a>(
        &'a self,
        namespace: &'a NamespaceSnapshot,
        route: &'a CompiledRoute,
        previous: Option<&'a Arc<dyn HookChain>>,
    ) -> BoxFuture<'a, Result<Arc<dyn HookChain>, Problems>> {
        Box::pin(async move {
            let names = &route.spec.spec.modules;
            let program = program::build(&self.library, namespace, names, &self.defaults)?;
            if let Some(previous) = previous
                && let Some(chain) = (&**previous as &dyn std::any::Any).downcast_ref::<Chain>()
                && chain.deployed.program.id == program.id
            {
                return Ok(previous.clone());
            }
            let first = program.modules.first().map(|module| (module.key.clone(), module.pointer));
            let deployed = Deployed::new(Arc::new(program), self.pool.clone());
            let hooks = deployed.check().await.map_err(|failure| {
                let module = failure.module.as_deref();
                let module = deployed.program.modules.iter().find(|known| Some(&*known.name) == module);
                let (key, pointer) = match module {
                    Some(module) => (module.key.clone(), module.pointer),
                    None => first.clone().unwrap_or_else(|| (route.spec.spec.key(), "/modules")),
                };
                Problems::from(Problem::error(pointer, failure.to_string()).about(&key))
            })?;
            let label: Arc<str> = names.first().map_or("-", String::as_str).into();
            let chain: Arc<dyn HookChain> = Arc::new(Chain { deployed: Arc::new(deployed), hooks, label });
            Ok(chain)
        })
    }
}

/// The modules of a route, ready to run.
struct Chain {
    deployed: Arc<Deployed>,
    /// Those that modules have.
    hooks: Hooks,
    /// The first module's name, for metrics.
    label: Arc<str>,
}

impl HookChain for Chain {
    /// Besides the modules' own: a request is looked at before it goes if there is something to be told of it later,
    /// and a modifier may answer, which is taken up where handlers do.
    fn hooks(&self) -> Hooks {
        if self.hooks.is_empty() {
            return self.hooks;
        }
        self.hooks.with(|hooks| {
            hooks.modify_request |= hooks.modify_response || hooks.handle_error;
            hooks.handle_request |= hooks.modify_request && self.hooks.modify_request;
        })
    }

    fn begin(&self, context: &RequestContext) -> Box<dyn HookSession> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Box::new(Session {
            deployed: self.deployed.clone(),
            hooks: self.hooks,
            label: self.label.clone(),
            info: RequestInfo::new(context).map(Arc::new),
            request: NEXT.fetch_add(1, Ordering::Relaxed),
            place: None,
            draft: Draft::default(),
            seen: None,
        })
    }
}

/// The hooks of one request.
struct Session {
    deployed: Arc<Deployed>,
    hooks: Hooks,
    label: Arc<str>,
    info: Option<Arc<RequestInfo>>,
    /// Its number, under which a runtime keeps its `ctx`.
    request: u64,
    /// Where its hooks ran so far.
    place: Option<Place>,
    /// What its modules wrote so far.
    draft: Draft,
    /// The request's head, as it went.
    seen: Option<RequestPart>,
}

impl Session {
    /// Runs one hook on an exchange. The draft is what it was before, with what the hook wrote.
    async fn run(
        &mut self,
        hook: Hook,
        mut exchange: Exchange,
        error: Option<ErrorInfo>,
    ) -> (Exchange, Result<Answer, GatewayError>) {
        let Some(info) = self.info.clone() else {
            return (exchange, Err(ErrorKind::Internal.into()));
        };
        let started = Instant::now();
        exchange.draft = std::mem::take(&mut self.draft);
        let task = Task { hook, request: self.request, info, exchange, error, keep: self.expects_more(hook) };
        let (place, done) = self.deployed.run(self.place, task).await;
        self.place = place.or(self.place);
        let (mut exchange, result) = match done {
            Ok(Done { exchange, result }) => (exchange, result),
            Err(failure) => (Exchange::default(), Err(failure)),
        };
        self.draft = std::mem::take(&mut exchange.draft);
        let took = started.elapsed();
        let namespace = &self.deployed.program.namespace;
        metrics::counter!(metric_names::MODULE_CALLS, "namespace" => namespace.clone(), "module" => self.label.clone(), "hook" => hook.name())
            .increment(1);
        metrics::histogram!(metric_names::MODULE_CALL_DURATION, "namespace" => namespace.clone(), "module" => self.label.clone(), "hook" => hook.name())
            .record(took);
        (exchange, result.map_err(|failure| self.failed(hook, failure, took)))
    }

    fn failed(&self, hook: Hook, failure: Failure, took: std::time::Duration) -> GatewayError {
        let namespace = &self.deployed.program.namespace;
        crate::metrics::count_failure(namespace, &failure);
        crate::metrics::time_failure(namespace, &failure, took);
        let trace = failure.trace.join(", ");
        tracing::warn!(
            target: "dgate::module",
            namespace = %namespace,
            module = failure.module.as_deref().unwrap_or(&self.label),
            hook = hook.name(),
            request_id = self.info.as_ref().map_or("-", |info| info.id.as_str()),
            kind = failure.kind.name(),
            trace,
            "{failure}"
        );
        failure.into_error()
    }

    /// Whether the request's `ctx` may be needed again after a hook.
    fn expects_more(&self, hook: Hook) -> bool {
        let hooks = self.hooks;
        let error = hooks.handle_error;
        match hook {
            Hook::FetchUpstream => {
                hooks.modify_request || hooks.handle_request || hooks.modify_response || error
            }
            Hook::RequestModifier => hooks.handle_request || hooks.modify_response || error,
            Hook::RequestHandler => hooks.modify_response || error,
            Hook::ResponseModifier => error,
            Hook::ErrorHandler => false,
        }
    }

    async fn on_request(&mut self, hook: Hook, request: &mut Request<Body>) -> Result<Answer, GatewayError> {
        let exchange = Exchange { request: Some(RequestPart::take(request)), ..Exchange::default() };
        let (exchange, result) = self.run(hook, exchange, None).await;
        if let Some(part) = exchange.request {
            if result.is_err() {
                // What failed may still be told to the error handler.
                self.seen =
                    Some(RequestPart { head: clone_head(&part.head), body: Body::empty(), gone: true });
            }
            part.give_back(request);
        }
        result
    }

    fn remember(&mut self, request: &Request<Body>) {
        if self.hooks.modify_response || self.hooks.handle_error {
            self.seen = Some(RequestPart::head_of(request));
        }
    }
}

fn clone_head(head: &http::request::Parts) -> http::request::Parts {
    let (mut copy, ()) = Request::new(()).into_parts();
    copy.method = head.method.clone();
    copy.uri = head.uri.clone();
    copy.version = head.version;
    copy.headers = head.headers.clone();
    copy
}

impl HookSession for Session {
    fn fetch_upstream<'a>(
        &'a mut self,
        request: &'a mut Request<Body>,
    ) -> BoxFuture<'a, Result<Option<String>, GatewayError>> {
        Box::pin(async move {
            match self.on_request(Hook::FetchUpstream, request).await? {
                Answer::Url(url) => Ok(Some(url)),
                Answer::Nothing => Ok(None),
            }
        })
    }

    fn modify_request<'a>(
        &'a mut self,
        request: &'a mut Request<Body>,
    ) -> BoxFuture<'a, Result<(), GatewayError>> {
        Box::pin(async move {
            if self.hooks.modify_request {
                self.on_request(Hook::RequestModifier, request).await?;
            }
            self.remember(request);
            Ok(())
        })
    }

    fn handle_request<'a>(
        &'a mut self,
        request: &'a mut Request<Body>,
    ) -> BoxFuture<'a, Result<Option<Response<Body>>, GatewayError>> {
        Box::pin(async move {
            if !self.draft.ended && self.hooks.handle_request {
                self.on_request(Hook::RequestHandler, request).await?;
            } else if !self.draft.ended {
                return Ok(None);
            }
            let answers = self.draft.answers();
            Ok(answers.then(|| std::mem::take(&mut self.draft).into_response()))
        })
    }

    fn modify_response<'a>(
        &'a mut self,
        response: &'a mut Response<Body>,
    ) -> BoxFuture<'a, Result<(), GatewayError>> {
        Box::pin(async move {
            let exchange = Exchange {
                request: self.seen.take(),
                upstream: Some(std::mem::take(response)),
                ..Exchange::default()
            };
            let (exchange, result) = self.run(Hook::ResponseModifier, exchange, None).await;
            self.seen = exchange.request;
            *response = exchange.upstream.unwrap_or_default();
            result.map(|_| ())
        })
    }

    fn handle_error<'a>(
        &'a mut self,
        error: &'a GatewayError,
    ) -> BoxFuture<'a, Result<Option<Response<Body>>, GatewayError>> {
        Box::pin(async move {
            // Whatever was written before something failed is not the answer to that.
            self.draft = Draft::default();
            let exchange = Exchange { request: self.seen.take(), ..Exchange::default() };
            let (_, result) = self.run(Hook::ErrorHandler, exchange, Some(error.into())).await;
            result?;
            let answers = self.draft.answers();
            let has_status = self.draft.status.is_some();
            let response = answers.then(|| std::mem::take(&mut self.draft).into_response());
            Ok(response.map(|mut response| {
                if !has_status {
                    *response.status_mut() = error.kind().status();
                }
                response
            }))
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.deployed.pool.release(place, self.request);
        }
    }
}

impl fmt::Debug for ModuleRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleRunner").field("default_permissions", &self.defaults).finish_non_exhaustive()
    }
}
