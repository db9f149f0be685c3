//! What is wrong with modules before they run, and what they ask for against what they have.

use std::collections::BTreeMap;

use dgate_core::resource::Module;
use dgate_core::{Problem, Problems, closest};

use super::{LocalGateway, Network, Project};
use crate::direct::Translation;
use crate::hook::{HOOKS, Hook};
use crate::permission::{Permissions, Wanted};
use crate::program::{self, Library, ProgramModule};
use crate::typescript;

/// What was found out about a module.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Checked {
    /// Its name.
    pub module: String,
    /// The hooks it exports.
    pub hooks: Vec<String>,
    /// How each of them is run.
    pub runs: Vec<HookRun>,
    /// What it will ask permission for, as far as its text tells.
    pub asks: Vec<Ask>,
    /// Permissions it has and never asks for.
    pub unused: Vec<String>,
    /// What is wrong, or looks so.
    pub problems: Problems,
}

/// Something that a module will ask permission for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ask {
    /// The permission, such as `os:net:http=api.example.com`; without a scope when the text does not tell it.
    pub permission: String,
    /// Where, as `file:line:column`.
    pub place: String,
    /// Whether it is granted; for one without a scope, whether any is.
    pub granted: bool,
}

/// How a hook is run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HookRun {
    /// Which one, by the name that metrics have for it.
    pub hook: &'static str,
    /// Why it runs in the engine, such as `a loop (hello.ts:3:5)`; nothing when it needs none, and costs a fraction.
    pub engine: Option<String>,
}

impl Checked {
    /// Whether it may be stored, and has what it asks for.
    pub fn is_fine(&self) -> bool {
        !self.problems.has_errors() && self.asks.iter().all(|ask| ask.granted)
    }
}

/// Checks all modules of a project: compiles them, follows their imports, evaluates them in a runtime that is thrown away,
/// and compares what they ask for with what they have.
///
/// # Errors
/// When the resources around the modules are not valid.
pub async fn check(project: &Project) -> Result<Vec<Checked>, Problems> {
    let gateway = LocalGateway::start(&project.without_routes(), Network::default()).await?;
    let mut all = Vec::new();
    for module in project.modules() {
        all.push(check_one(&gateway, module).await);
    }
    Ok(all)
}

async fn check_one(gateway: &LocalGateway, module: &Module) -> Checked {
    let mut checked = Checked {
        module: module.name.clone(),
        hooks: Vec::new(),
        runs: Vec::new(),
        asks: Vec::new(),
        unused: Vec::new(),
        problems: Problems::new(),
    };
    let Some(namespace) = gateway.namespace() else { return checked };
    let names = [module.name.clone()];
    let program =
        match program::build(&Library::default(), &namespace, &names, &crate::limits::Rules::default()) {
            Ok(program) => program,
            Err(problems) => {
                checked.problems = problems;
                return checked;
            }
        };
    let Some(built) = program.modules.first() else { return checked };
    let (key, pointer, file) = (built.key.clone(), built.pointer, built.file.clone());
    let exports = &built.compiled.exports;
    checked.hooks = exports.iter().filter(|name| is_hook(name)).cloned().collect();
    checked.runs = runs(built, &checked.hooks);
    for name in exports.iter().filter(|name| !is_hook(name)) {
        if let Some(hook) = closest(name, HOOKS) {
            let problem = Problem::warning(pointer, format!("{file}: the export `{name}` is not a hook"));
            checked.problems.push(problem.with_help(format!("did you mean `{hook}`?")).about(&key));
        }
    }
    if let Ok(source) = module.source() {
        let (asks, unused) = asks(module, &source, &file);
        (checked.asks, checked.unused) = (asks, unused);
    }
    if let Err((fault, failure)) = gateway.runner.evaluate(program).await {
        let (key, pointer) = fault.unwrap_or((key, pointer));
        checked.problems.push(Problem::error(pointer, failure.with_trace()).about(&key));
    }
    checked
}

/// How the hooks of a module are run.
fn runs(module: &ProgramModule, exported: &[String]) -> Vec<HookRun> {
    let Some(hooks) = &module.compiled.translated.hooks else {
        let is_exported = |hook: &Hook| hook.exports().iter().any(|name| exported.iter().any(|e| e == name));
        let why = || Some("what the module exports is known only when it has run".to_owned());
        return Hook::ALL
            .into_iter()
            .filter(is_exported)
            .map(|hook| HookRun { hook: hook.name(), engine: why() })
            .collect();
    };
    let run = |(hook, translation): (Hook, &Translation)| {
        let engine = match translation {
            Translation::Absent => return None,
            Translation::Direct(_) => None,
            Translation::Engine(obstacle) => {
                Some(format!("{} ({}:{})", obstacle.what, module.file, obstacle.place))
            }
        };
        Some(HookRun { hook: hook.name(), engine })
    };
    Hook::ALL.into_iter().zip(hooks).filter_map(run).collect()
}

fn is_hook(name: &str) -> bool {
    HOOKS.contains(&name) || name == "default"
}

fn asks(module: &Module, source: &str, file: &str) -> (Vec<Ask>, Vec<String>) {
    let (permissions, _) = Permissions::parse(&module.permissions);
    let is_typescript = module.module_type == dgate_core::resource::ModuleType::Typescript;
    let mut asks: BTreeMap<String, Ask> = BTreeMap::new();
    for asked in typescript::asks(source, is_typescript) {
        let scope = asked.scope.as_deref();
        let wanted = Wanted { name: asked.permission, scope };
        let granted = match scope {
            None if asked.has_scope => permissions.has(asked.permission),
            _ => permissions.check(&wanted).is_ok(),
        };
        let (permission, place) = (wanted.to_string(), format!("{file}:{}", asked.place));
        asks.entry(permission.clone()).or_insert(Ask { permission, place, granted });
    }
    let names: Vec<&str> = asks.keys().map(|asked| asked.split('=').next().unwrap_or(asked)).collect();
    let unused = permissions.unused(&names);
    (asks.into_values().collect(), unused)
}
