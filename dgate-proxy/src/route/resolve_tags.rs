//! Who a request is to canary tags.

use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use dgate_core::context::RequestContext;
use dgate_core::tags::{CanaryKey, RequestTags};
use http::header::COOKIE;
use http::{HeaderMap, Request};
use tower_layer::Layer;
use tower_service::Service;

use super::{context, context_mut};
use crate::forwarding::X_DGATE_CANARY;
use crate::plan::ProxyPlan;
use crate::settings::{CanarySettings, CanarySticky};

/// Finds out who a request is to canary tags: its sticky key, or dice, and answers that it forces. Nothing is drawn before
/// something asks. Above matching, as domains ask already; a gateway without canary tags does not pay for it.
#[derive(Debug, Clone, Default)]
pub struct ResolveTagsLayer {
    own: Option<Arc<CanarySettings>>,
}

impl ResolveTagsLayer {
    /// A layer with settings of its own. The default one asks the gateway's.
    pub fn new(settings: CanarySettings) -> Self {
        Self { own: Some(Arc::new(settings)) }
    }
}

impl<S> Layer<S> for ResolveTagsLayer {
    type Service = ResolveTags<S>;

    fn layer(&self, inner: S) -> ResolveTags<S> {
        ResolveTags { inner, own: self.own.clone() }
    }
}

/// See [`ResolveTagsLayer`].
#[derive(Debug, Clone)]
pub struct ResolveTags<S> {
    inner: S,
    own: Option<Arc<CanarySettings>>,
}

impl<S, B> Service<Request<B>> for ResolveTags<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let has_canaries = context(&request).is_ok_and(|context| context.live.snapshot.has_canaries());
        if has_canaries {
            resolve(&mut request, self.own.as_deref());
        }
        self.inner.call(request)
    }
}

fn resolve<B>(request: &mut Request<B>, own: Option<&CanarySettings>) {
    let Ok(context) = context(request) else { return };
    let configured = || context.live.plan::<ProxyPlan>().map(|plan| &plan.settings.canary);
    let Some(settings) = own.or_else(configured) else { return };
    let key = sticky_key(&settings.sticky, context, request.headers());
    let mut tags = context.live.snapshot.request_tags(key.unwrap_or_else(CanaryKey::dice));
    if settings.hears(&context.record.client) {
        force(&mut tags, request.headers());
    }
    if let Ok(context) = context_mut(request) {
        context.canaries = Some(Box::new(tags));
    }
}

/// What identifies the client, if the request has it.
fn sticky_key(sticky: &CanarySticky, context: &RequestContext, headers: &HeaderMap) -> Option<CanaryKey> {
    match sticky {
        CanarySticky::None => None,
        CanarySticky::Ip => Some(key_of_address(context.record.client.ip)),
        CanarySticky::Header(name) => headers.get(name).map(|value| CanaryKey::of(value.as_bytes())),
        CanarySticky::Cookie(name) => cookie(headers, name).map(|value| CanaryKey::of(value.as_bytes())),
    }
}

/// Addresses are keys as people write them.
fn key_of_address(ip: IpAddr) -> CanaryKey {
    CanaryKey::of(ip.to_canonical().to_string().as_bytes())
}

/// The value of a cookie, if the request has it.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// Settles what the request asks to be settled: `canary:v2, !other:x`. Tags of other servers do not matter here.
fn force(tags: &mut RequestTags, headers: &HeaderMap) {
    let lists = headers.get_all(X_DGATE_CANARY).iter().filter_map(|value| value.to_str().ok());
    for wanted in lists.flat_map(|list| list.split(',')) {
        tags.force(wanted.trim());
    }
}
