//! A process that writes is killed again and again. What it was told is written must be there, and whole.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use dgate_admin::store::{FileStore, FileStoreOptions};
use dgate_core::store::Store;
use dgate_core::{Key, Kind};
use serde_json::json;

use super::{document, service, transaction};

/// Makes this test program a process that writes, when a directory is given.
const DIRECTORY: &str = "DGATE_TEST_CRASH_DIRECTORY";
/// How often the process is killed.
const ROUNDS: usize = 15;

/// Both documents of a revision, which are written together, say which one it is.
fn pair(revision: u64) -> dgate_core::store::Transaction {
    let name = |which: &str| format!("{which}{}", revision % 7);
    let text = "x".repeat(usize::try_from(revision % 50).unwrap() * 100);
    let data = json!({ "revision": revision, "text": text });
    transaction([
        document(&name("left"), data.clone(), revision),
        document(&name("right"), data, revision),
        service(&format!("s{}", revision % 5), "default", revision),
    ])
}

async fn write_for_ever(directory: &Path) {
    let store = FileStore::open(FileStoreOptions::new(directory)).unwrap();
    let mut revision = store.load().await.unwrap().0;
    loop {
        let many = (1..=1 + revision % 4).map(|ahead| pair(revision + ahead)).collect();
        revision = store.commit(revision, many).await.unwrap();
        // Whoever reads this line may rely on it.
        #[allow(clippy::print_stdout)]
        {
            println!("acknowledged {revision}");
        }
    }
}

#[tokio::test]
async fn nothing_that_was_acknowledged_is_lost_and_nothing_is_torn() {
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        return write_for_ever(Path::new(&directory)).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "store::crash::nothing_that_was_acknowledged_is_lost_and_nothing_is_torn",
                "--nocapture",
            ])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut heard = lines.map_while(Result::ok).filter_map(|line| {
            line.rsplit_once("acknowledged ").and_then(|(_, revision)| revision.parse::<u64>().ok())
        });
        // Another moment each time: in the middle of whatever it does then.
        let last = heard.by_ref().nth(3 + round * 2).unwrap();
        std::thread::sleep(std::time::Duration::from_micros(700 * (round as u64 % 5)));
        child.kill().unwrap();
        acknowledged = heard.last().unwrap_or(last).max(acknowledged);
        child.wait().unwrap();
        acknowledged = check(directory.path(), acknowledged).await;
    }
}

async fn check(directory: &Path, acknowledged: u64) -> u64 {
    let store = FileStore::open(FileStoreOptions::new(directory)).unwrap();
    let (revision, resources) = store.load().await.unwrap();
    assert!(revision >= acknowledged, "revision {acknowledged} was acknowledged, and {revision} is there");
    for name in 0..7 {
        let read = async |which: &str| {
            let key = Key::new(Kind::Document, "default", format!("c/{which}{name}"));
            store.document(&key).await.unwrap().map(|found| (found.meta.revision, found.spec.data.clone()))
        };
        let (left, right) = (read("left").await, read("right").await);
        assert_eq!(left, right, "both were written together");
        if let Some((written, data)) = left {
            assert_eq!(data["revision"], written);
            assert!(written <= revision && revision - written < 7, "{written} of {revision}");
        }
    }
    let newest = resources.iter().map(|stored| stored.meta.revision).max().unwrap_or_default();
    assert_eq!(newest, revision, "the last revision is whole");
    let history = store.history(0, usize::MAX).await.unwrap();
    let expected: Vec<u64> = (1..=revision).collect();
    assert_eq!(history.iter().map(|entry| entry.revision).collect::<Vec<_>>(), expected);
    revision
}
