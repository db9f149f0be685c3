//! What stands in a directory: modules, and the resources around them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dgate_core::resource::{AnyResource, Module, ModuleType};
use dgate_core::{Kind, Problems};
use serde_json::Value;

/// Modules of a directory, and the resources around them.
///
/// Every `.ts` and `.js` file beside the one that is named is a module, called like the file without its extension;
/// `*.test.ts`, `*.test.js` and `*.d.ts` are not. YAML files in the form of `init_resources` say more: permissions, limits and `env`
/// of modules (with `payload_file`), routes, services, collections, documents, secrets.
#[derive(Debug, Clone)]
pub struct Project {
    directory: PathBuf,
    resources: Vec<AnyResource>,
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
        let is_file = path.is_file();
        let directory = match path.parent() {
            Some(parent) if is_file && !parent.as_os_str().is_empty() => parent.to_owned(),
            _ if is_file => PathBuf::from("."),
            _ => path.to_owned(),
        };
        let unreadable = |source| ProjectError::Unreadable { path: directory.clone(), source };
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(&directory).map_err(unreadable)? {
            files.push(entry.map_err(unreadable)?.path());
        }
        files.retain(|file| file.is_file());
        files.sort();
        let mut project = Self { directory, resources: Vec::new(), tests: Vec::new() };
        let ends = |file: &Path, end: &str| file.to_str().is_some_and(|text| text.ends_with(end));
        let is_test = |file: &Path| ends(file, ".test.ts") || ends(file, ".test.js");
        for file in files.iter().filter(|file| ends(file, ".yaml") || ends(file, ".yml")) {
            project.add_yaml(file)?;
        }
        for file in &files {
            if is_test(file) {
                project.tests.push(file.clone());
            } else if (ends(file, ".ts") && !ends(file, ".d.ts")) || ends(file, ".js") {
                project.add_file(file)?;
            }
        }
        if is_file && !is_test(path) && project.name_of(path).is_none() {
            return Err(ProjectError::NoModule(path.to_owned()));
        }
        Ok(project)
    }

    /// A project without anything.
    #[cfg(test)]
    pub(super) fn empty() -> Self {
        Self { directory: PathBuf::new(), resources: Vec::new(), tests: Vec::new() }
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

    /// The module whose source is in a file.
    pub fn name_of(&self, file: &Path) -> Option<&str> {
        let stem = file.file_stem()?.to_str()?;
        let source = std::fs::read_to_string(file).ok()?;
        let of_file = |module: &&Module| module.payload_raw.as_deref() == Some(&source);
        let mut found: Vec<&Module> = self.modules().filter(of_file).collect();
        found.sort_by_key(|module| module.name != stem);
        found.first().map(|module| module.name.as_str())
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
        let module = module(stem, read(file)?, file);
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
                self.resources.push(self.with_source(resource)?);
            }
        }
        Ok(())
    }

    /// Reads the file that a module names.
    fn with_source(&self, mut resource: AnyResource) -> Result<AnyResource, ProjectError> {
        if let AnyResource::Module(module) = &mut resource
            && let Some(file) = module.payload_file.clone()
        {
            let module = Arc::make_mut(module);
            module.payload_file = None;
            module.payload_raw = Some(read(&self.directory.join(file))?);
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
    if file.extension().is_some_and(|extension| extension == "js") {
        module.module_type = ModuleType::Javascript;
    }
    module
}

fn read(path: &Path) -> Result<String, ProjectError> {
    std::fs::read_to_string(path).map_err(|source| ProjectError::Unreadable { path: path.to_owned(), source })
}
