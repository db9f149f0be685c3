//! The admin listener: the Admin API, with what it wants to know of this server.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use dgate_admin::Fingerprints;
use dgate_admin::api::{
    AdminApi, Context, Feed, GatewayServer, Listener, LogTap, ModuleTrial, ServerInfo, UpstreamConnections,
    model::ModuleRan,
};
use dgate_admin::auth::Auth;
use dgate_core::Problems;
use dgate_core::endpoint::Endpoint;
use dgate_core::event::EventBus;
use dgate_core::{Body, BoxFuture};
use dgate_proxy::Gateway;
use http::{Request, Response};
use hyper::body::Incoming;
use jiff::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use tower_service::Service;

use crate::config;
use crate::readiness::Readiness;
use crate::small_http::Answer;
use crate::trials::Trials;

/// The collected metrics.
#[derive(Clone)]
pub(crate) struct Metrics(pub(crate) PrometheusHandle);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

/// What is known of this process as a whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observed {
    /// Absent when metrics are disabled.
    pub(crate) metrics: Option<Metrics>,
    /// Lines of the log.
    pub(crate) logs: LogTap,
}

/// What every admin listener of this server shares, however often its settings change.
#[derive(Clone)]
pub(crate) struct ControlPlane {
    pub(crate) gateway: Gateway,
    pub(crate) feed: Feed,
    pub(crate) events: EventBus,
    pub(crate) logs: LogTap,
    pub(crate) fingerprints: Fingerprints,
    pub(crate) server: Arc<ThisServer>,
}

/// This server, as far as the Admin API tells of it.
pub(crate) struct ThisServer {
    pub(crate) gateway: Gateway,
    pub(crate) readiness: Readiness,
    /// Absent when metrics are disabled.
    pub(crate) metrics: Option<Metrics>,
    pub(crate) node: String,
    pub(crate) storage: &'static str,
    pub(crate) started_at: Timestamp,
    pub(crate) trials: Trials,
    pub(crate) listeners: RwLock<Vec<(&'static str, SocketAddr)>>,
}

impl GatewayServer for ThisServer {
    fn is_ready(&self) -> bool {
        self.readiness.is_ready()
    }

    fn metrics(&self) -> Option<String> {
        self.metrics.as_ref().map(|metrics| metrics.0.render())
    }

    fn info(&self) -> ServerInfo {
        let listeners = self.listeners.read().unwrap_or_else(PoisonError::into_inner);
        let listener = |(name, address): &(&str, SocketAddr)| Listener {
            name: (*name).to_owned(),
            address: address.to_string(),
        };
        ServerInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            node: self.node.clone(),
            storage: self.storage.to_owned(),
            started_at: self.started_at,
            listeners: listeners.iter().map(listener).collect(),
        }
    }

    fn send(&self, request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
        let mut gateway = self.gateway.clone();
        Box::pin(async move {
            let Ok(response) = gateway.call(request).await;
            response
        })
    }

    fn run_module(&self, trial: ModuleTrial) -> BoxFuture<'static, Result<ModuleRan, Problems>> {
        Box::pin(self.trials.clone().run(trial))
    }

    fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        self.gateway.endpoints()
    }

    fn client_connections(&self) -> (usize, usize) {
        let connections = self.gateway.client_connections();
        (connections.http, connections.upgraded)
    }

    fn upstream_connections(&self) -> Vec<UpstreamConnections> {
        let connections = self.gateway.upstream_connections().into_iter();
        connections
            .map(|(origin, count)| UpstreamConnections { origin, active: count.active, idle: count.idle })
            .collect()
    }
}

impl ControlPlane {
    /// The Admin API with these settings.
    pub(crate) fn api(&self, settings: &config::Admin) -> AdminApi {
        let handle = self.gateway.handle();
        let context = Context {
            applier: handle.applier().clone(),
            store: handle.store().clone(),
            feed: self.feed.clone(),
            events: self.events.clone(),
            logs: self.logs.clone(),
            fingerprints: self.fingerprints.clone(),
            server: self.server.clone(),
        };
        // It was looked at when the file was read; should it be wrong all the same, nobody gets in.
        let auth = config::authentication(settings, &mut Problems::new());
        AdminApi::new(context, auth.unwrap_or_else(Auth::nobody))
    }
}

impl Answer for AdminApi {
    type Body = dgate_core::Body;

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<dgate_core::Body> {
        Self::answer(self, request, peer).await
    }
}
