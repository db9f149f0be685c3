//! Values that the hooks of one request share: `ctx.set` and `ctx.get`.
//!
//! What is no object lies here, where hooks see it that need no engine. Of the rest it is known here that it is there: it
//! lies in the request's `ctx`, which only the engine has. So do long texts that the engine has seen: it would copy them
//! each time that somebody asks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Texts of more bytes than this are long.
pub(crate) const LONG: usize = 1 << 10;

/// A value that is the same with the engine and without it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Primitive {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(Arc<str>),
}

impl Primitive {
    pub(crate) fn is_long(&self) -> bool {
        matches!(self, Self::Text(text) if text.len() > LONG)
    }
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shared {
    Value(Primitive),
    /// The engine has its value.
    InEngine,
}

/// Values that the hooks of one request share. They may be set while no hook runs, by what a hook did not wait for.
#[derive(Debug, Default)]
pub(crate) struct SharedValues(Mutex<Vec<(Box<str>, Shared)>>);

impl SharedValues {
    /// What is known of a key; nothing if it was never set.
    pub(crate) fn get(&self, key: &str) -> Option<Shared> {
        self.lock().iter().find(|(known, _)| **known == *key).map(|(_, value)| value.clone())
    }

    /// The same for the engine, in which long texts are from then on.
    pub(crate) fn take(&self, key: &str) -> Option<Shared> {
        let mut values = self.lock();
        let (_, value) = values.iter_mut().find(|(known, _)| **known == *key)?;
        let is_long = matches!(value, Shared::Value(value) if value.is_long());
        Some(if is_long { std::mem::replace(value, Shared::InEngine) } else { value.clone() })
    }

    pub(crate) fn set(&self, key: &str, value: Shared) {
        let mut values = self.lock();
        match values.iter_mut().find(|(known, _)| **known == *key) {
            Some((_, before)) => *before = value,
            None => values.push((key.into(), value)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Box<str>, Shared)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
