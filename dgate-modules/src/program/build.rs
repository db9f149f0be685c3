//! Builds programs: finds, compiles and links modules.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use dgate_core::resource::{Module, ModuleType, Resource};
use dgate_core::snapshot::NamespaceSnapshot;
use dgate_core::{Problem, Problems, closest};
use sha2::Digest as _;

use super::{Program, ProgramModule, Target, Weight, check};
use crate::limits::{CallLimits, Rules};
use crate::metrics::ModuleMetrics;
use crate::native;
use crate::permission::Permissions;
use crate::typescript::{self, Compiled};

/// Modules that were compiled, by what they were compiled from.
#[derive(Debug, Default)]
pub(crate) struct Library(Mutex<HashMap<Source, Weak<Compiled>>>);

/// The SHA-256 of a source, and whether it is TypeScript.
type Source = (Vec<u8>, bool);

impl Library {
    fn compile(&self, source: &str, typescript: bool) -> Result<Arc<Compiled>, Vec<typescript::Fault>> {
        let key = (sha2::Sha256::digest(source).to_vec(), typescript);
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).and_then(Weak::upgrade);
        if let Some(known) = known {
            return Ok(known);
        }
        let compiled = Arc::new(typescript::compile(source, typescript)?);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, known| known.strong_count() > 0);
        all.insert(key, Arc::downgrade(&compiled));
        Ok(compiled)
    }
}

/// The module that runs tests; a program that begins with it is a test.
pub(crate) const TEST_RUNNER: &str = "dgate.tests";

/// Builds the program of some modules of a namespace.
///
/// # Errors
/// Everything that can be found wrong without running it.
pub(crate) fn build(
    library: &Library,
    namespace: &NamespaceSnapshot,
    names: &[String],
    rules: &Rules,
) -> Result<Program, Problems> {
    let is_test = names.first().is_some_and(|name| name == TEST_RUNNER);
    let problems = Problems::new();
    let (modules, chains) = (Vec::new(), Vec::new());
    let mut builder = Builder { library, namespace, rules, is_test, modules, chains, problems };
    for name in names.iter().filter(|name| namespace.has_module(name)) {
        builder.add(name, Vec::new());
    }
    let entries = builder.modules.len();
    let mut next = 0;
    while next < builder.modules.len() {
        builder.link(next);
        next += 1;
    }
    let Builder { modules, chains, mut problems, .. } = builder;
    check::links(&modules, &chains, &mut problems);
    if problems.has_errors() {
        return Err(problems);
    }
    let modules: Vec<ProgramModule> = modules.into_iter().flatten().collect();
    let id = Program::identity(&namespace.name, &modules, entries);
    Ok(Program { id, namespace: namespace.name.clone(), modules, entries, weight: Weight::default() })
}

struct Builder<'b> {
    library: &'b Library,
    namespace: &'b NamespaceSnapshot,
    rules: &'b Rules,
    is_test: bool,
    /// Those that do not compile leave a gap.
    modules: Vec<Option<ProgramModule>>,
    /// Through which imports each was found.
    chains: Vec<ImportChain>,
    problems: Problems,
}

/// The imports that lead from a module of the route to another, as `file:line:column`.
pub(super) type ImportChain = Vec<String>;

/// What to add to a message about a module that was found through imports.
pub(super) fn through(chain: &ImportChain) -> String {
    if chain.is_empty() { String::new() } else { format!(" (imported through {})", chain.join(" → ")) }
}

impl Builder<'_> {
    fn spec(&self, name: &str) -> Option<&Arc<Module>> {
        self.namespace.resources.modules.get(name).map(|stored| &stored.spec)
    }

    /// Compiles a module and returns its place. `chain`: the imports that led to it.
    fn add(&mut self, name: &str, chain: ImportChain) -> Option<usize> {
        let known = |module: &Option<ProgramModule>| module.as_ref().is_some_and(|m| *m.name == *name);
        if let Some(at) = self.modules.iter().position(known) {
            return Some(at);
        }
        let spec = self.spec(name)?.clone();
        let key = spec.key();
        let pointer = if spec.payload_raw.is_some() { "/payload_raw" } else { "/payload" };
        let source = match spec.source() {
            Ok(source) => source,
            Err(error) => {
                self.problems.push(Problem::error(pointer, error).about(&key));
                return None;
            }
        };
        let is_typescript = spec.module_type == ModuleType::Typescript;
        let file = format!("{name}.{}", if is_typescript { "ts" } else { "js" });
        let permissions = self.permissions(&spec);
        let (limits, excess) = CallLimits::new(&spec.limits, &self.rules.limits);
        for (at, message) in excess {
            self.problems.push(Problem::error(at, message).about(&key));
        }
        let compiled = match self.library.compile(&source, is_typescript) {
            Ok(compiled) => compiled,
            Err(faults) => {
                for fault in faults {
                    let message = format!("{file}:{}: {}{}", fault.place, fault.message, through(&chain));
                    self.problems.push(Problem::error(pointer, message).with_help_if(fault.help).about(&key));
                }
                self.modules.push(None);
                self.chains.push(chain);
                return None;
            }
        };
        self.modules.push(Some(ProgramModule {
            name: name.into(),
            file: file.into(),
            key,
            pointer,
            compiled,
            permissions,
            limits,
            on_failure: spec.on_failure,
            metrics: ModuleMetrics::default(),
            env: spec.env.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            links: Vec::new(),
        }));
        self.chains.push(chain);
        Some(self.modules.len() - 1)
    }

    /// Its own permissions, which were checked with the resource, and those that all modules have.
    fn permissions(&mut self, spec: &Module) -> Permissions {
        let (permissions, wrong) = Permissions::parse(spec.permissions.iter().chain(&self.rules.permissions));
        for (index, error) in wrong {
            let message = match index.checked_sub(spec.permissions.len()) {
                Some(index) => format!("`modules.default_permissions`, number {}: {error}", index + 1),
                None => error.to_string(),
            };
            let at = format!("/permissions/{index}");
            self.problems.push(Problem::error(at, message).with_help_if(error.help).about(&spec.key()));
        }
        permissions
    }

    /// Finds what a module imports.
    fn link(&mut self, index: usize) {
        let Some(module) = &self.modules[index] else { return };
        let compiled = module.compiled.clone();
        let (key, pointer, file) = (module.key.clone(), module.pointer, module.file.clone());
        let imports = compiled.imports.iter().map(|import| (&import.specifier, import.place));
        let reexports = compiled.reexports.iter().map(|export| (&export.specifier, export.place));
        let mut links: Vec<(String, Target)> = Vec::new();
        let mut missing: Vec<&String> = Vec::new();
        for (specifier, place) in imports.chain(reexports) {
            if links.iter().any(|(known, _)| known == specifier) || missing.contains(&specifier) {
                continue;
            }
            if let Some(native) = native::find(specifier, self.is_test) {
                links.push((specifier.clone(), Target::Native(native)));
                continue;
            }
            let name = module_name(specifier);
            if self.namespace.has_module(name) {
                let chain = self.chains[index].iter().cloned().chain([format!("{file}:{place}")]).collect();
                if let Some(target) = self.add(name, chain) {
                    links.push((specifier.clone(), Target::Module(target)));
                }
                continue;
            }
            missing.push(specifier);
            let chain = through(&self.chains[index]);
            let problem = if native::find(specifier, true).is_some() {
                Problem::error(
                    pointer,
                    format!("{file}:{place}: `{specifier}` is there for tests only{chain}"),
                )
                .with_help(
                    "tests stand in files of their own (`*.test.ts`), which `dgate-cli module test` runs",
                )
            } else {
                let mut names: Vec<&str> = self.namespace.resources.modules.names().collect();
                for native in native::names() {
                    names.push(native);
                }
                let close = closest(name, names).map(|close| format!("did you mean `{close}`?"));
                let message = format!("{file}:{place}: there is no module `{specifier}`{chain}");
                Problem::error(pointer, message).with_help_if(close)
            };
            self.problems.push(problem.about(&key));
        }
        if let Some(module) = &mut self.modules[index] {
            module.links = links;
        }
    }
}

/// `./auth`, `auth`, `./auth.ts` and `/auth` all mean the module `auth`.
fn module_name(specifier: &str) -> &str {
    let name = specifier.strip_prefix("./").or_else(|| specifier.strip_prefix('/')).unwrap_or(specifier);
    [".ts", ".js", ".mts", ".mjs"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}
