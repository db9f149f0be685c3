//! What a failed attempt means.

use dgate_core::body::BodyError;
use dgate_core::error::{Blame, Retry};
use dgate_core::{ErrorKind, GatewayError};

use crate::client::{ConnectError, SendError};
use crate::http1::client::ExchangeError;
use crate::request_body::RequestBodyError;
use crate::route::BodyTooLarge;

/// What a failed attempt means: whose fault it is, and whether trying again is safe.
pub(super) fn attempt_error(error: SendError) -> GatewayError {
    match error {
        SendError::Overloaded => GatewayError::new(ErrorKind::UpstreamOverloaded),
        SendError::Connect(error) => {
            let kind = match &error {
                ConnectError::Refused { .. } => ErrorKind::UpstreamRefused,
                ConnectError::Tls { .. } => ErrorKind::UpstreamTls,
                ConnectError::Failed { .. }
                | ConnectError::Timeout { .. }
                | ConnectError::Protocol { .. } => ErrorKind::UpstreamConnect,
            };
            GatewayError::new(kind).retryable(Retry::Always).because(error)
        }
        SendError::Http2 { error, seen, stale } => {
            let retry = if seen { Retry::Idempotent } else { Retry::Always };
            let failed = GatewayError::new(ErrorKind::UpstreamReset).retryable(retry).because(error);
            if stale { failed.stale() } else { failed }
        }
        SendError::Exchange(ExchangeError::RequestBody(error)) => request_body_error(error),
        SendError::Exchange(error) => exchange_error(error),
    }
}

fn exchange_error(error: ExchangeError) -> GatewayError {
    match &error {
        ExchangeError::Closed { unseen, sent, .. } => {
            let retry = if *sent { Retry::Idempotent } else { Retry::Always };
            let unseen = *unseen;
            let failed = GatewayError::new(ErrorKind::UpstreamReset).retryable(retry).because(error);
            if unseen { failed.stale() } else { failed }
        }
        ExchangeError::Timeout => {
            GatewayError::new(ErrorKind::UpstreamTimeout).retryable(Retry::Idempotent).because(error)
        }
        ExchangeError::Protocol(_) => GatewayError::new(ErrorKind::UpstreamProtocol).because(error),
        ExchangeError::RequestBody(_) => GatewayError::new(ErrorKind::ClientGone).because(error),
    }
}

/// The request's own body failed: that is the client's doing.
fn request_body_error(error: BodyError) -> GatewayError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&*error);
    while let Some(cause) = source {
        if let Some(too_large) = cause.downcast_ref::<BodyTooLarge>() {
            return too_large.into();
        }
        let kind = match cause.downcast_ref::<RequestBodyError>() {
            Some(RequestBodyError::TooSlow) => Some(ErrorKind::RequestTimeout),
            Some(RequestBodyError::Broken(_)) => Some(ErrorKind::BadRequest),
            Some(RequestBodyError::Io(_) | RequestBodyError::Over) => Some(ErrorKind::ClientGone),
            None => None,
        };
        if let Some(kind) = kind {
            return GatewayError::new(kind).because(error);
        }
        source = cause.source();
    }
    GatewayError::new(ErrorKind::ClientGone).blaming(Blame::Client).because(error)
}
