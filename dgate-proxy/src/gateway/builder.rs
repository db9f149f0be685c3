//! Builds a gateway.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use dgate_core::apply::{Applier, ApplyError, ChangeSet, Environment};
use dgate_core::body::{Body, BodyError};
use dgate_core::clock::Clock;
use dgate_core::event::{EventSink, NoEvents};
use dgate_core::hook::HookRunner;
use dgate_core::metric_names;
use dgate_core::resource::AnyResource;
use dgate_core::store::{Author, MemoryStore, Store};
use http::{Request, Response};
use tokio::runtime::Handle;
use tower_layer::Layer;
use tower_service::Service;

use super::status::upstream_connections;
use super::{Gateway, GatewayHandle, Shared};
use crate::drain::Drain;
use crate::edge::AccessLog;
use crate::health::{HealthChecker, report};
use crate::metrics::PlaneMetrics;
use crate::plan::{ProxyPlan, ProxyPlane, Registries};
use crate::settings::ProxySettings;
use crate::shared_service::{SharedService, Slot};
use crate::stack::{Parts, stack};

/// How often idle connections are looked at and gauges are shown.
const MAINTENANCE: Duration = Duration::from_secs(5);

/// Builds a [`Gateway`].
#[must_use = "a builder does nothing until it is built"]
pub struct GatewayBuilder {
    changes: ChangeSet,
    settings: ProxySettings,
    environment: Environment,
    clock: Clock,
    store: Arc<dyn Store>,
    events: Arc<dyn EventSink>,
    runner: Option<Arc<dyn HookRunner>>,
    log: Option<AccessLog>,
    workers: usize,
    planes: Vec<Arc<dyn dgate_core::apply::Prepare>>,
    edge_slot: Slot,
    route_slot: Slot,
    upstream_slot: Slot,
}

impl Default for GatewayBuilder {
    fn default() -> Self {
        Self {
            changes: ChangeSet { author: Author::internal("builder"), ..ChangeSet::new() },
            settings: ProxySettings::default(),
            environment: Environment::default(),
            clock: Clock::default(),
            store: Arc::new(MemoryStore::new()),
            events: Arc::new(NoEvents),
            runner: None,
            log: None,
            workers: 0,
            planes: Vec::new(),
            edge_slot: Slot::default(),
            route_slot: Slot::default(),
            upstream_slot: Slot::default(),
        }
    }
}

impl GatewayBuilder {
    /// Begins with this resource, besides what the store has.
    pub fn resource(mut self, resource: impl Into<AnyResource>) -> Self {
        self.changes = self.changes.put(resource);
        self
    }

    /// Begins with these resources, besides what the store has.
    pub fn spec(self, resources: impl IntoIterator<Item = AnyResource>) -> Self {
        resources.into_iter().fold(self, Self::resource)
    }

    /// Begins with these changes to what the store has.
    pub fn changes(mut self, changes: ChangeSet) -> Self {
        self.changes = changes;
        self
    }

    /// Settings of the data plane.
    pub fn settings(mut self, settings: ProxySettings) -> Self {
        self.settings = settings;
        self
    }

    /// What the server is: its tags, and whether there is a default namespace.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// By which clock timed tags are carried; the system's by default.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Where resources and documents are kept; in memory by default.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = store;
        self
    }

    /// Who is told what happens, and may interfere.
    pub fn events(mut self, events: Arc<dyn EventSink>) -> Self {
        self.events = events;
        self
    }

    /// Who runs the modules of routes. Without one, routes with modules are refused.
    pub fn hook_runner(mut self, runner: Arc<dyn HookRunner>) -> Self {
        self.runner = Some(runner);
        self
    }

    /// Where requests are logged; nowhere by default.
    pub fn access_log(mut self, log: AccessLog) -> Self {
        self.log = Some(log);
        self
    }

    /// How many workers there will be, each a single-threaded runtime on a thread that called
    /// [`dgate_core::worker::enter`]. Each keeps its own upstream connections. 0, the default, is for everything else.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Another data plane that is to be changed together with this one.
    pub fn plane(mut self, plane: Arc<dyn dgate_core::apply::Prepare>) -> Self {
        self.planes.push(plane);
        self
    }

    /// A layer around everything but what must see every request: it sees requests before they are matched, and errors
    /// as errors. The first one added is the outermost.
    pub fn edge_layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<SharedService> + Send + 'static,
        L::Service: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Error: Into<BodyError>,
        <L::Service as Service<Request<Body>>>::Future: Send,
    {
        self.edge_slot.push(layer);
        self
    }

    /// A layer that knows the route: it finds it in the request's
    /// [`RequestContext`](dgate_core::context::RequestContext).
    pub fn route_layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<SharedService> + Send + 'static,
        L::Service: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Error: Into<BodyError>,
        <L::Service as Service<Request<Body>>>::Future: Send,
    {
        self.route_slot.push(layer);
        self
    }

    /// A layer around each attempt to ask an upstream: it sees what the upstream sees.
    pub fn upstream_layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<SharedService> + Send + 'static,
        L::Service: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Error: Into<BodyError>,
        <L::Service as Service<Request<Body>>>::Future: Send,
    {
        self.upstream_slot.push(layer);
        self
    }

    /// Builds the gateway, on the tokio runtime that is current: its background tasks run there.
    ///
    /// # Errors
    /// When the store cannot be read, or something is wrong with the resources.
    pub async fn build(self) -> Result<Gateway, ApplyError> {
        let registries = Arc::new(Registries::new(self.workers));
        let metrics: Arc<PlaneMetrics> = Arc::default();
        let checker = Arc::new(HealthChecker::new(self.events.clone(), Handle::current()));
        let settings = Arc::new(self.settings);
        let plane = ProxyPlane::new(settings, self.runner.clone(), registries.clone(), checker);
        let mut planes: Vec<Arc<dyn dgate_core::apply::Prepare>> = vec![Arc::new(plane)];
        planes.extend(self.planes);
        let (applier, worker) =
            Applier::new(self.store.clone(), planes, self.events.clone(), self.environment);
        let mut worker = worker.by_clock(self.clock);
        let warnings = worker.load().await?;
        warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        tokio::spawn(worker.run());

        let (edge, observe) = stack(Parts {
            log: self.log,
            metrics: metrics.clone(),
            registries: registries.clone(),
            events: self.events.clone(),
            runner: self.runner,
            edge_slot: self.edge_slot,
            route_slot: self.route_slot,
            upstream_slot: self.upstream_slot,
        });
        let live = applier.live().clone();
        let handle = GatewayHandle { applier, store: self.store };
        if !self.changes.changes.is_empty() || self.changes.mode != dgate_core::apply::Mode::Apply {
            let applied = handle.apply(self.changes).await?;
            applied.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        }
        let shared = Arc::new(Shared {
            handle,
            live,
            edge,
            observe,
            drain: Drain::new(),
            registries,
            metrics,
            events: self.events,
        });
        tokio::spawn(maintain(Arc::downgrade(&shared)));
        Ok(Gateway { shared })
    }
}

impl std::fmt::Debug for GatewayBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayBuilder").field("changes", &self.changes.changes.len()).finish_non_exhaustive()
    }
}

/// Keeps house until the gateway is gone.
async fn maintain(shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(MAINTENANCE).await;
        let Some(shared) = shared.upgrade() else { return };
        let plan = shared.live.load();
        let max_idle = plan.plan::<ProxyPlan>().and_then(|plan| plan.settings.client.max_idle);
        drop(plan);
        shared.registries.transports.maintain(max_idle);
        show(&shared);
    }
}

/// Shows what is only counted inside.
fn show(shared: &Shared) {
    let now = Instant::now();
    shared.metrics.show(now);
    for (origin, connections) in upstream_connections(shared) {
        for (state, count) in [("active", connections.active), ("idle", connections.idle)] {
            metrics::gauge!(metric_names::UPSTREAM_CONNECTIONS, "endpoint" => origin.clone(), "state" => state)
                .set(count as f64);
        }
    }
    for endpoint in shared.registries.endpoints.in_use() {
        report::show(&endpoint, endpoint.health.is_available(now));
    }
    if let Some(plan) = shared.live.load().plan::<ProxyPlan>() {
        plan.certificates.show();
    }
}
