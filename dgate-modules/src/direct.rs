//! Hooks that need no engine.
//!
//! Most hooks look at a few things of a request, decide, and set a header or answer. What such a hook does can be seen in
//! its text: it has no loops, makes no functions and keeps no objects. The compiler translates it to a small [tree](code)
//! ([`crate::typescript`] says what it takes), and a call walks that tree on the request itself: no runtime, no
//! garbage, nothing is moved. Everything else runs in the engine, and a hook does the same either way: built-in objects
//! are frozen, so that nothing that a module does could change what the text means.
//!
//! A tree cannot run for ever: each of its nodes is walked once at most, of which there are [bounded](MOST_NODES) many.
//! Texts are bounded as in the engine. Every text that is come by counts: whoever works on many large ones has the module's
//! computing time for it, and no more than some times the longest text in all.

mod arithmetic;
pub(crate) mod code;
mod json;
mod list;
mod method;
mod native;
mod operate;
mod read;
mod reply;
mod run;
mod scene;
#[cfg(test)]
mod tests;
mod text;
mod url;
mod value;

use std::sync::Arc;
use std::time::Instant;

use dgate_core::resource::FailurePolicy;

use self::code::{Doubt, Function, Needs};
use self::run::Run;
pub(crate) use self::scene::{Scene, Seen};
use self::value::Value;
use crate::engine::Answer;
use crate::failure::{Failure, FailureKind};
use crate::hook::Hook;
use crate::metrics;
use crate::permission::Wanted;
use crate::pool::Evaluated;
use crate::program::Program;
use crate::typescript::Obstacle;

/// The most nodes that the tree of a hook has, with those of the functions it calls.
pub(crate) const MOST_NODES: usize = 2_000;

/// What is known of a module's hooks without running it.
#[derive(Debug, Clone)]
pub(crate) struct Translated {
    /// What the module has of each hook; nothing is known when what it exports is found out only by running it.
    pub(crate) hooks: Option<[Translation; Hook::ALL.len()]>,
    /// Whether some are members of the default export, which whoever imports that can change.
    pub(crate) of_default: bool,
}

/// What a module has of one hook.
#[derive(Debug, Clone, Default)]
pub(crate) enum Translation {
    /// Nothing.
    #[default]
    Absent,
    /// A hook that needs no engine.
    Direct(Arc<Function>),
    /// One that does, and why.
    Engine(Obstacle),
}

/// The hooks of a chain that need no engine: for each the modules that have it, in its order.
#[derive(Debug, Default)]
pub(crate) struct DirectHooks {
    hooks: [Option<Vec<(usize, Arc<Function>)>>; Hook::ALL.len()],
    /// Whether what hooks share may be something that only the engine has.
    shares_with_engine: bool,
}

impl DirectHooks {
    /// Those of a program. A hook needs no engine if it does not in any of the chain's modules, and only if they have what
    /// their text says they have.
    pub(crate) fn of(program: &Program, evaluated: &Evaluated) -> Self {
        let hooks = Hook::ALL.map(|hook| steps(program, evaluated, hook));
        let has = |hook: Hook| evaluated.modules.iter().any(|has| has[hook as usize]);
        let shares_with_engine =
            Hook::ALL.into_iter().any(|hook| has(hook) && hooks[hook as usize].is_none());
        let hooks = hooks.map(|steps| steps.filter(|steps| is_possible(steps, shares_with_engine)));
        Self { hooks, shares_with_engine }
    }

    /// Whether a hook is tried without the engine.
    pub(crate) fn has(&self, hook: Hook) -> bool {
        self.hooks[hook as usize].is_some()
    }

    /// Whether a hook needs nothing that the engine keeps of the request. It may still have to begin anew there.
    pub(crate) fn is_sure(&self, hook: Hook) -> bool {
        let steps = self.hooks[hook as usize].as_ref();
        steps.is_some_and(|steps| {
            !steps.iter().any(|(_, function)| function.doubt.shares && self.shares_with_engine)
        })
    }

    /// What a hook of all modules has to do with; everything when it needs the engine.
    pub(crate) fn needs(&self, hook: Hook) -> Needs {
        let Some(steps) = &self.hooks[hook as usize] else {
            return Needs { request: true, answer: true, cache: true };
        };
        steps.iter().fold(Needs::default(), |all, (_, function)| Needs {
            request: all.request || function.needs.request,
            answer: all.answer || function.needs.answer,
            cache: all.cache || function.needs.cache,
        })
    }

    /// Calls a hook of all modules that have it, if it needs no engine. Nothing was changed if that turns out meanwhile.
    pub(crate) fn call(
        &self,
        program: &Program,
        hook: Hook,
        mut scene: Scene<'_>,
        began: Instant,
    ) -> Option<Result<Answer, Failure>> {
        let steps = self.hooks[hook as usize].as_ref()?;
        // One alone is counted by the caller.
        let is_chain = steps.len() > 1;
        let mut since = began;
        for (index, function) in steps {
            let module = &program.modules[*index];
            let value = match Run::new(module, &mut scene, began).call_hook(function)? {
                Ok(value) => value,
                Err(failure) => {
                    let is_fatal = matches!(failure.kind, FailureKind::Limit(_));
                    if is_fatal || module.on_failure != FailurePolicy::Open {
                        return Some(Err(failure));
                    }
                    metrics::skip_failed(&program.namespace, hook, scene.info.id.as_str(), &failure);
                    Value::Undefined
                }
            };
            if is_chain {
                let now = Instant::now();
                program.count(*index, hook, now.saturating_duration_since(since), now);
                since = now;
            }
            let draft = scene.exchange.as_ref().map(|exchange| &exchange.draft);
            let is_over = match hook {
                Hook::FetchUpstream if !value.is_nullish() => {
                    return Some(Ok(Answer::Url(value.into_text().into_owned())));
                }
                Hook::FetchUpstream | Hook::ResponseModifier => false,
                Hook::RequestModifier => draft.is_some_and(|draft| draft.ended),
                Hook::RequestHandler | Hook::ErrorHandler => draft.is_some_and(|draft| draft.answers()),
            };
            if is_over {
                break;
            }
        }
        Some(Ok(Answer::Nothing))
    }
}

/// What the modules of a program have of a hook, if it needs no engine in any of them.
fn steps(program: &Program, evaluated: &Evaluated, hook: Hook) -> Option<Vec<(usize, Arc<Function>)>> {
    let mut steps = Vec::new();
    let is_imported = program.modules.iter().any(|module| module.compiled.takes_default());
    for index in program.order(hook) {
        let is_there = evaluated.modules.get(index)?[hook as usize];
        let translated = &program.modules[index].compiled.translated;
        if translated.of_default && is_imported {
            return None;
        }
        match &translated.hooks.as_ref()?[hook as usize] {
            Translation::Absent if !is_there => {}
            Translation::Direct(function) if is_there => {
                // The engine knows how to say that something is not granted.
                let cache = Wanted { name: "cache", scope: None };
                if function.needs.cache && program.modules[index].permissions.check(&cache).is_err() {
                    return None;
                }
                steps.push((index, function.clone()));
            }
            _ => return None,
        }
    }
    (!steps.is_empty()).then_some(steps)
}

/// Whether the engine can still take over where it may have to: when nothing was changed, by the module or one before it.
fn is_possible(steps: &[(usize, Arc<Function>)], shares_with_engine: bool) -> bool {
    let mut doubts = steps.iter().map(|(_, function)| function.doubt);
    let is_late = |doubt: Doubt| shares_with_engine && doubt.shares_late;
    let may_end = |doubt: Doubt| doubt.values || (shares_with_engine && doubt.shares);
    doubts.next().is_none_or(|first| !is_late(first)) && !doubts.any(may_end)
}
