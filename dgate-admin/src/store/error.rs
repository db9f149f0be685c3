//! Why a store cannot be opened.

use std::path::PathBuf;

use dgate_core::store::StoreError;

use super::key::KeyError;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory cannot be made or written.
    #[error("the directory `{}` cannot be used: {source}", path.display())]
    Directory {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another server uses the directory.
    #[error("another server uses the directory `{}`; give each its own `storage.dir`", .0.display())]
    InUse(PathBuf),
    /// The key with which secrets are encrypted cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It was written with another key.
    #[error("`{}` was written with another encryption key", .0.display())]
    WrongKey(PathBuf),
    /// It was written by a newer version.
    #[error("`{}` has format {format}, and this version knows {known} only", path.display())]
    Format {
        /// Which file.
        path: PathBuf,
        /// What it says.
        format: u64,
        /// What is known.
        known: u64,
    },
    /// It cannot be read.
    #[error("`{}` cannot be opened: {source}", path.display())]
    Database {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<redb::Error>,
    },
}

/// What goes wrong inside.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Database(#[from] redb::Error),
    #[error("a record cannot be read: {0}")]
    Record(String),
    #[error("the store is closed")]
    Closed,
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for Trouble {
            fn from(error: redb::$error) -> Self {
                Self::Database(error.into())
            }
        })*
    };
}

from_redb!(StorageError, TableError, TransactionError, CommitError);

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        Self::Unavailable(Box::new(trouble))
    }
}
