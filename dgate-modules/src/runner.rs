//! The hook runner: programs for routes, sessions for requests.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use dgate_core::capability::{Documents, Fetch, Upstreams};
use dgate_core::event::EventSink;
use dgate_core::hook::{HookChain, HookRunner};
use dgate_core::resource::Resource as _;
use dgate_core::snapshot::{CompiledRoute, NamespaceSnapshot};
use dgate_core::{BoxFuture, Problem, Problems};

use crate::capability::{Capabilities, ConsoleLine, Node};
use crate::chain::Chain;
use crate::direct::DirectHooks;
use crate::failure::Failure;
use crate::limits::{LimitSettings, Rules};
use crate::pool::{Deployed, Evaluated, Pool, PoolSettings};
use crate::program::{self, Library, Program, ProgramId};

/// Runs modules: the [`HookRunner`] for TypeScript and JavaScript.
///
/// Cheap to clone; all clones share one pool.
#[derive(Clone)]
pub struct ModuleRunner {
    library: Arc<Library>,
    pool: Arc<Pool>,
    rules: Arc<Rules>,
    direct_hooks: bool,
    /// Programs that routes have: those with the same modules share one.
    deployed: Arc<Mutex<HashMap<ProgramId, Weak<Deployed>>>>,
}

/// What a [`ModuleRunner`] is made with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ModuleSettings {
    /// What every module may do besides its own permissions.
    pub default_permissions: Vec<String>,
    /// What they may use.
    pub limits: LimitSettings,
    /// How runtimes are kept.
    pub pool: PoolSettings,
    /// What identifies this server to modules.
    pub node: Node,
    /// Whether simple hooks run without the engine, which does the same and costs a fraction. Without it everything runs in
    /// the engine.
    pub direct_hooks: bool,
}

impl Default for ModuleSettings {
    fn default() -> Self {
        Self {
            default_permissions: Vec::new(),
            limits: LimitSettings::default(),
            pool: PoolSettings::default(),
            node: Node::default(),
            direct_hooks: true,
        }
    }
}

impl ModuleSettings {
    /// The same, changed; for `#[non_exhaustive]`'s sake.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl ModuleRunner {
    /// A runner without access to anything outside: see [`ModuleRunner::connect_fetch`] and its neighbours.
    pub fn new(settings: ModuleSettings) -> Self {
        let capabilities = Arc::new(Capabilities {
            node: settings.node,
            limits: settings.limits.clone(),
            ..Capabilities::default()
        });
        Self {
            library: Arc::default(),
            pool: Arc::new(Pool::new(settings.pool, capabilities)),
            rules: Arc::new(Rules { permissions: settings.default_permissions, limits: settings.limits }),
            direct_hooks: settings.direct_hooks,
            deployed: Arc::default(),
        }
    }

    /// Makes the calling thread, a worker (see [`dgate_core::worker`]), get ready for modules as they are deployed, rather than
    /// when they are first called there. Needs the worker's tokio runtime.
    pub fn attach(&self) {
        crate::worker::watch(&self.pool.shared);
    }

    /// Gives modules a client. Only the first one counts.
    pub fn connect_fetch(&self, fetch: Arc<dyn Fetch>) {
        let _ = self.pool.shared.capabilities.fetch.set(fetch);
    }

    /// Gives modules documents. Only the first ones count.
    pub fn connect_documents(&self, documents: Arc<dyn Documents>) {
        let _ = self.pool.shared.capabilities.documents.set(documents);
    }

    /// Gives modules the endpoints of services. Only the first ones count.
    pub fn connect_upstreams(&self, upstreams: Arc<dyn Upstreams>) {
        let _ = self.pool.shared.capabilities.upstreams.set(upstreams);
    }

    /// Takes what modules write to their consoles, besides the log. Only the first one counts.
    pub fn connect_console(&self, console: impl Fn(ConsoleLine) + Send + Sync + 'static) {
        let _ = self.pool.shared.capabilities.console.set(Arc::new(console));
    }

    /// Is told what modules tried without a permission for it, besides the log. Only the first one counts.
    pub fn connect_denials(&self, denials: impl Fn(&str) + Send + Sync + 'static) {
        let _ = self.pool.shared.capabilities.denials.set(Arc::new(denials));
    }

    /// Takes what modules emit. Only the first one counts.
    pub fn connect_events(&self, events: Arc<dyn EventSink>) {
        let _ = self.pool.shared.capabilities.events.set(events);
    }
}

/// Which resource is at fault, and where in it; and how.
pub(crate) type Fault = (Option<(dgate_core::Key, &'static str)>, Failure);

impl ModuleRunner {
    /// A program that some route has already.
    fn known(&self, id: ProgramId) -> Option<Arc<Deployed>> {
        self.deployed.lock().unwrap_or_else(PoisonError::into_inner).get(&id).and_then(Weak::upgrade)
    }

    /// Evaluates a program where it harms nobody, and tells which hooks it has.
    pub(crate) async fn evaluate(&self, program: Program) -> Result<(Arc<Program>, Evaluated), Fault> {
        let program = Arc::new(program);
        let evaluated = self.pool.check(&program).await.map_err(|failure| {
            let module = program.modules.iter().find(|module| failure.module.as_ref() == Some(&module.name));
            (module.or(program.modules.first()).map(|module| (module.key.clone(), module.pointer)), failure)
        })?;
        Ok((program, evaluated))
    }

    /// The same, and gets all threads ready for it.
    pub(crate) async fn deploy(&self, program: Program) -> Result<Arc<Deployed>, Fault> {
        let (program, evaluated) = self.evaluate(program).await?;
        let direct =
            if self.direct_hooks { DirectHooks::of(&program, &evaluated) } else { DirectHooks::default() };
        let deployed = Arc::new(Deployed::new(program.clone(), &evaluated, direct, self.pool.clone()));
        let mut all = self.deployed.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, known| known.strong_count() > 0);
        all.insert(program.id, Arc::downgrade(&deployed));
        Ok(deployed)
    }
}

impl HookRunner for ModuleRunner {
    fn prepare<'a>(
        &'a self,
        namespace: &'a NamespaceSnapshot,
        route: &'a CompiledRoute,
        modules: &'a [String],
        previous: Option<&'a Arc<dyn HookChain>>,
    ) -> BoxFuture<'a, Result<Arc<dyn HookChain>, Problems>> {
        Box::pin(async move {
            let program = program::build(&self.library, namespace, modules, &self.rules)?;
            if let Some(previous) = previous
                && let Some(chain) = (&**previous as &dyn Any).downcast_ref::<Chain>()
                && chain.deployed().program.id == program.id
            {
                return Ok(previous.clone());
            }
            let deployed = match self.known(program.id) {
                Some(deployed) => deployed,
                None => self.deploy(program).await.map_err(|(module, failure)| {
                    let (key, pointer) = module.unwrap_or_else(|| (route.spec.spec.key(), "/modules"));
                    Problems::from(Problem::error(pointer, failure.to_string()).about(&key))
                })?,
            };
            let label = modules.first().map_or("-", String::as_str);
            let chain: Arc<dyn HookChain> = Arc::new(Chain::new(deployed, label));
            Ok(chain)
        })
    }

    fn check<'a>(
        &'a self,
        namespace: &'a NamespaceSnapshot,
        before: Option<&'a NamespaceSnapshot>,
    ) -> BoxFuture<'a, Result<(), Problems>> {
        Box::pin(async move {
            let mut problems = Problems::new();
            for (module, changed) in unrouted(namespace, before) {
                // Others may have changed what it imports.
                let program = match program::build(&self.library, namespace, &[module], &self.rules) {
                    Ok(program) if changed => program,
                    Ok(_) => continue,
                    Err(found) => {
                        problems.extend(found);
                        continue;
                    }
                };
                let key = program.modules.first().map(|module| (module.key.clone(), module.pointer));
                if let Err((module, failure)) = self.evaluate(program).await
                    && let Some((key, pointer)) = module.or(key)
                {
                    problems.push(Problem::error(pointer, failure.to_string()).about(&key));
                }
            }
            problems.or(()).map(|_| ())
        })
    }
}

/// The modules of a namespace that are on no route, and whether they changed.
fn unrouted(namespace: &NamespaceSnapshot, before: Option<&NamespaceSnapshot>) -> Vec<(String, bool)> {
    let routes = namespace.routes().iter();
    let routed: HashSet<&str> =
        routes.flat_map(|route| route.spec.spec.modules.iter().map(String::as_str)).collect();
    let modules = &namespace.resources.modules;
    let names = modules.names().filter(|name| namespace.has_module(name) && !routed.contains(name));
    names
        .map(|name| {
            let now = modules.get(name);
            let known = before.and_then(|before| before.resources.modules.get(name));
            let is_same =
                matches!((now, known), (Some(now), Some(known)) if Arc::ptr_eq(&now.spec, &known.spec));
            (name.to_owned(), !is_same)
        })
        .collect()
}

impl fmt::Debug for ModuleRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleRunner").field("rules", &self.rules).finish_non_exhaustive()
    }
}
