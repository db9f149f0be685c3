//! Where a request goes: whether it may, to which namespace, and by which route.

mod admit;
mod dispatch;
mod limit_body;
mod match_domain;
mod match_route;
mod resolve_tags;

pub use admit::{Admit, AdmitLayer};
pub(crate) use dispatch::Dispatch;
pub(crate) use limit_body::BodyTooLarge;
pub use limit_body::{LimitBody, LimitBodyLayer};
pub use match_domain::{MatchDomain, MatchDomainLayer};
pub use match_route::{MatchRoute, MatchRouteLayer};
pub(crate) use resolve_tags::cookie;
pub use resolve_tags::{ResolveTags, ResolveTagsLayer};

use dgate_core::context::RequestContext;
use dgate_core::{ErrorKind, GatewayError};
use http::Request;

/// A request's context, which [`PinSnapshot`](crate::edge::PinSnapshot) put there.
pub(crate) fn context<B>(request: &Request<B>) -> Result<&RequestContext, GatewayError> {
    request.extensions().get().ok_or_else(no_context)
}

/// The same, to change it.
pub(crate) fn context_mut<B>(request: &mut Request<B>) -> Result<&mut RequestContext, GatewayError> {
    request.extensions_mut().get_mut().ok_or_else(no_context)
}

fn no_context() -> GatewayError {
    GatewayError::new(ErrorKind::Internal)
        .because("the request has no `RequestContext`: the layer `PinSnapshot` has to stand above")
}
