//! A module of a running gateway, tried apart from it.

use std::sync::Arc;

use dgate_core::resource::{Module, Route, Service};
use dgate_core::store::{DraftStore, Store};
use dgate_core::stored::{ResourceSet, Revision, StoredAny};
use dgate_core::{Key, Kind, Problem, Problems};

use super::{LocalGateway, Network};
use crate::runner::ModuleSettings;

/// The name of the route that leads to the module, and of the service behind it.
const TRIAL: &str = "trial";

/// What a module is tried with: what a running gateway has.
#[derive(Clone)]
pub struct Trial {
    /// The revision that is live.
    pub revision: Revision,
    /// The gateway's resources.
    pub resources: ResourceSet,
    /// Where its documents are. They are read, and never written.
    pub documents: Arc<dyn Store>,
    /// What it gives modules: permissions, and how much they may use.
    pub settings: ModuleSettings,
    /// What sends modules' requests.
    pub network: Network,
}

impl LocalGateway {
    /// A gateway of its own for one module of a running gateway, with a route of a pattern to it. It has the modules, the
    /// secrets, the collections and the documents of the module's namespace. What is written to documents stays in it. The
    /// conditions among tags do not matter: the module runs in any case.
    ///
    /// # Errors
    /// Everything that is wrong with the module, or with the pattern.
    pub async fn of_module(
        trial: Trial,
        namespace: &str,
        module: &str,
        pattern: &str,
    ) -> Result<Self, Problems> {
        let mut resources = ResourceSet::new();
        let Some(own) = trial.resources.namespace(namespace) else { return Err(missing(namespace, module)) };
        let mut spec = (*own.spec).clone();
        spec.tags.clear();
        resources.put(StoredAny { spec: spec.into(), meta: own.meta.clone() });
        let tables = trial.resources.tables(namespace).cloned().unwrap_or_default();
        if !tables.modules.contains(module) {
            return Err(missing(namespace, module));
        }
        for (_, stored) in tables.modules.iter() {
            let spec = Module { tags: Vec::new(), ..(*stored.spec).clone() };
            resources.put(StoredAny { spec: spec.into(), meta: stored.meta.clone() });
        }
        for kind in [Kind::Secret, Kind::Collection] {
            tables.of_kind(kind).into_iter().for_each(|stored| drop(resources.put(stored)));
        }
        let store = Arc::new(DraftStore::new(trial.documents, trial.revision, resources));
        let gateway = Self::open(trial.settings, trial.network, store, namespace.into()).await?;
        let mut route = Route::new(TRIAL, pattern);
        namespace.clone_into(&mut route.namespace);
        route.modules = vec![module.to_owned()];
        if !gateway.answers(module).await? {
            let mut service = Service::new(TRIAL, ["http://upstream.example"]);
            namespace.clone_into(&mut service.namespace);
            gateway.put(service).await?;
            route = route.to_service(TRIAL);
        }
        gateway.put(route).await?;
        Ok(gateway)
    }
}

fn missing(namespace: &str, module: &str) -> Problems {
    let key = Key::new(Kind::Module, namespace, module);
    Problem::error("", "it does not exist").about(&key).into()
}

impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trial").field("revision", &self.revision).finish_non_exhaustive()
    }
}
