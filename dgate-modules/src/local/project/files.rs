//! Which files of a folder belong to a project, by their names.

use std::io;
use std::path::{Path, PathBuf};

/// Which files of a folder belong to a project, by their names, each list in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectFiles {
    /// YAML: what belongs to modules.
    pub resources: Vec<PathBuf>,
    /// Modules, as long as no YAML file says otherwise.
    pub modules: Vec<PathBuf>,
    /// Tests.
    pub tests: Vec<PathBuf>,
}

/// What a file is to a project, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRole {
    /// It says what belongs to modules.
    Resources,
    /// A module's source.
    Module,
    /// Tests of modules.
    Tests,
}

impl ProjectFiles {
    /// Looks into a folder, and not below it.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let entries = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
        let mut all = entries.collect::<io::Result<Vec<PathBuf>>>()?;
        all.sort();
        let mut found = Self::default();
        for file in all {
            let list = match FileRole::of(&file) {
                Some(FileRole::Resources) => &mut found.resources,
                Some(FileRole::Module) => &mut found.modules,
                Some(FileRole::Tests) => &mut found.tests,
                None => continue,
            };
            if file.is_file() {
                list.push(file);
            }
        }
        Ok(found)
    }
}

impl FileRole {
    /// The role of a file with this name, if it has one. Declarations of types (`.d.ts`) have none.
    pub fn of(file: &Path) -> Option<Self> {
        let name = file.file_name()?.to_str()?;
        let (stem, extension) = name.rsplit_once('.')?;
        let before = stem.rsplit_once('.').map(|(_, before)| before);
        match (before, extension) {
            (_, "yaml" | "yml") => Some(Self::Resources),
            (Some("d"), "ts" | "mts") => None,
            (Some("test"), "ts" | "mts" | "js" | "mjs") => Some(Self::Tests),
            (_, "ts" | "mts" | "js" | "mjs") => Some(Self::Module),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_files_are() {
        let of = |name: &str| FileRole::of(Path::new(name));
        for name in ["a.ts", "b/a.js", "a.mts", "a.mjs", "a.b.ts", "test.ts", "d.ts"] {
            assert_eq!(of(name), Some(FileRole::Module), "{name}");
        }
        for name in ["a.test.ts", "a.test.mjs"] {
            assert_eq!(of(name), Some(FileRole::Tests), "{name}");
        }
        assert_eq!((of("a.yaml"), of("a.yml")), (Some(FileRole::Resources), Some(FileRole::Resources)));
        for name in ["a.d.ts", "a.d.mts", "tsconfig.json", "README.md", "ts", "a.ts~", ".a.ts.swp"] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
