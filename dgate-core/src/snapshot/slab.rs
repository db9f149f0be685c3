//! Values with stable small numbers.

use std::collections::HashMap;
use std::sync::Arc;

/// Values by name, each with a small number that stays its own as long as it is there.
///
/// Data planes keep what belongs to a route or service in a plain vector under this number.
#[derive(Debug)]
pub struct Slab<T> {
    entries: Vec<Option<Arc<T>>>,
    numbers: HashMap<Arc<str>, u32>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    /// The value of a number.
    pub fn get(&self, number: u32) -> Option<&Arc<T>> {
        self.entries.get(number as usize)?.as_ref()
    }

    /// The number of a name.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// The value of a name.
    pub fn by_name(&self, name: &str) -> Option<&Arc<T>> {
        self.get(self.number(name)?)
    }

    /// One place for each number, empty where a number is free.
    pub fn entries(&self) -> &[Option<Arc<T>>] {
        &self.entries
    }

    /// All values.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.entries.iter().flatten()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Adds or replaces the value of a name; `make` gets its number.
    pub(crate) fn insert(&mut self, name: &Arc<str>, make: impl FnOnce(u32) -> T) -> Arc<T> {
        let number = *self.numbers.entry(name.clone()).or_insert_with(|| {
            self.free.pop().unwrap_or_else(|| {
                self.entries.push(None);
                (self.entries.len() - 1) as u32
            })
        });
        let value = Arc::new(make(number));
        self.entries[number as usize] = Some(value.clone());
        value
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Arc<T>> {
        let number = self.numbers.remove(name)?;
        self.free.push(number);
        self.entries[number as usize].take()
    }
}

impl<T> Clone for Slab<T> {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone(), numbers: self.numbers.clone(), free: self.free.clone() }
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), numbers: HashMap::new(), free: Vec::new() }
    }
}
