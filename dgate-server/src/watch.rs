//! Notices when a file changes.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// How long it has to be quiet before files are looked at: editors and orchestrators change them in several steps.
const QUIET: Duration = Duration::from_millis(250);

/// Watches files. What is watched are the directories that hold them: files are replaced rather than written, and
/// Kubernetes swaps a link beside them.
pub(crate) struct FileWatch {
    watcher: RecommendedWatcher,
    events: mpsc::UnboundedReceiver<()>,
    files: Vec<PathBuf>,
    directories: BTreeSet<PathBuf>,
    seen: u64,
}

impl FileWatch {
    /// Watches these files.
    ///
    /// # Errors
    /// When the system cannot watch, or not that many directories.
    pub(crate) fn new(files: Vec<PathBuf>) -> notify::Result<Self> {
        let (sender, events) = mpsc::unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading is what we do ourselves.
            if !matches!(event, Ok(notify::Event { kind: notify::EventKind::Access(_), .. })) {
                let _ = sender.send(());
            }
        })?;
        let mut watch = Self { watcher, events, files: Vec::new(), directories: BTreeSet::new(), seen: 0 };
        watch.set_files(files)?;
        Ok(watch)
    }

    /// Watches these files instead.
    ///
    /// # Errors
    /// When the system cannot watch that many directories.
    pub(crate) fn set_files(&mut self, files: Vec<PathBuf>) -> notify::Result<()> {
        let directories: BTreeSet<_> = files.iter().map(|file| directory(file)).collect();
        for gone in self.directories.difference(&directories) {
            let _ = self.watcher.unwatch(gone);
        }
        for new in directories.difference(&self.directories) {
            self.watcher.watch(new, RecursiveMode::NonRecursive)?;
        }
        self.directories = directories;
        self.files = files;
        self.seen = digest(&self.files);
        Ok(())
    }

    /// Waits until the content of a file has changed.
    pub(crate) async fn changed(&mut self) {
        loop {
            if self.events.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
            while tokio::time::timeout(QUIET, self.events.recv()).await.is_ok_and(|event| event.is_some()) {}
            let now = digest(&self.files);
            if now != self.seen {
                self.seen = now;
                return;
            }
        }
    }
}

fn directory(file: &Path) -> PathBuf {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// What the files hold, in short. A file that is not there holds something else than an empty one.
fn digest(files: &[PathBuf]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for file in files {
        std::fs::read(file).ok().hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn content_counts() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config.yaml");
        std::fs::write(&file, "a").unwrap();
        let mut watch = FileWatch::new(vec![file.clone()]).unwrap();
        // The same again, and something beside it.
        std::fs::write(&file, "a").unwrap();
        std::fs::write(directory.path().join("other"), "x").unwrap();
        assert!(tokio::time::timeout(3 * QUIET, watch.changed()).await.is_err());
        // Replaced, as editors do it.
        std::fs::write(directory.path().join("new"), "b").unwrap();
        std::fs::rename(directory.path().join("new"), &file).unwrap();
        watch.changed().await;
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_swapped_link_is_a_change() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for (version, text) in [("v1", "a"), ("v2", "b")] {
            std::fs::create_dir(at(version)).unwrap();
            std::fs::write(at(version).join("config.yaml"), text).unwrap();
        }
        std::os::unix::fs::symlink("v1", at("..data")).unwrap();
        std::os::unix::fs::symlink("..data/config.yaml", at("config.yaml")).unwrap();
        let mut watch = FileWatch::new(vec![at("config.yaml")]).unwrap();
        std::os::unix::fs::symlink("v2", at("..data_tmp")).unwrap();
        std::fs::rename(at("..data_tmp"), at("..data")).unwrap();
        watch.changed().await;
    }
}
