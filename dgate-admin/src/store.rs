//! The store that keeps resources, documents and the changelog in a file.
//!
//! One thread writes (`writer`): what waits when it is ready for the next round is committed together, with one sync of
//! the disk. Readers see the last committed state and never wait for it. Whatever was acknowledged is there after a crash.

mod codec;
mod error;
mod file;
mod key;
mod lock;
mod seal;
mod tables;
mod writer;

pub use error::OpenError;
pub use file::{FileStore, FileStoreOptions};
pub use key::{EncryptionKey, KeyError};
