//! The one thread that writes.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use dgate_core::resource::{AnyResource, Document};
use dgate_core::store::{Changed, StoreError, Transaction, Write};
use dgate_core::stored::{Revision, Stored, StoredAny};
use dgate_core::{Key, Kind};
use jiff::{SignedDuration, Timestamp};
use redb::{Durability, ReadableTable, Table, WriteTransaction};
use tokio::sync::oneshot;

use super::error::Trouble;
use super::file::{Shared, Trimming};
use super::tables::{
    CHANGELOG, CHANGELOG_BYTES, DOCUMENTS, ENDS, NUMBERS, RESOURCES, REVISION, in_collection, in_namespace,
    place,
};

/// How many commits are made in one round at most.
const ROUND: usize = 256;
/// How often documents that are over and entries that are too old are removed while nobody writes.
const SWEEP: Duration = Duration::from_secs(60);
/// How many of them are removed in one round at most: the round must not take long.
const MOST_REMOVED: usize = 1_000;

/// Transactions to be committed together or not at all, and who waits for it.
pub(super) struct Commit {
    pub(super) expected: Revision,
    pub(super) transactions: Vec<Transaction>,
    pub(super) answer: oneshot::Sender<Result<Revision, StoreError>>,
}

/// Writes until nobody is left who could ask for it.
pub(super) fn run(shared: &Shared, commits: &Receiver<Commit>) {
    loop {
        let mut round = match commits.recv_timeout(SWEEP) {
            Ok(commit) => vec![commit],
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        // What came while the last round was on its way to the disk goes together.
        round.extend(commits.try_iter().take(ROUND));
        write_round(shared, round);
    }
}

fn write_round(shared: &Shared, round: Vec<Commit>) {
    let mut answers = Vec::with_capacity(round.len());
    let mut requests = Vec::with_capacity(round.len());
    for Commit { expected, transactions, answer } in round {
        answers.push(answer);
        requests.push((expected, transactions));
    }
    match try_round(shared, &requests) {
        Ok(results) => {
            for (answer, result) in answers.into_iter().zip(results) {
                // Whoever asked may have gone; the change is made all the same.
                drop(answer.send(result));
            }
        }
        Err(trouble) => {
            tracing::error!(error = %trouble, "the store cannot be written");
            shared.reopen();
            let text = trouble.to_string();
            for answer in answers {
                drop(answer.send(Err(StoreError::Unavailable(text.clone().into()))));
            }
        }
    }
}

type Results = Vec<Result<Revision, StoreError>>;

fn try_round(shared: &Shared, requests: &[(Revision, Vec<Transaction>)]) -> Result<Results, Trouble> {
    let database = shared.database()?;
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
    let mut results = Vec::with_capacity(requests.len());
    let revision;
    {
        let mut round = Round::open(shared, &transaction)?;
        for (expected, transactions) in requests {
            if *expected == round.revision {
                for transaction in transactions {
                    round.apply(transaction)?;
                }
                results.push(Ok(round.revision));
            } else {
                results.push(Err(StoreError::Conflict { expected: *expected, actual: round.revision }));
            }
        }
        round.finish()?;
        revision = round.revision;
    }
    transaction.commit()?;
    shared.revisions.set(revision);
    Ok(results)
}

/// The tables while they are written.
struct Round<'t> {
    shared: &'t Shared,
    now: Timestamp,
    revision: Revision,
    changelog_bytes: u64,
    resources: Table<'t, &'static str, &'static [u8]>,
    documents: Table<'t, &'static str, &'static [u8]>,
    ends: Table<'t, (i64, &'static str), ()>,
    changelog: Table<'t, u64, (i64, &'static [u8])>,
    numbers: Table<'t, &'static str, u64>,
}

impl<'t> Round<'t> {
    fn open(shared: &'t Shared, transaction: &'t WriteTransaction) -> Result<Self, Trouble> {
        let numbers = transaction.open_table(NUMBERS)?;
        let number =
            |name| -> Result<u64, Trouble> { Ok(numbers.get(name)?.map_or(0, |found| found.value())) };
        let (revision, changelog_bytes) = (number(REVISION)?, number(CHANGELOG_BYTES)?);
        Ok(Self {
            shared,
            now: Timestamp::now(),
            revision,
            changelog_bytes,
            resources: transaction.open_table(RESOURCES)?,
            documents: transaction.open_table(DOCUMENTS)?,
            ends: transaction.open_table(ENDS)?,
            changelog: transaction.open_table(CHANGELOG)?,
            numbers,
        })
    }

    fn apply(&mut self, transaction: &Transaction) -> Result<(), Trouble> {
        self.revision += 1;
        let mut changes = Vec::with_capacity(transaction.writes.len());
        for write in &transaction.writes {
            match write {
                Write::Put(stored) => changes.push(self.put(stored)?),
                Write::Delete(key) => self.delete(key, &mut changes)?,
            }
        }
        let entry = self.shared.codec.write_entry(self.revision, &transaction.author, &changes)?;
        self.changelog_bytes += entry.len() as u64;
        self.changelog.insert(self.revision, (self.now.as_millisecond(), entry.as_slice()))?;
        Ok(())
    }

    fn put(&mut self, stored: &StoredAny) -> Result<Changed, Trouble> {
        let key = stored.key();
        let place = place(&key);
        let record = self.shared.codec.write(&place, stored)?;
        let table = if key.kind == Kind::Document { &mut self.documents } else { &mut self.resources };
        let before = table.insert(place.as_str(), record.as_slice())?.map(|old| old.value().to_vec());
        let before = before.map(|old| self.shared.codec.read(&place, &old)).transpose()?;
        if let Some(AnyResource::Document(old)) = before.as_ref().map(|before| &before.spec)
            && let Some(meta) = before.as_ref().map(|before| before.meta.clone())
        {
            self.forget_end(&place, &Stored { spec: old.clone(), meta })?;
        }
        if let AnyResource::Document(document) = &stored.spec
            && let Some(end) = end_of(&Stored { spec: document.clone(), meta: stored.meta.clone() })
        {
            self.ends.insert((end.as_millisecond(), place.as_str()), ())?;
        }
        Ok(Changed { key, before, after: Some(stored.clone()) })
    }

    fn delete(&mut self, key: &Key, changes: &mut Vec<Changed>) -> Result<(), Trouble> {
        match key.kind {
            Kind::Document => self.remove_documents(&place(key), true, changes),
            Kind::Namespace => {
                let prefix = in_namespace(&key.name);
                self.remove_documents(&prefix, false, changes)?;
                self.remove_resources(&prefix, false, changes)
            }
            Kind::Collection => {
                self.remove_documents(&in_collection(&key.namespace, &key.name), false, changes)?;
                self.remove_resources(&place(key), true, changes)
            }
            _ => self.remove_resources(&place(key), true, changes),
        }
    }

    fn remove_resources(&mut self, at: &str, exact: bool, changes: &mut Vec<Changed>) -> Result<(), Trouble> {
        for (place, record) in take(&mut self.resources, at, exact)? {
            let before = self.shared.codec.read(&place, &record)?;
            changes.push(Changed { key: before.key(), before: Some(before), after: None });
        }
        Ok(())
    }

    fn remove_documents(&mut self, at: &str, exact: bool, changes: &mut Vec<Changed>) -> Result<(), Trouble> {
        for (place, record) in take(&mut self.documents, at, exact)? {
            let before = self.shared.codec.read_document(&place, &record)?;
            self.forget_end(&place, &before)?;
            let before = before.erase();
            changes.push(Changed { key: before.key(), before: Some(before), after: None });
        }
        Ok(())
    }

    fn forget_end(&mut self, place: &str, document: &Stored<Document>) -> Result<(), Trouble> {
        if let Some(end) = end_of(document) {
            self.ends.remove((end.as_millisecond(), place))?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Trouble> {
        self.remove_what_is_over()?;
        self.trim_changelog()?;
        self.numbers.insert(REVISION, self.revision)?;
        self.numbers.insert(CHANGELOG_BYTES, self.changelog_bytes)?;
        Ok(())
    }

    fn remove_what_is_over(&mut self) -> Result<(), Trouble> {
        for _ in 0..MOST_REMOVED {
            let first = self.ends.first()?.map(|(key, _)| {
                let (end, place) = key.value();
                (end, place.to_owned())
            });
            match first.filter(|(end, _)| *end <= self.now.as_millisecond()) {
                Some((end, place)) => {
                    self.ends.remove((end, place.as_str()))?;
                    self.documents.remove(place.as_str())?;
                }
                None => break,
            }
        }
        Ok(())
    }

    fn trim_changelog(&mut self) -> Result<(), Trouble> {
        let Trimming { max_age, max_bytes } = self.shared.trimming;
        let oldest = SignedDuration::try_from(max_age).ok().and_then(|age| self.now.checked_sub(age).ok());
        let oldest = oldest.map_or(i64::MIN, |oldest| oldest.as_millisecond());
        for _ in 0..MOST_REMOVED {
            let first = self.changelog.first()?.map(|(revision, entry)| {
                let (at, bytes) = entry.value();
                (revision.value(), at, bytes.len() as u64)
            });
            let is_too_much = |at: i64| self.changelog_bytes > max_bytes || at < oldest;
            // The last one stays, however large: it says how things came to be as they are.
            match first.filter(|(revision, at, _)| *revision < self.revision && is_too_much(*at)) {
                Some((revision, _, bytes)) => {
                    self.changelog.remove(revision)?;
                    self.changelog_bytes = self.changelog_bytes.saturating_sub(bytes);
                }
                None => break,
            }
        }
        Ok(())
    }
}

/// Removes and returns the records at a place, or at all places that begin so.
fn take(
    table: &mut Table<'_, &'static str, &'static [u8]>,
    at: &str,
    exact: bool,
) -> Result<Vec<(String, Vec<u8>)>, Trouble> {
    let mut taken = Vec::new();
    if exact {
        taken.extend(table.remove(at)?.map(|record| (at.to_owned(), record.value().to_vec())));
        return Ok(taken);
    }
    for item in table.range(at..)? {
        let (place, record) = item?;
        if !place.value().starts_with(at) {
            break;
        }
        taken.push((place.value().to_owned(), record.value().to_vec()));
    }
    for (place, _) in &taken {
        table.remove(place.as_str())?;
    }
    Ok(taken)
}

/// When a document's time to live is over, if it has one.
pub(super) fn end_of(document: &Stored<Document>) -> Option<Timestamp> {
    let ttl = SignedDuration::try_from(document.spec.ttl?.get()).ok()?;
    document.meta.updated_at.checked_add(ttl).ok()
}

/// What the writer needs of the rest; see [`super::file`].
pub(super) fn spawn(
    shared: Arc<Shared>,
    commits: Receiver<Commit>,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || run(&shared, &commits))
}
