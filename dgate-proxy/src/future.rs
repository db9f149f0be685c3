//! Small futures for layers that decide at once or pass on.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use dgate_core::GatewayError;
use pin_project_lite::pin_project;

pin_project! {
    /// Either the service below, or an error that is known already.
    #[derive(Debug)]
    #[project = OrErrorProjection]
    pub enum OrError<F> {
        /// The service below.
        Inner { #[pin] future: F },
        /// An error; nothing once it was returned.
        Error { error: Option<GatewayError> },
    }
}

impl<F> OrError<F> {
    pub(crate) const fn inner(future: F) -> Self {
        Self::Inner { future }
    }

    pub(crate) fn error(error: impl Into<GatewayError>) -> Self {
        Self::Error { error: Some(error.into()) }
    }
}

impl<F, T> Future for OrError<F>
where
    F: Future<Output = Result<T, GatewayError>>,
{
    type Output = Result<T, GatewayError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            OrErrorProjection::Inner { future } => future.poll(cx),
            OrErrorProjection::Error { error } => {
                error.take().map_or(Poll::Pending, |error| Poll::Ready(Err(error)))
            }
        }
    }
}
