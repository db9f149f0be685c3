//! Works off the queue of change sets.

mod edges;
mod follow;
mod phase;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use self::edges::sleep_until;
use self::follow::overtaken;
use self::phase::Phase;
use super::plan::{Plan, Planner, Step, Surroundings};
use super::{
    Applied, ApplyError, ChangeSet, Environment, Next, Outcome, Prepare, Prepared, Request, Settings,
};
use crate::Problems;
use crate::clock::Clock;
use crate::compile::{compile_among, compile_settled};
use crate::event::{Event, EventSink, ResourceChange};
use crate::metric_names;
use crate::publish::Publisher;
use crate::snapshot::Snapshot;
use crate::store::{Store, StoreError, Transaction};
use crate::stored::{ResourceSet, Revision};

/// How many waiting change sets are taken at a time.
const BATCH: usize = 64;

/// How often gauges are shown that nothing changes: collectors take what they have not heard of for long for forgotten.
const REMINDER: Duration = Duration::from_secs(60);

/// Works off the queue of change sets, one batch at a time. See [`super::Applier::new`].
pub struct ApplyWorker {
    requests: mpsc::Receiver<Request>,
    store: Arc<dyn Store>,
    planes: Vec<Arc<dyn Prepare>>,
    events: Arc<dyn EventSink>,
    environment: Environment,
    publisher: Publisher,
    clock: Clock,
    revision: Revision,
    resources: ResourceSet,
    /// Whether the store answered when it was asked last.
    store_answers: bool,
}

/// Who brought a state about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Somebody who can be told what is wrong with it.
    Change,
    /// Time alone, or whoever had it stored.
    Time,
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
        let clock = Clock::default();
        let store_answers = true;
        Self {
            requests,
            store,
            planes,
            events,
            environment,
            publisher,
            clock,
            revision: 0,
            resources,
            store_answers,
        }
    }

    /// The same, by another clock than the system's.
    #[must_use]
    pub fn by_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Makes what the store holds live. To be called once, before [`Self::run`].
    ///
    /// # Errors
    /// When the store cannot be read, or holds what is not valid for this server.
    pub async fn load(&mut self) -> Result<Problems, ApplyError> {
        let loaded = self.store.load().await;
        self.note_answer(&loaded);
        let (revision, resources) = loaded?;
        self.revision = revision;
        self.resources = resources;
        self.resources.set_default_namespace(self.environment.default_namespace);
        let ready = self.prepare(&self.resources, None, Cause::Time).await.map_err(ApplyError::Invalid)?;
        let warnings = ready.warnings.clone();
        self.publish(ready);
        Ok(warnings)
    }

    /// Applies change sets until nobody is left to send any. In between, what depends on time goes live at its instant.
    pub async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut next_edge = self.next_edge();
        let mut is_behind = false;
        loop {
            let overtaken = overtaken(self.store.clone(), self.revision, is_behind);
            tokio::select! {
                biased;
                count = self.requests.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    self.apply_batch(std::mem::take(&mut batch)).await;
                    next_edge = self.next_edge();
                }
                () = sleep_until(&self.clock, next_edge) => next_edge = self.cross_edge().await,
                () = overtaken => {
                    is_behind = !self.catch_up().await;
                    next_edge = self.next_edge();
                }
                () = tokio::time::sleep(REMINDER) => self.show(),
            }
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
            let writing = turns.iter().filter(|turn| !turn.plan.writes.is_empty()).count();
            let current = turns.last().map(|turn| &turn.plan);
            match self.plan(current, self.revision + writing as Revision, &change_set).await {
                Err(error) => drop(answer.send(Err(error))),
                Ok(plan) => turns.push(Turn { change_set, answer, plan }),
            }
            if alone {
                self.finish(std::mem::take(&mut turns)).await;
            }
        }
        self.finish(turns).await;
    }

    /// Plans a change set on what is there, or on what an earlier one leads to.
    async fn plan(
        &self,
        current: Option<&Plan>,
        revision: Revision,
        change_set: &ChangeSet,
    ) -> Result<Plan, ApplyError> {
        if let Some(expected) = change_set.expect_revision.filter(|expected| *expected != revision) {
            return Err(StoreError::Conflict { expected, actual: revision }.into());
        }
        let clock = Phase::start("plan");
        let environment = change_set.environment.as_ref().unwrap_or(&self.environment);
        let around = Surroundings {
            store: &*self.store,
            events: &*self.events,
            revision: revision + 1,
            default_namespace: environment.default_namespace,
        };
        let current = current.map_or_else(|| Plan::nothing(self.resources.clone()), Plan::after);
        let plan = Planner::plan(around, current, change_set).await?;
        clock.end();
        Ok(plan)
    }

    async fn finish(&mut self, mut turns: Vec<Turn>) {
        if turns.is_empty() {
            return;
        }
        let is_alone = turns.len() == 1;
        if !is_alone && self.try_together(&mut turns).await {
            return;
        }
        // Together they are not valid. Each on its own shows which one is to blame.
        for Turn { change_set, answer, plan } in turns {
            let mut result = if is_alone {
                self.apply_one(change_set.clone(), plan).await
            } else {
                self.apply_alone(&change_set).await
            };
            if matches!(&result, Err(ApplyError::Store(StoreError::Conflict { actual, .. })) if *actual > self.revision)
                && self.catch_up().await
            {
                result = self.apply_alone(&change_set).await;
            }
            drop(answer.send(result));
        }
    }

    async fn apply_alone(&mut self, change_set: &ChangeSet) -> Result<Applied, ApplyError> {
        let plan = self.plan(None, self.revision, change_set).await?;
        self.apply_one(change_set.clone(), plan).await
    }

    /// Somebody else has written to the store: makes that live. Says whether it is.
    async fn catch_up(&mut self) -> bool {
        match self.load().await {
            Ok(_) => {
                self.events.emit(Event::ConfigApplied { revision: self.revision });
                true
            }
            Err(error) => {
                tracing::error!(%error, "what another server has written to the store cannot be made live here");
                false
            }
        }
    }

    async fn try_together(&mut self, turns: &mut Vec<Turn>) -> bool {
        let Some(last) = turns.last() else { return true };
        let next = last.plan.next.clone();
        let settings = turns.iter().rev().find_map(|turn| turn.change_set.settings.clone());
        let Ok(ready) = self.prepare(&next, settings.as_ref(), Cause::Change).await else { return false };
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
            let all_warnings = plan.warnings.clone().into_iter().chain(warnings.clone()).collect();
            drop(answer.send(Ok(plan.applied(revision, all_warnings))));
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
        let ready = self.prepare(&plan.next, settings.as_ref(), Cause::Change).await;
        let ready = ready.map_err(ApplyError::Invalid)?;
        let warnings = plan.warnings.clone().into_iter().chain(ready.warnings.clone()).collect();
        if dry_run {
            return Ok(plan.applied(self.revision, warnings));
        }
        if !plan.writes.is_empty() {
            self.commit(vec![Transaction { writes: plan.writes.clone(), author }]).await?;
        }
        self.resources = plan.next.clone();
        self.publish(ready);
        self.tell(&plan);
        Ok(plan.applied(self.revision, warnings))
    }

    /// Compiles a state and gets every data plane ready for it.
    async fn prepare(
        &self,
        next: &ResourceSet,
        settings: Option<&Settings>,
        cause: Cause,
    ) -> Result<Ready, Problems> {
        let running = self.publisher.live().load();
        let clock = Phase::start("compile");
        let compile = if cause == Cause::Time { compile_settled } else { compile_among };
        let servers = self.environment.servers();
        let (snapshot, mut warnings) = compile(next, &servers, &self.clock, Some(&running.snapshot))?;
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
        self.note_answer(&result);
        self.revision = result?;
        clock.end();
        Ok(())
    }

    fn publish(&self, ready: Ready) {
        let clock = Phase::start("publish");
        let plans = ready.planes.iter().map(|plane| plane.plan()).collect();
        self.publisher.publish(self.revision, self.resources.clone(), ready.snapshot, plans);
        for plane in ready.planes {
            plane.published();
        }
        clock.end();
        self.show();
    }

    fn note_answer<T>(&mut self, result: &Result<T, StoreError>) {
        self.store_answers = !matches!(result, Err(StoreError::Unavailable(_)));
        self.show();
    }

    fn show(&self) {
        metrics::gauge!(metric_names::CONFIG_REVISION).set(self.revision as f64);
        metrics::gauge!(metric_names::STORE_REACHABLE).set(if self.store_answers { 1.0 } else { 0.0 });
    }

    /// Tells what happened.
    fn tell(&self, plan: &Plan) {
        for Step { key, outcome, after, .. } in &plan.steps {
            let change = match outcome {
                Outcome::Created => ResourceChange::Create,
                Outcome::Updated => ResourceChange::Update,
                Outcome::Deleted => ResourceChange::Delete,
                Outcome::Unchanged => continue,
            };
            let resource = after.as_ref().map(|stored| stored.spec.clone());
            self.events.emit(Event::Resource { key: key.clone(), change, resource });
        }
        if !plan.writes.is_empty() {
            self.events.emit(Event::ConfigApplied { revision: self.revision });
        }
    }
}
