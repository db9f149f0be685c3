//! What a change set means for what is there.

use jiff::Timestamp;

use super::{ApplyError, Change, ChangeSet, Mode, Outcome};
use crate::compile::{Reference, check_document, references_of};
use crate::event::{Event, EventSink, ResourceChange, Verdict};
use crate::key::DEFAULT_NAMESPACE;
use crate::resource::{AnyResource, Document};
use crate::store::{DocumentQuery, Store, Write};
use crate::stored::{Meta, ResourceSet, Revision, StoredAny};
use crate::{Key, Kind, Problem, Problems};

/// The state a change set leads to, and the writes that lead there.
pub(super) struct Plan {
    pub(super) next: ResourceSet,
    pub(super) writes: Vec<Write>,
    pub(super) outcomes: Vec<(Key, Outcome)>,
    pub(super) warnings: Problems,
}

/// What planning needs to know besides the change set.
pub(super) struct Planner<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) events: &'a dyn EventSink,
    /// The revision the writes will take.
    pub(super) revision: Revision,
}

impl Planner<'_> {
    pub(super) async fn plan(
        &self,
        current: &ResourceSet,
        change_set: &ChangeSet,
    ) -> Result<Plan, ApplyError> {
        let mut plan = Plan {
            next: current.clone(),
            writes: Vec::new(),
            outcomes: Vec::new(),
            warnings: Problems::new(),
        };
        let mut problems = Problems::new();
        let now = Timestamp::now();
        // Namespaces and collections first, whatever the order of writing: the others lie in them.
        let mut changes: Vec<_> = change_set.changes.iter().collect();
        changes.sort_by_key(|change| match change {
            Change::Put(resource) | Change::Create(resource) => match resource.kind() {
                Kind::Namespace => 0,
                Kind::Document => 2,
                _ => 1,
            },
            Change::Delete(_) => 3,
        });
        for change in changes {
            match change {
                Change::Put(resource) => {
                    self.put(&mut plan, resource, change_set, now, false, &mut problems).await?;
                }
                Change::Create(resource) => {
                    self.put(&mut plan, resource, change_set, now, true, &mut problems).await?;
                }
                Change::Delete(key) => self.delete(&mut plan, key, change_set.cascade, &mut problems).await?,
            }
        }
        if change_set.mode == Mode::Sync {
            self.delete_unlisted(&mut plan, change_set, &mut problems).await?;
        }
        self.keep_default_namespace(&mut plan, now);
        if problems.has_errors() { Err(ApplyError::Invalid(problems)) } else { Ok(plan) }
    }

    /// The namespace `default` is there without being created. The store learns of it with the first thing in it.
    fn keep_default_namespace(&self, plan: &mut Plan, now: Timestamp) {
        let is_in_it = |write: &Write| matches!(write, Write::Put(stored) if *stored.key().namespace == *DEFAULT_NAMESPACE);
        let implicit = plan.next.namespace(DEFAULT_NAMESPACE).filter(|stored| stored.meta.revision == 0);
        if let Some(implicit) = implicit
            && plan.writes.iter().any(is_in_it)
        {
            let meta = Meta { revision: self.revision, created_at: now, updated_at: now, owner: None };
            let stored = StoredAny { spec: implicit.spec.clone().into(), meta };
            plan.next.put(stored.clone());
            plan.writes.insert(0, Write::Put(stored));
        }
    }

    async fn put(
        &self,
        plan: &mut Plan,
        resource: &AnyResource,
        change_set: &ChangeSet,
        now: Timestamp,
        only_if_absent: bool,
        problems: &mut Problems,
    ) -> Result<(), ApplyError> {
        let key = resource.key();
        if key.kind != Kind::Namespace && plan.next.namespace(&key.namespace).is_none() {
            problems.push(missing_namespace(&key, &plan.next));
            return Ok(());
        }
        let before = self.current(plan, &key).await?;
        if let Some(before) = &before {
            if let Some(owner) = &change_set.owner
                && before.meta.owner.as_ref() != Some(owner)
                && key.kind != Kind::Document
            {
                if before.spec != *resource {
                    let other = before.meta.owner.as_deref().unwrap_or("somebody else");
                    let text = format!("left as it is: it belongs to {other}, not to {owner}");
                    plan.warnings.push(Problem::warning("", text).about(&key));
                }
                plan.outcomes.push((key, Outcome::Unchanged));
                return Ok(());
            }
            if only_if_absent || before.spec == *resource {
                plan.outcomes.push((key, Outcome::Unchanged));
                return Ok(());
            }
        }
        let change = if before.is_some() { ResourceChange::Update } else { ResourceChange::Create };
        let spec = self.ask(&key, change, resource.clone()).await?;
        if let AnyResource::Document(document) = &spec {
            Self::check_document(plan, &key, document, problems);
        }
        let meta = Meta {
            revision: self.revision,
            created_at: before.as_ref().map_or(now, |before| before.meta.created_at),
            updated_at: now,
            owner: before
                .as_ref()
                .and_then(|before| before.meta.owner.clone())
                .or_else(|| change_set.owner.clone()),
        };
        let stored = StoredAny { spec, meta };
        plan.next.put(stored.clone());
        plan.writes.push(Write::Put(stored));
        let outcome = if before.is_some() { Outcome::Updated } else { Outcome::Created };
        plan.outcomes.push((key, outcome));
        Ok(())
    }

    /// What is there under a key, with what the change set has done so far.
    async fn current(&self, plan: &Plan, key: &Key) -> Result<Option<StoredAny>, ApplyError> {
        if key.kind != Kind::Document {
            return Ok(plan.next.get(key));
        }
        let written = plan.writes.iter().rev().find_map(|write| match write {
            Write::Put(stored) if stored.key() == *key => Some(stored.clone()),
            _ => None,
        });
        Ok(match written {
            Some(stored) => Some(stored),
            None => self.store.document(key).await?.map(|document| document.erase()),
        })
    }

    async fn ask(
        &self,
        key: &Key,
        change: ResourceChange,
        resource: AnyResource,
    ) -> Result<AnyResource, ApplyError> {
        let event = Event::Resource { key: key.clone(), change, resource: Some(resource.clone()) };
        match self.events.intercept(&event).await {
            Verdict::Proceed => Ok(resource),
            Verdict::Replace(other) if other.key() == *key => Ok(other),
            Verdict::Replace(other) => Err(ApplyError::Refused {
                key: key.clone(),
                reason: format!("an interceptor made it {}, which is another resource", other.key()),
            }),
            Verdict::Refuse(reason) => Err(ApplyError::Refused { key: key.clone(), reason }),
        }
    }

    fn check_document(plan: &Plan, key: &Key, document: &Document, problems: &mut Problems) {
        let collection =
            plan.next.tables(&key.namespace).and_then(|tables| tables.collections.get(&document.collection));
        match collection {
            None => {
                let text = format!(
                    "collection `{}` does not exist in namespace `{}`",
                    document.collection, key.namespace
                );
                problems.push(Problem::error("/collection", text).about(key));
            }
            Some(collection) => {
                if let Err(found) = check_document(&collection.spec, document) {
                    problems.extend(found);
                }
            }
        }
    }

    async fn delete(
        &self,
        plan: &mut Plan,
        key: &Key,
        cascade: bool,
        problems: &mut Problems,
    ) -> Result<(), ApplyError> {
        let Some(before) = self.current(plan, key).await? else { return Ok(()) };
        let referrers = self.referrers(plan, key).await?;
        if !referrers.is_empty() && !cascade {
            let names: Vec<_> = referrers.iter().map(|(key, _)| key.to_string()).collect();
            let what = if key.kind == Kind::Namespace { "is not empty: it holds" } else { "is used by" };
            problems.push(
                Problem::error("", format!("{key} {what} {}", names.join(", ")))
                    .with_help("delete those first, or use `cascade`")
                    .about(key),
            );
            return Ok(());
        }
        for (referrer, _) in referrers {
            Box::pin(self.delete(plan, &referrer, cascade, problems)).await?;
        }
        let event =
            Event::Resource { key: key.clone(), change: ResourceChange::Delete, resource: Some(before.spec) };
        if let Verdict::Refuse(reason) = self.events.intercept(&event).await {
            return Err(ApplyError::Refused { key: key.clone(), reason });
        }
        plan.next.remove(key);
        plan.writes.push(Write::Delete(key.clone()));
        plan.outcomes.push((key.clone(), Outcome::Deleted));
        Ok(())
    }

    /// What has to go before a resource can: what refers to it, or lies in it.
    async fn referrers(&self, plan: &Plan, key: &Key) -> Result<Vec<(Key, String)>, ApplyError> {
        let gone =
            |key: &Key| plan.writes.iter().any(|write| matches!(write, Write::Delete(gone) if gone == key));
        let mut found = Vec::new();
        match key.kind {
            Kind::Namespace => {
                let contents = plan.next.tables(&key.name).into_iter().flat_map(|tables| tables.iter());
                found.extend(contents.map(|resource| (resource.key(), String::new())));
            }
            Kind::Collection => {
                let query = DocumentQuery {
                    namespace: key.namespace.clone(),
                    collection: key.name.clone(),
                    prefix: String::new(),
                    after: None,
                    limit: 1_000,
                };
                let documents = self.store.documents(query).await?;
                found.extend(
                    documents.iter().map(|document| (document.erase().key(), "/collection".to_owned())),
                );
            }
            kind => {
                let points_here = |(_, to, name): &Reference<'_>| *to == kind && **name == *key.name;
                for resource in plan.next.tables(&key.namespace).into_iter().flat_map(|tables| tables.iter())
                {
                    let pointer = references_of(&resource.spec).into_iter().find(points_here);
                    found.extend(pointer.map(|(pointer, ..)| (resource.key(), pointer)));
                }
            }
        }
        found.retain(|(key, _)| !gone(key));
        Ok(found)
    }

    async fn delete_unlisted(
        &self,
        plan: &mut Plan,
        change_set: &ChangeSet,
        problems: &mut Problems,
    ) -> Result<(), ApplyError> {
        let listed = |key: &Key| {
            change_set.changes.iter().any(|change| match change {
                Change::Put(resource) | Change::Create(resource) => resource.key() == *key,
                Change::Delete(deleted) => deleted == key,
            })
        };
        let owned =
            |resource: &StoredAny| change_set.owner.is_some() && resource.meta.owner == change_set.owner;
        let mut doomed: Vec<_> = plan
            .next
            .iter()
            .filter(owned)
            .map(|resource| resource.key())
            .filter(|key| !listed(key))
            .collect();
        // What refers goes before what is referred to, so that only references from outside are in the way.
        let order = |kind| Kind::ALL.iter().position(|known| *known == kind);
        doomed.sort_by_key(|key| std::cmp::Reverse(order(key.kind)));
        for key in doomed {
            self.delete(plan, &key, change_set.cascade, problems).await?;
        }
        Ok(())
    }
}

fn missing_namespace(key: &Key, resources: &ResourceSet) -> Problem {
    let names = resources.namespaces().map(|(name, ..)| &**name);
    let help = crate::problems::did_you_mean(&key.namespace, names).or_else(|| {
        (*key.namespace == *DEFAULT_NAMESPACE)
            .then(|| "it is turned off by `disable_default_namespace`; set `namespace`".to_owned())
    });
    Problem::error("/namespace", format!("namespace `{}` does not exist", key.namespace))
        .with_help_if(help)
        .about(key)
}
