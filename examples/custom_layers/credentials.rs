//! Upstream: each endpoint gets its own credentials, and each attempt is reported.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dgate_core::{Body, GatewayError};
use dgate_proxy::SharedService;
use dgate_proxy::upstream::Target;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};

/// Adds to each attempt what its endpoint wants to see, and reports how it went.
#[derive(Clone)]
pub(crate) struct Credentials {
    /// By the endpoints' URLs.
    tokens: Arc<HashMap<String, HeaderValue>>,
    report: Arc<dyn Fn(&Attempt<'_>) + Send + Sync>,
}

/// How an attempt went.
pub(crate) struct Attempt<'a> {
    /// The URL of the endpoint that was asked.
    pub(crate) endpoint: &'a str,
    /// How long it took until the head of its answer, or until it failed.
    pub(crate) took: Duration,
    /// What came of it.
    pub(crate) result: &'a Result<Response<Body>, GatewayError>,
}

impl Credentials {
    /// Credentials for these endpoints.
    pub(crate) fn new(
        tokens: impl IntoIterator<Item = (String, HeaderValue)>,
        report: impl Fn(&Attempt<'_>) + Send + Sync + 'static,
    ) -> Self {
        Self { tokens: Arc::new(tokens.into_iter().collect()), report: Arc::new(report) }
    }

    /// Asks one endpoint. The gateway calls this for each attempt, with the request as that endpoint is to see it.
    pub(crate) async fn attempt(
        self,
        mut request: Request<Body>,
        next: SharedService,
    ) -> Result<Response<Body>, GatewayError> {
        let endpoint = request.extensions().get::<Target>().map_or("-", Target::url).to_owned();
        if let Some(token) = self.tokens.get(&endpoint) {
            request.headers_mut().insert(AUTHORIZATION, token.clone());
        }
        let start = Instant::now();
        let result = next.call(request).await;
        (self.report)(&Attempt { endpoint: &endpoint, took: start.elapsed(), result: &result });
        result
    }
}

impl fmt::Display for Attempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, took, result } = self;
        match result {
            Ok(response) => write!(f, "{endpoint}: {} after {took:.1?}", response.status()),
            Err(error) => write!(f, "{endpoint}: {error} after {took:.1?}"),
        }
    }
}
