//! Sending what a module fetches, and following redirects as far as that is permitted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use boa_engine::{JsNativeError, JsResult};
use bytes::Bytes;
use dgate_core::Body;
use dgate_core::capability::{Fetch, FetchError, FetchRules};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, LOCATION};
use http::{HeaderMap, Method, Request, Response};
use url::{Position, Url};

use crate::permission::{Granted, HTTP, Permissions, Wanted};

/// How many redirects are followed.
const MOST_REDIRECTS: usize = 20;

/// What happens on a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirect {
    Follow,
    Manual,
    Error,
}

impl Redirect {
    pub(super) fn named(name: &str) -> JsResult<Self> {
        match name {
            "follow" => Ok(Self::Follow),
            "manual" => Ok(Self::Manual),
            "error" => Ok(Self::Error),
            _ => {
                let message = format!("`redirect` is follow, manual or error, not {name}");
                Err(JsNativeError::typ().with_message(message).into())
            }
        }
    }
}

/// A request that is about to be sent.
pub(super) struct Hop {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) granted: Granted,
}

/// Why there is no answer.
pub(super) enum Refusal {
    Denied(String),
    Failed(FetchError),
}

/// Sends, and follows redirects as far as they are permitted.
pub(super) async fn follow(
    fetch: Arc<dyn Fetch>,
    permissions: Permissions,
    mut hop: Hop,
    redirect: Redirect,
    timeout: Duration,
) -> Result<(Response<Body>, Url, bool), Refusal> {
    let began = Instant::now();
    for followed in 0..=MOST_REDIRECTS {
        let request = request(&hop).map_err(Refusal::Failed)?;
        // The time is for all hops together.
        let left = timeout.saturating_sub(began.elapsed());
        let rules = FetchRules { private_addresses: hop.granted.by_name, timeout: left };
        let response = fetch.fetch(request, rules).await.map_err(|error| match error {
            FetchError::Timeout(_) => Refusal::Failed(FetchError::Timeout(timeout)),
            error => Refusal::Failed(error),
        })?;
        let target = match target(&response, &hop.url) {
            Some(target) if redirect != Redirect::Manual => target,
            _ => return Ok((response, hop.url, followed > 0)),
        };
        if redirect == Redirect::Error {
            return Err(Refusal::Failed(FetchError::Failed("the answer is a redirect".to_owned())));
        }
        let scope = scope(&target)
            .map_err(|error| Refusal::Failed(FetchError::BadUrl(error.message().to_owned())))?;
        let granted =
            permissions.check(&Wanted { name: HTTP, scope: Some(&scope) }).map_err(Refusal::Denied)?;
        hop = hop.redirected(response.status().as_u16(), target, granted);
    }
    Err(Refusal::Failed(FetchError::Failed("too many redirects".to_owned())))
}

impl Hop {
    /// The request that a redirect asks for.
    fn redirected(mut self, status: u16, target: Url, granted: Granted) -> Self {
        let to_get = match status {
            301 | 302 => self.method == Method::POST,
            303 => self.method != Method::GET && self.method != Method::HEAD,
            _ => false,
        };
        if to_get {
            self.method = Method::GET;
            self.body = Bytes::new();
            self.headers.remove(CONTENT_TYPE);
            self.headers.remove(CONTENT_LENGTH);
        }
        if target.origin() != self.url.origin() {
            // What was meant for one host is not for another.
            for name in [AUTHORIZATION, COOKIE] {
                self.headers.remove(name);
            }
        }
        self.url = target;
        self.granted = granted;
        self
    }
}

fn request(hop: &Hop) -> Result<Request<Body>, FetchError> {
    let mut request = Request::builder()
        .method(hop.method.clone())
        .uri(&hop.url[..Position::AfterQuery])
        .body(Body::full(hop.body.clone()))
        .map_err(|error| FetchError::BadUrl(error.to_string()))?;
    *request.headers_mut() = hop.headers.clone();
    request.headers_mut().remove(HOST);
    Ok(request)
}

/// Where a redirect leads.
fn target(response: &Response<Body>, from: &Url) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    from.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()
}

/// `host:port`, as permissions name it.
pub(super) fn scope(url: &Url) -> Result<String, JsNativeError> {
    let bad = |why: &str| JsNativeError::typ().with_message(format!("`{url}` cannot be fetched: {why}"));
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("only http and https can"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("it holds credentials"));
    }
    match (url.host_str(), url.port_or_known_default()) {
        (Some(host), Some(port)) => Ok(format!("{host}:{port}")),
        _ => Err(bad("it has no host")),
    }
}
