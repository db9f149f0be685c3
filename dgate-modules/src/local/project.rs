//! What stands in a directory: modules, and the resources around them.

mod files;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dgate_core::resource::{AnyResource, Module, ModuleType};
use dgate_core::{Kind, Problems};
use serde_json::Value;

pub use files::{FileRole, ProjectFiles};

/// Modules of a directory, and the resources around them.
///
/// Every `.ts` and `.js` file beside the one that is named is a module, called like the file without its extension (so are `.mts` and
/// `.mjs`); `*.test.ts`, `*.test.js` and `*.d.ts` are not. YAML files in the form of `init_resources` say more: permissions, limits and `env`
/// of modules (with `payload_file`), routes, services, collections, documents, secrets.
#[derive(Debug, Clone)]
pub struct Project {
    directory: PathBuf,
    resources: Vec<AnyResource>,
    /// Where the sources of modules were read, by the modules' names.
    sources: BTreeMap<String, PathBuf>,
    tests: Vec<PathBuf>,
}

/// Why a project cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// A file or directory cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file or directory cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that was to be made is there already. Nothing was written.
    #[error("{} is there already; nothing was written", .0.display())]
    Exists(PathBuf),
    /// A file is not YAML.
    #[error("{}: {message}", path.display())]
    NotYaml {
        /// Which one.
        path: PathBuf,
        /// Where and why.
        message: String,
    },
    /// What a file says is not valid.
    #[error("{}: {problems}", path.display())]
    Invalid {
        /// Which one.
        path: PathBuf,
        /// Everything that is wrong.
        problems: Problems,
    },
    /// Two files are the source of the same module.
    #[error("{}: there is a module `{name}` already, elsewhere in this folder", path.display())]
    Twice {
        /// The second one.
        path: PathBuf,
        /// The module.
        name: String,
    },
    /// There is no such module.
    #[error("{}: there is no module here", .0.display())]
    NoModule(PathBuf),
}

impl Project {
    /// Reads the project of a directory, or of a module's file.
    ///
    /// # Errors
    /// When something cannot be read, or a YAML file says what is not valid. Modules are not looked into.
    pub fn read(path: &Path) -> Result<Self, ProjectError> {
        let (is_file, directory) = (path.is_file(), Self::directory_of(path));
        let unreadable = |source| ProjectError::Unreadable { path: directory.clone(), source };
        let ProjectFiles { resources, modules, tests } = ProjectFiles::of(&directory).map_err(unreadable)?;
        let mut project = Self { directory, resources: Vec::new(), sources: BTreeMap::new(), tests };
        for file in &resources {
            project.add_yaml(file)?;
        }
        for file in &modules {
            project.add_file(file)?;
        }
        let is_test = FileRole::of(path) == Some(FileRole::Tests);
        if is_file && !is_test && project.name_of(path).is_none() {
            return Err(ProjectError::NoModule(path.to_owned()));
        }
        Ok(project)
    }

    /// The directory whose project a path stands for: itself, or the one that a file is in.
    pub fn directory_of(path: &Path) -> PathBuf {
        match path.parent() {
            Some(parent) if path.is_file() && !parent.as_os_str().is_empty() => parent.to_owned(),
            _ if path.is_file() => PathBuf::from("."),
            _ => path.to_owned(),
        }
    }

    /// A project without anything.
    #[cfg(test)]
    pub(super) fn empty() -> Self {
        let (resources, sources, tests) = <_>::default();
        Self { directory: PathBuf::new(), resources, sources, tests }
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its files with tests.
    pub fn tests(&self) -> &[PathBuf] {
        &self.tests
    }

    /// All its resources, modules included, with their sources in them.
    pub fn resources(&self) -> &[AnyResource] {
        &self.resources
    }

    /// Its modules.
    pub fn modules(&self) -> impl Iterator<Item = &Module> {
        self.resources.iter().filter_map(|resource| match resource {
            AnyResource::Module(module) => Some(&**module),
            _ => None,
        })
    }

    /// Whether there are routes in it.
    pub fn has_routes(&self) -> bool {
        self.resources.iter().any(|resource| resource.kind() == Kind::Route)
    }

    /// The same with one file of tests.
    #[must_use]
    pub fn only_tests(mut self, file: &Path) -> Self {
        self.tests.retain(|known| known.file_name() == file.file_name());
        self
    }

    /// The module whose source is in a file; where there are several, the one that is called like it.
    pub fn name_of(&self, file: &Path) -> Option<&str> {
        let (stem, file) = (file.file_stem()?, file.canonicalize().ok()?);
        let of_file = self.sources.iter().filter(|(_, source)| is_same(source, &file));
        of_file.map(|(name, _)| name.as_str()).min_by_key(|name| stem != *name)
    }

    /// The file that the source of a module was read from; nothing when it stands in a YAML file.
    pub fn file_of(&self, module: &str) -> Option<&Path> {
        self.sources.get(module).map(PathBuf::as_path)
    }

    /// All files that sources of modules were read from.
    pub fn sources(&self) -> impl Iterator<Item = &Path> {
        self.sources.values().map(PathBuf::as_path)
    }

    /// Grants all modules more.
    pub fn allow(&mut self, permissions: &[String]) {
        for resource in &mut self.resources {
            let AnyResource::Module(module) = resource else { continue };
            let module = Arc::make_mut(module);
            for permission in permissions {
                if !module.permissions.contains(permission) {
                    module.permissions.push(permission.clone());
                }
            }
        }
    }

    /// The same without routes, so that modules may be wrong each for itself.
    pub(super) fn without_routes(&self) -> Self {
        let needs_modules =
            |resource: &AnyResource| matches!(resource.kind(), Kind::Route | Kind::Job | Kind::Listener);
        let mut copy = self.clone();
        copy.resources.retain(|resource| !needs_modules(resource));
        copy
    }

    pub(super) fn add(&mut self, resource: impl Into<AnyResource>) {
        self.resources.push(resource.into());
    }

    fn add_file(&mut self, file: &Path) -> Result<(), ProjectError> {
        if self.name_of(file).is_some() {
            return Ok(());
        }
        let Some(stem) = file.file_stem().and_then(|stem| stem.to_str()) else { return Ok(()) };
        if self.modules().any(|known| known.name == stem) {
            return Err(ProjectError::Twice { path: file.to_owned(), name: stem.to_owned() });
        }
        let module = module(stem, read(file)?, file);
        self.sources.insert(stem.to_owned(), file.to_owned());
        self.resources.push(module.into());
        Ok(())
    }

    fn add_yaml(&mut self, file: &Path) -> Result<(), ProjectError> {
        let text = read(file)?;
        let options = serde_saphyr::options! { strict_booleans: true };
        let value: Value = serde_saphyr::from_str_with_options(&text, options)
            .map_err(|error| ProjectError::NotYaml { path: file.to_owned(), message: error.to_string() })?;
        let Value::Object(lists) = value else { return Ok(()) };
        for (key, list) in lists {
            let kind = Kind::ALL.into_iter().find(|kind| kind.plural() == key);
            let (Some(kind), Value::Array(items)) = (kind, list) else { continue };
            for item in items {
                let resource = decode(kind, item)
                    .map_err(|problems| ProjectError::Invalid { path: file.to_owned(), problems })?;
                let resource = self.with_source(resource)?;
                self.resources.push(resource);
            }
        }
        Ok(())
    }

    /// Reads the file that a module names.
    fn with_source(&mut self, mut resource: AnyResource) -> Result<AnyResource, ProjectError> {
        if let AnyResource::Module(module) = &mut resource
            && let Some(file) = module.payload_file.clone()
        {
            let module = Arc::make_mut(module);
            module.payload_file = None;
            let file = self.directory.join(file);
            module.payload_raw = Some(read(&file)?);
            self.sources.insert(module.name.clone(), file);
        }
        Ok(resource)
    }
}

fn decode(kind: Kind, item: Value) -> Result<AnyResource, Problems> {
    dgate_core::with_kind!(kind, R => dgate_core::decode::<R>(item).map(AnyResource::from))
}

/// A module of a file.
pub(super) fn module(name: &str, source: String, file: &Path) -> Module {
    let mut module = Module::new(name, source);
    if file.extension().is_some_and(|extension| extension == "js" || extension == "mjs") {
        module.module_type = ModuleType::Javascript;
    }
    module
}

/// Whether a path leads to a file, whose path is canonical.
fn is_same(path: &Path, file: &Path) -> bool {
    path.canonicalize().is_ok_and(|path| path == file)
}

fn read(path: &Path) -> Result<String, ProjectError> {
    std::fs::read_to_string(path).map_err(|source| ProjectError::Unreadable { path: path.to_owned(), source })
}
