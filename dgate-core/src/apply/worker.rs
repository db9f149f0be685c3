//! Works off the queue of change sets.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use super::plan::{Plan, Planner};
use super::{
    Applied, ApplyError, ChangeSet, Environment, Next, Outcome, Prepare, Prepared, Request, Settings,
};
use crate::compile::compile;
use crate::event::{Event, EventSink, ResourceChange};
use crate::metric_names;
use crate::publish::Publisher;
use crate::snapshot::Snapshot;
use crate::store::{Store, Transaction, Write};
use crate::stored::{ResourceSet, Revision};
use crate::{Key, Problems};

/// How many waiting change sets are taken at a time.
const BATCH: usize = 64;

/// Works off the queue of change sets, one batch at a time. See [`super::Applier::new`].
pub struct ApplyWorker {
    requests: mpsc::Receiver<Request>,
    store: Arc<dyn Store>,
    planes: Vec<Arc<dyn Prepare>>,
    events: Arc<dyn EventSink>,
    environment: Environment,
    publisher: Publisher,
    revision: Revision,
    resources: ResourceSet,
}

/// A change set whose turn has come.
struct Turn {
    change_set: ChangeSet,
    answer: oneshot::Sender<Result<Applied, ApplyError>>,
    plan: Plan,
}

/// A state that every data plane is ready for.
struct Ready {
    snapshot: Arc<Snapshot>,
    planes: Vec<Box<dyn Prepared>>,
    warnings: Problems,
}

impl fmt::Debug for ApplyWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplyWorker").field("revision", &self.revision).finish_non_exhaustive()
    }
}

impl ApplyWorker {
    pub(super) fn new(
        requests: mpsc::Receiver<Request>,
        store: Arc<dyn Store>,
        planes: Vec<Arc<dyn Prepare>>,
        events: Arc<dyn EventSink>,
        environment: Environment,
        publisher: Publisher,
    ) -> Self {
        let resources = ResourceSet::new();
        Self { requests, store, planes, events, environment, publisher, revision: 0, resources }
    }

    /// Makes what the store holds live. To be called once, before [`Self::run`].
    ///
    /// # Errors
    /// When the store cannot be read, or holds what is not valid for this server.
    pub async fn load(&mut self) -> Result<Problems, ApplyError> {
        let (revision, resources) = self.store.load().await?;
        self.revision = revision;
        self.resources = resources;
        self.add_default_namespace();
        let ready = self.prepare(&self.resources, None).await.map_err(ApplyError::Invalid)?;
        let warnings = ready.warnings.clone();
        self.publish(ready);
        Ok(warnings)
    }

    /// Applies change sets until nobody is left to send any.
    pub async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.requests.recv_many(&mut batch, BATCH).await > 0 {
            self.apply_batch(std::mem::take(&mut batch)).await;
        }
    }

    fn add_default_namespace(&mut self) {
        if self.environment.default_namespace
            && self.resources.namespace(crate::key::DEFAULT_NAMESPACE).is_none()
            && let Some(default) = ResourceSet::with_default_namespace().iter().next()
        {
            self.resources.put(default);
        }
    }

    /// Applies waiting change sets together: one compilation, one swap. When they do not go together, one by one.
    async fn apply_batch(&mut self, requests: Vec<Request>) {
        let mut turns: Vec<Turn> = Vec::with_capacity(requests.len());
        for Request { change_set, answer } in requests {
            // A change of environment alters what the others mean, a dry run must not see them.
            let alone = change_set.dry_run || change_set.environment.is_some();
            if alone {
                self.finish(std::mem::take(&mut turns)).await;
            }
            let revision = self.revision + turns.len() as Revision;
            let current = turns.last().map_or(&self.resources, |turn| &turn.plan.next);
            match self.plan(current, revision, &change_set).await {
                Err(error) => drop(answer.send(Err(error))),
                Ok(plan) => turns.push(Turn { change_set, answer, plan }),
            }
            if alone {
                self.finish(std::mem::take(&mut turns)).await;
            }
        }
        self.finish(turns).await;
    }

    async fn plan(
        &self,
        current: &ResourceSet,
        revision: Revision,
        change_set: &ChangeSet,
    ) -> Result<Plan, ApplyError> {
        if let Some(expected) = change_set.expect_revision.filter(|expected| *expected != revision) {
            return Err(crate::store::StoreError::Conflict { expected, actual: revision }.into());
        }
        let planner = Planner { store: &*self.store, events: &*self.events, revision: revision + 1 };
        planner.plan(current, change_set).await
    }

    async fn finish(&mut self, mut turns: Vec<Turn>) {
        if turns.is_empty() {
            return;
        }
        if turns.len() == 1 {
            let turn = turns.remove(0);
            let result = self.apply_one(turn.change_set, turn.plan).await;
            drop(turn.answer.send(result));
            return;
        }
        if self.try_together(&mut turns).await {
            return;
        }
        // Together they are not valid. Each on its own shows which one is to blame.
        for Turn { change_set, answer, .. } in turns {
            let result = match self.plan(&self.resources, self.revision, &change_set).await {
                Ok(plan) => self.apply_one(change_set, plan).await,
                Err(error) => Err(error),
            };
            drop(answer.send(result));
        }
    }

    async fn try_together(&mut self, turns: &mut Vec<Turn>) -> bool {
        let Some(last) = turns.last() else { return true };
        let next = last.plan.next.clone();
        let settings = turns.iter().rev().find_map(|turn| turn.change_set.settings.clone());
        let Ok(ready) = self.prepare(&next, settings.as_ref()).await else { return false };
        let writes = |turn: &Turn| (turn.plan.writes.clone(), turn.change_set.author.clone());
        let transactions = turns.iter().map(writes).filter(|(writes, _)| !writes.is_empty());
        let transactions = transactions.map(|(writes, author)| Transaction { writes, author }).collect();
        let first = self.revision;
        if self.commit(transactions).await.is_err() {
            return false;
        }
        let warnings = ready.warnings.clone();
        self.resources = next;
        self.publish(ready);
        let mut revision = first;
        for Turn { plan, answer, .. } in turns.drain(..) {
            revision += Revision::from(!plan.writes.is_empty());
            self.tell(&plan);
            let all_warnings = plan.warnings.into_iter().chain(warnings.clone()).collect();
            drop(answer.send(Ok(Applied { revision, outcomes: plan.outcomes, warnings: all_warnings })));
        }
        true
    }

    async fn apply_one(&mut self, change_set: ChangeSet, plan: Plan) -> Result<Applied, ApplyError> {
        let before = change_set.environment.map(|next| std::mem::replace(&mut self.environment, next));
        let result =
            self.apply_planned(change_set.dry_run, change_set.settings, change_set.author, plan).await;
        if let Some(before) = before.filter(|_| result.is_err() || change_set.dry_run) {
            self.environment = before;
        }
        result
    }

    async fn apply_planned(
        &mut self,
        dry_run: bool,
        settings: Option<Settings>,
        author: crate::store::Author,
        plan: Plan,
    ) -> Result<Applied, ApplyError> {
        let ready = self.prepare(&plan.next, settings.as_ref()).await.map_err(ApplyError::Invalid)?;
        let warnings = plan.warnings.clone().into_iter().chain(ready.warnings.clone()).collect();
        if dry_run {
            return Ok(Applied { revision: self.revision, outcomes: plan.outcomes, warnings });
        }
        if !plan.writes.is_empty() {
            self.commit(vec![Transaction { writes: plan.writes.clone(), author }]).await?;
        }
        self.resources = plan.next.clone();
        self.publish(ready);
        self.tell(&plan);
        Ok(Applied { revision: self.revision, outcomes: plan.outcomes, warnings })
    }

    /// Compiles a state and gets every data plane ready for it.
    async fn prepare(&self, next: &ResourceSet, settings: Option<&Settings>) -> Result<Ready, Problems> {
        let running = self.publisher.live().load();
        let clock = Phase::start("compile");
        let (snapshot, mut warnings) = compile(next, &self.environment.tags, Some(&running.snapshot))?;
        clock.end();
        let clock = Phase::start("prepare");
        let snapshot = Arc::new(snapshot);
        let mut planes = Vec::with_capacity(self.planes.len());
        let mut problems = Problems::new();
        for plane in &self.planes {
            match plane.prepare(Next::new(&snapshot, &running, settings)).await {
                Ok(prepared) => planes.push(prepared),
                Err(found) => problems.extend(found),
            }
        }
        clock.end();
        if problems.has_errors() {
            return Err(problems);
        }
        warnings.extend(problems);
        Ok(Ready { snapshot, planes, warnings })
    }

    async fn commit(&mut self, transactions: Vec<Transaction>) -> Result<(), ApplyError> {
        if transactions.is_empty() {
            return Ok(());
        }
        let clock = Phase::start("commit");
        let result = self.store.commit(self.revision, transactions).await;
        metrics::gauge!(metric_names::STORE_REACHABLE).set(if result.is_ok() { 1.0 } else { 0.0 });
        self.revision = result?;
        clock.end();
        Ok(())
    }

    fn publish(&self, ready: Ready) {
        let clock = Phase::start("publish");
        let plans = ready.planes.iter().map(|plane| plane.plan()).collect();
        self.publisher.publish(self.revision, ready.snapshot, plans);
        for plane in ready.planes {
            plane.published();
        }
        clock.end();
        metrics::gauge!(metric_names::CONFIG_REVISION).set(self.revision as f64);
    }

    /// Tells what happened.
    fn tell(&self, plan: &Plan) {
        let resource = |key: &Key| {
            plan.writes.iter().find_map(|write| match write {
                Write::Put(stored) if stored.key() == *key => Some(stored.spec.clone()),
                _ => None,
            })
        };
        for (key, outcome) in &plan.outcomes {
            let change = match outcome {
                Outcome::Created => ResourceChange::Create,
                Outcome::Updated => ResourceChange::Update,
                Outcome::Deleted => ResourceChange::Delete,
                Outcome::Unchanged => continue,
            };
            self.events.emit(Event::Resource { key: key.clone(), change, resource: resource(key) });
        }
        if !plan.writes.is_empty() {
            self.events.emit(Event::ConfigApplied { revision: self.revision });
        }
    }
}

/// Measures one phase of applying.
struct Phase {
    name: &'static str,
    since: Instant,
}

impl Phase {
    fn start(name: &'static str) -> Self {
        Self { name, since: Instant::now() }
    }

    fn end(self) {
        metrics::histogram!(metric_names::CONFIG_APPLY_SECONDS, "phase" => self.name)
            .record(self.since.elapsed());
    }
}
