//! What has to go, and what is in the way.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{ApplyError, Planner, Step};
use crate::apply::{Change, Mode, Outcome};
use crate::compile::{can_be_referred_to, references_of};
use crate::event::{Event, ResourceChange, Verdict};
use crate::key::DEFAULT_NAMESPACE;
use crate::store::Write;
use crate::stored::ResourceSet;
use crate::{Key, Kind, Problem};

/// How many of those that are in the way are named.
const MOST_NAMED: usize = 20;

/// Who refers to whom, namespace by namespace, as far as somebody has asked.
#[derive(Default)]
struct Referrers(HashMap<Arc<str>, HashMap<(Kind, String), Vec<Key>>>);

impl Referrers {
    /// What refers to a resource.
    fn of(&mut self, key: &Key, resources: &ResourceSet) -> &[Key] {
        if !can_be_referred_to(key.kind) {
            return &[];
        }
        let index = self.0.entry(key.namespace.clone()).or_insert_with(|| {
            let mut index: HashMap<_, Vec<Key>> = HashMap::new();
            for resource in resources.tables(&key.namespace).into_iter().flat_map(|tables| tables.iter()) {
                for reference in references_of(&resource.spec) {
                    let target = (reference.kind, reference.name.to_owned());
                    index.entry(target).or_default().push(resource.key());
                }
            }
            index
        });
        index.get(&(key.kind, key.name.to_string())).map_or(&[], Vec::as_slice)
    }
}

impl Planner<'_> {
    /// Deletes what shall be deleted and, when the same owner does not list it any more, what is not mentioned.
    pub(super) async fn delete_all(&mut self) -> Result<(), ApplyError> {
        let mut wanted = self.unlisted();
        wanted.extend(self.change_set.changes.iter().filter_map(|change| match change {
            Change::Delete(key) => Some(key.clone()),
            _ => None,
        }));
        if wanted.is_empty() {
            return Ok(());
        }
        // What refers goes before what is referred to, and what is inside before what it is in.
        let order = |kind| Kind::ALL.iter().position(|known| *known == kind);
        wanted.sort_by_key(|key| std::cmp::Reverse(order(key.kind)));
        let doomed: HashSet<Key> = wanted.iter().cloned().collect();
        let mut referrers = Referrers::default();
        let mut seen = HashSet::new();
        for key in wanted {
            // What is not there is in nobody's way, and takes nobody with it.
            if self.current(&key).await?.is_none() {
                continue;
            }
            let mut group = Vec::new();
            if self.change_set.cascade {
                self.with_referrers(&key, &mut referrers, &mut seen, &mut group);
                self.keep_what_is_wished(&key, &group);
            } else if self.is_in_the_way(&key, &doomed, &mut referrers).await? {
                continue;
            } else {
                group.push(key);
            }
            for key in group {
                self.delete(&key).await?;
            }
        }
        Ok(())
    }

    /// In [`Mode::Sync`], what the same owner has listed before and does not list any more.
    fn unlisted(&self) -> Vec<Key> {
        if self.change_set.mode != Mode::Sync || self.change_set.owner.is_none() {
            return Vec::new();
        }
        let listed: HashSet<Key> = self.change_set.changes.iter().map(Change::key).collect();
        let owned = self.plan.next.iter().filter(|stored| stored.meta.owner == self.change_set.owner);
        owned.map(|stored| stored.key()).filter(|key| !listed.contains(key)).collect()
    }

    /// A resource after all that refers to it or lies in it.
    fn with_referrers(
        &self,
        key: &Key,
        referrers: &mut Referrers,
        seen: &mut HashSet<Key>,
        group: &mut Vec<Key>,
    ) {
        if !seen.insert(key.clone()) {
            return;
        }
        let before: Vec<Key> = if key.kind == Kind::Namespace {
            self.contents(key).collect()
        } else {
            referrers.of(key, &self.plan.next).to_vec()
        };
        for other in before {
            self.with_referrers(&other, referrers, seen, group);
        }
        group.push(key.clone());
    }

    /// What the same change set wishes to be there cannot go with something else.
    fn keep_what_is_wished(&mut self, key: &Key, group: &[Key]) {
        let is_wished =
            |change: &&Change| !matches!(change, Change::Delete(_)) && group.contains(&change.key());
        let wished: Vec<Key> = self.change_set.changes.iter().filter(is_wished).map(Change::key).collect();
        self.problems.extend(wished.into_iter().map(|wished| {
            Problem::error("", format!("it shall be there, and would go with {key}")).about(&wished)
        }));
    }

    fn contents(&self, namespace: &Key) -> impl Iterator<Item = Key> {
        let tables = self.plan.next.tables(&namespace.name);
        tables.into_iter().flat_map(|tables| tables.iter()).map(|stored| stored.key())
    }

    /// Whether something stays that refers to a resource or lies in it, and so is in the way of its deletion.
    async fn is_in_the_way(
        &mut self,
        key: &Key,
        doomed: &HashSet<Key>,
        referrers: &mut Referrers,
    ) -> Result<bool, ApplyError> {
        let stays = |key: &Key| !doomed.contains(key);
        let staying: Vec<Key> = match key.kind {
            Kind::Namespace if self.is_lasting(key) => Vec::new(),
            Kind::Namespace => self.contents(key).filter(stays).collect(),
            Kind::Collection => {
                let documents = self.documents_of(key).await?;
                documents.iter().map(|document| document.key()).filter(stays).collect()
            }
            _ => referrers.of(key, &self.plan.next).iter().filter(|key| stays(key)).cloned().collect(),
        };
        if staying.is_empty() {
            return Ok(false);
        }
        let mut names: Vec<_> = staying.iter().take(MOST_NAMED).map(Key::to_string).collect();
        if staying.len() > MOST_NAMED {
            names.push(format!("and {} more", staying.len() - MOST_NAMED));
        }
        let what = match key.kind {
            Kind::Namespace | Kind::Collection => "is not empty: it holds",
            _ => "is used by",
        };
        self.problems.push(
            Problem::error("", format!("{key} {what} {}", names.join(", ")))
                .with_help("delete those first, or use `cascade`")
                .about(key),
        );
        Ok(true)
    }

    /// Whether it is the namespace that exists without being created.
    fn is_lasting(&self, key: &Key) -> bool {
        self.around.default_namespace && key.kind == Kind::Namespace && *key.name == *DEFAULT_NAMESPACE
    }

    async fn delete(&mut self, key: &Key) -> Result<(), ApplyError> {
        if key.kind == Kind::Collection {
            for document in self.documents_of(key).await? {
                self.delete_one(&document.key()).await?;
            }
        }
        self.delete_one(key).await
    }

    async fn delete_one(&mut self, key: &Key) -> Result<(), ApplyError> {
        let Some(before) = self.current(key).await? else { return Ok(()) };
        if self.is_lasting(key) {
            let is_wished = |change: &Change| matches!(change, Change::Delete(wished) if wished == key);
            if self.change_set.changes.iter().any(is_wished) {
                self.problems.push(
                    Problem::error("", format!("{key} always exists"))
                        .with_help("delete what is in it, or set `disable_default_namespace`")
                        .about(key),
                );
            } else {
                self.reset_default_namespace(&before);
            }
            return Ok(());
        }
        let resource = Some(before.spec.clone());
        let event = Event::Resource { key: key.clone(), change: ResourceChange::Delete, resource };
        if let Verdict::Refuse(reason) = self.around.events.intercept(&event).await {
            return Err(ApplyError::Refused { key: key.clone(), reason });
        }
        if key.kind == Kind::Document {
            self.plan.documents.remove(key.clone());
        } else {
            self.plan.next.remove(key);
        }
        self.plan.writes.push(Write::Delete(key.clone()));
        self.plan.steps.push(Step {
            key: key.clone(),
            outcome: Outcome::Deleted,
            before: Some(before),
            after: None,
        });
        Ok(())
    }
}
