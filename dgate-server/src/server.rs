//! A running server: everything put together.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use dgate_admin::api::Feed;
use dgate_admin::store::OpenError;
use dgate_core::Problems;
use dgate_core::apply::{Applied, ApplyError, Outcome};
use dgate_core::event::EventBus;
use dgate_core::stored::Revision;
use dgate_proxy::{Gateway, edge};
use jiff::Timestamp;

use crate::access_log;
use crate::admin::{ControlPlane, Observed, ThisServer};
use crate::config::{LoadError, Loaded};
use crate::listeners::{Context, Inherited, ListenError, Listeners, Wanted};
use crate::modules;
use crate::readiness::Readiness;
use crate::reload;
use crate::storage;
use crate::system::host_name;
use crate::trials::Trials;
use crate::workers::Workers;

/// A running server. Its probes and background tasks run on the tokio runtime it was started on, requests on threads of
/// its own.
pub struct Server {
    loaded: Loaded,
    gateway: Gateway,
    listeners: Listeners,
    readiness: Readiness,
    access_log: edge::AccessLog,
    workers: Workers,
    events: EventBus,
    /// What the Admin API knows of it.
    this: Arc<ThisServer>,
}

/// Why a server does not start. It is not there then: nothing listens.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] LoadError),
    /// An address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The store cannot be read.
    #[error(transparent)]
    Apply(ApplyError),
    /// The system has no threads, or lets nobody write the access log.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Why a server goes on as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] LoadError),
    /// An address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The resources cannot be changed.
    #[error(transparent)]
    Apply(ApplyError),
    /// The access log cannot be written.
    #[error(transparent)]
    AccessLog(#[from] io::Error),
}

/// What another configuration has changed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reloaded {
    /// The revision that is live now; the old one when no resource has changed.
    pub revision: Revision,
    /// How many resources are new, other than before, and gone.
    pub created: usize,
    /// How many resources are other than before.
    pub updated: usize,
    /// How many resources are gone.
    pub deleted: usize,
    /// Keys whose new values need a restart.
    pub needs_restart: Vec<&'static str>,
    /// What is worth a warning.
    pub warnings: Problems,
}

impl Server {
    /// Starts a server.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(loaded: Loaded) -> Result<Self, StartError> {
        Self::start_with(loaded, Vec::new(), Observed::default()).await
    }

    /// Starts a server that goes on with the sockets of another process and tells what is observed of this one.
    pub(crate) async fn start_with(
        loaded: Loaded,
        inherited: Vec<Inherited>,
        observed: Observed,
    ) -> Result<Self, StartError> {
        let config = &loaded.config;
        let access_log = access_log::open(&config.access_log)?;
        let workers = Workers::start(&config.runtime)?;
        let opened = storage::open(&config.storage, !inherited.is_empty())?;
        let events = EventBus::default();
        let feed = Feed::new(Arc::new(events.clone()));
        let runner = modules::runner(config);
        modules::attach(&runner, &workers).await;
        let gateway = Gateway::builder()
            .hook_runner(runner.clone())
            .settings(loaded.settings.clone())
            .environment(loaded.environment.clone())
            .access_log(access_log.clone())
            .workers(workers.numbered())
            .store(opened.store)
            .events(Arc::new(feed.clone()))
            .build()
            .await
            .map_err(|error| start_error(error, &loaded))?;
        modules::connect(&runner, &gateway, Arc::new(feed.clone()));
        let applied = reload::apply(gateway.handle(), &loaded, false).await;
        let applied = applied.map_err(|error| start_error(error, &loaded))?;
        warn_of(&loaded.warnings);
        warn_of(&applied.warnings);

        let readiness = Readiness::default();
        let this = Arc::new(ThisServer {
            gateway: gateway.clone(),
            readiness: readiness.clone(),
            metrics: observed.metrics,
            node: config.node_id.clone().unwrap_or_else(host_name),
            storage: config.storage.kind.as_str(),
            started_at: Timestamp::now(),
            trials: Trials::new(gateway.clone(), modules::settings(config)),
            listeners: RwLock::default(),
        });
        let mut listeners = Listeners::new(Context {
            gateway: gateway.clone(),
            workers: workers.handles().to_vec(),
            control: ControlPlane {
                gateway: gateway.clone(),
                feed,
                events: events.clone(),
                logs: observed.logs,
                fingerprints: opened.fingerprints,
                server: this.clone(),
            },
        });
        let bound = listeners.bind(Wanted::all(&loaded), inherited)?;
        listeners.switch(bound)?;
        readiness.set(true);
        let server = Self { loaded, gateway, listeners, readiness, access_log, workers, events, this };
        server.show_addresses();
        Ok(server)
    }

    /// The gateway itself: to change resources from Rust, for example.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// What happens in it, to subscribe to: changes, endpoints that go up and down, and what modules emit.
    pub fn events(&self) -> &EventBus {
        &self.events
    }

    /// What it runs by.
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// The listeners and their addresses: `proxy-http`, `proxy-https`, `admin`, `test-server`.
    pub fn addresses(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> + '_ {
        self.listeners.addresses().map(|(name, address)| (name.as_str(), address))
    }

    fn show_addresses(&self) {
        let mut shown = self.this.listeners.write().unwrap_or_else(PoisonError::into_inner);
        *shown = self.addresses().collect();
    }

    /// Goes on with another configuration: all of it or none. Connections stay open, also those of listeners that are
    /// not wanted any more, until their requests are answered.
    ///
    /// # Errors
    /// See [`ReloadError`]; nothing has changed then.
    pub async fn reload(&mut self, loaded: Loaded) -> Result<Reloaded, ReloadError> {
        // First what can fail and leaves no trace.
        let bound = self.listeners.bind(Wanted::all(&loaded), Vec::new())?;
        let log = access_log::reopened(&loaded.config.access_log)?;
        let applied = match reload::apply(self.gateway.handle(), &loaded, false).await {
            Ok(applied) => applied,
            Err(ApplyError::Invalid(problems)) => {
                return Err(LoadError { problems, source: Box::new(loaded.source) }.into());
            }
            Err(error) => return Err(ReloadError::Apply(error)),
        };
        self.listeners.switch(bound)?;
        self.show_addresses();
        log.take_over(&self.access_log);
        let before = std::mem::replace(&mut self.loaded, loaded);
        let mut warnings = self.loaded.warnings.clone();
        warnings.extend(applied.warnings.clone());
        warn_of(&warnings);
        let needs_restart = reload::needs_restart(&before.config, &self.loaded.config);
        Ok(Reloaded::new(&applied, needs_restart, warnings))
    }

    /// Opens the access log's file again: it may have been renamed.
    ///
    /// # Errors
    /// When the file cannot be opened; the log goes on as before then.
    pub fn reopen_logs(&self) -> io::Result<()> {
        access_log::reopened(&self.loaded.config.access_log)?.take_over(&self.access_log);
        Ok(())
    }

    /// Another handle to each listening socket.
    pub(crate) fn duplicate_sockets(&self) -> io::Result<Vec<Inherited>> {
        self.listeners.duplicate()
    }

    /// Comes to an end without cutting anybody off: says that it is not ready, serves on for the delay, stops accepting,
    /// and waits for requests and upgraded connections as long as the configuration says.
    pub async fn shutdown(mut self) {
        let shutdown = self.loaded.config.shutdown.clone();
        self.readiness.set(false);
        tokio::time::sleep(shutdown.drain_delay.get()).await;
        self.listeners.stop_proxy().await;
        self.drain(shutdown.timeout.get()).await;
    }

    /// The same, when another process accepts connections from the same sockets already.
    pub(crate) async fn leave_to_successor(mut self) {
        let timeout = self.loaded.config.shutdown.timeout.get();
        self.listeners.abandon();
        self.drain(timeout).await;
    }

    /// The same, however long requests take.
    pub(crate) async fn shutdown_patiently(mut self) {
        self.readiness.set(false);
        self.listeners.stop_proxy().await;
        self.drain(Duration::MAX).await;
    }

    async fn drain(self, timeout: Duration) {
        if !self.gateway.drain().complete(timeout).await {
            tracing::warn!("requests were cut off: they took longer than `shutdown.timeout`");
        }
        let access_log = self.access_log;
        let workers = self.workers;
        // Both wait for other threads.
        let _ = tokio::task::spawn_blocking(move || {
            workers.stop();
            access_log.flush();
        })
        .await;
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("gateway", &self.gateway).finish_non_exhaustive()
    }
}

impl Reloaded {
    fn new(applied: &Applied, needs_restart: Vec<&'static str>, warnings: Problems) -> Self {
        let count = |wanted| applied.outcomes.iter().filter(|(_, outcome)| *outcome == wanted).count();
        Self {
            revision: applied.revision,
            created: count(Outcome::Created),
            updated: count(Outcome::Updated),
            deleted: count(Outcome::Deleted),
            needs_restart,
            warnings,
        }
    }
}

fn start_error(error: ApplyError, loaded: &Loaded) -> StartError {
    match error {
        ApplyError::Invalid(problems) => {
            LoadError { problems, source: Box::new(loaded.source.clone()) }.into()
        }
        error => StartError::Apply(error),
    }
}

fn warn_of(warnings: &Problems) {
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
}
