//! Where resources and documents are kept: the trait, the store that keeps them in memory, and drafts over another store.

mod draft;
#[cfg(feature = "test-util")]
mod gated;
mod lease;
mod memory;
mod revisions;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use draft::DraftStore;
#[cfg(feature = "test-util")]
pub use gated::{Gate, GatedStore};
pub use lease::{Lease, Leases};
pub use memory::MemoryStore;
pub use revisions::Revisions;

use crate::resource::Document;
use crate::stored::{ResourceSet, Revision, Stored, StoredAny};
use crate::{BoxFuture, Key};

/// Where resources and documents are kept.
///
/// A store orders transactions: each commit takes the next [`Revision`], and either all of its writes happen or
/// none. It knows nothing about what resources mean; the apply pipeline has validated them before.
///
/// Whoever follows a store waits with [`past`](Self::past) and reads what has come with [`history`](Self::history), from
/// any revision, once each and in order. When the history does not go back so far, its first entry is not the one after
/// the revision that was asked for: then everything is [loaded](Self::load) again.
pub trait Store: Send + Sync + 'static {
    /// Everything but documents, and the revision it belongs to.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn load(&self) -> BoxFuture<'_, Result<(Revision, ResourceSet), StoreError>>;

    /// Writes all of some transactions, or nothing of any, and returns the revision of the last one. Each takes the
    /// revision after the one before it, the first the one after `expected`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the store is not at `expected`; other errors when it cannot be written. Nothing
    /// was written then.
    fn commit(
        &self,
        expected: Revision,
        transactions: Vec<Transaction>,
    ) -> BoxFuture<'_, Result<Revision, StoreError>>;

    /// What was committed after a revision, oldest first, at most `limit` entries.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn history(&self, after: Revision, limit: usize) -> BoxFuture<'_, Result<Vec<Arc<Entry>>, StoreError>>;

    /// Waits until the store is past a revision, and returns the one that it is at then.
    ///
    /// # Errors
    /// When the store cannot be reached any more, or is closed.
    fn past(&self, revision: Revision) -> BoxFuture<'static, Result<Revision, StoreError>>;

    /// Takes a lease for a time, or renews it, unless somebody else has it. Returns who has it then, which may be the
    /// other one. A lease that is not renewed in time is nobody's.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn lease(&self, wanted: Lease) -> BoxFuture<'_, Result<Lease, StoreError>>;

    /// Gives a lease back before its time, if this holder has it.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn release(&self, name: &str, holder: &str) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The leases that somebody has and whose name begins so, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn leases(&self, prefix: &str) -> BoxFuture<'_, Result<Vec<Lease>, StoreError>>;

    /// A document, unless its time to live is over.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn document(&self, key: &Key) -> BoxFuture<'_, Result<Option<Arc<Stored<Document>>>, StoreError>>;

    /// Documents of a collection by identifier, starting after `after`, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn documents(
        &self,
        query: DocumentQuery,
    ) -> BoxFuture<'_, Result<Vec<Arc<Stored<Document>>>, StoreError>>;
}

/// Which documents are wanted.
#[derive(Debug, Clone)]
pub struct DocumentQuery {
    /// Of which namespace.
    pub namespace: Arc<str>,
    /// Of which collection.
    pub collection: Arc<str>,
    /// Whose identifier starts with this.
    pub prefix: String,
    /// Whose identifier comes after this one.
    pub after: Option<String>,
    /// How many at most.
    pub limit: usize,
}

/// One atomic change of a store.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// What to write, in order.
    pub writes: Vec<Write>,
    /// Who did it, and why.
    pub author: Author,
}

/// One write of a transaction.
#[derive(Debug, Clone)]
pub enum Write {
    /// Create or replace.
    Put(StoredAny),
    /// Remove. A namespace goes with all its contents, a collection with its documents.
    Delete(Key),
}

/// Who changed something, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// Who: a user, or a part of the gateway such as `config-file`.
    pub who: String,
    /// From which address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The request that did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What it was for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Author {
    /// A part of the gateway, such as `config-file`.
    pub fn internal(who: impl Into<String>) -> Self {
        Self { who: who.into(), ..Self::default() }
    }
}

/// One committed transaction, as the history keeps it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The revision it took.
    pub revision: Revision,
    /// When.
    pub at: Timestamp,
    /// Who, and why.
    pub author: Author,
    /// For each resource what it was before and after.
    pub changes: Vec<Changed>,
}

/// One resource before and after a transaction.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Which one.
    pub key: Key,
    /// What it was; nothing when it was created.
    pub before: Option<StoredAny>,
    /// What it is; nothing when it was deleted.
    pub after: Option<StoredAny>,
}

/// A store cannot do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The configuration has changed since the transaction was planned.
    #[error("the configuration is at revision {actual}, not at {expected}")]
    Conflict {
        /// The revision the transaction was planned on.
        expected: Revision,
        /// The revision the store is at.
        actual: Revision,
    },
    /// The store cannot be reached or used.
    #[error("the store cannot be used")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
