//! From wish to live: the one way in which a configuration changes.
//!
//! A change set waits in a queue. Its turn come, it is planned on what is there, interceptors are asked, the whole
//! final state is compiled, every data plane gets ready beside the running one, the store commits, and one swap makes
//! it live. Whatever fails on the way, nothing has changed.

mod change;
mod plan;
mod prepare;
mod worker;

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

pub use change::{Applied, ApplyError, Change, ChangeSet, Environment, Expect, Mode, Outcome, Settings};
pub use prepare::{Next, Prepare, Prepared};
pub use worker::ApplyWorker;

use crate::event::EventSink;
use crate::publish::{Live, Publisher};
use crate::resource::AnyResource;
use crate::store::Store;
use crate::stored::{Meta, ResourceSet, StoredAny};

/// How many change sets may wait.
const QUEUE: usize = 256;

/// Makes changes. Cheap to clone; all clones share one queue.
#[derive(Debug, Clone)]
pub struct Applier {
    queue: mpsc::Sender<Request>,
    live: Live,
}

/// A change set in the queue, and who waits for it.
#[derive(Debug)]
pub(crate) struct Request {
    change_set: ChangeSet,
    answer: oneshot::Sender<Result<Applied, ApplyError>>,
}

impl Applier {
    /// A pipeline over a store and data planes. Changes are made by the returned worker, which somebody has to run:
    /// a change that was begun is then finished even if whoever asked for it has gone.
    pub fn new(
        store: Arc<dyn Store>,
        planes: Vec<Arc<dyn Prepare>>,
        events: Arc<dyn EventSink>,
        environment: Environment,
    ) -> (Self, ApplyWorker) {
        let (queue, requests) = mpsc::channel(QUEUE);
        let publisher = Publisher::new();
        let live = publisher.live();
        let worker = ApplyWorker::new(requests, store, planes, events, environment, publisher);
        (Self { queue, live }, worker)
    }

    /// What is live, to read.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// Applies a change set, and returns when it is live.
    ///
    /// # Errors
    /// See [`ApplyError`]; nothing has changed then.
    pub async fn apply(&self, change_set: ChangeSet) -> Result<Applied, ApplyError> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Request { change_set, answer }).await.map_err(|_| ApplyError::Stopped)?;
        answered.await.map_err(|_| ApplyError::Stopped)?
    }
}

/// A set of resources that no store has seen yet, for checking and for tests; the namespace `default` is in it.
pub fn resource_set(resources: impl IntoIterator<Item = AnyResource>) -> ResourceSet {
    let mut set = ResourceSet::with_default_namespace();
    for spec in resources {
        set.put(StoredAny { spec, meta: Meta::unstored() });
    }
    set
}
