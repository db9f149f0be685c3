//! From the edge's part of the stack to the route's.

use std::task::{Context, Poll};

use dgate_core::body::Body;
use dgate_core::{BoxFuture, ErrorKind, GatewayError};
use http::{Request, Response};
use tower_service::Service;

use super::context;
use crate::future::OrError;
use crate::plan::ProxyPlan;
use crate::shared_service::SharedService;

/// Sends a request down the part of the stack that its route needs: with hooks or without. Here the type is erased.
#[derive(Debug, Clone)]
pub(crate) struct Dispatch {
    pub(crate) plain: SharedService,
    pub(crate) hooked: SharedService,
}

impl Service<Request<Body>> for Dispatch {
    type Response = Response<Body>;
    type Error = GatewayError;
    type Future = OrError<BoxFuture<'static, Result<Response<Body>, GatewayError>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), GatewayError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let matched = context(&request).ok().and_then(|context| Some((context, context.matched.as_ref()?)));
        let Some((context, matched)) = matched else {
            return OrError::error(
                GatewayError::new(ErrorKind::Internal)
                    .because("no route: the layer `MatchRoute` has to stand above"),
            );
        };
        let plan = context.live.plan::<ProxyPlan>().and_then(|plan| plan.namespace(matched.namespace.id));
        let route = plan.and_then(|plan| plan.route(matched.route.id));
        if route.is_some_and(|route| route.hooks.of(context.carried()).is_some()) {
            OrError::inner(self.hooked.call(request))
        } else {
            OrError::inner(self.plain.call(request))
        }
    }
}
