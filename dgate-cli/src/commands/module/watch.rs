//! Which files tests depend on, and what happens to these.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dgate_modules::local::{FileRole, Project, ProjectFiles};

/// How often files are looked at. They are few, and looking works on every file system, also on those that tell nobody of
/// changes.
const LOOK: Duration = Duration::from_millis(200);

/// When a file was changed last, and how long it is.
type Stamp = (Option<SystemTime>, u64);

/// Looks at the files that tests depend on: YAML files and tests of a folder, and the sources of modules that tests import.
#[derive(Debug)]
pub(super) struct Watch {
    folder: PathBuf,
    /// The only file of tests that is meant, if it is only one.
    only: Option<PathBuf>,
    /// Sources that are not among the folder's files, as far as they are known.
    elsewhere: BTreeSet<PathBuf>,
    seen: BTreeMap<PathBuf, Stamp>,
}

/// The sources of the modules that tests import, directly or through others; nothing when that could not be told.
pub(super) type Imported = Option<BTreeSet<PathBuf>>;

/// What happened to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    New(PathBuf),
    Changed(PathBuf),
    Gone(PathBuf),
}

impl Watch {
    /// Of a folder's tests, or of one file with tests.
    pub(super) fn new(path: &Path) -> Self {
        let only = path.is_file().then(|| path.to_owned());
        let folder = Project::directory_of(path);
        Self { folder, only, elsewhere: BTreeSet::new(), seen: BTreeMap::new() }
    }

    /// Remembers how all files are before tests read them, so that what changes while they run is noticed.
    pub(super) fn remember(&mut self) {
        self.seen = self.look(None);
    }

    /// Waits until something has happened to what the tests depend on, and then until nothing happens any more: editors
    /// write in several steps, and often several files.
    pub(super) async fn changes(&mut self, imported: &Imported) -> Vec<Change> {
        self.expect(imported);
        loop {
            tokio::time::sleep(LOOK).await;
            let mut now = self.look(imported.as_ref());
            if now == self.seen {
                continue;
            }
            loop {
                tokio::time::sleep(LOOK).await;
                let later = self.look(imported.as_ref());
                if later == now {
                    break;
                }
                now = later;
            }
            let changes = differences(&self.seen, &now);
            if !changes.is_empty() {
                return changes;
            }
        }
    }

    /// Learns of sources that are not among the folder's files, and says whether one is new: whoever has read it read it
    /// before it was looked at.
    pub(super) fn learn<'p>(&mut self, sources: impl Iterator<Item = &'p Path>) -> bool {
        let unknown: Vec<&Path> = sources.filter(|source| !self.seen.contains_key(*source)).collect();
        for source in &unknown {
            self.elsewhere.insert((*source).to_owned());
            self.seen.extend(stamp(source).map(|stamp| ((*source).to_owned(), stamp)));
        }
        !unknown.is_empty()
    }

    /// Forgets what the tests do not depend on.
    fn expect(&mut self, imported: &Imported) {
        let Some(imported) = imported else { return };
        let is_module =
            |file: &PathBuf| self.elsewhere.contains(file) || FileRole::of(file) == Some(FileRole::Module);
        self.seen.retain(|file, _| imported.contains(file) || !is_module(file));
    }

    /// The files that count, as they are now. Whatever cannot be read is not there.
    fn look(&self, imported: Option<&BTreeSet<PathBuf>>) -> BTreeMap<PathBuf, Stamp> {
        let ProjectFiles { resources, modules, mut tests, .. } =
            ProjectFiles::of(&self.folder).unwrap_or_default();
        if let Some(only) = &self.only {
            tests.retain(|file| file.file_name() == only.file_name());
        }
        let modules: Vec<PathBuf> = match imported {
            Some(imported) => imported.iter().cloned().collect(),
            None => modules.into_iter().chain(self.elsewhere.iter().cloned()).collect(),
        };
        let files = resources.into_iter().chain(tests).chain(modules);
        files.filter_map(|file| Some((stamp(&file)?, file))).map(|(stamp, file)| (file, stamp)).collect()
    }
}

fn stamp(file: &Path) -> Option<Stamp> {
    let about = file.metadata().ok()?;
    Some((about.modified().ok(), about.len()))
}

fn differences(before: &BTreeMap<PathBuf, Stamp>, now: &BTreeMap<PathBuf, Stamp>) -> Vec<Change> {
    let of_now = now.iter().filter_map(|(file, stamp)| match before.get(file) {
        None => Some(Change::New(file.clone())),
        Some(known) if known != stamp => Some(Change::Changed(file.clone())),
        Some(_) => None,
    });
    let gone = before.keys().filter(|file| !now.contains_key(*file)).cloned().map(Change::Gone);
    of_now.chain(gone).collect()
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, what) = match self {
            Self::New(file) => (file, "is new"),
            Self::Changed(file) => (file, "changed"),
            Self::Gone(file) => (file, "is gone"),
        };
        write!(f, "{} {what}", file.strip_prefix(".").unwrap_or(file).display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A watch of a folder with these files, and what tests import.
    fn watching(files: &[&str], imported: &[&str]) -> (tempfile::TempDir, Watch, Imported) {
        let folder = tempfile::tempdir().unwrap();
        files.iter().for_each(|file| std::fs::write(folder.path().join(file), "1").unwrap());
        let mut watch = Watch::new(folder.path());
        watch.remember();
        let imported = Some(imported.iter().map(|file| folder.path().join(file)).collect());
        watch.expect(&imported);
        (folder, watch, imported)
    }

    fn said(watch: &Watch, imported: &Imported) -> Vec<String> {
        let changes = differences(&watch.seen, &watch.look(imported.as_ref()));
        let shown = changes.iter().map(ToString::to_string);
        shown.map(|text| text.rsplit('/').next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn only_what_tests_depend_on_counts() {
        let all = ["a.ts", "b.ts", "a.test.ts", "a.yaml", "notes.md", "dgate.d.ts"];
        let (folder, watch, imported) = watching(&all, &["a.ts"]);
        let write = |name: &str| std::fs::write(folder.path().join(name), "longer").unwrap();
        ["b.ts", "notes.md", "dgate.d.ts", "new.ts", "new.json"].iter().for_each(|name| write(name));
        assert!(said(&watch, &imported).is_empty());
        write("a.ts");
        assert_eq!(said(&watch, &imported), ["a.ts changed"]);
        ["new.yaml", "new.test.ts", "a.test.ts"].iter().for_each(|name| write(name));
        std::fs::remove_file(folder.path().join("a.yaml")).unwrap();
        let expected =
            ["a.test.ts changed", "a.ts changed", "new.test.ts is new", "new.yaml is new", "a.yaml is gone"];
        assert_eq!(said(&watch, &imported), expected);
    }

    #[test]
    fn all_modules_count_as_long_as_imports_are_not_known() {
        let (folder, mut watch, _) = watching(&["a.ts", "a.test.ts"], &[]);
        watch.remember();
        watch.expect(&None);
        std::fs::write(folder.path().join("b.ts"), "").unwrap();
        assert_eq!(said(&watch, &None), ["b.ts is new"]);
    }

    #[test]
    fn sources_may_be_elsewhere() {
        let elsewhere = tempfile::tempdir().unwrap();
        let source = elsewhere.path().join("far.ts");
        std::fs::write(&source, "1").unwrap();
        let (_folder, mut watch, _) = watching(&["a.test.ts"], &[]);
        let imported = Some([source.clone()].into());
        assert!(watch.learn([&*source].into_iter()));
        watch.expect(&imported);
        assert!(said(&watch, &imported).is_empty());
        watch.remember();
        assert!(!watch.learn([&*source].into_iter()), "it is known from now on");
        std::fs::write(&source, "longer").unwrap();
        assert_eq!(said(&watch, &imported), ["far.ts changed"]);
    }

    #[test]
    fn one_file_of_tests_is_watched_without_the_others() {
        let (folder, _, _) = watching(&["a.test.ts", "b.test.ts"], &[]);
        let mut watch = Watch::new(&folder.path().join("a.test.ts"));
        watch.remember();
        std::fs::write(folder.path().join("b.test.ts"), "longer").unwrap();
        assert!(said(&watch, &None).is_empty());
        std::fs::remove_file(folder.path().join("a.test.ts")).unwrap();
        assert_eq!(said(&watch, &None), ["a.test.ts is gone"]);
    }
}
