//! Whether what modules import is there, and whether they import each other in a circle.

use dgate_core::{Problem, Problems, closest};

use super::build::{ImportChain, through};
use super::{ProgramModule, Target};
use crate::native;
use crate::typescript::{Dialect, Import, Imported};

/// Modules with gaps where one did not compile.
type Modules = [Option<ProgramModule>];

/// Checks all imports.
pub(super) fn links(modules: &Modules, chains: &[ImportChain], problems: &mut Problems) {
    for (module, chain) in modules.iter().zip(chains) {
        let Some(module) = module else { continue };
        for import in &module.compiled.imports {
            if let Some(problem) = missing_export(modules, module, chain, import) {
                problems.push(problem.about(&module.key));
            }
        }
    }
    let mut states = vec![State::New; modules.len()];
    for start in 0..modules.len() {
        let mut chain = Vec::new();
        if let Some(cycle) = cycle(modules, start, &mut states, &mut chain) {
            let named = cycle.iter().filter_map(|index| modules[*index].as_ref());
            let names: Vec<&str> = named.map(|module| &*module.name).collect();
            let places = cycle.windows(2).filter_map(|pair| place_of(modules, pair[0], pair[1]));
            let places = places.collect::<Vec<_>>().join(", ");
            let message = format!("modules import each other in a circle: {} ({places})", names.join(" → "));
            if let Some(module) = &modules[cycle[0]] {
                problems.push(Problem::error(module.pointer, message).about(&module.key));
            }
        }
    }
}

/// Where a module imports another.
fn place_of(modules: &Modules, from: usize, to: usize) -> Option<String> {
    let module = modules[from].as_ref()?;
    let (specifier, _) = module.links.iter().find(|(_, target)| *target == Target::Module(to))?;
    let imports = module.compiled.imports.iter().map(|import| (&import.specifier, import.place));
    let reexports = module.compiled.reexports.iter().map(|export| (&export.specifier, export.place));
    let (_, place) = imports.chain(reexports).find(|(known, _)| *known == specifier)?;
    Some(format!("{}:{place}", module.file))
}

fn missing_export(
    modules: &Modules,
    module: &ProgramModule,
    chain: &ImportChain,
    import: &Import,
) -> Option<Problem> {
    let Imported::Name(name) = &import.name else { return None };
    let candidates: Vec<&str> = match module.link(&import.specifier)? {
        Target::Native(native) => {
            let exports = native::exports(native);
            if exports.contains(&name.as_str()) {
                return None;
            }
            exports.to_vec()
        }
        Target::Module(target) => {
            if has_export(modules, target, name, &mut Vec::new()) {
                return None;
            }
            let exports = modules[target].as_ref().map(|target| &target.compiled.exports);
            exports.into_iter().flatten().map(String::as_str).collect()
        }
    };
    let close = closest(name, candidates).map(|close| format!("did you mean `{close}`?"));
    let message = format!(
        "{}:{}: `{}` does not export `{name}`{}",
        module.file,
        import.place,
        import.specifier,
        through(chain)
    );
    Some(Problem::error(module.pointer, message).with_help_if(close))
}

fn has_export(modules: &Modules, index: usize, name: &str, seen: &mut Vec<usize>) -> bool {
    // What does not compile is a problem already; what was seen is a circle, another one.
    let Some(module) = &modules[index] else { return true };
    if seen.contains(&index) {
        return false;
    }
    seen.push(index);
    let compiled = &module.compiled;
    // What CommonJS exports is known only when it has run.
    compiled.dialect == Dialect::CommonJs
        || compiled.exports.iter().any(|known| known == name)
        || compiled.reexports.iter().any(|export| match module.link(&export.specifier) {
            Some(Target::Module(target)) => has_export(modules, target, name, seen),
            Some(Target::Native(native)) => native::exports(native).contains(&name),
            None => true,
        })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Closed,
}

/// A circle that begins and ends with the same module.
fn cycle(modules: &Modules, at: usize, states: &mut [State], chain: &mut Vec<usize>) -> Option<Vec<usize>> {
    match states[at] {
        State::Closed => return None,
        State::Open => {
            let begin = chain.iter().position(|known| *known == at)?;
            let mut cycle = chain[begin..].to_vec();
            cycle.push(at);
            return Some(cycle);
        }
        State::New => {}
    }
    states[at] = State::Open;
    chain.push(at);
    let links = modules[at].iter().flat_map(|module| &module.links);
    let found = links.into_iter().find_map(|(_, target)| match target {
        Target::Module(target) => cycle(modules, *target, states, chain),
        Target::Native(_) => None,
    });
    chain.pop();
    states[at] = State::Closed;
    found
}
