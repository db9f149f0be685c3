//! What a change set means for what is there.

mod deletions;
mod documents;

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Applied, ApplyError, Change, ChangeSet, Outcome};
use crate::event::{Event, EventSink, ResourceChange, Verdict};
use crate::key::DEFAULT_NAMESPACE;
use crate::resource::{AnyResource, Namespace};
use crate::store::{Changed, Store, Write};
use crate::stored::{Meta, ResourceSet, Revision, StoredAny};
use crate::{Key, Kind, Problem, Problems};
use documents::{Documents, Schemas};

/// The state a change set leads to, and the writes that lead there.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) next: ResourceSet,
    /// What becomes of documents, which are not in `next`.
    documents: Documents,
    pub(super) writes: Vec<Write>,
    pub(super) steps: Vec<Step>,
    pub(super) warnings: Problems,
}

/// What happens to one resource.
#[derive(Clone)]
pub(super) struct Step {
    pub(super) key: Key,
    pub(super) outcome: Outcome,
    /// What it was; nothing when it is new, or stays what it is.
    pub(super) before: Option<StoredAny>,
    /// What it becomes; nothing when it goes, or stays what it is.
    pub(super) after: Option<StoredAny>,
}

impl Plan {
    /// No changes to what is there.
    pub(super) fn nothing(current: ResourceSet) -> Self {
        let (documents, warnings) = (Documents::default(), Problems::new());
        Self { next: current, documents, writes: Vec::new(), steps: Vec::new(), warnings }
    }

    /// No changes to what this one leads to.
    pub(super) fn after(before: &Self) -> Self {
        Self { documents: before.documents.clone(), ..Self::nothing(before.next.clone()) }
    }

    fn outcomes(&self) -> Vec<(Key, Outcome)> {
        self.steps.iter().map(|step| (step.key.clone(), step.outcome)).collect()
    }

    pub(super) fn applied(&self, revision: Revision, warnings: Problems) -> Applied {
        Applied { revision, outcomes: self.outcomes(), changes: self.changes(), warnings }
    }

    fn changes(&self) -> Vec<Changed> {
        let changed = self.steps.iter().filter(|step| step.outcome != Outcome::Unchanged);
        changed
            .map(|Step { key, before, after, .. }| Changed {
                key: key.clone(),
                before: before.clone(),
                after: after.clone(),
            })
            .collect()
    }

    fn unchanged(&mut self, key: Key) {
        self.steps.push(Step { key, outcome: Outcome::Unchanged, before: None, after: None });
    }
}

/// What planning needs to know besides the change set.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) events: &'a dyn EventSink,
    /// The revision the writes will take.
    pub(super) revision: Revision,
    /// Whether the namespace `default` exists without being created.
    pub(super) default_namespace: bool,
}

/// Plans one change set, step by step.
pub(super) struct Planner<'a> {
    around: Surroundings<'a>,
    change_set: &'a ChangeSet,
    now: Timestamp,
    plan: Plan,
    problems: Problems,
    schemas: Schemas,
}

impl<'a> Planner<'a> {
    /// Plans a change set on top of what is there.
    pub(super) async fn plan(
        around: Surroundings<'a>,
        mut current: Plan,
        change_set: &'a ChangeSet,
    ) -> Result<Plan, ApplyError> {
        current.next.set_default_namespace(around.default_namespace);
        let (problems, schemas) = (Problems::new(), Schemas::default());
        let planner = Self { around, change_set, now: Timestamp::now(), plan: current, problems, schemas };
        planner.run().await
    }

    async fn run(mut self) -> Result<Plan, ApplyError> {
        self.check_expectations().await?;
        self.check_mentions();
        // Namespaces and collections first, whatever the order of writing: the others lie in them.
        let mut puts: Vec<_> = self.change_set.changes.iter().filter_map(Put::of).collect();
        puts.sort_by_key(|put| match put.resource.kind() {
            Kind::Namespace => 0,
            Kind::Document => 2,
            _ => 1,
        });
        for put in puts {
            self.put(put).await?;
        }
        self.check_documents_of_changed_schemas().await?;
        self.keep_default_namespace();
        self.delete_all().await?;
        self.check_bounds()?;
        if self.problems.has_errors() { Err(ApplyError::Invalid(self.problems)) } else { Ok(self.plan) }
    }

    async fn check_expectations(&self) -> Result<(), ApplyError> {
        for (key, expected) in &self.change_set.expect {
            let actual = self.current(key).await?.map(|stored| stored.meta.revision);
            if !expected.is_met_by(actual) {
                return Err(ApplyError::Unexpected { key: key.clone(), actual });
            }
        }
        Ok(())
    }

    /// Whether all that changes lies within the namespaces that may be changed. A namespace lies in none.
    fn check_bounds(&self) -> Result<(), ApplyError> {
        let Some(within) = &self.change_set.within else { return Ok(()) };
        let mut changed = self.plan.steps.iter().filter(|step| step.outcome != Outcome::Unchanged);
        match changed.find(|step| !within.contains(&step.key.namespace)) {
            Some(step) => Err(ApplyError::OutOfBounds { key: step.key.clone() }),
            None => Ok(()),
        }
    }

    /// Nothing may be wished twice: both wishes cannot come true.
    fn check_mentions(&mut self) {
        let mut mentioned = HashSet::new();
        for key in self.change_set.changes.iter().map(Change::key) {
            if !mentioned.insert(key.clone()) {
                self.problems.push(Problem::error("/name", format!("{key} is mentioned twice")).about(&key));
            }
        }
    }

    async fn put(&mut self, put: Put<'_>) -> Result<(), ApplyError> {
        let key = put.resource.key();
        let before = self.current(&key).await?;
        if let Some(before) = &before {
            if self.belongs_to_another(before) && key.kind != Kind::Document {
                self.leave_to_its_owner(&key, before, put.resource);
                return Ok(());
            }
            if put.only_if_absent || before.spec == *put.resource {
                self.plan.unchanged(key);
                return Ok(());
            }
        }
        let change = if before.is_some() { ResourceChange::Update } else { ResourceChange::Create };
        let spec = self.ask(&key, change, put.resource.clone()).await?;
        if before.as_ref().is_some_and(|before| before.spec == spec) {
            self.plan.unchanged(key);
            return Ok(());
        }
        if let AnyResource::Document(document) = &spec {
            self.check_document(&key, document);
        }
        let owner = before.as_ref().and_then(|before| before.meta.owner.clone());
        self.write(spec, before.as_ref(), owner.or_else(|| self.change_set.owner.clone()));
        Ok(())
    }

    fn write(&mut self, spec: AnyResource, before: Option<&StoredAny>, owner: Option<Arc<str>>) {
        let meta = Meta {
            revision: self.around.revision,
            created_at: before.map_or(self.now, |before| before.meta.created_at),
            updated_at: self.now,
            owner,
        };
        let outcome = if before.is_some() { Outcome::Updated } else { Outcome::Created };
        let stored = StoredAny { spec, meta };
        let key = stored.key();
        if key.kind == Kind::Document {
            self.plan.documents.put(key.clone(), stored.clone());
        } else {
            self.plan.next.put(stored.clone());
        }
        self.plan.writes.push(Write::Put(stored.clone()));
        self.plan.steps.push(Step { key, outcome, before: before.cloned(), after: Some(stored) });
    }

    /// The namespace `default` belongs to nobody before it is stored.
    fn belongs_to_another(&self, stored: &StoredAny) -> bool {
        self.change_set.owner.is_some()
            && stored.meta.revision > 0
            && stored.meta.owner != self.change_set.owner
    }

    fn leave_to_its_owner(&mut self, key: &Key, before: &StoredAny, wished: &AnyResource) {
        if before.spec != *wished {
            let other = before.meta.owner.as_deref().unwrap_or("somebody else");
            let owner = self.change_set.owner.as_deref().unwrap_or_default();
            let text = format!("left as it is: it belongs to {other}, not to {owner}");
            self.plan.warnings.push(Problem::warning("", text).about(key));
        }
        self.plan.unchanged(key.clone());
    }

    /// What is there under a key, with what was planned so far.
    async fn current(&self, key: &Key) -> Result<Option<StoredAny>, ApplyError> {
        if key.kind != Kind::Document {
            return Ok(self.plan.next.get(key));
        }
        match self.plan.documents.get(key) {
            Ok(planned) => Ok(planned.cloned()),
            Err(documents::Unplanned) => {
                Ok(self.around.store.document(key).await?.map(|document| document.erase()))
            }
        }
    }

    async fn ask(
        &self,
        key: &Key,
        change: ResourceChange,
        resource: AnyResource,
    ) -> Result<AnyResource, ApplyError> {
        let event = Event::Resource { key: key.clone(), change, resource: Some(resource.clone()) };
        match self.around.events.intercept(&event).await {
            Verdict::Proceed => Ok(resource),
            Verdict::Replace(other) if other.key() == *key => Ok(other),
            Verdict::Replace(other) => Err(ApplyError::Refused {
                key: key.clone(),
                reason: format!("an interceptor made it {}, which is another resource", other.key()),
            }),
            Verdict::Refuse(reason) => Err(ApplyError::Refused { key: key.clone(), reason }),
        }
    }

    /// The namespace `default` is there without being created. The store learns of it with the first thing in it.
    fn keep_default_namespace(&mut self) {
        let is_in_it = |write: &Write| matches!(write, Write::Put(stored) if stored.spec.namespace() == DEFAULT_NAMESPACE);
        let implicit = self.plan.next.namespace(DEFAULT_NAMESPACE).filter(|stored| stored.meta.revision == 0);
        if let Some(implicit) = implicit
            && self.plan.writes.iter().any(is_in_it)
        {
            let (created_at, updated_at) = (self.now, self.now);
            let meta = Meta { revision: self.around.revision, created_at, updated_at, owner: None };
            let stored = StoredAny { spec: implicit.spec.clone().into(), meta };
            self.plan.next.put(stored.clone());
            self.plan.writes.insert(0, Write::Put(stored));
        }
    }

    /// What was written about the namespace `default` goes; the namespace itself stays.
    fn reset_default_namespace(&mut self, before: &StoredAny) {
        let bare = Namespace::new(DEFAULT_NAMESPACE);
        self.write(bare.into(), Some(before), None);
    }
}

/// A resource that shall be there.
struct Put<'c> {
    resource: &'c AnyResource,
    only_if_absent: bool,
}

impl<'c> Put<'c> {
    fn of(change: &'c Change) -> Option<Self> {
        match change {
            Change::Put(resource) => Some(Self { resource, only_if_absent: false }),
            Change::Create(resource) => Some(Self { resource, only_if_absent: true }),
            Change::Delete(_) => None,
        }
    }
}
