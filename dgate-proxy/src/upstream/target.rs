//! Who is asked.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use dgate_core::body::Body;
use dgate_core::context::RequestContext;
use dgate_core::endpoint::Endpoint;
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{Request, Uri};

use crate::plan::{EndpointPlan, ServicePlan};

/// Who is asked: an extension of every request below [`SelectEndpoint`](super::SelectEndpoint), for an embedder's
/// upstream layers to read.
///
/// ```
/// use dgate_core::Body;
/// use dgate_proxy::upstream::Target;
/// fn url_of(request: &http::Request<Body>) -> Option<&str> {
///     request.extensions().get::<Target>().map(Target::url)
/// }
/// ```
#[derive(Clone)]
pub struct Target {
    pub(crate) service: Arc<ServicePlan>,
    pub(crate) endpoint: Arc<EndpointPlan>,
    /// When it was chosen.
    pub(crate) since: Instant,
}

impl Target {
    /// What is known about the endpoint: which one it is, how it is, how much it has to do.
    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint.endpoint
    }

    /// The endpoint's URL: `scheme://host:port/path`.
    pub fn url(&self) -> &str {
        &self.endpoint.endpoint.id.url
    }

    /// Makes `Host` and the request's target what the endpoint is to see. Returns the target as it was, if it is another
    /// one now.
    pub(super) fn aim(&self, request: &mut Request<Body>) -> Option<Uri> {
        let context = request.extensions().get::<RequestContext>();
        let keeps_host = context
            .and_then(|context| context.matched.as_ref())
            .is_some_and(|matched| matched.route.spec.spec.preserve_host);
        // An HTTP/1.0 client may say none, and an HTTP/1.1 client an empty one.
        let has_host = request.headers().get(HOST).is_some_and(|host| !host.is_empty());
        if !keeps_host || !has_host {
            request.headers_mut().insert(HOST, self.endpoint.authority.clone());
        }
        let base = &self.endpoint.url.path;
        if base.is_empty() {
            return None;
        }
        let target = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let target = PathAndQuery::try_from(format!("{base}{target}")).ok()?;
        Some(std::mem::replace(request.uri_mut(), Uri::from(target)))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Target").field(&self.url()).finish()
    }
}
