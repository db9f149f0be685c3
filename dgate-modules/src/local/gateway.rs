//! A gateway without sockets: one request at a time through all hooks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use dgate_core::apply::{Applier, ApplyError, ChangeSet, Environment};
use dgate_core::capability::Fetch;
use dgate_core::context::{ClientInfo, ConnectionInfo, Matched, RequestContext, RequestId, RequestRecord};
use dgate_core::event::NoEvents;
use dgate_core::key::DEFAULT_NAMESPACE;
use dgate_core::resource::{AnyResource, Resource as _};
use dgate_core::snapshot::{NamespaceSnapshot, RouteLookup};
use dgate_core::store::{DocumentQuery, MemoryStore, Store};
use dgate_core::{Body, ErrorKind, GatewayError, Kind, Problem, Problems};
use http::uri::PathAndQuery;
use http::{Request, Response};

use super::Project;
use super::documents::LocalDocuments;
use super::heard::Heard;
use super::plane::{Chains, Plane};
use super::reply::{Reply, collected, refusal};
use super::trip::{Trip, echo};
use crate::ConsoleLine;
use crate::program::{self, Library};
use crate::runner::{ModuleRunner, ModuleSettings};

/// What modules of a local gateway may reach.
#[derive(Clone, Default)]
pub struct Network {
    /// What sends their requests; without it, `fetch` fails.
    pub fetch: Option<Arc<dyn Fetch>>,
}

/// A gateway without sockets.
///
/// Whoever makes one has a tokio runtime. Upstreams are not asked: a request that no module answers gets an echo of
/// itself as the upstream's answer.
pub struct LocalGateway {
    /// The only one that lasts: when it goes, so do the pipeline and all that belongs to it.
    applier: Arc<Applier>,
    store: Arc<dyn Store>,
    namespace: Arc<str>,
    /// The documents that the project lists.
    listed: Vec<AnyResource>,
    pub(super) runner: ModuleRunner,
    heard: Heard,
}

impl LocalGateway {
    /// Makes a project's resources live.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub async fn start(project: &Project, network: Network) -> Result<Self, Problems> {
        let (settings, store) = (ModuleSettings::default(), Arc::new(MemoryStore::new()));
        let mut gateway = Self::open(settings, network, store, DEFAULT_NAMESPACE.into()).await?;
        let mut changes = ChangeSet::new();
        for resource in project.resources() {
            changes = changes.put(resource.clone());
        }
        gateway.applier.apply(changes).await.map_err(problems)?;
        let is_document = |resource: &&AnyResource| resource.kind() == Kind::Document;
        gateway.listed = project.resources().iter().filter(is_document).cloned().collect();
        Ok(gateway)
    }

    /// Makes what a store holds live. Requests go to one of its namespaces.
    pub(super) async fn open(
        settings: ModuleSettings,
        network: Network,
        store: Arc<dyn Store>,
        namespace: Arc<str>,
    ) -> Result<Self, Problems> {
        let runner = ModuleRunner::new(settings);
        let plane = Arc::new(Plane(runner.clone()));
        let (applier, mut worker) =
            Applier::new(store.clone(), vec![plane], Arc::new(NoEvents), Environment::default());
        let applier = Arc::new(applier);
        if let Some(fetch) = network.fetch {
            runner.connect_fetch(fetch);
        }
        // Whoever would hear of them is elsewhere; whether they may be emitted shows here.
        runner.connect_events(Arc::new(NoEvents));
        runner.connect_documents(Arc::new(LocalDocuments::new(store.clone(), &applier)));
        let heard = Heard::of(&runner);
        worker.load().await.map_err(problems)?;
        tokio::spawn(worker.run());
        Ok(Self { applier, store, namespace, listed: Vec::new(), runner, heard })
    }

    /// Adds or replaces a resource.
    ///
    /// # Errors
    /// Everything that is wrong then; nothing has changed.
    pub async fn put(&self, resource: impl Into<AnyResource>) -> Result<(), Problems> {
        self.applier.apply(ChangeSet::new().put(resource)).await.map_err(problems)?;
        Ok(())
    }

    /// Whether a module answers requests by itself.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub async fn answers(&self, module: &str) -> Result<bool, Problems> {
        let Some(namespace) = self.namespace() else { return Ok(false) };
        let names = [module.to_owned()];
        let program =
            program::build(&Library::default(), &namespace, &names, &crate::limits::Rules::default())?;
        match self.runner.evaluate(program).await {
            Ok((_, evaluated)) => Ok(evaluated.hooks.handle_request),
            Err((fault, failure)) => {
                let problem =
                    Problem::error(fault.as_ref().map_or("", |fault| fault.1), failure.with_trace());
                Err(match fault {
                    Some((key, _)) => problem.about(&key).into(),
                    None => problem.into(),
                })
            }
        }
    }

    pub(super) fn namespace(&self) -> Option<Arc<NamespaceSnapshot>> {
        self.applier.live().load().snapshot.namespaces().by_name(&self.namespace).cloned()
    }

    /// Removes all documents but those that the project lists.
    pub(super) async fn clear_documents(&self) -> Result<(), Problems> {
        let Some(namespace) = self.namespace() else { return Ok(()) };
        let mut changes = ChangeSet::new();
        for collection in namespace.resources.collections.names() {
            let query = DocumentQuery {
                namespace: namespace.name.clone(),
                collection: collection.into(),
                prefix: String::new(),
                after: None,
                limit: usize::MAX,
            };
            let found = self.store.documents(query).await;
            for document in found.map_err(|error| problems(error.into()))? {
                let key = document.spec.key();
                if !self.listed.iter().any(|listed| listed.key() == key) {
                    changes = changes.delete(key);
                }
            }
        }
        for document in &self.listed {
            changes = changes.put(document.clone());
        }
        self.applier.apply(changes).await.map_err(problems)?;
        Ok(())
    }

    /// What was written to the console since this was last asked.
    pub(super) fn take_console(&self) -> Vec<ConsoleLine> {
        self.heard.take_console()
    }

    /// The context of a request, with its route.
    ///
    /// # Errors
    /// When no route takes it.
    pub(super) fn context(&self, request: &Request<Body>) -> Result<RequestContext, GatewayError> {
        let client = ClientInfo { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), trusted: false, tls: false };
        let live = self.applier.live().load();
        let namespace = self.namespace().ok_or(ErrorKind::NoRoute)?;
        let uri = request.uri();
        let path = dgate_core::pattern::normalize::path(uri.path()).into_owned();
        let found = match namespace.find_route(request.method(), &path, request.headers(), uri.query()) {
            RouteLookup::Found(found) => found,
            RouteLookup::MethodNotAllowed(allow) => return Err(GatewayError::method_not_allowed(allow)),
            RouteLookup::NotFound => return Err(ErrorKind::NoRoute.into()),
        };
        let matched = Matched {
            namespace,
            domain_parameters: Arc::default(),
            route: found.route,
            pattern: found.pattern,
            captures: found.captures,
            path: PathAndQuery::try_from(path).map_err(|_| ErrorKind::BadRequest)?,
        };
        Ok(RequestContext {
            record: Arc::new(RequestRecord::new(RequestId::generate(), client)),
            live,
            connection: Arc::new(ConnectionInfo::default()),
            interim: None,
            matched: Some(matched),
            canaries: None,
        })
    }

    /// Sends a request through its route's hooks.
    pub async fn send(&self, request: Request<Bytes>) -> Reply {
        let request = request.map(Body::full);
        let mut trip = Trip::default();
        let mut route = None;
        let answer = match self.context(&request) {
            Ok(context) => {
                let matched = context.matched.as_ref();
                route = matched.map(|matched| matched.route.spec.spec.name.clone());
                self.travel(&context, request, &mut trip).await
            }
            Err(error) => Err(error),
        };
        let response = match answer {
            Ok(response) => collected(response).await,
            Err(error) => refusal(&error),
        };
        Reply {
            response,
            route,
            console: self.take_console(),
            hooks: trip.hooks,
            upstream: trip.upstream,
            failures: trip.failures,
            denied: self.heard.take_denied(),
        }
    }

    async fn travel(
        &self,
        context: &RequestContext,
        request: Request<Body>,
        trip: &mut Trip,
    ) -> Result<Response<Body>, GatewayError> {
        let chain = context.matched.as_ref().and_then(|matched| {
            context.live.plan::<Chains>()?.0.get(&(matched.namespace.id, matched.route.id)).cloned()
        });
        let Some(chain) = chain else { return Ok(echo(&request, trip, None)) };
        let mut session = chain.begin(context);
        match trip.forth(&*chain, &mut *session, context, request).await {
            Ok(response) => Ok(response),
            Err(error) => trip.back(&*chain, &mut *session, error).await,
        }
    }
}

fn problems(error: ApplyError) -> Problems {
    match error {
        ApplyError::Invalid(problems) => problems,
        other => Problem::error("", other.to_string()).into(),
    }
}

impl fmt::Debug for LocalGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalGateway").finish_non_exhaustive()
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("fetch", &self.fetch.is_some()).finish()
    }
}
