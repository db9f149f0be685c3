//! The store in a file.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use dgate_core::resource::Document;
use dgate_core::store::{DocumentQuery, Entry, Lease, Leases, Revisions, Store, StoreError, Transaction};
use dgate_core::stored::{ResourceSet, Revision, Stored};
use dgate_core::{BoxFuture, Key};
use jiff::Timestamp;
use redb::{
    Builder, ConcurrencyMode, Database, ReadTransaction, ReadableDatabase, ReadableTable, TableError,
};
use tokio::sync::oneshot;

use super::codec::Codec;
use super::error::{OpenError, Trouble};
use super::key::EncryptionKey;
use super::lock::DirectoryLock;
use super::tables::{
    CHANGELOG, DOCUMENTS, ENDS, FACTS, FORMAT, KEY_CHECK, KNOWN_FORMAT, NUMBERS, RESOURCES, REVISION,
    in_collection, place,
};
use super::writer::{self, Commit, end_of};
use crate::Fingerprints;

/// How much of the file is kept in memory.
const CACHE: usize = 64 << 20;

/// Where and how a [`FileStore`] keeps things.
#[derive(Debug, Clone)]
pub struct FileStoreOptions {
    /// The directory; it is made when it is not there.
    pub directory: PathBuf,
    /// The key that protects secrets. Without one, there is one in the directory, made at the first start.
    pub key: Option<EncryptionKey>,
    /// How long entries of the changelog are kept.
    pub changelog_max_age: Duration,
    /// How many bytes of the changelog are kept.
    pub changelog_max_bytes: u64,
    /// Whether it takes over from a server that still uses the directory.
    pub succeeds_another: bool,
}

impl FileStoreOptions {
    /// The usual ones: a changelog of 90 days or 64 MiB, whichever is less.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            key: None,
            changelog_max_age: Duration::from_secs(90 * 24 * 60 * 60),
            changelog_max_bytes: 64 << 20,
            succeeds_another: false,
        }
    }
}

/// The store that keeps everything in a file, and loses nothing that it has acknowledged.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use dgate_admin::store::{FileStore, FileStoreOptions};
/// use dgate_core::store::Store;
/// # let directory = tempfile::tempdir()?;
/// let store = FileStore::open(FileStoreOptions::new(directory.path()))?;
/// let (revision, resources) = store.load().await?;
/// assert_eq!((revision, resources.len()), (0, 0));
/// # Ok(()) }
/// ```
pub struct FileStore {
    shared: Arc<Shared>,
    fingerprints: Fingerprints,
    /// Gone when the store is dropped; the writer ends then.
    commits: Option<Sender<Commit>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// How much of the changelog is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trimming {
    pub(super) max_age: Duration,
    pub(super) max_bytes: u64,
}

/// What readers and the writer share.
pub(super) struct Shared {
    path: PathBuf,
    database: RwLock<Option<Arc<Database>>>,
    pub(super) codec: Codec,
    pub(super) trimming: Trimming,
    pub(super) revisions: Revisions,
    /// The directory belongs to one server, and so do they.
    leases: Leases,
    _lock: DirectoryLock,
}

impl FileStore {
    /// Opens the store in a directory, and makes it when it is not there.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(options: FileStoreOptions) -> Result<Self, OpenError> {
        let directory = options.directory;
        let failed = |source| OpenError::Directory { path: directory.clone(), source };
        make_directory(&directory).map_err(failed)?;
        let lock = DirectoryLock::take(&directory, options.succeeds_another)?;
        let key = match options.key {
            Some(key) => key,
            None => EncryptionKey::of_file(&directory.join("encryption.key"))?,
        };
        let path = directory.join("dgate.redb");
        let database = open_database(&path).map_err(|source| broken(&path, source))?;
        prepare(&path, &database, &key)?;
        let codec =
            Codec::new(&key).map_err(|trouble| broken(&path, redb::Error::Corrupted(trouble.to_string())))?;
        let trimming =
            Trimming { max_age: options.changelog_max_age, max_bytes: options.changelog_max_bytes };
        let (revisions, leases) = (Revisions::default(), Leases::default());
        revisions.set(revision_of(&database).map_err(|source| broken(&path, source))?);
        let database = RwLock::new(Some(Arc::new(database)));
        let shared = Arc::new(Shared { path, database, codec, trimming, revisions, leases, _lock: lock });
        let (commits, waiting) = mpsc::channel();
        let writer = writer::spawn(shared.clone(), waiting).map_err(failed)?;
        Ok(Self {
            shared,
            fingerprints: Fingerprints::new(&key.derive("fingerprints")),
            commits: Some(commits),
            writer: Mutex::new(Some(writer)),
        })
    }

    /// What is shown in place of secrets. They mean the same after a restart.
    pub fn fingerprints(&self) -> Fingerprints {
        self.fingerprints.clone()
    }

    /// Reads on a thread that may wait for the disk.
    fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Shared, &ReadTransaction) -> Result<T, Trouble> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, StoreError>> {
        let shared = self.shared.clone();
        Box::pin(async move {
            let reading = tokio::task::spawn_blocking(move || {
                let transaction = shared.database()?.begin_read()?;
                read(&shared, &transaction)
            });
            let result = reading.await.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
            result.map_err(StoreError::from)
        })
    }
}

impl Drop for FileStore {
    /// Waits until what was asked for is written.
    fn drop(&mut self) {
        self.commits = None;
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            drop(writer.join());
        }
    }
}

impl std::fmt::Debug for FileStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileStore").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn database(&self) -> Result<Arc<Database>, Trouble> {
        self.database.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Trouble::Closed)
    }

    /// After the disk has failed the database has to be opened anew: what it knows of the file may be wrong.
    pub(super) fn reopen(&self) {
        let mut place = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // Those who read still have it; they are done soon.
        if let Some(mut database) = place.take() {
            while let Err(shared) = Arc::try_unwrap(database) {
                database = shared;
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        match open_database(&self.path) {
            Ok(database) => *place = Some(Arc::new(database)),
            Err(error) => tracing::error!(%error, "the store cannot be opened again"),
        }
    }
}

impl Store for FileStore {
    fn load(&self) -> BoxFuture<'_, Result<(Revision, ResourceSet), StoreError>> {
        self.read(|shared, transaction| {
            let mut resources = ResourceSet::new();
            for item in transaction.open_table(RESOURCES)?.iter()? {
                let (place, record) = item?;
                resources.put(shared.codec.read(place.value(), record.value())?);
            }
            let numbers = transaction.open_table(NUMBERS)?;
            let revision = numbers.get(REVISION)?.map_or(0, |revision| revision.value());
            Ok((revision, resources))
        })
    }

    fn commit(
        &self,
        expected: Revision,
        transactions: Vec<Transaction>,
    ) -> BoxFuture<'_, Result<Revision, StoreError>> {
        let (answer, answered) = oneshot::channel();
        let sent =
            self.commits.as_ref().map(|commits| commits.send(Commit { expected, transactions, answer }));
        Box::pin(async move {
            let closed = || StoreError::from(Trouble::Closed);
            sent.ok_or_else(closed)?.map_err(|_| closed())?;
            answered.await.map_err(|_| closed())?
        })
    }

    fn history(&self, after: Revision, limit: usize) -> BoxFuture<'_, Result<Vec<Arc<Entry>>, StoreError>> {
        self.read(move |shared, transaction| {
            let mut found = Vec::new();
            let Some(first) = after.checked_add(1) else { return Ok(found) };
            for item in transaction.open_table(CHANGELOG)?.range(first..)?.take(limit) {
                let (revision, entry) = item?;
                let (at, bytes) = entry.value();
                found.push(Arc::new(shared.codec.read_entry(revision.value(), at, bytes)?));
            }
            Ok(found)
        })
    }

    fn past(&self, revision: Revision) -> BoxFuture<'static, Result<Revision, StoreError>> {
        self.shared.revisions.past(revision)
    }

    fn lease(&self, wanted: Lease) -> BoxFuture<'_, Result<Lease, StoreError>> {
        Box::pin(std::future::ready(Ok(self.shared.leases.take(wanted))))
    }

    fn release(&self, name: &str, holder: &str) -> BoxFuture<'_, Result<(), StoreError>> {
        self.shared.leases.release(name, holder);
        Box::pin(std::future::ready(Ok(())))
    }

    fn leases(&self, prefix: &str) -> BoxFuture<'_, Result<Vec<Lease>, StoreError>> {
        Box::pin(std::future::ready(Ok(self.shared.leases.list(prefix))))
    }

    fn document(&self, key: &Key) -> BoxFuture<'_, Result<Option<Arc<Stored<Document>>>, StoreError>> {
        let place = place(key);
        self.read(move |shared, transaction| {
            let table = transaction.open_table(DOCUMENTS)?;
            let Some(record) = table.get(place.as_str())? else { return Ok(None) };
            let document = shared.codec.read_document(&place, record.value())?;
            Ok(Some(Arc::new(document)).filter(|document| !is_over(document)))
        })
    }

    fn documents(
        &self,
        query: DocumentQuery,
    ) -> BoxFuture<'_, Result<Vec<Arc<Stored<Document>>>, StoreError>> {
        self.read(move |shared, transaction| {
            let collection = in_collection(&query.namespace, &query.collection);
            let prefix = format!("{collection}{}", query.prefix);
            let after = query.after.map(|id| format!("{collection}{id}"));
            let start = after.as_deref().map_or(prefix.as_str(), |after| after.max(&prefix));
            let mut found = Vec::new();
            for item in transaction.open_table(DOCUMENTS)?.range(start..)? {
                let (place, record) = item?;
                let place = place.value();
                if !place.starts_with(&prefix) || found.len() == query.limit {
                    break;
                }
                if Some(place) == after.as_deref() {
                    continue;
                }
                let document = shared.codec.read_document(place, record.value())?;
                if !is_over(&document) {
                    found.push(Arc::new(document));
                }
            }
            Ok(found)
        })
    }
}

fn is_over(document: &Stored<Document>) -> bool {
    end_of(document).is_some_and(|end| end <= Timestamp::now())
}

fn open_database(path: &Path) -> Result<Database, redb::Error> {
    // A server that takes over opens the file while the other one has it open still.
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE).set_concurrency_mode(ConcurrencyMode::MultiWriter);
    Ok(builder.create(path)?)
}

fn broken(path: &Path, source: redb::Error) -> OpenError {
    OpenError::Database { path: path.to_owned(), source: Box::new(source) }
}

/// Makes the tables, and makes sure that they can be read by this version and with this key.
fn prepare(path: &Path, database: &Database, key: &EncryptionKey) -> Result<(), OpenError> {
    let check = key.derive("check");
    let checked = check_tables(database, &check).map_err(|error| broken(path, error))?;
    match checked {
        Checked::Good => Ok(()),
        Checked::WrongKey => Err(OpenError::WrongKey(path.to_owned())),
        Checked::Format(format) => {
            Err(OpenError::Format { path: path.to_owned(), format, known: KNOWN_FORMAT })
        }
        Checked::Empty => make_tables(database, &check).map_err(|error| broken(path, error)),
    }
}

fn revision_of(database: &Database) -> Result<Revision, redb::Error> {
    let numbers = database.begin_read()?.open_table(NUMBERS)?;
    Ok(numbers.get(REVISION)?.map_or(0, |revision| revision.value()))
}

enum Checked {
    Good,
    Empty,
    WrongKey,
    Format(u64),
}

fn check_tables(database: &Database, check: &[u8]) -> Result<Checked, redb::Error> {
    let transaction = database.begin_read()?;
    let numbers = match transaction.open_table(NUMBERS) {
        Ok(numbers) => numbers,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Checked::Empty),
        Err(error) => return Err(error.into()),
    };
    let format = numbers.get(FORMAT)?.map_or(0, |format| format.value());
    if format != KNOWN_FORMAT {
        return Ok(Checked::Format(format));
    }
    let facts = transaction.open_table(FACTS)?;
    let is_right = facts.get(KEY_CHECK)?.is_some_and(|known| known.value() == check);
    Ok(if is_right { Checked::Good } else { Checked::WrongKey })
}

fn make_tables(database: &Database, check: &[u8]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(RESOURCES)?;
    transaction.open_table(DOCUMENTS)?;
    transaction.open_table(ENDS)?;
    transaction.open_table(CHANGELOG)?;
    transaction.open_table(NUMBERS)?.insert(FORMAT, KNOWN_FORMAT)?;
    transaction.open_table(FACTS)?.insert(KEY_CHECK, check)?;
    Ok(transaction.commit()?)
}

/// Only its owner may look into it.
fn make_directory(directory: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
