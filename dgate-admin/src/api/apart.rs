//! Long work, where nobody waits for the thread.

use http::StatusCode;

use super::failure::Failure;

/// Does something that may take long, such as building a large answer, on a thread that may be busy for long.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "an answer could not be built");
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, "stopped", "the server is stopping")
    })
}
