//! What is wished, and what came of it.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::resource::AnyResource;
use crate::store::{Author, Changed, StoreError};
use crate::stored::Revision;
use crate::tags::{ServerTags, Servers};
use crate::{Key, Problems};

/// One wish.
#[derive(Debug, Clone)]
pub enum Change {
    /// The resource shall be there, and be just so.
    Put(AnyResource),
    /// The resource shall be there; if it is there already, it stays as it is.
    Create(AnyResource),
    /// The resource shall not be there.
    Delete(Key),
}

impl Change {
    /// The resource it is about.
    pub fn key(&self) -> Key {
        match self {
            Self::Put(resource) | Self::Create(resource) => resource.key(),
            Self::Delete(key) => key.clone(),
        }
    }
}

impl<R: Into<AnyResource>> From<R> for Change {
    fn from(resource: R) -> Self {
        Self::Put(resource.into())
    }
}

/// Wishes that come true together or not at all, in whatever order they are written. No resource may be mentioned twice.
///
/// ```
/// use dgate_core::apply::ChangeSet;
/// use dgate_core::resource::{Route, Service};
/// let changes = ChangeSet::new()
///     .put(Service::new("api", ["http://127.0.0.1:9000"]))
///     .put(Route::new("api", "/api/**").to_service("api"));
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a change set does nothing until it is applied"]
pub struct ChangeSet {
    /// What shall change.
    pub changes: Vec<Change>,
    /// Whether resources that are not mentioned stay.
    pub mode: Mode,
    /// Whose the resources become. Resources of other owners are then left alone.
    pub owner: Option<Arc<str>>,
    /// Deleting something also deletes what refers to it, and a namespace its contents.
    pub cascade: bool,
    /// Plan and compile, but change nothing.
    pub dry_run: bool,
    /// Fail unless the configuration is at this revision.
    pub expect_revision: Option<Revision>,
    /// Fail unless these resources are as they are expected to be.
    pub expect: Vec<(Key, Expect)>,
    /// Fail when something outside of these namespaces would change; anything may when absent.
    pub within: Option<Arc<[Arc<str>]>>,
    /// Who wishes it, and why.
    pub author: Author,
    /// New settings for the data planes, to be applied in the same step.
    pub settings: Option<Settings>,
    /// A new environment, to be applied in the same step.
    pub environment: Option<Environment>,
}

impl ChangeSet {
    /// No wishes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wishes a resource to be there.
    pub fn put(mut self, resource: impl Into<AnyResource>) -> Self {
        self.changes.push(Change::Put(resource.into()));
        self
    }

    /// Wishes a resource to be there; if it is there already, it stays as it is.
    pub fn create(mut self, resource: impl Into<AnyResource>) -> Self {
        self.changes.push(Change::Create(resource.into()));
        self
    }

    /// Wishes a resource not to be there.
    pub fn delete(mut self, key: Key) -> Self {
        self.changes.push(Change::Delete(key));
        self
    }

    /// Deletes what refers to what is deleted, too.
    pub fn cascade(mut self) -> Self {
        self.cascade = true;
        self
    }

    /// Only says what would happen.
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Fails unless a resource is as it is expected to be.
    pub fn expect(mut self, key: Key, expected: Expect) -> Self {
        self.expect.push((key, expected));
        self
    }

    /// Fails unless the configuration is at this revision.
    pub fn expect_revision(mut self, revision: Revision) -> Self {
        self.expect_revision = Some(revision);
        self
    }
}

/// A single wish, or a resource that shall be there.
impl<C: Into<Change>> From<C> for ChangeSet {
    fn from(change: C) -> Self {
        Self { changes: vec![change.into()], ..Self::default() }
    }
}

impl<C: Into<Change>> FromIterator<C> for ChangeSet {
    fn from_iter<I: IntoIterator<Item = C>>(changes: I) -> Self {
        Self { changes: changes.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

/// How a resource has to be for a change set to be applied: compare and set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// It is not there.
    Absent,
    /// It is there.
    Present,
    /// It was last changed by this revision.
    Revision(Revision),
}

impl Expect {
    /// Whether a resource that was last changed by a revision, or is not there, is as expected.
    pub fn is_met_by(self, revision: Option<Revision>) -> bool {
        match self {
            Self::Absent => revision.is_none(),
            Self::Present => revision.is_some(),
            Self::Revision(expected) => revision == Some(expected),
        }
    }
}

/// Whether resources that a change set does not mention stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// They stay.
    #[default]
    Apply,
    /// Those of the same owner go.
    Sync,
}

/// New settings for the data planes; each looks for its own type.
#[derive(Clone)]
pub struct Settings(Arc<dyn Any + Send + Sync>);

impl Settings {
    /// Settings of whichever type a data plane understands.
    pub fn new<T: Any + Send + Sync>(settings: Arc<T>) -> Self {
        Self(settings)
    }

    /// The settings, if they are of this type.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.0.clone().downcast().ok()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings(…)")
    }
}

/// What a server is, as far as the meaning of resources depends on it.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its tags.
    pub tags: ServerTags,
    /// The tags of the other servers that share the configuration, as far as they are known.
    pub others: Vec<ServerTags>,
    /// Whether the namespace `default` exists without being created.
    pub default_namespace: bool,
}

impl Default for Environment {
    fn default() -> Self {
        Self { tags: ServerTags::default(), others: Vec::new(), default_namespace: true }
    }
}

impl Environment {
    /// This server and the others.
    pub(crate) fn servers(&self) -> Servers {
        Servers { own: self.tags.clone(), others: self.others.clone() }
    }
}

/// What came of a change set.
#[derive(Debug, Clone, Serialize)]
pub struct Applied {
    /// The revision that is live now; the old one when nothing had to be changed.
    pub revision: Revision,
    /// What happened to each resource.
    pub outcomes: Vec<(Key, Outcome)>,
    /// Each resource that is created, updated or deleted, before and after; secrets are in it.
    #[serde(skip)]
    pub changes: Vec<Changed>,
    /// What is worth a warning.
    pub warnings: Problems,
}

/// What happened to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is new.
    Created,
    /// It is another than before.
    Updated,
    /// It was like this before.
    Unchanged,
    /// It is gone.
    Deleted,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
        })
    }
}

/// Why a change set was not applied. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The result would not be valid.
    #[error("{0}")]
    Invalid(Problems),
    /// An interceptor refused a change.
    #[error("{key}: refused: {reason}")]
    Refused {
        /// The change of which resource.
        key: Key,
        /// Why.
        reason: String,
    },
    /// A resource is not as it was expected to be.
    #[error("{key} {}", describe(*.actual))]
    Unexpected {
        /// Which one.
        key: Key,
        /// By which revision it was last changed; nothing when it is not there.
        actual: Option<Revision>,
    },
    /// It would change something outside of the namespaces it has to stay within.
    #[error("{key} is outside of the namespaces that may be changed")]
    OutOfBounds {
        /// What it would change.
        key: Key,
    },
    /// The store did not take it; among other reasons because the configuration is not at the expected revision.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopped,
}

fn describe(actual: Option<Revision>) -> String {
    match actual {
        Some(revision) => format!("was last changed by revision {revision}"),
        None => "does not exist".to_owned(),
    }
}
