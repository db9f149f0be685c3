//! The resources of one kind in one namespace.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Stored;

/// The resources of one kind in one namespace, by name. Cloning shares; writing copies what is shared.
#[derive(Debug)]
pub struct Table<R>(Arc<BTreeMap<Arc<str>, Arc<Stored<R>>>>);

impl<R> Table<R> {
    /// The resource of a name.
    pub fn get(&self, name: &str) -> Option<&Arc<Stored<R>>> {
        self.0.get(name)
    }

    /// Whether there is a resource of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<Stored<R>>)> {
        self.0.iter()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both are the same table, unchanged. May say no for tables that are merely equal.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn insert(&mut self, name: Arc<str>, stored: Stored<R>) -> Option<Arc<Stored<R>>> {
        Arc::make_mut(&mut self.0).insert(name, Arc::new(stored))
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Arc<Stored<R>>> {
        self.contains(name).then(|| Arc::make_mut(&mut self.0).remove(name)).flatten()
    }

    /// What has to be done to get from `before` to this table: `(name, before, after)` for each difference.
    pub fn changes_since<'a>(&'a self, before: &'a Self) -> Vec<TableChange<'a, R>> {
        if self.same(before) {
            return Vec::new();
        }
        let (mut old, mut new) = (before.0.iter().peekable(), self.0.iter().peekable());
        let mut changes = Vec::new();
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return changes,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some((old_name, _)), Some((new_name, _))) => old_name.cmp(new_name),
            };
            let (old, new) = match order {
                std::cmp::Ordering::Less => (old.next(), None),
                std::cmp::Ordering::Greater => (None, new.next()),
                std::cmp::Ordering::Equal => (old.next(), new.next()),
            };
            let unchanged = matches!((old, new), (Some((_, a)), Some((_, b))) if Arc::ptr_eq(a, b));
            if let Some((name, _)) = old.or(new).filter(|_| !unchanged) {
                changes.push(TableChange {
                    name,
                    before: old.map(|(_, stored)| stored),
                    after: new.map(|(_, stored)| stored),
                });
            }
        }
    }
}

/// One difference between two tables.
#[derive(Debug)]
pub struct TableChange<'a, R> {
    /// Which resource differs.
    pub name: &'a Arc<str>,
    /// What it was; nothing when it is new.
    pub before: Option<&'a Arc<Stored<R>>>,
    /// What it is; nothing when it is gone.
    pub after: Option<&'a Arc<Stored<R>>>,
}

impl<R> Clone for Table<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self(Arc::default())
    }
}
