//! One server for each directory.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::error::OpenError;

/// Held by the server that uses a directory; a server that takes over from another one gets it when that one ends.
pub(super) struct DirectoryLock {
    /// Nobody reads it: it is locked as long as it is open.
    _file: Option<File>,
}

impl DirectoryLock {
    /// Locks a directory.
    pub(super) fn take(directory: &Path, succeeds_another: bool) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Directory { path: directory.to_owned(), source };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(directory.join("lock"))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: Some(file) }),
            Err(TryLockError::WouldBlock) if succeeds_another => {
                // Waits for as long as the other one drains; the thread goes with the process.
                let wait = move || {
                    if let Err(error) = file.lock() {
                        tracing::warn!(%error, "the directory of the store could not be locked");
                    }
                    // As long as the process lives.
                    std::mem::forget(file);
                };
                std::thread::Builder::new().name("store-lock".to_owned()).spawn(wait).map_err(failed)?;
                Ok(Self { _file: None })
            }
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(directory.to_owned())),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
