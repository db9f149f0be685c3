//! The tables of the file, and how their keys are written.

use dgate_core::{Key, Kind};
use redb::TableDefinition;

/// Everything but documents: place → record.
pub(super) const RESOURCES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("resources");
/// Documents: place → record.
pub(super) const DOCUMENTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("documents");
/// When documents with a time to live are over: milliseconds since 1970, and the place of the document.
pub(super) const ENDS: TableDefinition<'_, (i64, &str), ()> = TableDefinition::new("ends");
/// The changelog: revision → milliseconds since 1970 and record.
pub(super) const CHANGELOG: TableDefinition<'_, u64, (i64, &[u8])> = TableDefinition::new("changelog");
/// Numbers by name.
pub(super) const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
/// Other facts by name.
pub(super) const FACTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("facts");

/// In [`NUMBERS`]: the format of all tables.
pub(super) const FORMAT: &str = "format";
/// In [`NUMBERS`]: the last revision.
pub(super) const REVISION: &str = "revision";
/// In [`NUMBERS`]: how many bytes the changelog has.
pub(super) const CHANGELOG_BYTES: &str = "changelog_bytes";
/// In [`FACTS`]: tells whether a key is the right one.
pub(super) const KEY_CHECK: &str = "key_check";

/// The format this version writes.
pub(super) const KNOWN_FORMAT: u64 = 1;

/// The place of a resource or document. All that is in a namespace begins with its name.
pub(super) fn place(key: &Key) -> String {
    match key.kind {
        Kind::Namespace => format!("{}\0namespace\0", key.name),
        Kind::Document => format!("{}\0{}", key.namespace, key.name),
        kind => format!("{}\0{kind}\0{}", key.namespace, key.name),
    }
}

/// With what the places of all in a namespace begin.
pub(super) fn in_namespace(namespace: &str) -> String {
    format!("{namespace}\0")
}

/// With what the places of all documents of a collection begin.
pub(super) fn in_collection(namespace: &str, collection: &str) -> String {
    format!("{namespace}\0{collection}/")
}
