//! What only the store in a file does.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dgate_admin::store::{EncryptionKey, FileStore, FileStoreOptions, OpenError};
use dgate_core::store::{Store, StoreError};
use dgate_core::{Key, Kind};
use serde_json::json;

use super::{document, put, service, transaction};

fn open(directory: &Path) -> FileStore {
    FileStore::open(FileStoreOptions::new(directory)).unwrap()
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let writes = [service("s", "default", 1), document("d", json!(1), 1)];
    store.commit(0, vec![transaction(writes)]).await.unwrap();
    let (fingerprint, before) =
        (store.fingerprints().of("x"), store.load().await.unwrap().1.iter().collect::<Vec<_>>());
    drop(store);
    let store = open(directory.path());
    let (revision, resources) = store.load().await.unwrap();
    assert_eq!((revision, resources.iter().collect::<Vec<_>>()), (1, before));
    assert!(store.document(&Key::new(Kind::Document, "default", "c/d")).await.unwrap().is_some());
    assert_eq!(store.history(0, 10).await.unwrap().len(), 1);
    assert_eq!(store.fingerprints().of("x"), fingerprint);
}

#[tokio::test]
async fn secrets_are_nowhere_in_the_files() {
    const SECRET: &str = "hunter2-is-no-good-password";
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let key = format!("-----BEGIN PRIVATE KEY-----\n{SECRET}");
    let writes = [
        put(Kind::Secret, json!({ "name": "token", "data": SECRET }), 1),
        put(
            Kind::Domain,
            json!({ "name": "d", "patterns": ["a.example"], "cert": "-----BEGIN", "key": key }),
            1,
        ),
        service("known-name", "default", 1),
    ];
    store.commit(0, vec![transaction(writes)]).await.unwrap();
    drop(store);
    let holds = |text: &str| {
        std::fs::read_dir(directory.path()).unwrap().any(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        })
    };
    assert!(holds("known-name"), "what is no secret can be found");
    assert!(!holds(SECRET));
}

#[tokio::test]
async fn only_the_right_key_opens_it() {
    let directory = tempfile::tempdir().unwrap();
    let options = |key: &str| FileStoreOptions {
        key: Some(EncryptionKey::parse(&key.repeat(32)).unwrap()),
        ..FileStoreOptions::new(directory.path())
    };
    drop(FileStore::open(options("01")).unwrap());
    let error = FileStore::open(options("02")).unwrap_err();
    assert!(matches!(error, OpenError::WrongKey(_)), "{error}");
    drop(FileStore::open(options("01")).unwrap());
    assert!(!directory.path().join("encryption.key").exists(), "a key was given");
}

#[tokio::test]
async fn a_directory_belongs_to_one_server_and_its_successor() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path());
    first.commit(0, vec![transaction([service("a", "default", 1)])]).await.unwrap();
    let error = FileStore::open(FileStoreOptions::new(directory.path())).unwrap_err();
    assert!(matches!(error, OpenError::InUse(_)), "{error}");
    let options = FileStoreOptions { succeeds_another: true, ..FileStoreOptions::new(directory.path()) };
    let second = FileStore::open(options).unwrap();
    assert_eq!(second.load().await.unwrap().0, 1);
    second.commit(1, vec![transaction([service("b", "default", 2)])]).await.unwrap();
    let stale = first.commit(1, vec![transaction([service("c", "default", 2)])]).await.unwrap_err();
    assert!(matches!(stale, StoreError::Conflict { expected: 1, actual: 2 }), "{stale}");
    assert_eq!(first.load().await.unwrap().0, 2, "what the successor writes can be read");
}

#[tokio::test]
async fn the_changelog_is_trimmed_by_size_and_age() {
    let directory = tempfile::tempdir().unwrap();
    let options = FileStoreOptions { changelog_max_bytes: 20_000, ..FileStoreOptions::new(directory.path()) };
    let store = FileStore::open(options).unwrap();
    for revision in 0..100 {
        let write = document("d", json!("x".repeat(500)), revision + 1);
        store.commit(revision, vec![transaction([write])]).await.unwrap();
    }
    let kept = store.history(0, 1_000).await.unwrap();
    assert!((5..40).contains(&kept.len()), "{}", kept.len());
    assert_eq!(kept.last().unwrap().revision, 100);
    drop(store);
    let options =
        FileStoreOptions { changelog_max_age: Duration::ZERO, ..FileStoreOptions::new(directory.path()) };
    let store = FileStore::open(options).unwrap();
    let mut revision = 100;
    while store.history(0, 1_000).await.unwrap().len() > 1 {
        revision =
            store.commit(revision, vec![transaction([service("s", "default", revision)])]).await.unwrap();
    }
    assert_eq!(store.history(0, 1_000).await.unwrap()[0].revision, revision);
}

#[tokio::test]
async fn what_waits_is_committed_together() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(directory.path()));
    let writes = (0..500).map(|index| transaction([document(&format!("d{index}"), json!(index), index + 1)]));
    assert_eq!(store.commit(0, writes.collect()).await.unwrap(), 500);
    assert_eq!(store.history(0, 1_000).await.unwrap().len(), 500);
}

#[tokio::test]
async fn a_file_that_is_none_is_said_so() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("dgate.redb"), "this is a text, and no database at all".repeat(200))
        .unwrap();
    let error = FileStore::open(FileStoreOptions::new(directory.path())).unwrap_err();
    assert!(error.to_string().contains("dgate.redb` cannot be opened"), "{error}");
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = FileStore::open(FileStoreOptions::new(file.join("below"))).unwrap_err();
    assert!(matches!(error, OpenError::Directory { .. }), "{error}");
}
