//! Requests of the gateway's own, to URLs that no service names.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dgate_core::BoxFuture;
use dgate_core::body::Body;
use dgate_core::capability::{Fetch, FetchError, FetchRules};
use dgate_core::publish::Live;
use dgate_core::snapshot::{CompiledUrl, Scheme};
use http::header::HOST;
use http::uri::{self, Authority, PathAndQuery};
use http::{HeaderValue, Request, Response, Uri};

use super::{ClientSettings, ConnectError, SendError, Sending, Transport, TransportKey};
use crate::plan::{ProxyPlan, Registries};

/// Most origins whose connections are kept.
const MOST_ORIGINS: usize = 1_024;

/// Sends requests of the gateway's own, with its pools and its rules about addresses.
pub(crate) struct FetchClient {
    live: Live,
    registries: Arc<Registries>,
    /// Kept here, because nothing in a snapshot keeps their transports.
    origins: Mutex<HashMap<Key, Arc<Origin>>>,
}

/// What leads to the same transport under the same settings, and whether private addresses are allowed.
type Key = (uri::Scheme, Authority, bool);

/// Where requests go.
struct Origin {
    host: HeaderValue,
    /// Its name, or its address.
    name: Arc<str>,
    transport: Arc<Transport>,
    /// The settings that the transport was made with.
    settings: Arc<ClientSettings>,
}

impl FetchClient {
    pub(crate) fn new(live: Live, registries: Arc<Registries>) -> Self {
        Self { live, registries, origins: Mutex::default() }
    }

    /// Where a URI leads.
    fn origin(&self, uri: &Uri, private: bool) -> Result<Arc<Origin>, FetchError> {
        let bad = || FetchError::BadUrl(format!("`{uri}` cannot be fetched"));
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else { return Err(bad()) };
        let live = self.live.load();
        let plan = live.plan::<ProxyPlan>();
        let plan = plan.ok_or_else(|| FetchError::Failed("nothing is live yet".to_owned()))?;
        let key = (scheme.clone(), authority.clone(), private);
        let known = self.origins().get(&key).cloned();
        if let Some(known) = known.filter(|known| Arc::ptr_eq(&known.settings, &plan.client.settings)) {
            return Ok(known);
        }
        let url: CompiledUrl = format!("{scheme}://{authority}").parse().map_err(|_| bad())?;
        if !matches!(url.scheme, Scheme::Http | Scheme::Https) {
            return Err(bad());
        }
        let client = if private { plan.client.clone() } else { Arc::new(plan.client.without_private()) };
        let transport_key = TransportKey::outside(&url, &client.settings);
        let transport = self.registries.transports.transport(&client, &url, transport_key);
        let origin = Arc::new(Origin {
            host: HeaderValue::from_str(&url.authority()).map_err(|_| bad())?,
            name: url.host.clone(),
            transport: transport.map_err(|(_, why)| FetchError::BadUrl(why))?,
            settings: plan.client.settings.clone(),
        });
        let mut origins = self.origins();
        if origins.len() >= MOST_ORIGINS {
            origins.clear();
        }
        origins.insert(key, origin.clone());
        Ok(origin)
    }

    fn origins(&self) -> MutexGuard<'_, HashMap<Key, Arc<Origin>>> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetch for FetchClient {
    fn fetch(
        &self,
        request: Request<Body>,
        rules: FetchRules,
    ) -> BoxFuture<'static, Result<Response<Body>, FetchError>> {
        let origin = self.origin(request.uri(), rules.private_addresses);
        Box::pin(async move {
            let origin = origin?;
            let request = to_wire(request, &origin);
            let sending = Sending {
                request,
                wants_upgrade: false,
                is_check: false,
                // The time for all of it together, below, is over first.
                connect_timeout: rules.timeout.saturating_mul(2),
                request_timeout: rules.timeout.saturating_mul(2),
                idle_timeout: rules.timeout,
                interim: None,
                in_flight: None,
                slot: None,
            };
            match tokio::time::timeout(rules.timeout, origin.transport.send(sending)).await {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(error)) => Err(explain(&error, &origin)),
                Err(_) => Err(FetchError::Timeout(rules.timeout)),
            }
        })
    }
}

/// The request as it goes over the wire.
fn to_wire(mut request: Request<Body>, origin: &Origin) -> Request<Body> {
    request.headers_mut().insert(HOST, origin.host.clone());
    let target = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(target);
    request
}

fn explain(error: &SendError, origin: &Origin) -> FetchError {
    match error {
        SendError::Connect(ConnectError::Failed { source, .. })
            if source.kind() == io::ErrorKind::PermissionDenied =>
        {
            FetchError::AddressRefused(origin.name.to_string())
        }
        SendError::Connect(ConnectError::Timeout { limit, .. }) => FetchError::Timeout(*limit),
        error => FetchError::Failed(error.to_string()),
    }
}

impl fmt::Debug for FetchClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FetchClient")
    }
}
