//! What the world outside of a request can be asked for: upstreams that no service names, documents, and the endpoints of
//! services.
//!
//! Modules run behind these traits; whoever joins the parts of a gateway implements them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, Response};

use crate::apply::{Applied, Applier, ApplyError, ChangeSet};
use crate::body::Body;
use crate::endpoint::Endpoint;
use crate::resource::Document;
use crate::store::{DocumentQuery, Store, StoreError};
use crate::stored::Stored;
use crate::{BoxFuture, Key};

/// Sends requests of the gateway's own, to any URL.
pub trait Fetch: Send + Sync + 'static {
    /// Sends a request to where its URI leads, and returns the answer's head with its body still to come. Redirects
    /// are not followed: the caller has to check them first.
    fn fetch(
        &self,
        request: Request<Body>,
        rules: FetchRules,
    ) -> BoxFuture<'static, Result<Response<Body>, FetchError>>;
}

/// What a request of the gateway's own must keep to.
#[derive(Debug, Clone, Copy)]
pub struct FetchRules {
    /// Whether it may go to private, loopback and link-local addresses. Checked where it connects.
    pub private_addresses: bool,
    /// How long it may take until the answer's head is there.
    pub timeout: Duration,
}

/// Why a request of the gateway's own has no answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The name leads to an address that is out of bounds.
    #[error("`{0}` leads to a private address, for which a permission has to name the host")]
    AddressRefused(String),
    /// It took too long.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The URL is none, or of a scheme that cannot be fetched.
    #[error("{0}")]
    BadUrl(String),
    /// There was no connection, or it broke.
    #[error("{0}")]
    Failed(String),
}

/// Reads and writes documents, through the same pipeline as every other change.
pub trait Documents: Send + Sync + 'static {
    /// One document.
    fn document(&self, key: Key) -> BoxFuture<'static, Result<Option<Arc<Stored<Document>>>, StoreError>>;

    /// Some of a collection.
    fn documents(
        &self,
        query: DocumentQuery,
    ) -> BoxFuture<'static, Result<Vec<Arc<Stored<Document>>>, StoreError>>;

    /// Makes a change.
    fn apply(&self, changes: ChangeSet) -> BoxFuture<'static, Result<Applied, ApplyError>>;

    /// The revision that is live.
    fn revision(&self) -> u64;
}

/// The endpoints of services, for whoever knows more of them than the gateway's own checks.
///
/// What is set here is this server's alone. It stays as long as the endpoint does, whatever else of its service changes.
pub trait Upstreams: Send + Sync + 'static {
    /// The endpoints of a service, in the order of its URLs.
    ///
    /// # Errors
    /// When there is no such service.
    fn endpoints(&self, namespace: &str, service: &str) -> Result<Vec<EndpointStatus>, UpstreamError>;

    /// Says how an endpoint is: that wins over active checks, either way, until it is taken back with `None`. Failing real
    /// requests still eject who is said to be healthy.
    ///
    /// # Errors
    /// When there is no such service or endpoint.
    fn set_health(
        &self,
        namespace: &str,
        service: &str,
        url: &str,
        healthy: Option<bool>,
    ) -> Result<(), UpstreamError>;

    /// Gives an endpoint a weight instead of the written one, until that is taken back with `None`. 0 takes it out of
    /// rotation.
    ///
    /// # Errors
    /// When there is no such service or endpoint.
    fn set_weight(
        &self,
        namespace: &str,
        service: &str,
        url: &str,
        weight: Option<u32>,
    ) -> Result<(), UpstreamError>;
}

/// How an endpoint stands.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EndpointStatus {
    /// Its URL.
    pub url: String,
    /// Its share of the requests, as it was written or set.
    pub weight: u32,
    /// Endpoints of a higher priority are used first.
    pub priority: i32,
    /// Whether it gets requests.
    pub healthy: bool,
    /// How many requests it has in flight.
    pub in_flight: u32,
    /// The smoothed time to a response head; nothing before the first.
    pub latency: Option<Duration>,
}

impl EndpointStatus {
    /// How an endpoint with this written weight stands.
    pub fn of(endpoint: &Endpoint, weight: u32, priority: i32, now: Instant) -> Self {
        Self {
            url: endpoint.id.url.to_string(),
            weight: endpoint.given_weight().unwrap_or(weight),
            priority,
            healthy: endpoint.health.is_available(now),
            in_flight: endpoint.in_flight(),
            latency: endpoint.latency(),
        }
    }
}

/// There is no such endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// There is no such service.
    #[error("there is no service `{0}` in this namespace")]
    NoService(String),
    /// The service has other endpoints.
    #[error("service `{service}` has no endpoint `{url}`; it has {}", quoted(known))]
    NoEndpoint {
        /// The service.
        service: String,
        /// What was asked for.
        url: String,
        /// What there is.
        known: Vec<String>,
    },
}

fn quoted(known: &[String]) -> String {
    match known {
        [] => "none".to_owned(),
        known => known.iter().map(|url| format!("`{url}`")).collect::<Vec<_>>().join(", "),
    }
}

/// Documents of a gateway: its store to read from, its pipeline to write through.
#[derive(Clone)]
pub struct GatewayDocuments {
    store: Arc<dyn Store>,
    applier: Applier,
}

impl GatewayDocuments {
    /// Those of a store and the pipeline over it.
    pub fn new(store: Arc<dyn Store>, applier: Applier) -> Self {
        Self { store, applier }
    }
}

impl std::fmt::Debug for GatewayDocuments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayDocuments").finish_non_exhaustive()
    }
}

impl Documents for GatewayDocuments {
    fn document(&self, key: Key) -> BoxFuture<'static, Result<Option<Arc<Stored<Document>>>, StoreError>> {
        let store = self.store.clone();
        Box::pin(async move { store.document(&key).await })
    }

    fn documents(
        &self,
        query: DocumentQuery,
    ) -> BoxFuture<'static, Result<Vec<Arc<Stored<Document>>>, StoreError>> {
        let store = self.store.clone();
        Box::pin(async move { store.documents(query).await })
    }

    fn apply(&self, changes: ChangeSet) -> BoxFuture<'static, Result<Applied, ApplyError>> {
        let applier = self.applier.clone();
        Box::pin(async move { applier.apply(changes).await })
    }

    fn revision(&self) -> u64 {
        self.applier.live().load().revision
    }
}
