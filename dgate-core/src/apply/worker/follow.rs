//! Follows a store that others write to.

use std::sync::Arc;
use std::time::Duration;

use crate::store::Store;
use crate::stored::Revision;

/// How long to wait before a store that could not be read, or could not be reached, is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Waits until somebody else has written to the store; after a failure not before a pause.
pub(super) async fn overtaken(store: Arc<dyn Store>, revision: Revision, has_failed: bool) {
    if has_failed {
        tokio::time::sleep(PAUSE).await;
    }
    while store.past(revision).await.is_err() {
        tokio::time::sleep(PAUSE).await;
    }
}
