//! A request body on its way to the upstream.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use dgate_core::body::{Body, BodyError};
use h2::SendStream;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::super::send::{Unsent, Watch, send_body};

/// A request body on its way to the upstream, in a task of its own: the two directions of a stream do not wait for each
/// other. It ends with this.
#[derive(Debug)]
pub(super) struct Upload {
    state: Arc<State>,
    task: Option<AbortHandle>,
}

#[derive(Debug)]
struct State {
    start: Instant,
    /// When a piece was sent last, in milliseconds since the start.
    last: AtomicU64,
    failed: Mutex<Option<BodyError>>,
}

impl Upload {
    /// Nothing is left to be sent.
    pub(super) fn nothing() -> Self {
        Self { state: State::new(), task: None }
    }

    pub(super) fn begin(mut stream: SendStream<Bytes>, body: Body) -> Self {
        let state = State::new();
        let mut clock = Clock(state.clone());
        let task = tokio::spawn(async move {
            if let Err(unsent) = send_body(&mut stream, body, &mut clock).await {
                let reason = unsent.reason();
                if let Unsent::Broken(error) = unsent {
                    *clock.0.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
                stream.send_reset(reason);
            }
        });
        Self { state, task: Some(task.abort_handle()) }
    }

    /// When nothing has been sent for so long.
    pub(super) fn quiet_at(&self, limit: Duration) -> Instant {
        self.state.start + Duration::from_millis(self.state.last.load(Ordering::Relaxed)) + limit
    }

    /// Why the body broke off, if that is what happened.
    pub(super) fn failure(&self) -> Option<BodyError> {
        self.state.failed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Notes that the upstream has said something: it has as much time again.
    pub(super) fn touch(&self) {
        self.state.touch();
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl State {
    fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), last: AtomicU64::new(0), failed: Mutex::default() })
    }

    fn touch(&self) {
        self.last.store(self.start.elapsed().as_millis() as u64, Ordering::Relaxed);
    }
}

/// Notes when a piece was sent. How long an upstream may take is another's business.
struct Clock(Arc<State>);

impl Watch for Clock {
    fn moved(&mut self, _: usize) {
        self.0.touch();
    }

    fn poll_too_slow(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}
