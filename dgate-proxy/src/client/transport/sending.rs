//! One request to an endpoint.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use dgate_core::BoxFuture;
use dgate_core::body::Body;
use dgate_core::context::InterimSink;
use dgate_core::endpoint::InFlight;
use http::{Request, Response};

use super::Transport;
use crate::client::ConnectError;
use crate::http1::client::{Exchange, ExchangeError};
use crate::upstream::ReturnSlot;

/// A request to an endpoint, and how long it may take.
pub(crate) struct Sending {
    pub(crate) request: Request<Body>,
    pub(crate) wants_upgrade: bool,
    /// Neither waits for a place nor takes one: whether an endpoint is well has nothing to do with how busy it is.
    pub(crate) is_check: bool,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) interim: Option<Arc<dyn InterimSink>>,
    /// Counts the request as in flight until its response ends.
    pub(crate) in_flight: Option<InFlight>,
    /// Where the head goes when it is not needed any more.
    pub(crate) slot: Option<ReturnSlot>,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error("the HTTP/2 connection failed")]
    Http2 {
        #[source]
        error: h2::Error,
        /// Whether the upstream may have acted on the request.
        seen: bool,
        /// Whether it only shows that a connection, which had been good, is not any more.
        stale: bool,
    },
    #[error("the upstream has too many requests waiting")]
    Overloaded,
}

/// A request that is not sent yet. Dropped, it leaves its head in its slot.
pub(super) struct Unsent(Option<Sending>);

impl Unsent {
    pub(super) fn new(sending: Sending) -> Self {
        Self(Some(sending))
    }

    pub(super) fn request(&self) -> Option<&Request<Body>> {
        self.0.as_ref().map(|sending| &sending.request)
    }

    pub(super) fn take(mut self) -> Result<Sending, SendError> {
        self.0.take().ok_or(SendError::Overloaded)
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        if let Some(Sending { request, slot: Some(slot), .. }) = self.0.take() {
            slot.give_back(request.into_parts().0);
        }
    }
}

/// A response to come.
#[allow(clippy::large_enum_variant, reason = "the large one is the usual one")]
pub(crate) enum SendFuture {
    /// The usual case: on an idle connection, without any allocation.
    Pooled(Watched),
    /// Everything else.
    Other(BoxFuture<'static, Result<Response<Body>, SendError>>),
}

/// An exchange on a connection that had been idle.
pub(crate) struct Watched {
    exchange: Exchange,
    transport: Arc<Transport>,
    shard: usize,
}

impl Watched {
    pub(super) fn new(exchange: Exchange, transport: Arc<Transport>, shard: usize) -> Self {
        Self { exchange, transport, shard }
    }
}

impl Future for Watched {
    type Output = Result<Response<Body>, SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = Pin::new(&mut self.exchange).poll(cx);
        if let Poll::Ready(Err(ExchangeError::Closed { unseen: true, .. })) = &result {
            self.transport.forget_idle(self.shard);
        }
        result.map_err(Into::into)
    }
}

impl Future for SendFuture {
    type Output = Result<Response<Body>, SendError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Pooled(watched) => Pin::new(watched).poll(cx),
            Self::Other(future) => future.as_mut().poll(cx),
        }
    }
}
