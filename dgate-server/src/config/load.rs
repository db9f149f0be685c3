//! From a file to a configuration, or to everything that is wrong with it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use dgate_admin::store::EncryptionKey;
use dgate_core::apply::{Change, ChangeSet, Environment, Mode, Settings};
use dgate_core::resource::AnyResource;
use dgate_core::store::Author;
use dgate_core::tags::ServerTags;
use dgate_core::text::{Format, Interpolated, Position, Sources, coerce, interpolate};
use dgate_core::{Key, Problem, Problems, decode};
use dgate_proxy::{FallbackCertificate, ProxySettings};

use super::authentication::authentication;
use super::files::Files;
use super::model::Config;
use super::not_yet;
use super::report::display_name;
use super::search::FoundAt;
use super::settings::proxy_settings;

/// Whose resources the file's resources become.
pub(crate) const OWNER: &str = "config-file";

/// A configuration that can be used.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What the file says, with defaults.
    pub config: Config,
    /// The data plane's settings.
    pub settings: ProxySettings,
    /// The certificate of the admin listener, if it speaks TLS.
    pub admin_certificate: Option<FallbackCertificate>,
    /// What resources mean on this server.
    pub environment: Environment,
    /// What is worth a warning.
    pub warnings: Problems,
    /// Where it comes from.
    pub source: Source,
    /// Files that were read on the way, besides the configuration itself.
    pub files: Vec<PathBuf>,
}

/// A text, and what is known about it: enough to show where something is wrong.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name, for people.
    pub name: String,
    /// Its path, if it is a file.
    pub path: Option<PathBuf>,
    /// The text itself.
    pub text: String,
    pub(super) format: Format,
    pub(super) syntax_error_at: Option<Position>,
    /// Where the resources stand, as JSON pointers.
    pub(super) places: HashMap<Key, String>,
    pub(super) interpolated: Vec<Interpolated>,
}

/// A configuration that cannot be used.
#[derive(Debug)]
pub struct LoadError {
    /// Everything that is wrong.
    pub problems: Problems,
    /// Where.
    pub source: Box<Source>,
}

impl LoadError {
    /// The problems with their places, for people.
    pub fn render(&self, color: bool) -> String {
        super::render(&self.problems, &self.source, color)
    }
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for LoadError {}

/// Loads what was found; defaults when nothing was.
///
/// # Errors
/// Everything that is wrong.
pub fn load(found: &FoundAt) -> Result<Loaded, LoadError> {
    match found.path() {
        Some(path) => load_file(path),
        None => load_text("", "the built-in defaults"),
    }
}

/// Loads a file.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_file(path: &Path) -> Result<Loaded, LoadError> {
    match std::fs::read_to_string(path) {
        Ok(text) => read(Source::of_file(text, path)),
        Err(error) => {
            let source = Source::of_file(String::new(), path);
            let problem = Problem::error("", format!("the file cannot be read: {error}"));
            Err(LoadError { problems: problem.into(), source: Box::new(source) })
        }
    }
}

/// Loads a text that is in no file; YAML, of which JSON is a part. The name is for people.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_text(text: &str, name: &str) -> Result<Loaded, LoadError> {
    read(Source::new(text.to_owned(), name.to_owned(), None))
}

fn read(mut source: Source) -> Result<Loaded, LoadError> {
    let mut problems = Problems::new();
    match understand(&mut source, &mut problems) {
        Some(mut loaded) if !problems.has_errors() => {
            loaded.warnings = problems;
            loaded.source = source;
            Ok(loaded)
        }
        _ => Err(LoadError { problems, source: Box::new(source) }),
    }
}

impl Source {
    fn of_file(text: String, path: &Path) -> Self {
        Self::new(text, display_name(path), Some(path))
    }

    fn new(text: String, name: String, path: Option<&Path>) -> Self {
        Self {
            name,
            format: path.map_or(Format::Yaml, Format::of),
            path: path.map(Path::to_owned),
            text,
            syntax_error_at: None,
            places: HashMap::new(),
            interpolated: Vec::new(),
        }
    }

    /// What file names are relative to.
    fn base(&self) -> PathBuf {
        let parent =
            self.path.as_deref().and_then(Path::parent).filter(|parent| !parent.as_os_str().is_empty());
        parent.map_or_else(|| PathBuf::from("."), Path::to_owned)
    }
}

fn understand(source: &mut Source, problems: &mut Problems) -> Option<Loaded> {
    let mut value = match source.format.parse(&source.text) {
        Ok(value) => value,
        Err(error) => {
            source.syntax_error_at = error.at;
            problems.push(Problem::error("", error.message));
            return None;
        }
    };
    let base = source.base();
    let mut files = Files::new(&base);
    let outside = Outside { files: std::cell::RefCell::new(&mut files) };
    source.interpolated = interpolate(&mut value, &outside, problems);
    coerce(&mut value, &source.interpolated, decode::types_at::<Config>);

    let mut config = match decode::<Config>(value) {
        Ok(config) => config,
        Err(found) => {
            problems.extend(not_yet::explain(found));
            return None;
        }
    };
    files.inline_all(&mut config.proxy.init_resources, problems);
    let fallback = files.fallback_certificate(&config, problems);
    let admin_certificate = files.admin_certificate(&config, problems);
    let settings = proxy_settings(&config, fallback, problems);
    let (tags, found) = ServerTags::parse(&config.tags);
    problems.extend(found.below("/tags"));
    authentication(&config.admin, problems);
    check_runtime(&config, problems);
    config.modules.check(problems);
    check_storage(&config, problems);
    find_places(&config, source, problems);
    if problems.has_errors() {
        // The gateway is not even asked: what it would say of the resources is said here, so that all is said at once.
        let resources =
            dgate_core::apply::resource_set(config.proxy.init_resources.iter().map(|(_, resource)| resource));
        problems.extend(dgate_core::compile(&resources, &tags, None).err().into_iter().flatten());
    }
    let default_namespace = !config.disable_default_namespace;
    let environment = Environment { tags, default_namespace, ..Environment::default() };
    let files = files.read;
    Some(Loaded {
        config,
        settings,
        admin_certificate,
        environment,
        warnings: Problems::new(),
        source: source.clone(),
        files,
    })
}

struct Outside<'f, 'b> {
    files: std::cell::RefCell<&'f mut Files<'b>>,
}

impl Sources for Outside<'_, '_> {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> Result<String, String> {
        self.files.borrow_mut().text(path)
    }
}

fn check_runtime(config: &Config, problems: &mut Problems) {
    if config.runtime.workers == Some(0) {
        problems.push(Problem::error("/runtime/workers", "`workers` must be at least 1"));
    }
}

fn check_storage(config: &Config, problems: &mut Problems) {
    let storage = &config.storage;
    if storage.encryption_key.is_some() && storage.encryption_key_file.is_some() {
        let text = "`encryption_key` and `encryption_key_file` cannot both be given";
        problems.push(Problem::error("/storage/encryption_key_file", text));
    }
    if let Some(Err(error)) = storage.encryption_key.as_deref().map(EncryptionKey::parse) {
        problems.push(Problem::error("/storage/encryption_key", error.to_string()));
    }
}

fn find_places(config: &Config, source: &mut Source, problems: &mut Problems) {
    for (pointer, resource) in config.proxy.init_resources.iter() {
        let key = resource.key();
        if let Some(first) = source.places.get(&key) {
            let text = format!("{key} is listed twice");
            problems
                .push(Problem::error(pointer.clone(), text).with_help(format!("the first one is {first}")));
        }
        source.places.entry(key).or_insert(pointer);
    }
}

impl Loaded {
    /// The changes that make the file's wishes come true: its resources, settings and environment in one step.
    pub fn changes(&self) -> ChangeSet {
        self.changes_without(&[])
    }

    /// The same, without some resources.
    pub fn changes_without(&self, left_out: &[Key]) -> ChangeSet {
        let resources = self.config.proxy.init_resources.iter().map(|(_, resource)| resource);
        let wanted = resources.filter(|resource| !left_out.contains(&resource.key()));
        let change = |resource: AnyResource| match resource {
            AnyResource::Document(_) => Change::Create(resource),
            resource => Change::Put(resource),
        };
        ChangeSet {
            changes: wanted.map(change).collect(),
            mode: Mode::Sync,
            owner: Some(OWNER.into()),
            author: Author { message: Some(self.source.name.clone()), ..Author::internal(OWNER) },
            settings: Some(Settings::new(std::sync::Arc::new(self.settings.clone()))),
            environment: Some(self.environment.clone()),
            ..ChangeSet::new()
        }
    }
}
