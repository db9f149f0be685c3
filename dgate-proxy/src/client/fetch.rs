//! Requests of the gateway's own, to URLs that no service names.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use dgate_core::BoxFuture;
use dgate_core::body::Body;
use dgate_core::capability::{Fetch, FetchError, FetchRules};
use dgate_core::publish::Live;
use dgate_core::snapshot::{CompiledUrl, Scheme};
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, Uri};

use super::{ConnectError, SendError, Sending, Transport, TransportKey};
use crate::plan::{ProxyPlan, Registries};

/// Most origins whose connections are kept.
const MOST_ORIGINS: usize = 1_024;

/// Sends requests of the gateway's own, with its pools and its rules about addresses.
pub(crate) struct FetchClient {
    live: Live,
    registries: Arc<Registries>,
    /// Kept here, because nothing in a snapshot keeps them.
    transports: Mutex<HashMap<TransportKey, Arc<Transport>>>,
}

impl FetchClient {
    pub(crate) fn new(live: Live, registries: Arc<Registries>) -> Self {
        Self { live, registries, transports: Mutex::default() }
    }

    fn transport(&self, url: &CompiledUrl, private: bool) -> Result<Arc<Transport>, FetchError> {
        let live = self.live.load();
        let plan = live.plan::<ProxyPlan>();
        let plan = plan.ok_or_else(|| FetchError::Failed("nothing is live yet".to_owned()))?;
        let client = if private { plan.client.clone() } else { Arc::new(plan.client.without_private()) };
        let key = TransportKey::outside(url, &client.settings);
        let transport = self.registries.transports.transport(&client, url, key.clone());
        let transport = transport.map_err(|(_, why)| FetchError::BadUrl(why))?;
        let mut transports = self.transports.lock().unwrap_or_else(PoisonError::into_inner);
        if transports.len() >= MOST_ORIGINS {
            transports.clear();
        }
        transports.insert(key, transport.clone());
        Ok(transport)
    }
}

impl Fetch for FetchClient {
    fn fetch(
        &self,
        request: Request<Body>,
        rules: FetchRules,
    ) -> BoxFuture<'static, Result<Response<Body>, FetchError>> {
        let prepared = prepare(request).and_then(|(request, url)| {
            let transport = self.transport(&url, rules.private_addresses)?;
            Ok((request, url, transport))
        });
        Box::pin(async move {
            let (request, url, transport) = prepared?;
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
            match tokio::time::timeout(rules.timeout, transport.send(sending)).await {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(error)) => Err(explain(&error, &url)),
                Err(_) => Err(FetchError::Timeout(rules.timeout)),
            }
        })
    }
}

/// The request as it goes over the wire, and where to.
fn prepare(mut request: Request<Body>) -> Result<(Request<Body>, CompiledUrl), FetchError> {
    let uri = request.uri().clone();
    let bad = || FetchError::BadUrl(format!("`{uri}` cannot be fetched"));
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(bad()) };
    let url: CompiledUrl = format!("{scheme}://{authority}").parse().map_err(|_| bad())?;
    if !matches!(url.scheme, Scheme::Http | Scheme::Https) {
        return Err(bad());
    }
    let host = HeaderValue::from_str(&url.authority()).map_err(|_| bad())?;
    request.headers_mut().insert(HOST, host);
    let target = uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(target);
    Ok((request, url))
}

fn explain(error: &SendError, url: &CompiledUrl) -> FetchError {
    match error {
        SendError::Connect(ConnectError::Failed { source, .. })
            if source.kind() == io::ErrorKind::PermissionDenied =>
        {
            FetchError::AddressRefused(url.host.to_string())
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
