//! How resources, documents and changes are written: as JSON, encrypted when there are secrets in it.

use std::cell::Cell;

use dgate_core::resource::{AnyResource, Document};
use dgate_core::store::{Author, Changed, Entry};
use dgate_core::stored::{Meta, Revision, Stored, StoredAny};
use dgate_core::{Key, Kind, with_kind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::Trouble;
use super::key::EncryptionKey;
use super::seal::Sealer;

/// What the first byte of a record says.
const PLAIN: u8 = 0;
const SEALED: u8 = 1;

/// Writes and reads records.
pub(super) struct Codec {
    sealer: Sealer,
}

#[derive(Serialize, Deserialize)]
struct Record<S> {
    kind: Kind,
    spec: S,
    meta: Meta,
}

#[derive(Serialize, Deserialize)]
struct WrittenEntry {
    author: Author,
    changes: Vec<WrittenChange>,
}

#[derive(Serialize, Deserialize)]
struct WrittenChange {
    kind: Kind,
    namespace: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Record<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<Record<Value>>,
}

impl Codec {
    pub(super) fn new(key: &EncryptionKey) -> Result<Self, Trouble> {
        Ok(Self { sealer: Sealer::new(key)? })
    }

    pub(super) fn write(&self, place: &str, stored: &StoredAny) -> Result<Vec<u8>, Trouble> {
        let record = Record { kind: stored.spec.kind(), spec: &stored.spec, meta: stored.meta.clone() };
        self.wrap(place, serde_json::to_vec(&record).map_err(wrong)?, has_secrets(&stored.spec))
    }

    pub(super) fn read(&self, place: &str, bytes: &[u8]) -> Result<StoredAny, Trouble> {
        let plain = self.unwrap(place, bytes)?;
        // The kind has to be known before the rest can be read; what comes after it is not looked at twice.
        #[derive(Deserialize)]
        struct OfKind {
            kind: Kind,
        }
        let OfKind { kind } = serde_json::from_slice(&plain).map_err(wrong)?;
        with_kind!(kind, R => {
            let Record { spec, meta, .. } = serde_json::from_slice::<Record<R>>(&plain).map_err(wrong)?;
            Ok(StoredAny { spec: spec.into(), meta })
        })
    }

    pub(super) fn read_document(&self, place: &str, bytes: &[u8]) -> Result<Stored<Document>, Trouble> {
        let plain = self.unwrap(place, bytes)?;
        let Record { spec, meta, .. } = serde_json::from_slice::<Record<Document>>(&plain).map_err(wrong)?;
        Ok(Stored { spec: spec.into(), meta })
    }

    pub(super) fn write_entry(
        &self,
        revision: Revision,
        author: &Author,
        changes: &[Changed],
    ) -> Result<Vec<u8>, Trouble> {
        let record = |stored: &StoredAny| -> Result<Record<Value>, Trouble> {
            let spec = serde_json::to_value(&stored.spec).map_err(wrong)?;
            Ok(Record { kind: stored.spec.kind(), spec, meta: stored.meta.clone() })
        };
        let written = changes.iter().map(|changed| {
            Ok(WrittenChange {
                kind: changed.key.kind,
                namespace: changed.key.namespace.to_string(),
                name: changed.key.name.to_string(),
                before: changed.before.as_ref().map(record).transpose()?,
                after: changed.after.as_ref().map(record).transpose()?,
            })
        });
        let changes_written = written.collect::<Result<_, Trouble>>()?;
        let entry = WrittenEntry { author: author.clone(), changes: changes_written };
        let both = changes.iter().flat_map(|changed| changed.before.iter().chain(&changed.after));
        let is_secret = both.into_iter().any(|stored| has_secrets(&stored.spec));
        self.wrap(&entry_place(revision), serde_json::to_vec(&entry).map_err(wrong)?, is_secret)
    }

    pub(super) fn read_entry(&self, revision: Revision, at: i64, bytes: &[u8]) -> Result<Entry, Trouble> {
        let plain = self.unwrap(&entry_place(revision), bytes)?;
        let written: WrittenEntry = serde_json::from_slice(&plain).map_err(wrong)?;
        let resource = |record: Record<Value>| -> Result<StoredAny, Trouble> {
            let Record { kind, spec, meta } = record;
            let spec: AnyResource =
                with_kind!(kind, R => serde_json::from_value::<R>(spec).map_err(wrong)?.into());
            Ok(StoredAny { spec, meta })
        };
        let changes = written.changes.into_iter().map(|change| {
            Ok(Changed {
                key: Key::new(change.kind, change.namespace, change.name),
                before: change.before.map(resource).transpose()?,
                after: change.after.map(resource).transpose()?,
            })
        });
        let at = Timestamp::from_millisecond(at).map_err(wrong)?;
        Ok(Entry { revision, at, author: written.author, changes: changes.collect::<Result<_, Trouble>>()? })
    }

    fn wrap(&self, place: &str, plain: Vec<u8>, is_secret: bool) -> Result<Vec<u8>, Trouble> {
        let (mark, rest) = if is_secret { (SEALED, self.sealer.seal(place, plain)?) } else { (PLAIN, plain) };
        let mut record = Vec::with_capacity(1 + rest.len());
        record.push(mark);
        record.extend(rest);
        Ok(record)
    }

    fn unwrap(&self, place: &str, bytes: &[u8]) -> Result<Vec<u8>, Trouble> {
        match bytes.split_first() {
            Some((&PLAIN, plain)) => Ok(plain.to_vec()),
            Some((&SEALED, sealed)) => self.sealer.open(place, sealed),
            _ => Err(Trouble::Record(format!("`{place}` has no known form"))),
        }
    }
}

fn entry_place(revision: Revision) -> String {
    format!("changelog/{revision}")
}

/// Whether there is something in a resource that nobody may see.
fn has_secrets(resource: &AnyResource) -> bool {
    if resource.kind() == Kind::Document {
        return false;
    }
    let found = Cell::new(false);
    resource.public(&|_| {
        found.set(true);
        String::new()
    });
    found.get()
}

fn wrong(error: impl std::fmt::Display) -> Trouble {
    Trouble::Record(error.to_string())
}
