//! Opens the store that the configuration asks for.

use std::path::Path;
use std::sync::Arc;

use dgate_admin::Fingerprints;
use dgate_admin::store::{EncryptionKey, FileStore, FileStoreOptions, OpenError};
use dgate_core::store::{MemoryStore, Store};

use crate::config::{Storage, StorageType};

/// A store, and what is shown in place of the secrets in it.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) fingerprints: Fingerprints,
}

/// Opens a store; with `succeeds_another`, one that another process uses until it ends.
pub(crate) fn open(storage: &Storage, succeeds_another: bool) -> Result<Opened, OpenError> {
    if storage.kind == StorageType::Memory {
        return Ok(Opened { store: Arc::new(MemoryStore::new()), fingerprints: Fingerprints::random() });
    }
    let mut options = FileStoreOptions::new(&storage.dir);
    options.key = match (&storage.encryption_key, &storage.encryption_key_file) {
        (Some(text), _) => Some(EncryptionKey::parse(text)?),
        (None, Some(path)) => Some(EncryptionKey::of_file(Path::new(path))?),
        (None, None) => None,
    };
    options.changelog_max_age = storage.changelog.max_age.get();
    options.changelog_max_bytes = storage.changelog.max_size.bytes();
    options.succeeds_another = succeeds_another;
    let store = FileStore::open(options)?;
    let fingerprints = store.fingerprints();
    Ok(Opened { store: Arc::new(store), fingerprints })
}
