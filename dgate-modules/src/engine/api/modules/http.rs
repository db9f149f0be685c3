//! `fetch`.
//!
//! The prelude makes the WHATWG interface; this is the part that sends. Each hop of a redirect is checked like a
//! request of its own: its host needs a permission, and its address is looked at where it connects.

use std::sync::Arc;
use std::time::Duration;

use boa_engine::object::builtins::{JsArray, JsFunction};
use boa_engine::{Context, JsNativeError, JsResult, JsString, JsValue, NativeFunction};
use bytes::Bytes;
use dgate_core::Body;
use dgate_core::capability::{Fetch, FetchError, FetchRules};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use url::Url;

use super::granted;
use super::system::unavailable;
use crate::engine::api::{headers, prelude, testing};
use crate::engine::host::Host;
use crate::engine::ops::{self, Outcome, named_error};
use crate::engine::values::{argument, bytes, text};
use crate::permission::{Granted, HTTP, Permissions, Wanted};

/// How long an answer's head may take when nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How many redirects are followed.
const MOST_REDIRECTS: usize = 20;

/// `fetch` for an importer.
pub(super) fn fetch(importer: usize, context: &mut Context) -> JsValue {
    // The prelude is loaded when it is first called, not when it is imported.
    let lazy = NativeFunction::from_copy_closure_with_captures(
        |_, arguments, importer: &usize, context| {
            if let Some(mock) = testing::mock(context) {
                return mocked(*importer, mock, arguments, context);
            }
            let make = prelude::function("makeFetch", context)?;
            let send = NativeFunction::from_copy_closure_with_captures(
                |_, arguments, importer: &usize, context| send(*importer, arguments, context),
                *importer,
            );
            let send = send.to_js_function(context.realm());
            let fetch = make.call(&JsValue::undefined(), &[send.into()], context)?;
            let fetch = fetch.as_callable().ok_or_else(|| unavailable("fetch"))?;
            fetch.call(&JsValue::undefined(), arguments, context)
        },
        importer,
    );
    let realm = context.realm().clone();
    let function = boa_engine::object::FunctionObjectBuilder::new(&realm, lazy)
        .name(JsString::from("fetch"))
        .length(1)
        .build();
    function.into()
}

/// The same, answered by a test.
fn mocked(
    importer: usize,
    mock: JsFunction,
    arguments: &[JsValue],
    context: &mut Context,
) -> JsResult<JsValue> {
    let make = prelude::function("makeMockedFetch", context)?;
    let check = NativeFunction::from_copy_closure_with_captures(
        |_, arguments, importer: &usize, context| {
            let url = text(&argument(arguments, 0), context)?;
            let url =
                Url::parse(&url).map_err(|error| JsNativeError::typ().with_message(error.to_string()))?;
            let scope = scope(&url)?;
            let _granted = granted(*importer, HTTP, Some(&scope), context)?;
            Ok(JsValue::undefined())
        },
        importer,
    );
    let check = check.to_js_function(context.realm());
    let fetch = make.call(&JsValue::undefined(), &[check.into(), mock.into()], context)?;
    let fetch = fetch.as_callable().ok_or_else(|| unavailable("fetch"))?;
    fetch.call(&JsValue::undefined(), arguments, context)
}

/// What happens on a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Redirect {
    Follow,
    Manual,
    Error,
}

/// A request that is about to be sent.
struct Hop {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
    granted: Granted,
}

/// `(method, url, headers, body, redirect, timeout)`.
fn send(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let method = text(&argument(arguments, 0), context)?;
    let method = Method::from_bytes(method.as_bytes())
        .ok()
        .filter(|method| *method != Method::CONNECT && *method != Method::TRACE)
        .ok_or_else(|| JsNativeError::typ().with_message(format!("`{method}` cannot be fetched")))?;
    let url = text(&argument(arguments, 1), context)?;
    let url =
        Url::parse(&url).map_err(|_| JsNativeError::typ().with_message(format!("Invalid URL: {url}")))?;
    let mut headers = headers::copy_of(&argument(arguments, 2)).unwrap_or_default();
    headers
        .entry(USER_AGENT)
        .or_insert(HeaderValue::from_static(concat!("dgate/", env!("CARGO_PKG_VERSION"))));
    let body = argument(arguments, 3);
    let body = match prelude::take_body(&body) {
        Some(body) => body.bytes().ok_or_else(|| {
            JsNativeError::typ().with_message("a body that is still on its way cannot be sent; read it first")
        })?,
        None if body.is_null_or_undefined() => Bytes::new(),
        None => bytes(&body, context)?.into(),
    };
    let redirect = match text(&argument(arguments, 4), context)?.as_str() {
        "manual" => Redirect::Manual,
        "error" => Redirect::Error,
        _ => Redirect::Follow,
    };
    let timeout = argument(arguments, 5);
    let timeout =
        if timeout.is_undefined() { TIMEOUT } else { prelude::milliseconds(timeout.to_number(context)?) };
    let scope = scope(&url)?;
    let granted = granted(importer, HTTP, Some(&scope), context)?;
    let host = Host::of(context);
    let fetch = host.capabilities.fetch.get().cloned().ok_or_else(|| unavailable("client"))?;
    let permissions = host.program.modules[importer].permissions.clone();
    let limit = host.current().map_or(0, |call| call.limits.body);
    let next = host.operations.next_id();
    let hop = Hop { method, url, headers, body, granted };
    let promise = ops::promise(
        async move {
            let all = follow(fetch, permissions, hop, redirect, timeout);
            let answer = match tokio::time::timeout(timeout, all).await {
                Ok(answer) => answer,
                Err(_) => Err(Refusal::Failed(FetchError::Timeout(timeout))),
            };
            Box::new(move |context: &mut Context| answered(importer, answer, limit, context)) as Outcome
        },
        context,
    )?;
    Ok(JsArray::from_iter([JsValue::from(next as f64), promise], context).into())
}

/// Why there is no answer.
enum Refusal {
    Denied(String),
    Failed(FetchError),
}

/// Sends, and follows redirects as far as they are permitted.
async fn follow(
    fetch: Arc<dyn Fetch>,
    permissions: Permissions,
    mut hop: Hop,
    redirect: Redirect,
    timeout: Duration,
) -> Result<(Response<Body>, Url, bool), Refusal> {
    for followed in 0..=MOST_REDIRECTS {
        let request = request(&hop).map_err(Refusal::Failed)?;
        let rules = FetchRules { private_addresses: hop.granted.by_name, timeout };
        let response = fetch.fetch(request, rules).await.map_err(Refusal::Failed)?;
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
    let mut url = hop.url.clone();
    url.set_fragment(None);
    let mut request = Request::builder()
        .method(hop.method.clone())
        .uri(url.as_str())
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
fn scope(url: &Url) -> Result<String, JsNativeError> {
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

/// `[status, headers, body, url, redirected]`.
fn answered(
    importer: usize,
    answer: Result<(Response<Body>, Url, bool), Refusal>,
    limit: usize,
    context: &mut Context,
) -> JsResult<JsValue> {
    let (response, url, redirected) = match answer {
        Ok(answer) => answer,
        Err(Refusal::Denied(message)) => return Err(super::denied(importer, &message, context)),
        Err(Refusal::Failed(FetchError::Timeout(time))) => {
            return Err(named_error("TimeoutError", &format!("fetch: no answer within {time:?}"), context));
        }
        Err(Refusal::Failed(error @ FetchError::AddressRefused(_))) => {
            return Err(super::denied(importer, &format!("fetch: {error}"), context));
        }
        Err(Refusal::Failed(error)) => {
            return Err(named_error("TypeError", &format!("fetch failed: {error}"), context));
        }
    };
    let (head, body) = response.into_parts();
    let status = JsValue::from(i32::from(head.status.as_u16()));
    let headers = headers::of_map(head.headers, context);
    let body = prelude::body_object(body, limit, context);
    let url = JsString::from(url.as_str());
    let all = [status, headers.into(), body.into(), url.into(), JsValue::from(redirected)];
    Ok(JsArray::from_iter(all, context).into())
}
