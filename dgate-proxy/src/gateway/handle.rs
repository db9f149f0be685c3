//! Changes a gateway while it runs.

use std::sync::Arc;

use dgate_core::apply::{Applied, Applier, ApplyError, ChangeSet, Settings};
use dgate_core::publish::Live;
use dgate_core::store::Store;

use crate::settings::ProxySettings;

/// Changes a gateway while it runs. Cheap to clone.
#[derive(Clone)]
pub struct GatewayHandle {
    pub(super) applier: Applier,
    pub(super) store: Arc<dyn Store>,
}

impl GatewayHandle {
    /// Applies changes, all or none, and returns when they are live.
    ///
    /// ```
    /// use dgate_core::apply::ChangeSet;
    /// use dgate_core::resource::{Route, Service};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let gateway = dgate_proxy::Gateway::builder().build().await?;
    /// let changes = ChangeSet::new()
    ///     .put(Service::new("api", ["http://127.0.0.1:9000"]))
    ///     .put(Route::new("api", "/api/**").to_service("api"));
    /// let applied = gateway.handle().apply(changes).await?;
    /// assert_eq!(applied.revision, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`ApplyError`]; nothing has changed then.
    pub async fn apply(&self, changes: impl Into<ChangeSet>) -> Result<Applied, ApplyError> {
        self.applier.apply(changes.into()).await
    }

    /// Applies new settings of the data plane.
    ///
    /// # Errors
    /// See [`ApplyError`]; nothing has changed then.
    pub async fn reconfigure(&self, settings: ProxySettings) -> Result<Applied, ApplyError> {
        let changes = ChangeSet { settings: Some(Settings::new(Arc::new(settings))), ..ChangeSet::new() };
        self.applier.apply(changes).await
    }

    /// What is live, to read.
    pub fn live(&self) -> &Live {
        self.applier.live()
    }

    /// The pipeline that makes the changes.
    pub fn applier(&self) -> &Applier {
        &self.applier
    }

    /// Where resources and documents are kept.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }
}

impl std::fmt::Debug for GatewayHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayHandle").field("applier", &self.applier).finish_non_exhaustive()
    }
}
