//! Waiting for the end of a call, as long as its modules may take.

use std::time::Duration;

use dgate_core::ErrorKind;
use tokio::sync::oneshot;

use crate::engine::{Done, Part};
use crate::failure::{Failure, FailureKind, LimitKind};
use crate::worker;

/// How much later than the thread of a call others find it late.
const GRACE: Duration = Duration::from_millis(25);

/// Waits for a call on this thread, which waits in a part of its chain. The parts after that one are looked after by the
/// runtime.
pub(super) async fn here(
    (runtime, call): (u64, u64),
    part: Part,
    mut done: oneshot::Receiver<Done>,
) -> Result<Done, Failure> {
    let done = match tokio::time::timeout(part.timeout, &mut done).await {
        Ok(done) => done,
        Err(_) if worker::part_of(runtime, call).is_some_and(|now| now.step == part.step) => {
            return Err(part.late());
        }
        Err(_) => done.await,
    };
    done.map_err(|_| lost())
}

/// Waits for what a thread of the pool answers.
pub(super) async fn elsewhere<T>(timeout: Duration, answer: oneshot::Receiver<T>) -> Result<T, Failure> {
    match tokio::time::timeout(timeout.saturating_add(GRACE), answer).await {
        Ok(answer) => answer.map_err(|_| lost()),
        // Otherwise that thread would have said it.
        Err(_) => {
            let said = format!("no thread for modules came to the end of the call within {timeout:?}");
            Err(Failure::limit(LimitKind::Timeout, said))
        }
    }
}

/// The runtime is gone in the middle of a call.
fn lost() -> Failure {
    Failure::new(FailureKind::Internal, format!("{}: the runtime is gone", ErrorKind::Internal.code()))
}
