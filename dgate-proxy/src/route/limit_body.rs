//! How large a request body may be.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use dgate_core::body::{Body, BodyError};
use dgate_core::{ErrorKind, GatewayError};
use http::Request;
use http_body::{Body as _, Frame, SizeHint};
use tower_layer::Layer;
use tower_service::Service;

use super::context;
use crate::future::OrError;
use crate::plan::ProxyPlan;

/// Refuses request bodies that are larger than the route or the gateway allows: at once when the head says so, else as
/// soon as too much has come. Below matching, as routes have limits of their own.
#[derive(Debug, Clone, Copy, Default)]
pub struct LimitBodyLayer {
    most: Option<u64>,
}

impl LimitBodyLayer {
    /// A layer with a limit of its own, in bytes. The default one asks the route and the gateway's settings.
    pub fn new(most: u64) -> Self {
        Self { most: Some(most) }
    }
}

impl<S> Layer<S> for LimitBodyLayer {
    type Service = LimitBody<S>;

    fn layer(&self, inner: S) -> LimitBody<S> {
        LimitBody { inner, most: self.most }
    }
}

/// See [`LimitBodyLayer`].
#[derive(Debug, Clone)]
pub struct LimitBody<S> {
    inner: S,
    most: Option<u64>,
}

impl<S> Service<Request<Body>> for LimitBody<S>
where
    S: Service<Request<Body>, Error = GatewayError>,
    S::Future: Future<Output = Result<S::Response, GatewayError>>,
{
    type Response = S::Response;
    type Error = GatewayError;
    type Future = OrError<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let hint = request.body().size_hint();
        if hint.exact() == Some(0) {
            return OrError::inner(self.inner.call(request));
        }
        let Some(most) = self.most.or_else(|| configured(&request)) else {
            return OrError::inner(self.inner.call(request));
        };
        if hint.lower() > most {
            return OrError::error(too_large(most));
        }
        if hint.upper().is_some_and(|upper| upper <= most) {
            return OrError::inner(self.inner.call(request));
        }
        OrError::inner(self.inner.call(request.map(|body| Body::new(LimitedBody { body, left: most, most }))))
    }
}

fn configured(request: &Request<Body>) -> Option<u64> {
    let context = context(request).ok()?;
    let plan = context.live.plan::<ProxyPlan>()?;
    let matched = context.matched.as_ref();
    let route = matched.and_then(|matched| plan.namespace(matched.namespace.id)?.route(matched.route.id));
    route.and_then(|route| route.max_body).or(plan.settings.limits.body)
}

fn too_large(most: u64) -> GatewayError {
    GatewayError::new(ErrorKind::BodyTooLarge).with_detail(format!("the limit is {most} bytes"))
}

/// A body was larger than allowed. In a request body's error it means 413.
#[derive(Debug, thiserror::Error)]
#[error("the request body is larger than {most} bytes")]
pub(crate) struct BodyTooLarge {
    most: u64,
}

impl From<&BodyTooLarge> for GatewayError {
    fn from(error: &BodyTooLarge) -> Self {
        too_large(error.most)
    }
}

struct LimitedBody {
    body: Body,
    left: u64,
    most: u64,
}

impl http_body::Body for LimitedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            match self.left.checked_sub(data.len() as u64) {
                Some(left) => self.left = left,
                None => {
                    self.body = Body::empty();
                    return Poll::Ready(Some(Err(BodyTooLarge { most: self.most }.into())));
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
