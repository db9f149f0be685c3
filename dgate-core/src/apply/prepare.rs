//! How data planes get ready for a change.

use std::any::Any;
use std::sync::Arc;

use super::Settings;
use crate::BoxFuture;
use crate::Problems;
use crate::publish::Published;
use crate::snapshot::Snapshot;

/// A data plane: gets ready for a snapshot beside the running one.
///
/// Whatever can fail, fails here: sockets are bound, certificates are read, modules are evaluated. What the running
/// plan has and the next one still needs (pools, health, counters) is carried over by identity.
pub trait Prepare: Send + Sync + 'static {
    /// Gets ready. Dropping the result undoes everything; [`Prepared::published`] makes it final.
    fn prepare<'a>(&'a self, next: Next<'a>) -> BoxFuture<'a, Result<Box<dyn Prepared>, Problems>>;
}

/// What a data plane has to get ready for.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Next<'a> {
    /// What shall run.
    pub snapshot: &'a Arc<Snapshot>,
    /// What runs now.
    pub running: &'a Published,
    /// New settings, if there are any.
    pub settings: Option<&'a Settings>,
}

impl<'a> Next<'a> {
    pub(crate) fn new(
        snapshot: &'a Arc<Snapshot>,
        running: &'a Published,
        settings: Option<&'a Settings>,
    ) -> Self {
        Self { snapshot, running, settings }
    }
}

/// A data plane that is ready.
pub trait Prepared: Send {
    /// What it made of the snapshot; found again by [`Published::plan`].
    fn plan(&self) -> Arc<dyn Any + Send + Sync>;

    /// Called right after the swap: what is not needed any more may retire.
    fn published(self: Box<Self>) {}
}
