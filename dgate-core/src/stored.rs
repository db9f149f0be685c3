//! Resources with what the store knows about them, in sets that are cheap to copy.

mod set;
mod table;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use set::{ResourceSet, Tables};
pub use table::{Table, TableChange};

use crate::Key;
use crate::resource::{AnyResource, Resource};

/// A position in the history of the configuration; each committed transaction takes the next one.
pub type Revision = u64;

/// What the store knows about a resource. Read-only for everybody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The revision that last changed it.
    pub revision: Revision,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Whose it is, when it came from a file or a tool that keeps a whole set in step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Arc<str>>,
}

impl Meta {
    /// What is known about a resource that no store has seen yet.
    pub const fn unstored() -> Self {
        Self {
            revision: 0,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            owner: None,
        }
    }
}

/// A resource of type `R` as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stored<R> {
    /// What was written.
    #[serde(flatten)]
    pub spec: Arc<R>,
    /// What the store knows about it.
    #[serde(flatten)]
    pub meta: Meta,
}

/// A resource of whichever kind as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoredAny {
    /// What was written.
    #[serde(flatten)]
    pub spec: AnyResource,
    /// What the store knows about it.
    #[serde(flatten)]
    pub meta: Meta,
}

impl StoredAny {
    /// Kind, namespace and name.
    pub fn key(&self) -> Key {
        self.spec.key()
    }
}

impl<R: Resource> Stored<R>
where
    AnyResource: From<Arc<R>>,
{
    /// The same without its type.
    pub fn erase(&self) -> StoredAny {
        StoredAny { spec: self.spec.clone().into(), meta: self.meta.clone() }
    }
}
